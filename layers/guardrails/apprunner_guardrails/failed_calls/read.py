"""What to read from the account about a failed call. A read that fails is told in the explanation and breaks nothing.

Rounds (calls that go out at once), with n services in the Region and ten calls at a time:

    denied, throttled, AWS's own fault, dry run     0
    CreateVpcConnector   name or groups are taken   1
                         its network                2 (3 where a prefix list matters)
                         over the quota             ListServices' pages of 20, then n / 10
    DeleteVpcConnector                              ListServices' pages of 20, then n / 10
                         it is gone                 1
                         of another Region          0
    CreateService        over the quota             ListServices' pages of 20
                         else                       1, and 2 (3) for the network of the connector that it names
    UpdateService        it is gone or busy         1
                         else                       1, and 2 (3) for the network of the connector that it names
    DeleteService                                   2 (ingress connections)
    CreateVpcIngressConnection                      2 (the second only where one exists)
    DeleteVpcIngressConnection                      1
    CreateVpcEndpoint                               1
    a failed operation                              1, and 2 (3) for the network of the service's connector
"""

from collections.abc import Callable, Mapping

from apprunner_guardrails.alerts import Explanation
from apprunner_guardrails.aws import apprunner, ec2, quotas
from apprunner_guardrails.aws.reads import Pending, Reads
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.facts import Connector, Service, Unread
from apprunner_guardrails.failed_calls._connectors import same_groups, taken_name
from apprunner_guardrails.failed_calls.asked import (
    ALREADY,
    OPERATIONS,
    Refusal,
    connector_arn,
    connector_asked,
    endpoint_asked,
    ingress_asked,
    ingress_connection_arn,
    named_subnets,
    other_region,
    refusal,
    says,
    service_arn,
)
from apprunner_guardrails.failed_calls.explain import EXPLAINED_ALIKE, explanation
from apprunner_guardrails.failed_calls.seen import Seen
from apprunner_guardrails.light import replace
from apprunner_guardrails.rules import RULES, chosen
from apprunner_guardrails.settings import Settings

type Look = Callable[[FailedCall, Reads], Seen]

# What App Runner refuses connectors for and fails services for, the likeliest first; then what cuts a service off,
# which fails those that need the VPC to start.
_REFUSED = ("AR113", "AR206", "AR106", "AR104", "AR102", "AR105")
_CUT_OFF = ("AR107", "AR108", "AR110", "AR112", "AR202", "AR111")

# The rules that may tell why; for any other call the network has nothing to do with it.
_ASKED: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("CreateVpcConnector", "CreateService", "UpdateService"), _REFUSED),
    **dict.fromkeys(
        ("CreateServiceFailed", "UpdateServiceFailed", "ResumeServiceFailed", "DeploymentFailed"),
        (*_REFUSED, *_CUT_OFF),
    ),
}


def explain(failed: FailedCall, settings: Settings, reads: Reads) -> Explanation:
    """What happened, why as far as the account shows it, and the way out."""
    return explanation(failed, look(failed, settings, reads))


def look(failed: FailedCall, settings: Settings, reads: Reads) -> Seen:
    """The facts that bear on the failed call."""
    if failed.source == OPERATIONS:
        return _judged(_operation(failed, reads), failed, settings, reads)
    if refusal(failed) in EXPLAINED_ALIKE or failed.what not in _LOOKS:
        return Seen()
    return _judged(_LOOKS[failed.what](failed, reads), failed, settings, reads)


def _judged(seen: Seen, failed: FailedCall, settings: Settings, reads: Reads) -> Seen:
    """With the connector's network, and what the rules say of it. A deleted connector is cause enough."""
    connector = seen.connector
    if failed.what not in _ASKED or not isinstance(connector, Connector) or connector.status == "INACTIVE":
        return seen
    network = ec2.read_network(reads, connector, failed.account, settings)
    by_id = {rule.id: rule for rule in chosen(RULES, settings)}
    asked = [by_id[rule] for rule in _ASKED[failed.what] if rule in by_id]
    return replace(seen, network=network, findings=evaluate(asked, connector.arn, connector, network, settings))


def _create_connector(failed: FailedCall, reads: Reads) -> Seen:
    listed = apprunner.list_connectors(reads)
    if refusal(failed) is Refusal.QUOTA:
        quota = quotas.connector_quota(reads)
        return Seen(services=_services(reads), connectors=listed(), quota=quota())
    asked = connector_asked(failed)
    if asked is None:
        return Seen(connectors=listed())
    taken = says(failed, ALREADY)
    if not taken:  # else the network will hardly matter
        ec2.find_subnets(reads, asked.subnet_ids)
        ec2.ask_near(reads, asked.subnet_ids, asked.security_group_ids)
    seen = Seen(connectors=listed())
    if taken and (taken_name(asked.name, seen) or same_groups(asked, seen)):
        return seen
    return replace(seen, connector=asked, subnets=ec2.find_subnets(reads, asked.subnet_ids)())


def _services(reads: Reads) -> tuple[Service | Unread, ...] | Unread:
    """Every service of the Region: App Runner tells which connector one uses only one by one."""
    arns = apprunner.list_services(reads)()
    if isinstance(arns, Unread):
        return arns
    sent = [apprunner.describe_service(reads, arn) for arn in arns]
    return tuple(pending() for pending in sent)


def _delete_connector(failed: FailedCall, reads: Reads) -> Seen:
    arn = connector_arn(failed)
    if other_region(failed, arn):
        return Seen()
    connector = _described(reads, arn)
    services = None if refusal(failed) is Refusal.GONE else _services(reads)
    return Seen(connector=connector(), services=services)


