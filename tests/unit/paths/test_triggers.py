"""Which calls can change a private path, what their records name, and what of the paths that concerns."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.callers import Caller
from apprunner_guardrails.events import BadEvent, Ignored
from apprunner_guardrails.facts import IngressConnection, Paths, Unread
from apprunner_guardrails.paths import triggers
from apprunner_guardrails.paths.triggers import PathChange, arns, concerned, parse_path_change
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS
from tests.cases import _healthy_path as examples
from tests.path_events import HTTP_ARN, INTERFACE, REST_ARN, SOURCES, WATCHED, call, tagging, watched
from tests.private_path import HTTP_API, INGRESS, LINK, LISTENER, REST_API
from tests.samples import ACCOUNT, CONNECTOR, REGION, SERVICE, Event
from tests.unit.paths.examples import PATHS as ONE


def change(what: str, *names: str, **fields: Any) -> PathChange:
    expected: dict[str, Any] = {
        "id": "path-01",
        "account": ACCOUNT,
        "region": REGION,
        "time": "2026-11-21T09:00:01Z",
        "caller": Caller(name="bob", tool="AWS CLI"),
    }
    return PathChange(what=what, names=tuple(sorted(names)), **{**expected, **fields})


def names(event: object) -> tuple[str, ...]:
    parsed = parse_path_change(event)
    assert isinstance(parsed, PathChange), parsed
    return parsed.names


def detail(event: Event, **changes: object) -> Event:
    return {**event, "detail": {**event["detail"], **changes}}


def source_of(service: str) -> str:
    return f"{SOURCES.get(service, service)}.amazonaws.com"


def test_every_watched_call_has_a_record_here() -> None:
    assert {(source_of(service), name) for service, name in WATCHED} == set(triggers.CALLS)


@pytest.mark.parametrize(("service", "name"), WATCHED, ids=map(":".join, WATCHED))
def test_a_watched_call_names_what_it_is_about(service: str, name: str) -> None:
    *_, expected = WATCHED[service, name]
    assert parse_path_change(watched(service, name)) == change(name, *expected)


# Whatever is tagged: what calls name it by, and by what it is known on the paths.
TAGGED: Mapping[str, tuple[str, str, str]] = {
    "an ingress connection": ("apprunner", INGRESS, INGRESS),
    "an endpoint": ("ec2", ENDPOINT, ENDPOINT),
    "an interface": ("ec2", INTERFACE, INTERFACE),
    "a target group": ("elbv2", ORDERS, ORDERS),
    "a load balancer": ("elbv2", BALANCER, BALANCER),
    "a REST API": ("apigateway", REST_ARN, REST_API),
    "a stage of it": ("apigateway", f"{REST_ARN}/stages/live", REST_API),
    "an HTTP API": ("apigatewayv2", HTTP_ARN, HTTP_API),
    "a VPC link": ("apigatewayv2", f"arn:aws:apigateway:{REGION}::/vpclinks/{LINK}", LINK),
}


@pytest.mark.parametrize("taken_off", [False, True], ids=["put on", "taken off"])
@pytest.mark.parametrize(("service", "resource", "name"), TAGGED.values(), ids=TAGGED)
def test_a_tag_of_ours_names_what_is_to_be_judged_anew(service: str, resource: str, name: str, taken_off: bool) -> None:
    event = tagging(service, resource, taken_off=taken_off)
    assert parse_path_change(event) == change(event["detail"]["eventName"], name)
    other_letters = tagging(service, resource, "AppRunner-Guardrails:Exempt:AR504", taken_off=taken_off)
    assert names(other_letters) == (name,)


@pytest.mark.parametrize("taken_off", [False, True], ids=["put on", "taken off"])
@pytest.mark.parametrize(("service", "resource", "name"), TAGGED.values(), ids=TAGGED)
def test_a_tag_of_others_asks_for_nothing(service: str, resource: str, name: str, taken_off: bool) -> None:
    event = tagging(service, resource, "team", taken_off=taken_off)
    why = f"the call {event['detail']['eventName']} names no tag that begins with apprunner-guardrails:"
    assert parse_path_change(event) == Ignored(why=why)


def test_the_second_generation_may_spell_the_resource_as_its_path_does() -> None:
    """How CloudTrail does is not published."""
    event = tagging("apigatewayv2", HTTP_ARN)
    asked = dict(event["detail"]["requestParameters"])
    asked["resource-arn"] = asked.pop("resourceArn")
    assert names(detail(event, requestParameters=asked)) == (HTTP_API,)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(
            detail(watched("ec2", "DeleteVpcEndpoints"), requestParameters={"vpcEndpointId": [ENDPOINT]}),
            (ENDPOINT,),
            id="in the form of older calls",
        ),
        pytest.param(
            detail(
                watched("elbv2", "ModifyListener"), responseElements=None, requestParameters={"listenerArn": LISTENER}
            ),
            (BALANCER,),
            id="a listener alone is its load balancer",
        ),
        pytest.param(
            detail(watched("apigatewayv2", "CreateStage"), responseElements={"stageVariables": "***"}),
            (HTTP_API,),
            id="an answer that is redacted in part",
        ),
        pytest.param(
            detail(
                watched("elbv2", "ModifyTargetGroup"),
                requestParameters={"targetGroupArn": "HIDDEN BY NOBODY"},
            ),
            (ORDERS,),
            id="no name is no name",
        ),
    ],
)
def test_a_record_names_it_wherever_it_may_be(event: Event, expected: tuple[str, ...]) -> None:
    assert names(event) == expected


APPLICATION = BALANCER.replace("/net/", "/app/")
ON_APPLICATION = LISTENER.replace("/net/", "/app/")
CREATED = watched("elbv2", "CreateLoadBalancer")
IGNORED: Mapping[str, tuple[object, str]] = {
    "nothing": (None, "not an EventBridge event: it is a NoneType, not an object"),
    "another source": ({**CREATED, "source": "aws.ecs"}, "not a call that can change a private path: "),
    "another kind of event": ({**CREATED, "detail-type": "x"}, "not a call that can change a private path: 'x' of "),
    "no detail": ({**CREATED, "detail": None}, "not a call that can change a private path: "),
    "another call": (detail(CREATED, eventName="RegisterTargets"), "the call 'RegisterTargets' of "),
    "the call of another source": (
        detail(CREATED, eventName="CreateVpcEndpoint"),
        "the call 'CreateVpcEndpoint' of 'elasticloadbalancing.amazonaws.com' is not watched",
    ),
    "a source that does not fit": ({**CREATED, "source": "aws.ec2"}, "the call 'CreateLoadBalancer' of "),
    "a call that failed": (
        detail(CREATED, errorCode="AccessDenied"),
        "the call CreateLoadBalancer failed with 'AccessDenied': nothing was changed",
    ),
    "a call that only read": (
        detail(CREATED, readOnly=True),
        "the call CreateLoadBalancer only read: nothing was changed",
    ),
    "a dry run": (
        call("ec2", "ModifyVpcEndpoint", {"VpcEndpointId": ENDPOINT, "DryRun": True}),
        "the call ModifyVpcEndpoint was a dry run: nothing was changed",
    ),
    "a record that names nothing": (
        detail(CREATED, requestParameters=None, responseElements=None),
        "the record of CreateLoadBalancer names nothing to check: looked at requestParameters.loadBalancerArn,",
    ),
    "a classic load balancer": (
        detail(CREATED, requestParameters={"loadBalancerName": "orders"}, responseElements={"dNSName": "x.test"}),
        "the record of CreateLoadBalancer names nothing to check",
    ),
    "an application load balancer": (
        call("elbv2", "SetSubnets", {"LoadBalancerArn": APPLICATION, "Subnets": []}),
        "the record of SetSubnets names nothing to check",
    ),
    "its listener": (
        call("elbv2", "DeleteListener", {"ListenerArn": ON_APPLICATION}),
        "the record of DeleteListener names nothing to check",
    ),
    "a tag of ours on a service": (
        tagging("apprunner", SERVICE),
        "the record of TagResource names nothing to check",
    ),
    "a tag of ours that is taken off a connector": (
        tagging("apprunner", CONNECTOR, taken_off=True),
        "the record of UntagResource names nothing to check",
    ),
    "a tag of ours on a rule of its listener": (
        tagging("elbv2", ON_APPLICATION.replace(":listener/", ":listener-rule/")),
        "the record of AddTags names nothing to check",
    ),
}


@pytest.mark.parametrize(("event", "why"), IGNORED.values(), ids=IGNORED)
def test_what_asks_for_nothing_is_ignored_with_a_reason(event: object, why: str) -> None:
    parsed = parse_path_change(event)
    assert isinstance(parsed, Ignored)
    assert parsed.why.startswith(why)


@pytest.mark.parametrize("member", ["account", "region"])
def test_an_envelope_that_cannot_be_read_is_refused(member: str) -> None:
    with pytest.raises(BadEvent, match=f"^the event's {member} should be "):
        parse_path_change({**CREATED, member: 7})


# What a change concerns: two paths that have nothing in common but their account, and a change of one of them.

DENIED = Unread(call="apprunner:DescribeVpcIngressConnection", code="AccessDeniedException")
(_CONNECTION,) = (one for one in ONE.ingress.values() if isinstance(one, IngressConnection))
_LINK_ID, _INTERFACE_ID = examples.INTEGRATION.link_id, examples.ENDPOINT.endpoint.interface_ids[0]


def another(text: str) -> str:
    return text.replace("orders", "billing").replace("0", "f")


def another_path() -> Paths:
    link = replace(examples.LINK, id="billing-link", target_arns=(another(examples.BALANCER_ARN),))
    ingress = replace(
        _CONNECTION,
        arn=another(_CONNECTION.arn),
        service_arn=another(_CONNECTION.service_arn),
        endpoint_id=another(_CONNECTION.endpoint_id),
    )
    endpoint = replace(
        examples.ENDPOINT.endpoint,
        id=another(examples.ENDPOINT_ID),
        interface_ids=tuple(f"{one}f" for one in examples.ENDPOINT.endpoint.interface_ids),
    )
    group = replace(
        examples.GROUP,
        group=replace(
            examples.GROUP.group,
            arn=another(examples.GROUP_ARN),
            load_balancer_arns=(another(examples.BALANCER_ARN),),
        ),
        endpoint_ids=(endpoint.id,),
    )
    balancer = replace(
        examples.BALANCER,
        balancer=replace(examples.BALANCER.balancer, arn=another(examples.BALANCER_ARN)),
        target_groups=(group,),
        links=(link,),
    )
    integration = replace(examples.INTEGRATION, link_id=link.id, link=link, balancer_arn=balancer.arn)
    return Paths(
        ingress={ingress.arn: ingress},
        endpoints=(replace(examples.ENDPOINT, endpoint=endpoint, balancers=(balancer,)),),
        groups=(group,),
        balancers=(balancer,),
        apis=(replace(examples.API, id="billingapi", integrations=(integration,)),),
    )


def joined(one: Paths, other: Paths) -> Paths:
    return Paths(
        ingress={**one.ingress, **other.ingress},
        endpoints=one.endpoints + other.endpoints,
        groups=one.groups + other.groups,
        balancers=one.balancers + other.balancers,
        apis=one.apis + other.apis,
    )


OTHER = another_path()
NAMES: Mapping[str, str] = {
    "the service": examples.SERVICE_ARN,
    "the ingress connection": _CONNECTION.arn,
    "the endpoint": examples.ENDPOINT_ID,
    "an interface of the endpoint": _INTERFACE_ID,
    "the target group": examples.GROUP_ARN,
    "the load balancer": examples.BALANCER_ARN,
    "the VPC link": _LINK_ID,
    "the API": examples.API.id,
}


def test_the_two_paths_have_five_resources_each_and_none_in_common() -> None:
    assert (len(arns(ONE)), len(arns(OTHER)), arns(ONE) & arns(OTHER)) == (5, 5, frozenset())


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_whatever_is_changed_on_a_path_concerns_all_of_it_and_no_other(name: str) -> None:
    both = joined(OTHER, ONE)
    assert concerned([name], both) == ONE
    assert concerned([name, "no-such-thing"], both) == ONE


def test_changes_of_two_paths_concern_both_and_of_none_nothing() -> None:
    both = joined(ONE, OTHER)
    assert concerned([examples.API.id, another(examples.GROUP_ARN)], both) == both
    assert arns(concerned(["sg-1", ""], both)) == frozenset()
    assert arns(concerned([], both)) == frozenset()


def test_services_that_share_an_endpoint_share_its_path() -> None:
    second = replace(_CONNECTION, arn=f"{_CONNECTION.arn}2", service_arn=f"{_CONNECTION.service_arn}2")
    shared = replace(ONE, ingress={**ONE.ingress, second.arn: second})
    assert concerned([second.arn], joined(shared, OTHER)) == shared


def test_connections_that_name_no_endpoint_have_nothing_in_common() -> None:
    """One that failed may have none; and calls of API Gateway's that use no link name none."""
    lost = [replace(_CONNECTION, arn=f"lost-{one}", service_arn=f"service-{one}", endpoint_id="") for one in "12"]
    assert set(concerned(["lost-1"], Paths(ingress={one.arn: one for one in lost})).ingress) == {"lost-1"}


def test_a_connection_that_could_not_be_read_concerns_who_names_it() -> None:
    unread = Paths(ingress={INGRESS: DENIED, "another": DENIED})
    assert concerned([INGRESS], unread) == Paths(ingress={INGRESS: DENIED})


def test_what_could_not_be_read_of_a_path_leads_no_further() -> None:
    unread = replace(
        ONE,
        balancers=(replace(examples.BALANCER, target_groups=DENIED, links=DENIED),),
        apis=(replace(examples.API, integrations=DENIED),),
    )
    assert arns(concerned([examples.API.id], unread)) == {examples.API.arn}
    assert arns(concerned([examples.BALANCER_ARN], unread)) == arns(ONE) - {examples.API.arn}


def test_what_could_not_be_listed_stays_with_the_part() -> None:
    short = replace(ONE, unlisted=(DENIED,))
    assert concerned([examples.API.id], short).unlisted == (DENIED,)
