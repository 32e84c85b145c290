"""Private services: VPC ingress connections and interface endpoints that could not be made or deleted."""

from collections import Counter
from collections.abc import Iterable, Iterator

from apprunner_guardrails.alerts import Explanation, counted
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.facts import (
    IngressConnection,
    InterfaceEndpoint,
    Service,
    Subnet,
    Unread,
    if_read,
    is_over,
)
from apprunner_guardrails.failed_calls import _tell as tell
from apprunner_guardrails.failed_calls._services import delete_ingress, ingress_connections
from apprunner_guardrails.failed_calls.asked import (
    About,
    EndpointAsked,
    IngressAsked,
    Refusal,
    endpoint_asked,
    ingress_asked,
    ingress_connection_arn,
    named_subnets,
    refusal,
    refused_about,
)
from apprunner_guardrails.failed_calls.seen import Seen

REQUESTS = "apprunner.requests"  # the endpoint service that private services are reached through
DELETABLE = ("AVAILABLE", "FAILED_CREATION", "FAILED_UPDATE", "FAILED_DELETION")  # the API model's list
DEFAULT_QUOTA = 50  # interface endpoints of a VPC; docs.aws.amazon.com/vpc/latest/privatelink/vpc-limits-endpoints.html
_BESIDES = "EC2's answer does not speak of it, but it would stand in the way too"
_SHARE = "https://github.com/aws/apprunner-roadmap/issues/195"


def create_ingress(failed: FailedCall, seen: Seen) -> Explanation:
    asked = ingress_asked(failed)
    existing = [one for one in ingress_connections(seen) if one.status != "DELETED"]
    if existing:
        return _exists(failed, seen, asked, existing)
    faults = [*_service_faults(seen), *_endpoint_faults(asked, seen)]
    causes = [text for _, text in faults]
    if refusal(failed) is Refusal.QUOTA:
        causes.append("the quota of VPC ingress connections is used up; AWS's pages word it as one of each service")
    right = _right_endpoints(asked, seen)
    if any(kind in ("gone", "service", "vpc") for kind, _ in faults) and right:
        causes.append(f"{asked.vpc_id} has an endpoint that would do: {', '.join(right)}")
    return tell.explained(
        failed,
        seen,
        title=f"VPC ingress connection {tell.shown(asked.name)} could not be created",
        what="App Runner connects a private service to an available interface endpoint of"
        f" com.amazonaws.{failed.region}.{REQUESTS} in the VPC that is named."
        + ("" if causes else f" {tell.nothing_found(seen)}"),
        causes=causes,
        commands=_ingress_commands(failed, asked, faults, right),
        cause=("ingress-refused", *sorted({kind for kind, _ in faults} or {failed.code}), asked.service_arn),
        reference=tell.PRIVATE_HOW_TO,
    )


def _exists(failed: FailedCall, seen: Seen, asked: IngressAsked, existing: list[IngressConnection]) -> Explanation:
    first = existing[0]
    place = tell.word(
        f"VpcId={asked.vpc_id or 'VPC_ID'},VpcEndpointId={asked.endpoint_id or 'VPC_ENDPOINT_ID'}", "VPC_CONFIGURATION"
    )
    same = all((one.vpc_id, one.endpoint_id) == (asked.vpc_id, asked.endpoint_id) for one in existing)
    update = tell.cli(
        failed,
        "apprunner update-vpc-ingress-connection",
        vpc_ingress_connection_arn=tell.word(first.arn, "VPC_INGRESS_CONNECTION_ARN"),
        ingress_vpc_configuration=place,
    )
    return tell.explained(
        failed,
        seen,
        title=f"Service {tell.shown(tell.name_of(asked.service_arn))} has a VPC ingress connection already",
        what="A service has at most one VPC ingress connection; that quota cannot be raised.",
        causes=(
            f"VPC ingress connection {one.name} is {one.status}, on {one.endpoint_id} in {one.vpc_id}: {one.arn}"
            for one in existing
        ),
        commands=(
            *(() if same else ("# move the one that is there (AVAILABLE, FAILED_CREATION or FAILED_UPDATE)", update)),
            "# or, to create it anew, delete it first",
            delete_ingress(failed, first.arn),
        ),
        cause=("ingress-exists", asked.service_arn),
        reference=tell.PRIVATE_GUIDE,
    )


