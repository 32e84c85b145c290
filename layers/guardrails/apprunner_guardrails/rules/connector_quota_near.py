import shlex
from collections.abc import Iterator

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
from apprunner_guardrails.rules._common import by_age
from apprunner_guardrails.settings import Settings

_NEAR = 80  # % of the quota


def _quota(network: Network) -> int:
    """The documented default where the Region's own is not told: a quota can only be raised, so it is never less."""
    quota = known(network.fleet).quota
    return CONNECTOR_QUOTA_DEFAULT if isinstance(quota, Unread) else quota


def check(connector: Connector, network: Network, settings: Settings) -> Iterator[str]:
    """Told on those connectors alone that are on the line or beyond it, so that each more is one alert more."""
    fleet, quota = known(network.fleet), _quota(network)
    others = (one for one in known(fleet.connectors) if not is_over(one) and one.arn != connector.arn)
    active = sorted((*others, connector), key=by_age)
    if (active.index(connector) + 1) * 100 < quota * _NEAR:
        return
    assumed = isinstance(fleet.quota, Unread)
    source = "App Runner's default: the Region's own could not be read" if assumed else f"quota {CONNECTOR_QUOTA}"
    yield f"the Region nears its quota of VPC connectors: {len(active)} of {quota} are active ({source})"


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
