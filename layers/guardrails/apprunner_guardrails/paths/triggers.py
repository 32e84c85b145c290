"""Calls that can change a private path: event → PathChange | Ignored, and what of the paths a change concerns. Pure.

API Gateway's two generations have one event source and share names of calls: what a record names tells which it is.
Where no record of a call is published, the names are taken from wherever AWS's models would have them.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from apprunner_guardrails.callers import Caller, caller
from apprunner_guardrails.events import CLOUDTRAIL, TAGS, Ignored, account, idle, no_event, not_watched, region
from apprunner_guardrails.facts import (
    Api,
    IngressConnection,
    PathBalancer,
    PathEndpoint,
    PathGroup,
    Paths,
    Unread,
    if_read,
)
from apprunner_guardrails.light import dataclass, replace
from apprunner_guardrails.records import Json, at, body, event_id, shown, text, texts_at

_APP_RUNNER, _EC2 = "apprunner.amazonaws.com", "ec2.amazonaws.com"
_ELB, _API = "elasticloadbalancing.amazonaws.com", "apigateway.amazonaws.com"
_SOURCES = {
    "aws.apprunner": _APP_RUNNER,
    "aws.ec2": _EC2,
    "aws.elasticloadbalancing": _ELB,
    "aws.apigateway": _API,
}
PATHS_ONLY = ("aws.elasticloadbalancing", "aws.apigateway")  # sources whose calls can do nothing else


@dataclass(frozen=True, kw_only=True, slots=True)
class PathChange:
    """A call that changed something of a private path. `names` are ids and ARNs that its record has, sorted."""

    id: str
    what: str
    names: tuple[str, ...]
    account: str
    region: str
    time: str
    caller: Caller


_INGRESS = (
    "requestParameters.vpcIngressConnectionArn",
    "requestParameters.serviceArn",
    "requestParameters.ingressVpcConfiguration.vpcEndpointId",
    "responseElements.vpcIngressConnection.vpcIngressConnectionArn",
    "responseElements.vpcIngressConnection.serviceArn",
    "responseElements.vpcIngressConnection.ingressVpcConfiguration.vpcEndpointId",
)
_ENDPOINT = ("requestParameters.vpcEndpointId", "responseElements.vpcEndpoint.vpcEndpointId")
_ADDRESS = ("requestParameters.networkInterfaceId", "responseElements.networkInterfaceId")
_GROUP = ("requestParameters.targetGroupArn", "responseElements.targetGroups.targetGroupArn")
_BALANCER = ("requestParameters.loadBalancerArn", "responseElements.loadBalancers.loadBalancerArn")
_LISTENER = (
    "requestParameters.listenerArn",
    "requestParameters.loadBalancerArn",
    "requestParameters.defaultActions.targetGroupArn",
    "responseElements.listeners.loadBalancerArn",
)
_OF_API = (
    "requestParameters.restApiId",
    "requestParameters.apiId",
    "responseElements.restApiId",
    "responseElements.apiId",
)
_NEW_REST_API = ("responseElements.id",)
_LINK = (
    "requestParameters.vpcLinkId",
    "responseElements.vpcLinkId",
    "responseElements.id",
    "requestParameters.createVpcLinkInput.targetArns",
    "requestParameters.targetArns",
)
_TAGGED = (
    "requestParameters.resourceArn",
    "requestParameters.resource-arn",
    "requestParameters.resourceArns",
    "requestParameters.resourcesSet.resourceId",
)

# The one table of watched calls: (event source, call) → where its record names what it is about.
CALLS: Mapping[tuple[str, str], tuple[str, ...]] = {
    **dict.fromkeys(
        ((_APP_RUNNER, f"{verb}VpcIngressConnection") for verb in ("Create", "Update", "Delete")),
        _INGRESS,
    ),
    **dict.fromkeys(
        ((_EC2, name) for name in ("CreateVpcEndpoint", "ModifyVpcEndpoint", "DeleteVpcEndpoints")), _ENDPOINT
    ),
    (_EC2, "AssociateAddress"): _ADDRESS,
    **dict.fromkeys(
        ((_ELB, name) for name in ("ModifyTargetGroup", "ModifyTargetGroupAttributes", "DeleteTargetGroup")), _GROUP
    ),
    **dict.fromkeys(
        (
            (_ELB, name)
            for name in (
                "CreateLoadBalancer",
                "DeleteLoadBalancer",
                "ModifyLoadBalancerAttributes",
                "SetSecurityGroups",
                "SetSubnets",
            )
        ),
        _BALANCER,
    ),
    **dict.fromkeys(((_ELB, f"{verb}Listener") for verb in ("Create", "Modify", "Delete")), _LISTENER),
    **dict.fromkeys(
        (
            (_API, name)
            for name in (
                *("CreateDeployment", "DeleteRestApi", "PutRestApi", "UpdateRestApi"),
                *("CreateApi", "DeleteApi", "ImportApi", "ReimportApi", "UpdateApi"),
                *("PutIntegration", "CreateIntegration", "UpdateIntegration", "DeleteIntegration"),
                *("PutMethod", "UpdateMethod", "DeleteMethod", "CreateRoute", "UpdateRoute", "DeleteRoute"),
                *("CreateResource", "UpdateResource", "DeleteResource"),
                *("CreateStage", "UpdateStage", "DeleteStage", "DeleteAccessLogSettings"),
            )
        ),
        _OF_API,
    ),
    **dict.fromkeys(((_API, name) for name in ("CreateRestApi", "ImportRestApi")), _NEW_REST_API),
    **dict.fromkeys(((_API, f"{verb}VpcLink") for verb in ("Create", "Update", "Delete")), _LINK),
}

# Calls that change exemptions, if they name a tag of ours: where the keys are.
TAGGING: Mapping[tuple[str, str], tuple[str, ...]] = {
    (_APP_RUNNER, "TagResource"): ("requestParameters.tags.key",),
    (_APP_RUNNER, "UntagResource"): ("requestParameters.tagKeys",),
    (_EC2, "CreateTags"): ("requestParameters.tagSet.key",),
    (_EC2, "DeleteTags"): ("requestParameters.tagSet.key",),
    (_ELB, "AddTags"): ("requestParameters.tags.key",),
    (_ELB, "RemoveTags"): ("requestParameters.tagKeys",),
    (_API, "TagResource"): ("requestParameters.tags", "requestParameters.tagResourceInput.tags"),
    (_API, "UntagResource"): ("requestParameters.tagKeys",),
}

_NAME = re.compile(r"[A-Za-z0-9:/_.$-]{4,400}")
_OTHER_BALANCER = re.compile(r":(?:listener|listener-rule|loadbalancer)/(?!net/)")
_LISTENER_ARN = re.compile(r"(.+):listener/(net/[^/]+/[^/]+)/[^/]+")
_API_ARN = re.compile(r"arn:aws[a-z-]*:apigateway:[a-z0-9-]+::/(?:restapis|apis|vpclinks)/([^/]+).*")
_EC2_ARN = re.compile(r"arn:aws[a-z-]*:ec2:.+/((?:vpce|eni)-.+)")


def parse_path_change(event: object) -> PathChange | Ignored:
    """What a call changed of private paths. Raises BadEvent where the envelope's account or Region cannot be read."""
    if not isinstance(event, Mapping):
        return no_event(event)
    source, kind, detail = event.get("source"), event.get("detail-type"), event.get("detail")
    if kind != CLOUDTRAIL or not isinstance(detail, Mapping) or not isinstance(source, str) or source not in _SOURCES:
        return Ignored(why=f"not a call that can change a private path: {shown(kind)} of {shown(source)}")
    service, name = text(detail.get("eventSource")), text(detail.get("eventName"))
    if service != _SOURCES[source] or not ((service, name) in CALLS or (service, name) in TAGGING):
        return not_watched(service, name)
    return idle(name, detail) or _path_change((service, name), event, detail)