def _service_faults(seen: Seen) -> Iterator[tuple[str, str]]:
    service = seen.service
    if is_over(service):
        yield "no-service", "there is no such service: it was deleted, or never was"
    elif isinstance(service, Service):
        if service.public:
            yield "public", f"service {service.name} is public: switch public access off first"
        if service.busy:
            yield "busy", f"an operation of service {service.name} is in progress: wait, then try again"


def _endpoint_faults(asked: IngressAsked, seen: Seen) -> Iterator[tuple[str, str]]:
    if not asked.endpoint_id or seen.endpoint is None or isinstance(seen.endpoint, Unread):
        return
    if not seen.endpoint:
        yield "gone", f"there is no interface endpoint {asked.endpoint_id}"
    for one in seen.endpoint:
        if not one.service.endswith(f".{REQUESTS}"):
            control = " (that is App Runner's control API)" if one.service.endswith(".apprunner") else ""
            yield "service", f"{one.id} is an endpoint of {one.service}{control}, not of {REQUESTS}"
        if asked.vpc_id and one.vpc_id != asked.vpc_id:
            yield "vpc", f"{one.id} is in {one.vpc_id}, and the call names {asked.vpc_id}"
        if one.state != "available":
            yield "state", f"{one.id} is {one.state}, not available"


def _right_endpoints(asked: IngressAsked, seen: Seen) -> list[str]:
    here = if_read(seen.endpoints)
    return sorted(
        one.id
        for one in here
        if one.service.endswith(f".{REQUESTS}") and one.state == "available" and one.vpc_id == asked.vpc_id
    )


def _ingress_commands(
    failed: FailedCall, asked: IngressAsked, faults: Iterable[tuple[str, str]], right: list[str]
) -> Iterator[str]:
    kinds = {kind for kind, _ in faults}
    service = tell.word(asked.service_arn, "SERVICE_ARN")
    vpc = tell.word(asked.vpc_id, "VPC_ID")
    if "public" in kinds:
        yield tell.cli(
            failed,
            "apprunner update-service",
            service_arn=service,
            network_configuration=tell.word("IngressConfiguration={IsPubliclyAccessible=false}", ""),
        )
    endpoint = asked.endpoint_id
    if kinds & {"gone", "service", "vpc"}:
        endpoint = right[0] if right else ""
        if not right:
            yield tell.cli(
                failed,
                "ec2 create-vpc-endpoint",
                vpc_id=vpc,
                vpc_endpoint_type="Interface",
                service_name=tell.word(f"com.amazonaws.{failed.region}.{REQUESTS}", "SERVICE_NAME"),
                subnet_ids="SUBNET_IDS",
                security_group_ids="SECURITY_GROUP_ID",
            )
    place = f"VpcId={vpc},VpcEndpointId={tell.word(endpoint, 'VPC_ENDPOINT_ID')}"
    yield tell.cli(
        failed,
        "apprunner create-vpc-ingress-connection",
        service_arn=service,
        vpc_ingress_connection_name=tell.word(asked.name, "NAME"),
        ingress_vpc_configuration=place,
    )


def delete_ingress_connection(failed: FailedCall, seen: Seen) -> Explanation:
    arn = ingress_connection_arn(failed)
    one = seen.ingress[0] if isinstance(seen.ingress, tuple) and seen.ingress else None
    gone = is_over(one)
    causes = ["there is no such connection: it was deleted, or never was"] if gone else []
    if isinstance(one, IngressConnection) and not gone:
        then = "it can be deleted now: try again" if one.status in DELETABLE else "wait until that is over"
        causes.append(f"VPC ingress connection {one.name} is {one.status}: {then}")
    described = tell.cli(
        failed,
        "apprunner describe-vpc-ingress-connection",
        vpc_ingress_connection_arn=tell.word(arn, "VPC_INGRESS_CONNECTION_ARN"),
        query="VpcIngressConnection.Status",
    )
    return tell.explained(
        failed,
        seen,
        title=f"VPC ingress connection {tell.shown(tell.name_of(arn))} "
        + ("is not there to be deleted" if gone else "could not be deleted"),
        what=f"App Runner deletes a VPC ingress connection that is {', '.join(DELETABLE[:-1])} or {DELETABLE[-1]}.",
        causes=causes,
        commands=() if gone else (described, delete_ingress(failed, arn)),
        cause=("ingress-gone" if gone else "ingress-not-deleted", arn or failed.code),
        reference=f"{tell.API}/API_DeleteVpcIngressConnection.html",
    )


