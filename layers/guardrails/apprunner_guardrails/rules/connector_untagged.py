from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import TAG_CONTROLS, lacks_tags, put_tags
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    yield from lacks_tags(connector, settings)


def command(connector: Connector, network: Network, settings: Settings) -> str:
    return put_tags(connector, settings)


RULE = Rule(
    id="AR408",
    name="connector_untagged",
    title="VPC connector lacks required tags",
    severity=Severity.LOW,
    risk="Nobody can tell by it whose the connector is, what it costs whom, and whom to ask.",
    remediation="Put the tags on it by tag-resource: CloudFormation replaces a connector for a change of its tags.",
    reference=TAG_CONTROLS,
    needs=("tags",),
    check=check,
    command=command,
)
