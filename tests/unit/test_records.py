"""How to get at what a CloudTrail record says, in each of the forms that records have."""

from collections.abc import Mapping
from typing import Any

import pytest

from apprunner_guardrails.records import at, body, entries_at, member, shown, text, texts, texts_at

type Json = Mapping[str, Any]

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ({"a": {"b": {"c": 7}}}, 7),
        ({"a": {"b": {"c": None}}}, None),
        ({"a": {"b": {}}}, None),
        ({"a": {"b": HIDDEN}}, None),
        ({"a": [{"b": {"c": 7}}]}, None),
        ({}, None),
        (None, None),
        (HIDDEN, None),
    ],
    ids=repr,
)
def test_a_path_leads_through_objects_alone(record: object, value: object) -> None:
    assert at(record, "a.b.c") == value


def test_what_is_no_text_is_an_empty_one() -> None:
    assert [text(one) for one in ("x", "", None, 7, ["x"], {"x": "y"})] == ["x", "", "", "", "", ""]
    assert [texts(one) for one in (["x", 7, "y", None], [], "x", None, {"x": "y"})] == [("x", "y"), (), (), (), ()]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"subnetId": "subnet-1"}, "subnet-1"),
        ({"SubnetId": "subnet-1"}, "subnet-1"),
        ({"subnetId": "subnet-1", "SubnetId": "subnet-2"}, "subnet-1"),
        ({"subnetId": None, "SubnetId": "subnet-2"}, None),
        ({"SUBNETID": "subnet-1"}, None),
        ([{"subnetId": "subnet-1"}], None),
        (HIDDEN, None),
        (None, None),
    ],
    ids=repr,
)
def test_a_member_is_known_by_its_name_and_by_that_with_a_capital(value: object, found: object) -> None:
    assert member(value, "subnetId") == found


@pytest.mark.parametrize(
    ("record", "request_body", "response_body"),
    [
        pytest.param(
            {"requestParameters": {"vpcId": "vpc-1"}, "responseElements": {"x": 1}},
            {"vpcId": "vpc-1"},
            {"x": 1},
            id="older",
        ),
        pytest.param(
            {
                "requestParameters": {"CreateVpcEndpointRequest": {"VpcId": "vpc-1"}},
                "responseElements": {"CreateVpcEndpointResponse": {"vpcEndpoint": {}}},
            },
            {"VpcId": "vpc-1"},
            {"vpcEndpoint": {}},
            id="newer",
        ),
        pytest.param(
            {"requestParameters": {"DeleteVpcEndpointsRequest": {"VpcId": "vpc-1"}}},
            {"DeleteVpcEndpointsRequest": {"VpcId": "vpc-1"}},
            None,
            id="another call's wrapper is none",
        ),
        pytest.param({"requestParameters": HIDDEN, "responseElements": None}, HIDDEN, None, id="hidden and left out"),
        pytest.param(
            {"requestParameters": {"CreateVpcEndpointRequest": HIDDEN}}, HIDDEN, None, id="a wrapper around nothing"
        ),
    ],
)
def test_the_body_is_what_is_in_the_wrapper_if_there_is_one(
    record: Json, request_body: object, response_body: object
) -> None:
    detail = {"eventName": "CreateVpcEndpoint", **record}
    assert body(detail, "requestParameters") == request_body
    assert body(detail, "responseElements") == response_body


