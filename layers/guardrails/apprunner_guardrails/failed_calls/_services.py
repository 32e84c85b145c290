"""Services that could not be created, changed or deleted, and operations on them that failed."""

from collections.abc import Iterator

from apprunner_guardrails.alerts import Explanation, counted
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.facts import (
    QUOTAS_OF,
    Connector,
    IngressConnection,
    Service,
    Unread,
    if_read,
    is_gone,
    is_over,
)
from apprunner_guardrails.failed_calls import _tell as tell
from apprunner_guardrails.failed_calls._connectors import causes_found
from apprunner_guardrails.failed_calls.asked import (
    ALREADY,
    Refusal,
    connector_arn,
    named_subnets,
    other_region,
    refusal,
    says,
    service_arn,
)
from apprunner_guardrails.failed_calls.seen import Seen
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.records import text
from apprunner_guardrails.rules._common import CONNECTOR_GUIDE

DEFAULT_QUOTA = 30  # services of an account in a Region; docs.aws.amazon.com/general/latest/gr/apprunner.html
TROUBLE = f"{tell.GUIDE}/troubleshooting.html"

# What failed → in words, and how bad that is. A service that cannot be made, changed, resumed or deployed does not do
# what its team meant it to; one that could not be paused or deleted goes on as it was.
OPERATIONS = {
    "CreateServiceFailed": ("could not be created", Severity.HIGH),
    "UpdateServiceFailed": ("could not be updated", Severity.HIGH),
    "ResumeServiceFailed": ("could not be resumed", Severity.HIGH),
    "DeploymentFailed": ("could not be deployed", Severity.HIGH),
    "PauseServiceFailed": ("could not be paused", Severity.MEDIUM),
    "DeleteServiceFailed": ("could not be deleted", Severity.MEDIUM),
}


def create(failed: FailedCall, seen: Seen) -> Explanation:
    name = text(failed.request.get("serviceName"))
    arns = if_read(seen.service_arns)
    if refusal(failed) is Refusal.QUOTA:
        return _quota(failed, seen, name, arns)
    same = [arn for arn in arns if name and tell.name_of(arn) == name]
    if same and says(failed, ALREADY):
        return _name_taken(failed, seen, name, min(same))
    return _refused(failed, seen, name, "created", tuple(tell.made_since(min(same)) for _ in same[:1]))


def _quota(failed: FailedCall, seen: Seen, name: str, arns: tuple[str, ...]) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"Service {tell.shown(name)} is over the quota of services",
        what="The account has as many App Runner services in this Region as it may.",
        causes=(
            f"{counted(len(arns), 'service')} in {failed.region}; the default quota is {DEFAULT_QUOTA},"
            " the account's own may be higher"
            for _ in range(isinstance(seen.service_arns, tuple))
        ),
        commands=(
            tell.cli(failed, "service-quotas list-service-quotas", service_code=QUOTAS_OF),
            tell.more_of(failed, "QUOTA_CODE", "NUMBER"),
        ),
        cause=("service-quota", failed.region),
        reference=tell.QUOTAS,
    )


def _name_taken(failed: FailedCall, seen: Seen, name: str, arn: str) -> Explanation:
    quoted = tell.word(arn, "SERVICE_ARN")
    return tell.explained(
        failed,
        seen,
        title=f"Service {tell.shown(name)} exists already",
        what="A service's name is taken as long as the service is there, also if it failed to be created.",
        causes=(f"{arn} has that name",),
        commands=(
            "# what is there: update it, or delete it before it is created anew",
            tell.cli(failed, "apprunner describe-service", service_arn=quoted),
        ),
        cause=("service-name-taken", arn),
        reference=f"{tell.API}/API_CreateService.html",
    )


def update(failed: FailedCall, seen: Seen) -> Explanation:
    arn = service_arn(failed)
    name = tell.name_of(arn)
    unusable = _unusable(failed, seen, arn, name, "updated")
    return unusable or _refused(failed, seen, name, "updated")


def delete(failed: FailedCall, seen: Seen) -> Explanation:
    arn = service_arn(failed)
    name = tell.name_of(arn)
    available = _available(seen)
    if available:
        return _has_ingress(failed, seen, arn, available)
    unusable = _unusable(failed, seen, arn, name, "deleted")
    return unusable or _refused(failed, seen, name, "deleted")