def create_endpoint(failed: FailedCall, seen: Seen) -> Explanation:
    """The causes are what fits EC2's answer. What else is wrong comes after it, and is told as that."""
    asked, about = endpoint_asked(failed), refused_about(failed)
    found = {
        About.QUOTA: list(_quota_faults(failed, asked, seen)),
        About.SUBNETS: list(_subnet_faults(failed, asked, seen)),
        About.DNS: list(_dns_faults(asked, seen)),
    }
    fitting = found.pop(about, [])
    besides = [fault for faults in found.values() for fault in faults]
    kinds = {kind for kind, _ in (*fitting, *besides)}
    reason = "" if fitting else f" {tell.nothing_found(seen, besides=bool(besides))}"
    return tell.explained(
        failed,
        seen,
        title=f"VPC endpoint of {tell.shown(asked.service, 'App Runner')} could not be created",
        what=f"EC2 refused it.{reason}",
        causes=(*(text for _, text in fitting), *(f"{text}. {_BESIDES}" for _, text in besides)),
        commands=_endpoint_commands(failed, asked, seen, kinds),
        cause=(
            "endpoint-refused",
            about,
            *sorted({kind for kind, _ in fitting}),
            asked.service,
            asked.vpc_id,
            *sorted(_named(failed, asked)),
            failed.code,
        ),
        reference=_SHARE if "dns-taken" in {kind for kind, _ in fitting} else tell.ENDPOINT_GUIDE,
    )


def _named(failed: FailedCall, asked: EndpointAsked) -> frozenset[str]:
    """The asked subnets that EC2's answer names."""
    return named_subnets(failed) & set(asked.subnet_ids) if refused_about(failed) is About.SUBNETS else frozenset()


def _quota_faults(failed: FailedCall, asked: EndpointAsked, seen: Seen) -> Iterator[tuple[str, str]]:
    if refusal(failed) is Refusal.QUOTA and isinstance(seen.endpoints, tuple):
        count = counted(len(seen.endpoints), "interface endpoint")
        quota = f"the default quota is {DEFAULT_QUOTA}, Gateway Load Balancer endpoints counted too"
        yield "quota", f"{asked.vpc_id} has {count}; {quota}"


def _dns_faults(asked: EndpointAsked, seen: Seen) -> Iterator[tuple[str, str]]:
    if not asked.private_dns:
        return
    for one in _conflicting(asked, if_read(seen.endpoints)):
        yield "dns-taken", f"{one.id} has the private DNS name of {one.service} in {one.vpc_id} already"
    for attribute, on in (("enableDnsSupport", seen.dns_support), ("enableDnsHostnames", seen.dns_hostnames)):
        if on is False:
            yield "dns-off", f"{attribute} of {asked.vpc_id} is off: private DNS needs it"


def _conflicting(asked: EndpointAsked, here: Iterable[InterfaceEndpoint]) -> list[InterfaceEndpoint]:
    alive = (one for one in here if one.state not in ("deleting", "deleted", "failed", "rejected", "expired"))
    return sorted((one for one in alive if one.private_dns and one.service == asked.service), key=lambda one: one.id)


