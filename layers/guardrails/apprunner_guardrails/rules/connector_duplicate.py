from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Network, is_over, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.once import once
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, by_age, delete_connector, listed, use_connector
from apprunner_guardrails.settings import Settings

type _Place = tuple[frozenset[str], frozenset[str]]  # the ids of subnets and of security groups


def _older(connector: Connector, network: Network) -> Connector | None:
    """The oldest of the active connectors with the same subnets and groups, if that is another: a pair is told once."""
    alike = _active_alike(known(known(network.fleet).connectors)).get(_place(connector), ())
    older = (one for one in alike if one.arn != connector.arn and by_age(one) < by_age(connector))
    return next(older, None)


@once
def _active_alike(connectors: tuple[Connector, ...]) -> Mapping[_Place, Sequence[Connector]]:
    """The active ones by where they are, from the oldest to the youngest."""
    by_place: dict[_Place, list[Connector]] = defaultdict(list)
    for one in sorted(connectors, key=by_age):
        if not is_over(one):
            by_place[_place(one)].append(one)
    return by_place


def _place(connector: Connector) -> _Place:
    """Two that name no group both use the default group of the VPC."""
    return frozenset(connector.subnet_ids), frozenset(connector.security_group_ids)


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