@pytest.mark.parametrize(
    ("subnets", "found"),
    [
        pytest.param("subnet-1", ("subnet-1",), id="one by itself"),
        pytest.param(["subnet-1", "subnet-2"], ("subnet-1", "subnet-2"), id="a list"),
        pytest.param({"tag": 1, "content": "subnet-1"}, ("subnet-1",), id="one with its number"),
        pytest.param(
            [{"tag": 1, "content": "subnet-1"}, {"tag": 2, "content": "subnet-2"}],
            ("subnet-1", "subnet-2"),
            id="several with their numbers",
        ),
        pytest.param({"item": "subnet-1"}, ("subnet-1",), id="one in a set"),
        pytest.param({"item": ["subnet-1", "subnet-2"]}, ("subnet-1", "subnet-2"), id="several in a set"),
        pytest.param({"items": ["subnet-1", 7, None]}, ("subnet-1",), id="what is no text in an older set"),
        pytest.param({"items": [{"subnetId": "subnet-1"}]}, (), id="objects of an older set"),
        pytest.param("", ("",), id="an empty set"),
        pytest.param([], (), id="an empty list"),
        pytest.param(None, (), id="nothing"),
        pytest.param(7, (), id="a number"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_texts_at_a_path_are_found_whatever_stands_for_a_list(
    wrapped: bool, subnets: object, found: tuple[str, ...]
) -> None:
    request = {"CreateVpcEndpointRequest": {"SubnetId": subnets}} if wrapped else {"subnetId": subnets}
    detail = {"eventName": "CreateVpcEndpoint", "requestParameters": request}
    assert tuple(texts_at(detail, "requestParameters.subnetId")) == found


@pytest.mark.parametrize(
    "groups",
    [
        {"groupSet": {"items": [{"groupId": "sg-1"}, {"groupId": "sg-2"}]}},
        {"groupSet": {"item": [{"groupId": "sg-1"}, {"groupId": "sg-2"}]}},
        {"GroupSet": [{"GroupId": "sg-1"}, {"tag": 2, "content": {"groupId": "sg-2"}}]},
        {"groupSet": [{"groupId": ["sg-1", "sg-2"]}, HIDDEN, {"groupName": "x"}]},
    ],
    ids=repr,
)
def test_a_path_of_texts_goes_on_inside_the_entries_of_a_list(groups: Json) -> None:
    detail = {"eventName": "CreateNetworkInterface", "requestParameters": groups}
    assert tuple(texts_at(detail, "requestParameters.groupSet.groupId")) == ("sg-1", "sg-2")


ONE, OTHER = {"key": "team", "value": "shop"}, {"key": "Name", "value": ""}


@pytest.mark.parametrize(
    ("tags", "found"),
    [
        pytest.param(ONE, [ONE], id="one by itself"),
        pytest.param([ONE, OTHER], [ONE, OTHER], id="a list"),
        pytest.param([[ONE], [OTHER]], [ONE, OTHER], id="a list of lists"),
        pytest.param({"items": [ONE, OTHER]}, [ONE, OTHER], id="an older set"),
        pytest.param({"item": ONE}, [ONE], id="a set of one"),
        pytest.param({"item": [ONE, OTHER]}, [ONE, OTHER], id="a set of several"),
        pytest.param(
            [{"tag": 1, "content": ONE}, {"tag": 2, "content": OTHER}], [ONE, OTHER], id="entries with their numbers"
        ),
        pytest.param([ONE, HIDDEN, 7, None], [ONE], id="what is no object"),
        pytest.param({"item": ""}, [], id="a set of nothing"),
        pytest.param("", [], id="an empty set"),
        pytest.param(HIDDEN, [], id="hidden"),
        pytest.param([], [], id="an empty list"),
        pytest.param(None, [], id="nothing"),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_the_objects_at_a_path_are_found_whatever_stands_for_a_list(
    wrapped: bool, tags: object, found: list[Json]
) -> None:
    answer = {"vpcEndpoint": {"tagSet": tags}}
    response = {"CreateVpcEndpointResponse": answer} if wrapped else answer
    detail = {"eventName": "CreateVpcEndpoint", "responseElements": response}
    assert list(entries_at(detail, "responseElements.vpcEndpoint.tagSet")) == found


def test_a_path_of_objects_goes_on_inside_the_entries_of_a_list() -> None:
    detail = {
        "eventName": "CreateTransitGateway",
        "requestParameters": {"CreateTransitGatewayRequest": {"TagSpecification": [{"Tag": ONE}, {"Tag": [OTHER]}]}},
    }
    assert list(entries_at(detail, "requestParameters.tagSpecification.Tag")) == [ONE, OTHER]


def test_a_value_is_shown_as_far_as_a_reader_needs() -> None:
    assert [shown(None), shown(7), shown("x")] == ["missing", "7", "'x'"]
    assert shown("x" * 5000) == f"'{'x' * 199}"