def _path_change(call: tuple[str, str], event: Json, detail: Json) -> PathChange | Ignored:
    name, paths = call[1], CALLS.get(call, _TAGGED)
    if call in TAGGING and not any(one.lower().startswith(TAGS) for one in _tag_keys(detail, TAGGING[call])):
        return Ignored(why=f"the call {name} names no tag that begins with {TAGS}")
    names = tuple(sorted({one for path in paths for one in _names(detail, path) if not _is_elsewhere(call, one)}))
    if not names:
        return Ignored(why=f"the record of {name} names nothing to check: looked at {', '.join(paths)}")
    return PathChange(
        id=event_id(event),
        what=name,
        names=names,
        account=account(event),
        region=region(event),
        time=text(detail.get("eventTime")) or text(event.get("time")),
        caller=caller(detail),
    )


def _is_elsewhere(call: tuple[str, str], name: str) -> bool:
    """Tags of App Runner's connectors and services are the business of their own events."""
    return call in TAGGING and call[0] == _APP_RUNNER and ":vpcingressconnection/" not in name


def _tag_keys(detail: Json, paths: Iterable[str]) -> Iterator[str]:
    for path in paths:
        yield from texts_at(detail, path)
        part, name = path.split(".", 1)
        tags = at(body(detail, part), name)
        if isinstance(tags, Mapping):  # API Gateway's are a mapping of keys to values
            yield from (one for one in tags if isinstance(one, str))


