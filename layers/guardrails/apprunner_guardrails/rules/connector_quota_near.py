import shlex
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import (
    CONNECTOR_QUOTA,
    CONNECTOR_QUOTA_DEFAULT,
    QUOTAS_OF,
    Connector,
    Network,
    Unread,
    is_over,
    known,
)
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.once import once
from apprunner_guardrails.rules._common import by_age
from apprunner_guardrails.settings import Settings

type _Age = tuple[str, str]

_NEAR = 80  # % of the quota


def _quota(network: Network) -> int:
    """The documented default where the Region's own is not told: a quota can only be raised, so it is never less."""
    quota = known(network.fleet).quota
    return CONNECTOR_QUOTA_DEFAULT if isinstance(quota, Unread) else quota


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    """Told on those connectors alone that are on the line or beyond it, so that each more is one alert more."""
    fleet, quota = known(network.fleet), _quota(network)
    active, age = _ages(known(fleet.connectors)), by_age(connector)
    itself = active.of.get(connector.arn, ())  # as the list has it, if it does
    older = bisect_left(active.sorted, age) - sum(one < age for one in itself)
    if (older + 1) * 100 < quota * _NEAR:
        return
    count = len(active.sorted) - len(itself) + 1
    assumed = isinstance(fleet.quota, Unread)
    source = "App Runner's default: the Region's own could not be read" if assumed else f"quota {CONNECTOR_QUOTA}"
    yield f"the Region nears its quota of VPC connectors: {count} of {quota} are active ({source})"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ages:
    """Of the active connectors, by `by_age`: from the oldest to the youngest, and by their ARN."""

    sorted: Sequence[_Age]
    of: Mapping[str, Sequence[_Age]]


@once
def _ages(connectors: tuple[Connector, ...]) -> _Ages:
    of: dict[str, list[_Age]] = defaultdict(list)
    for one in connectors:
        if not is_over(one):
            of[one.arn].append(by_age(one))
    return _Ages(sorted=sorted(age for ages in of.values() for age in ages), of=of)


def command(connector: Connector, network: Network, settings: Settings) -> str:
    return (
        "# where no connector is left that no service uses (AR301), or that another could stand in for (AR302)\n"
        f"aws service-quotas request-service-quota-increase --region {shlex.quote(connector.region)}"
        f" --service-code {QUOTAS_OF} --quota-code {CONNECTOR_QUOTA} --desired-value {_quota(network) * 2}"
    )


RULE = Rule(
    id="AR303",
    name="connector_quota_near",
    title="Region nears its quota of VPC connectors",
    severity=Severity.MEDIUM,
    risk="A connector cannot be changed, only replaced, and for that a second one has to fit. At the quota no new one"
    " can be made, and none that is there mended.",
    remediation="Delete connectors that no service uses, let services share connectors, or have the quota raised.",
    reference="https://docs.aws.amazon.com/general/latest/gr/apprunner.html",
    reports=("https://github.com/aws/apprunner-roadmap/issues/161",),
    needs=("connectors", "connector_quota"),
    check=check,
    fault=lambda message: message.partition(":")[0],
    command=command,
)
