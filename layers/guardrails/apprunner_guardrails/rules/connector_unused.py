from collections.abc import Iterator, Mapping

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Connector, Fleet, Network, NotKnown, Service, Unread, is_over, known
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE, delete_connector, listed
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.times import DAY_SECONDS, seconds


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    fleet = known(network.fleet)
    users = _users(known(fleet.services))
    if connector.arn in users.used:
        return
    if users.unread:
        raise NotKnown(
            f"{len(users.unread)} of {users.count} services could not be described, and none of the others uses it:"
            f" {listed(set(users.unread))}"
        )
    yield (
        f"no service uses it (services looked at: {users.count}, at {fleet.read_at};"
        f" age of the connector: {_age(connector, fleet)})"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Users:
    """Of the services that are there: how many they are, the ARNs of the connectors that they use, and why some of
    them could not be described."""

    count: int
    used: frozenset[str]
    unread: tuple[str, ...]


@once
def _users(services: Mapping[str, Service | Unread]) -> _Users:
    there = [one for one in services.values() if not is_over(one)]
    return _Users(
        count=len(there),
        used=frozenset(one.connector_arn for one in there if isinstance(one, Service)),
        unread=tuple(str(one) for one in there if not isinstance(one, Service)),
    )


def _age(connector: Connector, fleet: Fleet) -> str:
    made, now = seconds(connector.created), seconds(fleet.read_at)
    if made is None or now is None:
        return "not known"
    days = (now - made) // DAY_SECONDS
    return "less than a day" if days < 1 else f"{days} day{'s' if days > 1 else ''}"


def command(connector: Connector, network: Network, settings: Settings) -> str:
    return delete_connector(connector)


RULE = Rule(
    id="AR301",
    name="connector_unused",
    title="VPC connector is used by no service",
    severity=Severity.LOW,
    risk="It counts against the Region's quota of connectors, and App Runner does not tell which of them are in use:"
    " at the quota nobody knows what may go.",
    remediation="Delete it, unless a service is about to use it. What it was made of can be made again at any time.",
    reference=CONNECTOR_GUIDE,
    reports=("https://github.com/aws/apprunner-roadmap/issues/161",),
    needs=("services",),
    check=check,
    fault=lambda message: message.partition(" (")[0],
    command=command,
)
