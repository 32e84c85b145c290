"""What a failed call asked for and how it was refused, as far as its record shows. Nothing in a record is trusted.

Codes are matched first. How App Runner's look in CloudTrail is not published, so AWS's usual spellings all count:
InvalidRequest, InvalidRequestException, Client.InvalidRequest. Texts are matched here and nowhere else, by fragments
and whatever their case, only where codes do not tell.
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.facts import Connector
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.records import at, text, texts

OPERATIONS = "aws.apprunner"  # the source of App Runner's own events
ALREADY = "already exist"  # a fragment of what AWS says of a name, or of security groups, that another has
LOOKED_AT = 4000  # characters of a message; CloudTrail's limit is 1 KB

_APP_RUNNER_ARN = re.compile(r"arn:aws[a-z-]*:apprunner:([a-z0-9-]+):[0-9]{12}:([a-z]+)/[A-Za-z0-9/_-]+")
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_DENIED_ACTION = re.compile(r"not authorized to perform:?\s+([a-z0-9-]{1,40}:[A-Za-z]{1,80})", re.IGNORECASE)
_SUBNET = re.compile(r"\bsubnet-[A-Za-z0-9-]*[A-Za-z0-9]")


class Refusal(StrEnum):
    """The kinds of refusal that are explained alike whatever the call was, and the rest."""

    DENIED = "denied"
    THROTTLED = "throttled"
    AWS = "AWS's own fault"
    DRY_RUN = "dry run"
    QUOTA = "quota"
    GONE = "gone"
    STATE = "state"
    OTHER = "other"


# Codes in lower case, without what begins and ends them in some spellings; and parts of codes.
_CODES: Mapping[str, Refusal] = {
    "accessdenied": Refusal.DENIED,
    "unauthorizedoperation": Refusal.DENIED,
    "unauthorized": Refusal.DENIED,
    "notauthorized": Refusal.DENIED,
    "requestlimitexceeded": Refusal.THROTTLED,
    "toomanyrequests": Refusal.THROTTLED,
    "slowdown": Refusal.THROTTLED,
    "internalservice": Refusal.AWS,
    "internalserviceerror": Refusal.AWS,
    "internalerror": Refusal.AWS,
    "internalfailure": Refusal.AWS,
    "serviceunavailable": Refusal.AWS,
    "unavailable": Refusal.AWS,
    "invalidstate": Refusal.STATE,
    "incorrectstate": Refusal.STATE,
    "dryrunoperation": Refusal.DRY_RUN,
}
_CODE_PARTS: Mapping[str, Refusal] = {
    "throttl": Refusal.THROTTLED,
    "quota": Refusal.QUOTA,
    "limitexceeded": Refusal.QUOTA,
    "notfound": Refusal.GONE,
}

_TEXTS = (
    ("not authorized to perform", Refusal.DENIED),
    ("rate exceeded", Refusal.THROTTLED),
    ("quota is reached", Refusal.QUOTA),  # "quota" alone may be a part of a name
    ("quota exceeded", Refusal.QUOTA),
    ("exceeded the quota", Refusal.QUOTA),
    ("exceeds the quota", Refusal.QUOTA),
    ("limit exceeded", Refusal.QUOTA),
    ("exceeded the limit", Refusal.QUOTA),
    ("maximum number of", Refusal.QUOTA),
)


def refusal(failed: FailedCall) -> Refusal:
    return _by_code(failed.code) or next((kind for mark, kind in _TEXTS if says(failed, mark)), Refusal.OTHER)


def _by_code(code: str) -> Refusal | None:
    name = code.removeprefix("Client.").removeprefix("Server.").removesuffix("Exception").lower()
    part = next((kind for mark, kind in _CODE_PARTS.items() if mark in name), None)
    return _CODES.get(name) or part or (Refusal.AWS if code.startswith("Server.") else None)


def says(failed: FailedCall, *fragments: str) -> bool:
    """Whether the message has one of the fragments, which are in lower case."""
    message = failed.message[:LOOKED_AT].lower()
    return any(fragment in message for fragment in fragments)


class About(StrEnum):
    """What EC2's refusal of an endpoint speaks of."""

    QUOTA = "quota"
    SUBNETS = "subnets"  # or their zones
    DNS = "dns"
    ELSE = "else"  # or nothing


def refused_about(failed: FailedCall) -> About:
    if refusal(failed) is Refusal.QUOTA:
        return About.QUOTA
    if "subnet" in failed.code.lower() or says(failed, "subnet", "availability zone"):
        return About.SUBNETS
    return About.DNS if says(failed, "dns") else About.ELSE


