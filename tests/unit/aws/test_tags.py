"""Tags: what is asked of the index, and how tags are put on one resource of each service."""

from collections.abc import Callable, Mapping

import pytest

from apprunner_guardrails.aws import tags
from apprunner_guardrails.aws.clients import Clients, client
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.targets.binding import TAG
from tests.aws import FAULTS, Aws, Fault, refused
from tests.bound_groups import ENDPOINT, ORDERS, in_step
from tests.creations import ENDPOINT_ARN, rows, tags_in
from tests.samples import CONNECTOR, SERVICE, Row, tag

PUT = {"team": "shop", "Kontakt für Fragen": "", "created-by": "bob"}
LISTED = [
    {"Key": "team", "Value": "shop"},
    {"Key": "Kontakt für Fragen", "Value": ""},
    {"Key": "created-by", "Value": "bob"},
]

type Add = Callable[[Clients, str, Mapping[str, str]], Unread | None]

ADDING: Mapping[str, tuple[Add, str, str, Row]] = {
    "an App Runner resource": (
        tags.add_to_apprunner,
        SERVICE,
        "apprunner:TagResource",
        {"ResourceArn": SERVICE, "Tags": LISTED},
    ),
    "a VPC endpoint": (tags.add_to_endpoint, ENDPOINT, "ec2:CreateTags", {"Resources": [ENDPOINT], "Tags": LISTED}),
    "a target group": (
        tags.add_to_balancing,
        ORDERS,
        "elasticloadbalancing:AddTags",
        {"ResourceArns": [ORDERS], "Tags": LISTED},
    ),
}


@pytest.mark.parametrize(("add", "name", "action", "asked"), ADDING.values(), ids=ADDING)
def test_all_tags_are_put_in_one_call_in_their_order(add: Add, name: str, action: str, asked: Row) -> None:
    there = rows()
    with Aws(there) as aws:
        assert add(client, name, PUT) is None
    assert [(one.action, one.parameters) for one in aws.calls] == [(action, asked)]
    assert tags_in(there, ENDPOINT_ARN if name == ENDPOINT else name).items() >= PUT.items()


@pytest.mark.parametrize(
    "fault",
    [*FAULTS.values(), refused("TooManyTags"), refused("InvalidStateException")],
    ids=[*FAULTS, "too many", "another state"],
)
@pytest.mark.parametrize(("add", "name", "action", "asked"), ADDING.values(), ids=ADDING)
def test_tags_that_cannot_be_put_are_told_with_the_code(
    fault: Fault, add: Add, name: str, action: str, asked: Row
) -> None:
    with Aws(rows(), {action: fault}):
        assert add(client, name, PUT) == Unread(call=action, code=fault.code)


@pytest.mark.parametrize(("add", "name", "action", "asked"), ADDING.values(), ids=ADDING)
def test_a_call_that_aws_fails_at_is_tried_three_times(add: Add, name: str, action: str, asked: Row) -> None:
    """Whether or not the first has come through: the same tags again change nothing."""
    with Aws(rows(), {action: FAULTS["no answer"]}) as aws:
        add(client, name, PUT)
    assert aws.tries == [action] * 3


def test_tags_of_all_are_those_of_connectors_and_services() -> None:
    there = {**in_step(), "Tags": [tag(CONNECTOR, "team", "shop"), tag(SERVICE, "env", ""), tag(ORDERS, TAG, ENDPOINT)]}
    with Aws(there, pages={"tagging:GetResources": 1}):
        assert tags.tags_of_all(Reads(client))() == {CONNECTOR: {"team": "shop"}, SERVICE: {"env": ""}}
        assert tags.tags_of_bound(Reads(client), TAG)() == {ORDERS: {TAG: ENDPOINT}}
