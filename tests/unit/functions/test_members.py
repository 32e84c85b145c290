"""Batches with events of several accounts and Regions: each is dealt with by itself, and what fails goes back alone."""

import json
from collections.abc import Iterator, Mapping

import pytest

from apprunner_guardrails.aws.members import NotAssumed
from functions.audit_region import app as audit
from functions.validate_network import app as validate
from tests.aws import FAULTS, Aws, Fault, Parameters, refused
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    REGION,
    TABLE,
    TOPIC,
    Event,
    Rows,
    created_connector,
    public,
    refused_deletion,
)
from tests.unit.test_respond_members import OTHER, ROLE, THIRD, assumed, in_account

_ = assumed  # pytest finds the fixture here
THIRD_ROLE = ROLE.replace(OTHER, THIRD)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, assumed: Iterator[list[str]]) -> None:
    monkeypatch.setenv("ALERT_TOPIC_ARN", TOPIC)
    monkeypatch.setenv("FINDINGS_TABLE", TABLE)
    monkeypatch.setenv("MEMBER_ROLE_NAME", "guardrails-member")
    monkeypatch.setenv("MEMBER_EXTERNAL_ID", "x-1")
    monkeypatch.setenv("DIGEST_HOUR", "off")


def batch(*events: object) -> Event:
    """Messages m0, m1 …"""
    return {"Records": [{"messageId": f"m{at}", "body": json.dumps(one)} for at, one in enumerate(events)]}


def everywhere() -> Rows:
    """The same rows for all three: each has its connectors."""
    rows, others = public(), [in_account(public(), one) for one in (OTHER, THIRD)]
    rows["VpcConnectors"] += [row for other in others for row in other["VpcConnectors"]]
    return rows


def of_role(role: str) -> Fault:
    return refused("AccessDenied", 403, lambda asked: asked["RoleArn"] == role)


def due(account: str, region: str = REGION, **changes: object) -> Event:
    return {
        "id": f"due-{account}",
        "detail-type": "Audit Due",
        "source": "apprunner-guardrails.member",
        "account": account,
        "region": region,
        "time": "2026-11-18T12:00:00Z",
        "detail": {"account": ACCOUNT, "region": REGION},  # anybody in the member can write this
        **changes,
    }


def failures(answer: Mapping[str, object]) -> list[str]:
    listed = answer["batchItemFailures"]
    assert isinstance(listed, list)
    return [one["itemIdentifier"] for one in listed]


def test_events_of_several_accounts_are_judged_with_the_role_of_each() -> None:
    events = [created_connector(), in_account(created_connector()), in_account(created_connector(), THIRD)]
    with Aws(everywhere()) as aws:
        answer = validate.handler(batch(*events), None)
    arns = [in_account(CONNECTOR, one) for one in (ACCOUNT, OTHER, THIRD)]
    assert sorted(answer["resources"]) == sorted(arns)  # type: ignore[call-overload]  # a result's values are objects
    assert [one["RoleArn"] for one in aws.sent("sts:AssumeRole")] == [ROLE, THIRD_ROLE]
    assert (answer["alerts"], failures(answer)) == (3, [])


def test_a_member_that_lets_nobody_in_keeps_no_other_waiting_and_is_no_failure() -> None:
    events = [in_account(created_connector()), in_account(created_connector(), THIRD)]
    with Aws(everywhere(), {"sts:AssumeRole": of_role(ROLE)}):
        answer = validate.handler(batch(*events), None)
    opened = answer["opened"]
    assert isinstance(opened, list)
    found = {(one["resource"], one["rule"]) for one in opened}
    assert {(ROLE, "AR904"), (in_account(CONNECTOR, THIRD), "AR102")} <= found
    assert in_account(CONNECTOR) not in {resource for resource, _ in found}
    assert failures(answer) == []


@pytest.mark.parametrize("handler", [validate.handler, audit.handler], ids=["events", "audits"])
def test_what_fails_of_one_account_goes_back_to_the_queue_alone(handler: object) -> None:
    def throttled(asked: Parameters) -> bool:
        return bool(asked["RoleArn"] == ROLE)

    made = created_connector()
    events = [in_account(made), in_account(made, THIRD)] if handler is validate.handler else [due(OTHER), due(THIRD)]
    fault = refused("RequestLimitExceeded", 503, throttled)
    with Aws(everywhere(), {"sts:AssumeRole": fault}):
        answer = handler(batch(*events), None)  # type: ignore[operator]  # parametrized
    assert failures(answer) == ["m0"]
    assert "AR102" in {one["rule"] for one in answer["opened"]}


def test_where_everything_fails_the_invocation_does() -> None:
    with (
        Aws(everywhere(), {"sts:AssumeRole": FAULTS["throttled"]}),
        pytest.raises(NotAssumed),
    ):
        validate.handler(batch(in_account(created_connector()), in_account(created_connector(), THIRD)), None)


def test_an_audit_is_of_the_account_that_sent_the_event_whatever_its_detail_says() -> None:
    rows = in_account(public())
    with Aws(rows) as aws:
        answer = audit.handler(batch(due(OTHER)), None)
    assert [one["RoleArn"] for one in aws.sent("sts:AssumeRole")] == [ROLE]
    assert in_account(CONNECTOR) in answer["resources"]  # type: ignore[operator]  # a result's values are objects
    assert failures(answer) == []


def test_the_timetable_at_home_assumes_nothing() -> None:
    event = due(ACCOUNT, **{"detail-type": "Scheduled Event", "source": "aws.events"})
    with Aws(public()) as aws:
        answer = audit.handler(event, None)
    assert aws.sent("sts:AssumeRole") == []
    assert CONNECTOR in answer["resources"]  # type: ignore[operator]  # a result's values are objects


def test_an_audit_of_nowhere_goes_back_to_the_queue() -> None:
    with Aws(in_account(public())):
        answer = audit.handler(batch(due("anywhere"), due(OTHER), "no event"), None)
    assert failures(answer) == ["m0"]


def test_what_there_is_no_time_for_goes_back_to_the_queue_and_the_first_is_begun_in_any_case() -> None:
    class Context:
        def get_remaining_time_in_millis(self) -> int:
            return 299_000

    events = [in_account(created_connector()), in_account(created_connector(), THIRD)]
    with Aws(everywhere()) as aws:
        answer = validate.handler(batch(*events), Context())
    assert failures(answer) == ["m1"]
    assert [one["RoleArn"] for one in aws.sent("sts:AssumeRole")] == [ROLE]


def test_a_call_that_fails_in_two_accounts_is_explained_in_both() -> None:
    failed = refused_deletion()
    with Aws(everywhere()) as aws:
        validate.handler(batch(in_account(failed), in_account(failed, THIRD), in_account(failed)), None)
    told = [one["Message"] for one in aws.published]
    assert [any(f"account {one}" in text for text in told) for one in (OTHER, THIRD)] == [True, True]
    assert len(told) == 2
