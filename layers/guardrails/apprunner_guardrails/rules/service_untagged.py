from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Network, Service
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import TAG_CONTROLS, lacks_tags, put_tags
from apprunner_guardrails.settings import Settings


def check(service: Service, network: Network, settings: Settings) -> Iterator[str]:
    yield from lacks_tags(service, settings)


def command(service: Service, network: Network, settings: Settings) -> str:
    return put_tags(service, settings)


RULE = Rule(
    id="AR407",
    name="service_untagged",
    title="Service lacks required tags",
    severity=Severity.LOW,
    risk="Nobody can tell by it whose the service is, what it costs whom, and whom to ask.",
    remediation="Put the tags on it, and into what makes it (stack, module), so that the next one has them too.",
    reference=TAG_CONTROLS,
    needs=("services", "tags"),
    check=check,
    command=command,
)