def denied_action(failed: FailedCall) -> str:
    """The IAM action that was denied: the one that the message names, else the call's own."""
    named = _DENIED_ACTION.search(failed.message[:LOOKED_AT])
    return named[1] if named else f"{failed.source.partition('.')[0]}:{failed.what}"


def named_subnets(failed: FailedCall) -> frozenset[str]:
    return frozenset(_SUBNET.findall(failed.message[:LOOKED_AT]))


def arn_of(value: object, kind: str) -> str:
    """The value, if it is the ARN of an App Runner resource of a kind (service, vpcconnector …); else nothing."""
    found = _APP_RUNNER_ARN.fullmatch(value) if isinstance(value, str) else None
    return found[0] if found is not None and found[2] == kind else ""


def other_region(failed: FailedCall, arn: str) -> str:
    """The Region of the ARN, if the call went to another one; else nothing."""
    region = arn.split(":")[3] if arn else ""
    return "" if region == failed.region else region


def service_arn(failed: FailedCall) -> str:
    return arn_of(failed.request.get("serviceArn"), "service") or arn_of(failed.resource, "service")


def connector_arn(failed: FailedCall) -> str:
    """The connector that the call is about, or that it tells a service to use."""
    path = "networkConfiguration.egressConfiguration.vpcConnectorArn"
    kind = "vpcconnector"
    named = (failed.request.get("vpcConnectorArn"), failed.resource, at(failed.request, path))
    return next((arn for one in named if (arn := arn_of(one, kind))), "")


def ingress_connection_arn(failed: FailedCall) -> str:
    kind = "vpcingressconnection"
    return arn_of(failed.request.get("vpcIngressConnectionArn"), kind) or arn_of(failed.resource, kind)


def connector_asked(failed: FailedCall) -> Connector | None:
    """The connector that CreateVpcConnector was asked for; None where the record does not say where.

    Its ARN has the form of one, for the rules' sake, and names nothing.
    """
    subnets = _ids(texts(failed.request.get("subnets")), "subnet-")
    if not subnets:
        return None
    return Connector(
        arn=f"arn:aws:apprunner:{failed.region}:{failed.account}:vpcconnector/not-created/1/0",
        name=text(failed.request.get("vpcConnectorName")),
        status="",
        subnet_ids=subnets,
        security_group_ids=_ids(texts(failed.request.get("securityGroups")), "sg-"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class IngressAsked:
    """What CreateVpcIngressConnection was to connect; empty strings where the record does not say."""

    name: str
    service_arn: str
    vpc_id: str
    endpoint_id: str


def ingress_asked(failed: FailedCall) -> IngressAsked:
    place = "ingressVpcConfiguration"
    return IngressAsked(
        name=text(failed.request.get("vpcIngressConnectionName")),
        service_arn=service_arn(failed),
        vpc_id=_id(at(failed.request, f"{place}.vpcId"), "vpc-"),
        endpoint_id=_id(at(failed.request, f"{place}.vpcEndpointId"), "vpce-"),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class EndpointAsked:
    """What CreateVpcEndpoint was to make; empty where the record does not say."""

    vpc_id: str
    service: str
    subnet_ids: tuple[str, ...]
    group_ids: tuple[str, ...]
    private_dns: bool  # the default of an interface endpoint


def endpoint_asked(failed: FailedCall) -> EndpointAsked:
    """EC2's record wraps the request, and writes a list of one as an object (aws-facts 4.1)."""
    wrapped = failed.request.get("CreateVpcEndpointRequest")
    request = wrapped if isinstance(wrapped, Mapping) else {}
    service = text(request.get("ServiceName"))
    return EndpointAsked(
        vpc_id=_id(request.get("VpcId"), "vpc-"),
        service=service if re.fullmatch(r"com\.amazonaws\.[a-z0-9.-]{1,100}", service) else "",
        subnet_ids=_ids(tuple(_contents(request.get("SubnetId"))), "subnet-"),
        group_ids=_ids(tuple(_contents(request.get("SecurityGroupId"))), "sg-"),
        private_dns=request.get("PrivateDnsEnabled", True) not in (False, "false"),
    )


def _contents(value: object) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        yield text(one.get("content")) if isinstance(one, Mapping) else text(one)


def _id(value: object, prefix: str) -> str:
    return value if isinstance(value, str) and value.startswith(prefix) and _ID.fullmatch(value) else ""


def _ids(values: tuple[str, ...], prefix: str) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if _id(value, prefix)}))
