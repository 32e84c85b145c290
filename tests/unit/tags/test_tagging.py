"""What is read of something that was created, what it lacks, and what follows from each answer of AWS's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import Created, parse
from apprunner_guardrails.tags.plan import MOST
from apprunner_guardrails.tags.tagging import NotTagged, Planned, Retry, look, put
from apprunner_guardrails.targets.binding import TAG
from tests import creations
from tests.aws import FAULTS, Aws, Fault, Parameters, answered, refused
from tests.bound_groups import BALANCER, ENDPOINT, ORDERS, arn, target_group
from tests.creations import MADE, MADE_AT, OF_APP_RUNNER, OF_OTHERS, TAGS, changed, creation, have, rows, written
from tests.samples import CONNECTOR, REGION, SETTINGS, Event, Row, Rows

ELB = "elasticloadbalancing"
GONE = "ResourceNotFoundException"
DESCRIBED = {
    "CreateVpcConnector": "apprunner:DescribeVpcConnector",
    "CreateService": "apprunner:DescribeService",
    "CreateVpcIngressConnection": "apprunner:DescribeVpcIngressConnection",
}
NOT_FOUND = {
    "CreateVpcEndpoint": "InvalidVpcEndpointId.NotFound",
    "CreateTargetGroup": "TargetGroupNotFound",
    "CreateLoadBalancer": "LoadBalancerNotFound",
}
OFF_PATH = "it is on no path that is bound to an endpoint"


@dataclass(frozen=True, kw_only=True)
class Looked:
    planned: Planned
    aws: Aws

    @property
    def outcome(self) -> tuple[Mapping[str, str], str, int]:
        return self.planned.tags, self.planned.why, self.planned.come_back


def made(event: Event) -> Created:
    created = parse(event)
    assert isinstance(created, Created), created
    return created


def looked(
    event: Event,
    there: Rows,
    faults: Mapping[str, Fault] | None = None,
    *,
    settings: Settings = SETTINGS,
    age: int = 5,
) -> Looked:
    """What `look` says; that it changes nothing, whatever it is."""
    with Aws(there, faults) as aws:
        try:
            return Looked(planned=look(made(event), Reads(client), settings, MADE_AT + age), aws=aws)
        finally:
            assert written(aws) == []


# Tags that are there ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_what_has_no_tags_of_ours_lacks_all_of_them(name: str) -> None:
    assert looked(creation(name), rows()).outcome == (TAGS, "", 0)


@pytest.mark.parametrize("name", MADE)
def test_a_key_that_is_there_is_left_whatever_its_value(name: str) -> None:
    there = have(rows(), MADE[name][0], {"created-by": "somebody else", "created-with": ""})
    assert looked(creation(name), there).outcome == ({"created-at": TAGS["created-at"]}, "", 0)


@pytest.mark.parametrize("name", MADE)
def test_tags_that_the_call_gave_are_there_also_where_aws_does_not_show_them_yet(name: str) -> None:
    event = creation(name, {"created-by": "platform", "team": "shop"})
    assert looked(event, rows()).outcome == ({key: TAGS[key] for key in ("created-at", "created-with")}, "", 0)


@pytest.mark.parametrize("name", MADE)
def test_nothing_is_asked_where_the_call_gave_every_tag(name: str) -> None:
    found = looked(creation(name, dict.fromkeys(TAGS, "mine")), rows())
    assert (found.outcome, found.aws.calls) == (({}, "the call that made it gave it every tag", 0), [])


@pytest.mark.parametrize("name", MADE)
def test_what_has_every_tag_costs_one_read(name: str) -> None:
    found = looked(creation(name), have(rows(), MADE[name][0], dict.fromkeys(TAGS, "theirs")))
    assert (found.outcome, found.aws.actions) == (({}, "it has every tag", 0), [MADE[name][1]])


@pytest.mark.parametrize("name", MADE)
def test_tags_given_and_tags_that_came_since_make_up_every_tag_together(name: str) -> None:
    there = have(rows(), MADE[name][0], {"created-by": "theirs", "created-at": "then"})
    assert looked(creation(name, {"created-with": "mine"}), there).outcome == ({}, "it has every tag", 0)


def test_a_key_of_other_case_is_another_key() -> None:
    there = have(rows(), CONNECTOR, {"Created-By": "somebody else"})
    assert looked(creation("CreateVpcConnector"), there).outcome == (TAGS, "", 0)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (47, (TAGS, "")),
        (48, ({key: TAGS[key] for key in ("created-by", "created-at")}, "")),
        (49, ({"created-by": "bob"}, "")),
        (50, ({}, "it has 50 tags, and AWS takes no more than 50")),
        (51, ({}, "it has 51 tags, and AWS takes no more than 50")),
    ],
)
def test_no_more_than_fifty_tags_come_together(count: int, expected: tuple[Mapping[str, str], str]) -> None:
    theirs = {f"key-{number:02}": "" for number in range(count)}
    whole = looked(creation("CreateVpcConnector"), have(rows(), CONNECTOR, theirs))
    assert whole.outcome[:2] == expected
    half = dict(list(theirs.items())[::2])
    some = looked(creation("CreateVpcConnector", half), have(rows(), CONNECTOR, theirs | {"key-00": "changed"}))
    assert some.outcome[:2] == expected


def test_a_call_that_gave_fifty_tags_leaves_room_for_none() -> None:
    found = looked(creation("CreateService", {f"key-{number:02}": "" for number in range(MOST)}), rows())
    assert (found.outcome, found.aws.calls) == (({}, "it has 50 tags, and AWS takes no more than 50", 0), [])


def test_nothing_is_asked_where_no_tag_is_asked_for() -> None:
    none = replace(SETTINGS, created_by_tag="", created_at_tag="", created_with_tag="")
    found = looked(creation("CreateVpcConnector"), rows(), settings=none)
    assert (found.outcome, found.aws.calls) == (({}, "no tag is asked for", 0), [])


def test_default_tags_come_after_the_others_and_are_no_more_to_overwrite_than_those() -> None:
    settings = replace(SETTINGS, default_tags={"env": "live", "team": "platform"})
    found = looked(creation("CreateVpcConnector"), have(rows(), CONNECTOR, {"team": "shop"}), settings=settings)
    assert list(found.planned.tags.items()) == [*TAGS.items(), ("env", "live")]


# What is not there, or no more --------------------------------------------------------------------------------------


UNKNOWN: Rows = {"VpcConnectors": [], "Services": [], "VpcIngressConnections": []}


@pytest.mark.parametrize("age", [0, 900])
@pytest.mark.parametrize("name", OF_APP_RUNNER)
def test_what_app_runner_does_not_know_at_all_is_tried_again_for_fifteen_minutes(name: str, age: int) -> None:
    why = rf"^{MADE[name][0]} is not there yet: apprunner:ListTagsForResource failed \({GONE}\)$"
    with pytest.raises(Retry, match=why):
        looked(creation(name), {**rows(), **UNKNOWN}, {MADE[name][1]: refused(GONE)}, age=age)


@pytest.mark.parametrize("name", OF_APP_RUNNER)
def test_what_app_runner_does_not_know_at_all_by_then_is_gone(name: str) -> None:
    found = looked(creation(name), {**rows(), **UNKNOWN}, {MADE[name][1]: refused(GONE)}, age=901)
    assert (found.outcome, found.aws.actions) == (({}, "it no longer exists", 0), [MADE[name][1], DESCRIBED[name]])


@pytest.mark.parametrize("age", [0, 100_000])
@pytest.mark.parametrize("name", OF_APP_RUNNER)
def test_what_is_described_though_its_tags_are_not_is_tried_again_however_late(name: str, age: int) -> None:
    with pytest.raises(Retry, match="cannot be tagged yet"):
        looked(creation(name), rows(), {MADE[name][1]: refused(GONE)}, age=age)


@pytest.mark.parametrize(
    ("name", "member", "status"),
    [
        ("CreateVpcConnector", "VpcConnectors", "INACTIVE"),
        ("CreateService", "Services", "DELETED"),
        ("CreateVpcIngressConnection", "VpcIngressConnections", "DELETED"),
    ],
)
def test_what_app_runner_tells_as_deleted_is_left(name: str, member: str, status: str) -> None:
    there = rows()
    there[member][0]["Status"] = status
    found = looked(creation(name), there, {MADE[name][1]: refused(GONE)})
    assert (found.outcome, found.aws.actions) == (({}, "it was deleted", 0), [MADE[name][1], DESCRIBED[name]])


@pytest.mark.parametrize("name", OF_APP_RUNNER)
def test_whether_it_was_deleted_may_not_be_told_either(name: str) -> None:
    faults = {MADE[name][1]: refused(GONE), DESCRIBED[name]: refused("AccessDeniedException")}
    why = (
        rf"^{MADE[name][0]} was not tagged: apprunner:ListTagsForResource failed \({GONE}\), {DESCRIBED[name]} failed"
        r" \(AccessDeniedException\)$"
    )
    with pytest.raises(NotTagged, match=why):
        looked(creation(name), rows(), faults)


def absent() -> Rows:
    return {**rows(), "VpcEndpoints": [], "TargetGroups": [], "LoadBalancers": []}


@pytest.mark.parametrize("age", [-5, 0, 900])
@pytest.mark.parametrize("name", OF_OTHERS)
def test_what_others_do_not_know_is_tried_again_for_fifteen_minutes(name: str, age: int) -> None:
    why = rf"^{MADE[name][0]} is not there yet: {MADE[name][1]} failed \({NOT_FOUND[name]}\)$"
    with pytest.raises(Retry, match=why):
        looked(creation(name), absent(), age=age)


@pytest.mark.parametrize("age", [901, 100_000])
@pytest.mark.parametrize("name", OF_OTHERS)
def test_what_others_do_not_know_after_fifteen_minutes_is_gone(name: str, age: int) -> None:
    found = looked(creation(name), absent(), age=age)
    assert (found.outcome, found.aws.actions) == (({}, "it no longer exists", 0), [MADE[name][1]])


TIMELESS = {
    "no time": "",
    "no time at all": "yesterday",
    "a time that no clock can tell": "0001-01-01T00:00:00",
    "a time to come": "2036-11-21T09:00:01Z",
}


@pytest.mark.parametrize("time", TIMELESS.values(), ids=TIMELESS)
@pytest.mark.parametrize("name", OF_OTHERS)
def test_what_is_not_there_is_tried_again_where_nobody_can_tell_how_old_it_is(name: str, time: str) -> None:
    event = {**changed(creation(name), eventTime=time), "time": time}
    with pytest.raises(Retry):
        looked(event, absent(), age=100_000)


def test_an_answer_without_the_endpoint_says_that_it_is_not_there() -> None:
    nothing = {"ec2:DescribeVpcEndpoints": answered(lambda _: {"VpcEndpoints": []})}
    with pytest.raises(Retry, match="is not there yet"):
        looked(creation("CreateVpcEndpoint"), rows(), nothing)
    assert looked(creation("CreateVpcEndpoint"), rows(), nothing, age=901).planned.why == "it no longer exists"


# Endpoints ----------------------------------------------------------------------------------------------------------


def of_endpoint(**changes: object) -> Looked:
    there = rows()
    there["VpcEndpoints"][0].update(changes)
    return looked(creation("CreateVpcEndpoint"), there)


@pytest.mark.parametrize("state", ["deleting", "deleted", "Deleting", "Deleted"])
def test_an_endpoint_that_is_being_deleted_is_left(state: str) -> None:
    assert of_endpoint(State=state).outcome == ({}, f"it is {state.lower()}", 0)


@pytest.mark.parametrize("state", ["pending", "pendingAcceptance", "available", "failed", "rejected"])
def test_an_endpoint_in_any_other_state_is_tagged(state: str) -> None:
    assert of_endpoint(State=state).outcome == (TAGS, "", 0)


def test_an_endpoint_that_an_aws_service_made_for_itself_is_left() -> None:
    assert of_endpoint(RequesterManaged=True).outcome == ({}, "it belongs to the AWS service that made it", 0)
    assert of_endpoint(RequesterManaged=False).outcome == (TAGS, "", 0)


@pytest.mark.parametrize("name", [f"com.amazonaws.{REGION}.s3", f"com.amazonaws.{REGION}.apprunner.other", "apprunner"])
def test_an_endpoint_is_left_that_turns_out_to_be_of_another_service(name: str) -> None:
    """What the record says is hidden, so that AWS has to be asked."""
    there = rows()
    there["VpcEndpoints"][0]["ServiceName"] = name
    found = looked(creation("CreateVpcEndpoint", service_name="HIDDEN_DUE_TO_SECURITY_REASONS"), there)
    assert found.outcome == ({}, f"it is an endpoint of {name}, not of App Runner", 0)


def test_an_endpoint_of_app_runners_api_is_tagged_too() -> None:
    assert of_endpoint(ServiceName=f"com.amazonaws.{REGION}.apprunner").outcome == (TAGS, "", 0)


# Bound paths --------------------------------------------------------------------------------------------------------

BACK = {0: 60, 59: 60, 61: 61, 500: 500, 900: 900, 3600: 900, 3601: 0}


def unbound() -> Rows:
    return {**rows(), "Tags": []}


@pytest.mark.parametrize(("age", "seconds"), BACK.items())
@pytest.mark.parametrize("name", ["CreateTargetGroup", "CreateLoadBalancer"])
def test_what_is_on_no_bound_path_is_come_back_to_ever_later_until_an_hour_is_over(
    name: str, age: int, seconds: int
) -> None:
    assert looked(creation(name), unbound(), age=age).outcome == ({}, OFF_PATH, seconds)


def test_within_the_hour_there_are_nine_looks() -> None:
    ages, age = [5], 5
    while back := looked(creation("CreateTargetGroup"), unbound(), age=age).planned.come_back:
        age += back
        ages.append(age)
    assert ages == [5, 65, 130, 260, 520, 1040, 1940, 2840, 3740]


@pytest.mark.parametrize("time", TIMELESS.values(), ids=TIMELESS)
@pytest.mark.parametrize("name", ["CreateTargetGroup", "CreateLoadBalancer"])
def test_nothing_comes_back_for_ever_where_nobody_can_tell_when_an_hour_is_over(name: str, time: str) -> None:
    event = {**changed(creation(name), eventTime=time), "time": time}
    assert looked(event, unbound()).outcome == ({}, OFF_PATH, 0)


def test_a_target_group_is_bound_by_its_tag_whatever_that_says() -> None:
    assert looked(creation("CreateTargetGroup"), have(unbound(), ORDERS, {TAG: ""})).outcome == (TAGS, "", 0)
    assert looked(creation("CreateTargetGroup"), have(unbound(), ORDERS, {"endpoint": ENDPOINT})).outcome[0] == {}


def test_of_what_has_every_tag_nobody_asks_whether_it_is_on_a_path() -> None:
    found = looked(creation("CreateLoadBalancer"), have(unbound(), BALANCER, TAGS))
    assert (found.outcome, found.aws.actions) == (({}, "it has every tag", 0), [f"{ELB}:DescribeTags"])


def several(bound: tuple[str, ...]) -> Rows:
    """The load balancer leads to 22 groups, more than a call names, of which some are bound."""
    there = unbound()
    names = [f"group-{number:02}" for number in range(22)]
    there["TargetGroups"] = [target_group(name) for name in names] + [target_group("other", LoadBalancerArns=[])]
    return have_binding(there, (*bound, "other"))


def have_binding(there: Rows, names: tuple[str, ...]) -> Rows:
    for name in names:
        have(there, arn(name), {TAG: ENDPOINT})
    return there


def naming(name: str) -> Any:
    def names(asked: Parameters) -> bool:
        return arn(name) in asked["ResourceArns"]

    return names


@pytest.mark.parametrize("bound", ["group-00", "group-21"])
def test_a_load_balancer_is_on_a_path_if_any_of_its_groups_is_bound(bound: str) -> None:
    assert looked(creation("CreateLoadBalancer"), several((bound,))).outcome == (TAGS, "", 0)
    assert looked(creation("CreateLoadBalancer"), several(())).outcome == ({}, OFF_PATH, 60)


def test_a_load_balancer_without_groups_is_on_no_path() -> None:
    found = looked(creation("CreateLoadBalancer"), {**unbound(), "TargetGroups": []})
    assert (found.outcome, found.aws.actions) == (
        ({}, OFF_PATH, 60),
        [f"{ELB}:DescribeTags", f"{ELB}:DescribeTargetGroups"],
    )


def test_one_bound_group_is_enough_though_the_tags_of_others_cannot_be_read() -> None:
    denied = {f"{ELB}:DescribeTags": refused("Throttling", when=naming("group-21"))}
    assert looked(creation("CreateLoadBalancer"), several(("group-00",)), denied).outcome == (TAGS, "", 0)


def test_a_load_balancer_is_not_tagged_where_the_only_bound_group_may_be_one_that_cannot_be_read() -> None:
    denied = {f"{ELB}:DescribeTags": refused("Throttling", when=naming("group-21"))}
    why = rf"^whether {BALANCER} is on a bound path cannot be told: {ELB}:DescribeTags failed \(Throttling\)$"
    with pytest.raises(NotTagged, match=why):
        looked(creation("CreateLoadBalancer"), several(()), denied)


def test_a_group_that_is_deleted_meanwhile_is_none_of_the_load_balancers() -> None:
    gone = {f"{ELB}:DescribeTags": refused("TargetGroupNotFound", when=naming("group-21"))}
    assert looked(creation("CreateLoadBalancer"), several(()), gone).outcome == ({}, OFF_PATH, 60)
    assert looked(creation("CreateLoadBalancer"), several(("group-20",)), gone).outcome == (TAGS, "", 0)


def test_a_load_balancer_is_not_tagged_where_its_groups_cannot_be_read() -> None:
    denied = {f"{ELB}:DescribeTargetGroups": refused("AccessDenied", 403)}
    with pytest.raises(NotTagged, match=rf"{ELB}:DescribeTargetGroups failed \(AccessDenied\)$"):
        looked(creation("CreateLoadBalancer"), rows(), denied)


# Reads that fail ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("name", MADE)
def test_a_read_that_fails_is_never_taken_for_a_resource_without_tags(name: str, fault: Fault) -> None:
    made_arn, action, _ = MADE[name]
    with pytest.raises(NotTagged, match=rf"^{made_arn} was not tagged: {action} failed \({fault.code}\)$"):
        looked(creation(name), rows(), {action: fault}, age=100_000)


ODD: Mapping[str, Row] = {
    "CreateVpcConnector": {"Tags": [{"Value": "bob"}]},
    "CreateService": {"Tags": [{"Value": "bob"}]},
    "CreateVpcIngressConnection": {"Tags": [{"Value": "bob"}]},
    "CreateVpcEndpoint": {"VpcEndpoints": [{"VpcEndpointId": ENDPOINT}]},
    "CreateTargetGroup": {"TagDescriptions": [{"ResourceArn": ORDERS, "Tags": [{"Value": "bob"}]}]},
    "CreateLoadBalancer": {"TagDescriptions": [{"ResourceArn": ORDERS, "Tags": []}]},
}


@pytest.mark.parametrize("name", MADE)
def test_an_answer_that_is_not_understood_is_none(name: str) -> None:
    class Odd:
        def __getattr__(self, operation: str) -> Any:
            return lambda **_: ODD[name]

    with pytest.raises(NotTagged, match=rf"^{MADE[name][0]} was not tagged: {MADE[name][1]} failed \(.+\)$"):
        look(made(creation(name)), Reads(lambda _: Odd()), SETTINGS, MADE_AT)  # type: ignore[arg-type,return-value]  # a client as far as it is used


# Putting ------------------------------------------------------------------------------------------------------------


def put_on(
    name: str, faults: Mapping[str, Fault] | None = None, there: Rows | None = None, *, age: int = 5
) -> tuple[Planned, Aws]:
    planned = Planned(created=made(creation(name)), tags=TAGS)
    with Aws(there or rows(), faults) as aws:
        return put(planned, client, Reads(client), MADE_AT + age), aws


@pytest.mark.parametrize("name", MADE)
def test_tags_are_put_in_one_call(name: str) -> None:
    there = rows()
    before = creations.tags_in(there, MADE[name][0])
    planned, aws = put_on(name, there=there)
    assert (planned.tags, planned.why, written(aws)) == (TAGS, "", [creations.put(name, TAGS)])
    assert (len(aws.calls), creations.tags_in(there, MADE[name][0])) == (1, before | TAGS)


@pytest.mark.parametrize("name", MADE)
def test_where_nothing_is_lacking_nothing_is_put(name: str) -> None:
    planned = Planned(created=made(creation(name)), why=OFF_PATH, come_back=60)
    with Aws(rows()) as aws:
        assert put(planned, client, Reads(client), MADE_AT) == planned
    assert aws.calls == []


TOO_MANY = ("InvalidRequestException", "TagLimitExceeded", "TooManyTags")


@pytest.mark.parametrize(
    "fault",
    [*FAULTS.values(), refused("AccessDenied", 403), *map(refused, TOO_MANY)],
    ids=[*FAULTS, "not allowed", *TOO_MANY],
)
@pytest.mark.parametrize("name", MADE)
def test_tags_that_aws_does_not_take_are_not_put(name: str, fault: Fault) -> None:
    made_arn, _, action = MADE[name]
    with pytest.raises(NotTagged, match=rf"^{made_arn} was not tagged: {action} failed \({fault.code}\)$"):
        put_on(name, {action: fault}, age=100_000)


@pytest.mark.parametrize("name", OF_APP_RUNNER)
def test_what_app_runner_is_busy_with_is_tried_again(name: str) -> None:
    why = rf"^{MADE[name][0]} cannot be tagged yet: apprunner:TagResource failed \(InvalidStateException\)$"
    there = rows()
    there["Services"][0]["Status"] = "OPERATION_IN_PROGRESS"
    with pytest.raises(Retry, match=why):
        put_on(name, {MADE[name][2]: refused("InvalidStateException")}, there)


@pytest.mark.parametrize("code", ["InvalidStateException", GONE])
@pytest.mark.parametrize(
    ("name", "member", "status"),
    [
        ("CreateVpcConnector", "VpcConnectors", "INACTIVE"),
        ("CreateService", "Services", "DELETED"),
        ("CreateVpcIngressConnection", "VpcIngressConnections", "DELETED"),
    ],
)
def test_what_was_deleted_between_is_left(name: str, member: str, status: str, code: str) -> None:
    there = rows()
    there[member][0]["Status"] = status
    planned, _ = put_on(name, {MADE[name][2]: refused(code)}, there)
    assert (planned.tags, planned.why) == ({}, "it was deleted")


@pytest.mark.parametrize("name", OF_OTHERS)
def test_what_others_no_longer_know_between_is_left_once_that_is_certain(name: str) -> None:
    faults = {MADE[name][2]: refused(NOT_FOUND[name])}
    with pytest.raises(Retry, match=rf"{MADE[name][2]} failed \({NOT_FOUND[name]}\)$"):
        put_on(name, faults, age=900)
    planned, _ = put_on(name, faults, age=901)
    assert (planned.tags, planned.why) == ({}, "it no longer exists")


def test_that_a_state_is_invalid_says_something_of_app_runner_only() -> None:
    with pytest.raises(NotTagged):
        put_on("CreateVpcEndpoint", {"ec2:CreateTags": refused("InvalidStateException")})
