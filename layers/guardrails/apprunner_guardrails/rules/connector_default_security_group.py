from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, replace_connector
from apprunner_guardrails.settings import Settings


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    if not connector.security_group_ids:
        yield f"no security group was named, so App Runner uses the default group of {network.vpc_id or 'its VPC'}"
        return
    for group in known(network.security_groups):
        if group.name == "default":
            yield f"{group.id} is the default security group of {group.vpc_id}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    groups = () if not connector.security_group_ids else _own_groups(network)
    return replace_connector(connector, connector.subnet_ids, groups)


def _own_groups(network: Network) -> tuple[str, ...]:
    return tuple(group.id for group in known(network.security_groups) if group.name != "default")


RULE = Rule(
    id="AR201",
    name="connector_default_security_group",
    title="VPC connector uses the default security group",
    severity=Severity.MEDIUM,
    risk="The default group is shared by all that names no group of its own: it cannot say who may reach what,"
    " and a change made for one changes all.",
    remediation="Make a security group for the connector, admit that group at the destinations,"
    " and replace the connector by one that names it.",
    reference=CONNECTOR_GUIDE,
    needs=("security_groups",),
    check=check,
    command=command,
)