def _available(seen: Seen) -> list[IngressConnection]:
    return [one for one in ingress_connections(seen) if one.status == "AVAILABLE"]


def ingress_connections(seen: Seen) -> list[IngressConnection]:
    """Those that could be read, sorted."""
    return sorted((one for one in if_read(seen.ingress) if isinstance(one, IngressConnection)), key=lambda one: one.arn)


def _has_ingress(failed: FailedCall, seen: Seen, arn: str, available: list[IngressConnection]) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"Service {tell.shown(tell.name_of(arn))} cannot be deleted while it has a VPC ingress connection",
        what="App Runner deletes a service only after its VPC ingress connections.",
        causes=(f"VPC ingress connection {one.name} is AVAILABLE: {one.arn}" for one in available),
        commands=(
            *(delete_ingress(failed, one.arn) for one in available),
            "# then, when they are gone",
            tell.cli(failed, "apprunner delete-service", service_arn=tell.word(arn, "SERVICE_ARN")),
        ),
        cause=("service-has-ingress", arn),
        reference=f"{tell.API}/API_DeleteService.html",
    )


def delete_ingress(failed: FailedCall, arn: str) -> str:
    return tell.cli(
        failed,
        "apprunner delete-vpc-ingress-connection",
        vpc_ingress_connection_arn=tell.word(arn, "VPC_INGRESS_CONNECTION_ARN"),
    )


def _unusable(failed: FailedCall, seen: Seen, arn: str, name: str, participle: str) -> Explanation | None:
    """The service is gone or busy, or in a state that does not take the call."""
    region = other_region(failed, arn)
    if region:
        return _absent(failed, seen, arn, f"the ARN is of Region {region}, and the call went to {failed.region}")
    if is_gone(seen.service):
        return _absent(failed, seen, arn, "there is no such service: it was deleted, or never was")
    if is_over(seen.service):
        return _absent(failed, seen, arn, "it was deleted")
    if refusal(failed) is not Refusal.STATE:
        return None
    causes = []
    if isinstance(seen.service, Service):
        causes.append(_in_state(seen.service))
    return tell.explained(
        failed,
        seen,
        title=f"Service {tell.shown(name)} cannot be {participle} in the state that it is in",
        what="App Runner takes one operation of a service at a time, and not every one in every state.",
        causes=causes,
        commands=_watch(failed, arn),
        cause=("service-state", failed.what, arn),
        reference=f"{tell.API}/API_{failed.what}.html",
    )


def _in_state(service: Service) -> str:
    if service.busy:
        return "an operation of the service is in progress (maintenance by App Runner counts too): wait, then try again"
    return f"the service is {service.status} now; it may have been busy when the call came: try again"


def _absent(failed: FailedCall, seen: Seen, arn: str, cause: str) -> Explanation:
    return tell.explained(
        failed,
        seen,
        title=f"Service {tell.shown(tell.name_of(arn))} is not there",
        what="App Runner does not know it, or no longer.",
        causes=(cause,),
        commands=(tell.cli(failed, "apprunner list-services"),),
        cause=("service-gone", arn),
        reference=f"{tell.API}/API_{failed.what}.html",
    )


def _watch(failed: FailedCall, arn: str) -> tuple[str, ...]:
    quoted = tell.word(arn, "SERVICE_ARN")
    return (
        tell.cli(failed, "apprunner describe-service", service_arn=quoted, query="Service.Status"),
        tell.cli(failed, "apprunner list-operations", service_arn=quoted, max_results="5"),
    )


def _refused(failed: FailedCall, seen: Seen, name: str, participle: str, besides: tuple[str, ...] = ()) -> Explanation:
    """What is wrong with the connector that the call names, if anything is; then what the answer does not speak of."""
    causes = [*_connector_gone(failed, seen), *causes_found(seen), *_zones_named(failed, seen)]
    found = "The likely causes are below." if causes else tell.nothing_found(seen, besides=bool(besides))
    return tell.explained(
        failed,
        seen,
        title=f"Service {tell.shown(name)} could not be {participle}",
        what=f"App Runner refused the call. {found}",
        causes=(*causes, *besides),
        commands=_mend(failed, seen),
        cause=("service-refused", failed.what, failed.code, *seen.broken_rules, failed.resource or name),
        reference=CONNECTOR_GUIDE if causes else f"{tell.API}/API_{failed.what}.html",
    )