def _names(detail: Json, path: str) -> Iterator[str]:
    """The ids and ARNs at a path; an ARN of a listener is its load balancer's, and one of a stage its API's id. Load
    balancers other than an NLB are on no path."""
    for found in texts_at(detail, path):
        if _NAME.fullmatch(found) and not _OTHER_BALANCER.search(found):
            if of_listener := _LISTENER_ARN.fullmatch(found):
                yield f"{of_listener[1]}:loadbalancer/{of_listener[2]}"
            elif of_api := _API_ARN.fullmatch(found):
                yield of_api[1]
            elif of_ec2 := _EC2_ARN.fullmatch(found):
                yield of_ec2[1]
            else:
                yield found


type OnPath = IngressConnection | PathEndpoint | PathGroup | PathBalancer | Api


def concerned(names: Iterable[str], paths: Paths) -> Paths:
    """The paths that lead through what has one of these names: ids and ARNs of anything on them."""
    ingress = [one for one in paths.ingress.values() if isinstance(one, IngressConnection)]
    everything: list[OnPath] = [*ingress, *paths.endpoints, *paths.groups, *paths.balancers, *paths.apis]
    keys, reached = set(names), set[str]()
    grown = True
    while grown:
        grown = False
        for one in everything:
            if one.arn not in reached and not keys.isdisjoint(_keys(one)):
                reached.add(one.arn)
                keys |= _keys(one)
                grown = True

    def there(one: OnPath) -> bool:
        return one.arn in reached

    return replace(
        paths,
        ingress={
            arn: one
            for arn, one in paths.ingress.items()
            if arn in reached or (isinstance(one, Unread) and arn in keys)
        },
        endpoints=tuple(filter(there, paths.endpoints)),
        groups=tuple(filter(there, paths.groups)),
        balancers=tuple(filter(there, paths.balancers)),
        apis=tuple(filter(there, paths.apis)),
    )


def _keys(one: OnPath) -> set[str]:
    """By what it is named, and what it names."""
    match one:
        case IngressConnection():
            return {one.arn, one.endpoint_id, one.service_arn} - {""}
        case PathEndpoint():
            return {one.arn, one.endpoint.id, *one.endpoint.interface_ids}
        case PathGroup():
            return {one.arn, *one.endpoint_ids, *one.group.load_balancer_arns}
        case PathBalancer():
            links = [link.id for link in if_read(one.links)]
            return {one.arn, *(group.arn for group in if_read(one.target_groups)), *links}
        case Api():
            integrations = if_read(one.integrations)
            balancers = {each.balancer_arn for each in integrations if isinstance(each.balancer_arn, str)}
            return {one.arn, one.id, *(each.link_id for each in integrations), *balancers} - {""}


def arns(paths: Paths) -> frozenset[str]:
    """Of all that is on the paths."""
    parts: Collection[OnPath] = (*paths.endpoints, *paths.groups, *paths.balancers, *paths.apis)
    return frozenset((*paths.ingress, *(one.arn for one in parts)))