def _subnet_faults(failed: FailedCall, asked: EndpointAsked, seen: Seen) -> Iterator[tuple[str, str]]:
    """Those of the subnets that EC2 names first; it may refuse one that nothing else is known to be wrong with."""
    named, subnets = _named(failed, asked), seen.subnets if isinstance(seen.subnets, tuple) else None
    by_id = {one.id: one for one in subnets or ()}
    in_zone = Counter(one.zone_id for one in by_id.values() if one.vpc_id == asked.vpc_id)
    for subnet_id in sorted({*asked.subnet_ids, *by_id}, key=lambda one: (one not in named, one)):
        faults, subnet = [], by_id.get(subnet_id)
        if subnet:
            faults = list(_faults_of(subnet, failed, asked, _offered(seen), in_zone))
        elif subnets is not None:
            faults = [("subnet-gone", f"there is no {subnet_id}")]
        if subnet_id in named and not faults:
            place = f": it is in {subnet.zone_id}" if subnet else ""
            faults = [("subnet-named", f"EC2's answer names {subnet_id}{place}")]
        yield from faults


def _faults_of(
    one: Subnet, failed: FailedCall, asked: EndpointAsked, offered: frozenset[str], in_zone: Counter[str]
) -> Iterator[tuple[str, str]]:
    if asked.vpc_id and one.vpc_id != asked.vpc_id:
        yield "subnet-vpc", f"{one.id} is in {one.vpc_id}, and the call names {asked.vpc_id}"
    elif in_zone[one.zone_id] > 1:
        yield "same-zone", f"{one.id} shares {one.zone_id} with another subnet: an endpoint takes one of a zone"
    if one.owner_id not in ("", failed.account):
        yield "subnet-shared", f"{one.id} is shared by account {one.owner_id}: endpoints can be made by its owner only"
    if offered and one.zone_id not in offered:
        yield "zone", f"{one.id} is in {one.zone_id}; {asked.service} is offered in {', '.join(sorted(offered))}"


def _offered(seen: Seen) -> frozenset[str]:
    """Zone ids; EC2 may tell names, which the Region's zones translate. Nothing where they cannot be told."""
    if not isinstance(seen.zones_offered, tuple):
        return frozenset()
    zones = seen.zones if isinstance(seen.zones, tuple) else ()
    ids = {zone.name: zone.id for zone in zones} | {zone.id: zone.id for zone in zones}
    translated = [ids.get(zone, "") for zone in seen.zones_offered]
    return frozenset(translated) if all(translated) else frozenset()


def _endpoint_commands(failed: FailedCall, asked: EndpointAsked, seen: Seen, kinds: set[str]) -> Iterator[str]:
    vpc = tell.word(asked.vpc_id, "VPC_ID")
    if "dns-off" in kinds:
        yield tell.cli(failed, "ec2 modify-vpc-attribute", vpc_id=vpc, enable_dns_support="")
        yield tell.cli(failed, "ec2 modify-vpc-attribute", vpc_id=vpc, enable_dns_hostnames="")
    if "dns-taken" in kinds:
        yield "# one endpoint serves many services: use the one that is there, or leave private DNS to it"
    dns = {"no_private_dns_enabled": ""} if "dns-taken" in kinds or not asked.private_dns else {}
    yield tell.cli(
        failed,
        "ec2 create-vpc-endpoint",
        vpc_id=vpc,
        vpc_endpoint_type="Interface",
        service_name=tell.word(asked.service, "SERVICE_NAME"),
        subnet_ids=" ".join(tell.word(one, "SUBNET_ID") for one in _usable(failed, asked, seen)) or "SUBNET_IDS",
        security_group_ids=" ".join(tell.word(one, "GROUP_ID") for one in asked.group_ids) or "SECURITY_GROUP_ID",
        **dns,
    )


def _usable(failed: FailedCall, asked: EndpointAsked, seen: Seen) -> Iterator[str]:
    """Of the asked subnets one of a zone, where the service is offered, without those that EC2 names; all that it does
    not name where they could not be read."""
    named = _named(failed, asked)
    if seen.subnets is None or isinstance(seen.subnets, Unread):
        yield from (one for one in asked.subnet_ids if one not in named)
        return
    offered = _offered(seen)
    first: dict[str, Subnet] = {}
    for one in sorted(seen.subnets, key=lambda one: (one.id in named, one.id)):
        if one.vpc_id == asked.vpc_id and (not offered or one.zone_id in offered):
            first.setdefault(one.zone_id, one)
    yield from sorted(one.id for one in first.values() if one.id not in named)