def _connector_gone(failed: FailedCall, seen: Seen) -> Iterator[str]:
    arn = connector_arn(failed)
    if is_gone(seen.connector):
        yield f"there is no VPC connector {arn}: it was deleted, or never was"
    elif isinstance(seen.connector, Connector) and is_over(seen.connector):
        yield f"VPC connector {seen.connector.arn} is {seen.connector.status}: it was deleted"


def _zones_named(failed: FailedCall, seen: Seen) -> Iterator[str]:
    """Subnets that only App Runner finds fault with. Of the zones that it cannot use it publishes no list."""
    network = seen.network
    if network is None or isinstance(network.subnets, Unread):
        return
    explained = " ".join(causes_found(seen))
    for subnet in sorted(network.subnets, key=lambda one: one.id):
        if subnet.id in named_subnets(failed) and subnet.id not in explained:
            yield f"the message names {subnet.id}, which is in {subnet.zone_id}"


def _mend(failed: FailedCall, seen: Seen) -> Iterator[str]:
    """The rules' own commands; of those that replace the connector one is enough."""
    arn, replaced = tell.word(service_arn(failed), "SERVICE_ARN"), False
    for finding in seen.failing:
        if not (finding.replaces_connector and replaced):
            yield from finding.command.replace("--service-arn SERVICE_ARN ", f"--service-arn {arn} ").split("\n")
        replaced = replaced or finding.replaces_connector
    if isinstance(seen.connector, Unread) or is_over(seen.connector):
        yield tell.cli(failed, "apprunner list-vpc-connectors")


def operation(failed: FailedCall, seen: Seen) -> Explanation:
    """An operation of a service that was accepted, and failed."""
    arn = service_arn(failed)
    in_words, severity = OPERATIONS.get(failed.what, ("failed in an operation", Severity.HIGH))
    available = _available(seen)
    causes = [
        *(f"VPC ingress connection {one.name} is AVAILABLE: {one.arn}" for one in available),
        *_other_connector(seen),
        *_connector_gone(failed, seen),
        *causes_found(seen),
        *_zones_named(failed, seen),
    ]
    return tell.explained(
        failed,
        seen,
        title=f"Service {tell.shown(tell.name_of(arn))} {in_words}",
        what=_outcome(seen) if causes else f"{_outcome(seen)} {tell.nothing_found(seen)}",
        causes=causes,
        commands=(
            *(delete_ingress(failed, one.arn) for one in available),
            *_mend(failed, seen),
            "# what App Runner and the application wrote",
            *_logs(failed, arn),
        ),
        severity=severity,
        cause=("operation-failed", failed.what, *seen.broken_rules, arn),
        reference=CONNECTOR_GUIDE if seen.failing else TROUBLE,
    )


def _outcome(seen: Seen) -> str:
    if not isinstance(seen.service, Service):
        return "App Runner accepted the call, and the operation failed."
    return f"App Runner accepted the call, and the operation failed. The service is {seen.service.status} now."


def _other_connector(seen: Seen) -> Iterator[str]:
    """After a rollback the service has its former connector again; the message tells which one it was to have."""
    connector, service = seen.connector, seen.service
    if not isinstance(connector, Connector) or not isinstance(service, Service):
        return
    if connector.arn != service.connector_arn:
        uses = service.connector_arn or "no VPC connector"
        yield f"the message names subnets of VPC connector {connector.arn}; the service uses {uses} now"


def _logs(failed: FailedCall, arn: str) -> Iterator[str]:
    group = f"/aws/apprunner/{'/'.join(arn.split('/')[1:3])}" if arn else ""
    for kind in ("service", "application"):
        yield tell.cli(failed, f"logs tail {tell.word(f'{group}/{kind}' if group else '', 'LOG_GROUP')}", since="1h")