def _create_service(failed: FailedCall, reads: Reads) -> Seen:
    if refusal(failed) is Refusal.QUOTA:
        return Seen(service_arns=apprunner.list_services(reads)())
    arns = apprunner.list_services(reads)
    connector = _described(reads, connector_arn(failed))
    return Seen(connector=connector(), service_arns=arns())


def _update_service(failed: FailedCall, reads: Reads) -> Seen:
    arn = service_arn(failed)
    service = apprunner.describe_service(reads, arn) if arn else _nothing
    if refusal(failed) in (Refusal.STATE, Refusal.GONE):
        return Seen(service=service())
    connector = _described(reads, connector_arn(failed))
    return Seen(connector=connector(), service=service())


def _described(reads: Reads, arn: str) -> Callable[[], Connector | Unread | None]:
    return apprunner.describe_connector(reads, arn) if arn else _nothing


def _nothing() -> None:
    return None


def _delete_service(failed: FailedCall, reads: Reads) -> Seen:
    arn = service_arn(failed)
    if not arn:
        return Seen()
    service = apprunner.describe_service(reads, arn)
    if refusal(failed) is Refusal.GONE:
        return Seen(service=service())
    ingress = apprunner.list_ingress_connections(reads, arn)
    return _with_ingress(Seen(service=service()), ingress, reads)


def _with_ingress(seen: Seen, listed: Pending[tuple[str, ...]], reads: Reads) -> Seen:
    arns = listed()
    if isinstance(arns, Unread):
        return replace(seen, ingress=arns)
    sent = [apprunner.describe_ingress_connection(reads, arn) for arn in arns]
    return replace(seen, ingress=tuple(pending() for pending in sent))


def _create_ingress(failed: FailedCall, reads: Reads) -> Seen:
    asked = ingress_asked(failed)
    named = ec2.find_interface_endpoints(reads, "vpc-endpoint-id", asked.endpoint_id) if asked.endpoint_id else _nothing
    here = ec2.find_interface_endpoints(reads, "vpc-id", asked.vpc_id) if asked.vpc_id else _nothing
    if not asked.service_arn:
        return Seen(endpoint=named(), endpoints=here())
    service = apprunner.describe_service(reads, asked.service_arn)
    listed = apprunner.list_ingress_connections(reads, asked.service_arn)
    return _with_ingress(Seen(service=service(), endpoint=named(), endpoints=here()), listed, reads)


def _delete_ingress(failed: FailedCall, reads: Reads) -> Seen:
    arn = ingress_connection_arn(failed)
    return Seen(ingress=(apprunner.describe_ingress_connection(reads, arn)(),)) if arn else Seen()


def _create_endpoint(failed: FailedCall, reads: Reads) -> Seen:
    asked = endpoint_asked(failed)
    subnets = ec2.find_subnets(reads, asked.subnet_ids) if asked.subnet_ids else _nothing
    zones = ec2.read_zones(reads) if asked.subnet_ids else _nothing
    offered = ec2.zones_offered(reads, asked.service) if asked.service else _nothing
    if not asked.vpc_id:
        return Seen(subnets=subnets(), zones=zones(), zones_offered=offered())
    here = ec2.find_interface_endpoints(reads, "vpc-id", asked.vpc_id)
    support = ec2.read_vpc_attribute(reads, asked.vpc_id, "EnableDnsSupport")
    hostnames = ec2.read_vpc_attribute(reads, asked.vpc_id, "EnableDnsHostnames")
    return Seen(
        subnets=subnets(),
        zones=zones(),
        zones_offered=offered(),
        endpoints=here(),
        dns_support=support(),
        dns_hostnames=hostnames(),
    )


def _operation(failed: FailedCall, reads: Reads) -> Seen:
    arn = service_arn(failed)
    if not arn:
        return Seen()
    service = apprunner.describe_service(reads, arn)
    if failed.what == "DeleteServiceFailed":
        return _with_ingress(Seen(service=service()), apprunner.list_ingress_connections(reads, arn), reads)
    if failed.what not in _ASKED:
        return Seen(service=service())
    listed = apprunner.list_connectors(reads)
    seen = Seen(service=service(), connectors=listed())
    return replace(seen, connector=_connector(seen, failed, reads))


def _connector(seen: Seen, failed: FailedCall, reads: Reads) -> Connector | Unread | None:
    """The service's connector, unless the message names subnets that another connector has.

    A failed update is rolled back: the service has its former connector again, and the one that it was to have is told
    by App Runner's message alone.
    """
    used = seen.service.connector_arn if isinstance(seen.service, Service) else ""
    listed = seen.connectors if isinstance(seen.connectors, tuple) else ()
    own = next((one for one in listed if one.arn == used), None)
    named = named_subnets(failed)
    if named and not (own and named <= set(own.subnet_ids)):
        having = [one for one in listed if named <= set(one.subnet_ids)]
        if having:
            return min(having, key=lambda one: one.arn)
    return own or _described(reads, used)()


_LOOKS: Mapping[str, Look] = {
    "CreateVpcConnector": _create_connector,
    "DeleteVpcConnector": _delete_connector,
    "CreateService": _create_service,
    "UpdateService": _update_service,
    "DeleteService": _delete_service,
    "CreateVpcIngressConnection": _create_ingress,
    "DeleteVpcIngressConnection": _delete_ingress,
    "CreateVpcEndpoint": _create_endpoint,
}
