from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, is_over, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, by_age, delete_connector, listed, use_connector
from apprunner_guardrails.settings import Settings


def _older(connector: Connector, network: Network) -> Connector | None:
    """The oldest of the active connectors with the same subnets and groups, if that is another: a pair is told once."""
    others = (one for one in known(known(network.fleet).connectors) if one.arn != connector.arn and not is_over(one))
    older = (one for one in others if _alike(one, connector) and by_age(one) < by_age(connector))
    return min(older, key=by_age, default=None)


def _alike(one: Connector, other: Connector) -> bool:
    """Two that name no group both use the default group of the VPC."""
    return (set(one.subnet_ids), set(one.security_group_ids)) == (set(other.subnet_ids), set(other.security_group_ids))


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    older = _older(connector, network)
    if older is not None:
        groups = listed(connector.security_group_ids, "the VPC's default group")
        yield (
            f"it has the subnets ({listed(connector.subnet_ids)}) and the security groups ({groups}) of"
            f" {older.arn}, which is older: services could share that one and its network interfaces"
        )


def command(connector: Connector, network: Network, settings: Settings) -> str:
    older = _older(connector, network)
    if older is None:
        return ""
    return "\n".join(
        (
            "# for each service that uses this connector",
            use_connector(connector.region, older.arn),
            "# once these updates are over",
            delete_connector(connector),
        )
    )


RULE = Rule(
    id="AR302",
    name="connector_duplicate",
    title="VPC connector has the subnets and groups of another",
    severity=Severity.LOW,
    risk="It counts against the Region's quota of connectors and separates nothing: App Runner makes its network"
    " interfaces by subnets and groups, whichever connector has them.",
    remediation="Let its services use the older connector, then delete this one. Keep both only where services are to"
    " part ways later; then give each security groups of its own.",
    reference=CONNECTOR_GUIDE,
    reports=("https://github.com/pulumi/pulumi-aws/issues/5364",),
    needs=("connectors",),
    check=check,
    command=command,
)
