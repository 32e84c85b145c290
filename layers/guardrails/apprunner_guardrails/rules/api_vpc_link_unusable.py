import shlex
from collections.abc import Iterator

from apprunner_guardrails.engine import Rule
from apprunner_guardrails.facts import Api, Integration, Moot, Network, NotKnown, VpcLink, if_read, known, told
from apprunner_guardrails.findings import Severity
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.paths.joined import NETWORK, ends_of, listener_named
from apprunner_guardrails.rules._api import (
    change_http,
    change_method,
    deployed,
    integrations,
    not_told,
    patch,
    ports_to_endpoints,
)
from apprunner_guardrails.rules._common import each, listed
from apprunner_guardrails.settings import Settings

UNUSABLE = ("DELETING", "FAILED", "INACTIVE")
MISSING, ELSEWHERE = "MISSING", "ELSEWHERE"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fault:
    """What is wrong with a link: its status, MISSING, or ELSEWHERE where it leads to a load balancer of no path, or to
    a listener that is on none."""

    link_id: str
    first: bool  # of the first generation; so where nothing tells
    kind: str
    what: str
    more: str = ""


def _of_link(api: Api, integration: Integration, settings: Settings) -> Iterator[_Fault]:
    link = known(integration.link)
    if link is None and "$" in integration.link_id:
        raise not_told(api, integration.link_id, f"{integration.where} goes through VPC link {integration.link_id}")
    if link is None:
        yield _fault(api, integration, MISSING, "does not exist")
    elif link.status in UNUSABLE:
        yield _fault(api, integration, link.status, f"is {link.status}", _because(link))
    elif _pending(link) and (link.pending_minutes or 0) >= settings.vpc_link_wait_minutes:
        yield _fault(api, integration, link.status, "is still PENDING", f"for {link.pending_minutes} minutes or longer")


def _because(link: VpcLink) -> str:
    if link.status == "INACTIVE":
        return "it had no traffic for 60 days"
    return f"API Gateway says: {link.why}" if link.why else ""


def _of_target(api: Api, integration: Integration, settings: Settings) -> Iterator[_Fault]:
    balancer, named = known(integration.balancer_arn), listener_named(integration)
    if not balancer and "$" in integration.target_arn:
        raise not_told(api, integration.target_arn, f"{integration.where} leads to {integration.target_arn}")
    if NETWORK not in balancer:
        return  # what is behind an Application Load Balancer is not looked into
    if balancer not in known(api.path_balancers):
        right = listed(known(api.path_balancers))
        yield _fault(api, integration, ELSEWHERE, _nothing_behind(balancer), f"those that have: {right}")
    elif named and known(integration.endpoints) is not None and not known(ends_of(integration)):
        right = listed(map(str, ports_to_endpoints(integration)))
        more = f"ports of the load balancer that have: {right}"
        yield _fault(api, integration, ELSEWHERE, _nothing_behind(named), more)


def _nothing_behind(arn: str) -> str:
    return f"leads to {arn}, which has no endpoint of App Runner behind it"


def _fault(api: Api, integration: Integration, kind: str, what: str, more: str = "") -> _Fault:
    link = integration.link
    first = link.generation == 1 if isinstance(link, VpcLink) else api.kind == "REST"
    return _Fault(link_id=integration.link_id, first=first, kind=kind, what=what, more=more)


def _faults(api: Api, settings: Settings) -> Iterator[tuple[_Fault, Integration]]:
    def of(integration: Integration) -> Iterator[tuple[_Fault, Integration]]:
        if integration.link_id:
            for fault in each((_of_link, _of_target), lambda part: part(api, integration, settings)):
                yield fault, integration

    yield from each(integrations(api), of)


def _pending(link: VpcLink) -> bool:
    return link.status == "PENDING"


def check(api: Api, network: Network, settings: Settings) -> Iterator[str]:
    found, unknown = told(_faults(api, settings))
    for fault in sorted({fault for fault, _ in found}, key=lambda one: (one.link_id, one.what)):
        users = listed(integration.where for one, integration in found if one == fault)
        more = f"; {fault.more}" if fault.more else ""
        yield f"VPC link {fault.link_id} {fault.what}; used by {users}{more}"
    if unknown:
        raise NotKnown(unknown)
    if not found and any(isinstance(one.link, VpcLink) and _pending(one.link) for one in integrations(api)):
        raise Moot


def command(api: Api, network: Network, settings: Settings) -> str:
    found, _ = told(_faults(api, settings))
    lines = tuple(dict.fromkeys(line for fault, integration in found for line in _mend(api, fault, integration)))
    changed = any(" update-integration " in line for line in lines)
    return deployed(api, lines) if changed else "\n".join(lines)


def _mend(api: Api, fault: _Fault, integration: Integration) -> Iterator[str]:
    region = f"--region {shlex.quote(api.region)}"
    before = if_read(api.path_balancers)
    balancer = before[0] if len(before) == 1 else "LOAD_BALANCER_ARN"
    service = "apigateway" if fault.first else "apigatewayv2"
    if fault.kind in ("INACTIVE", "PENDING"):
        if fault.kind == "INACTIVE":
            yield "# requests wake it: they fail for some minutes, until it is AVAILABLE again"
        yield f"aws {service} get-vpc-link {region} --vpc-link-id {shlex.quote(fault.link_id)}"
    elif fault.kind == ELSEWHERE and not fault.first:
        if api.kind == "HTTP":
            yield change_http(api, integration, "--integration-uri LISTENER_ARN")
        else:
            target = "LISTENER_ARN" if listener_named(integration) else balancer
            yield change_method("update-integration", api, integration, patch("/integrationTarget", target))
    else:
        there = f"--target-arns {shlex.quote(balancer)}"
        if not fault.first:
            there = "--subnet-ids SUBNET_IDS --security-group-ids SECURITY_GROUP_ID"
        yield f"aws {service} create-vpc-link {region} --name NEW_NAME {there}"
        yield "# once it is AVAILABLE:"
        if api.kind == "HTTP":
            yield change_http(api, integration, "--connection-id NEW_VPC_LINK_ID")
        else:
            yield change_method("update-integration", api, integration, patch("/connectionId", "NEW_VPC_LINK_ID"))


RULE = Rule(
    id="AR604",
    name="api_vpc_link_unusable",
    title="API's VPC link does not lead to the private service",
    severity=Severity.HIGH,
    risk="Every request through the link is answered with an error, or by whatever else is behind it.",
    remediation="A link that failed or is gone is replaced by a new one, on which the integrations are put; so is one"
    " of the first generation that leads to another load balancer. In the second generation the integration says where"
    " it leads: to a listener before App Runner's endpoint. What is behind an Application Load Balancer is not looked"
    " into. One that is inactive wakes when requests come, and regular ones keep it awake.",
    reference="https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-vpc-links-v2.html",
    reports=(
        "https://github.com/hashicorp/terraform-provider-aws/issues/12195",
        "https://github.com/klothoplatform/klotho/issues/202",
    ),
    needs=("apis", "vpc_links", "load_balancers", "target_groups", "listeners", "stages"),
    check=check,
    fault=lambda message: message.partition("; ")[0],
    command=command,
)
