"""From what events ask to what was done and told: which groups, what is told of them, and who comes back when."""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest

from apprunner_guardrails.aws import findings_table
from apprunner_guardrails.aws.clients import client
from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.facts import TargetGroup
from apprunner_guardrails.rules.private_paths import TARGET_GROUP_RULES
from apprunner_guardrails.settings import BadSettings, Policy
from apprunner_guardrails.targets.binding import TAG
from apprunner_guardrails.targets.reconcile import RESERVE_SECONDS
from apprunner_guardrails.targets.sync import MESSAGE_GROUPS, NotSynced, outcome_of, sync
from apprunner_guardrails.targets.triggers import folded
from apprunner_guardrails.tell import NotPublished
from apprunner_guardrails.validate import NotRead
from tests.aws import FAULTS, NOW, WRITES, Aws, Fault, SyncOutcome, pretended, refused, synced
from tests.bound_groups import (
    ENDPOINT,
    ORDERS,
    OTHER_ENDPOINT,
    QUEUE,
    SCHEDULE,
    arn,
    asked,
    endpoint,
    health,
    in_step,
    many,
    moved,
    readdressed,
    states,
    target_group,
    targets,
)
from tests.samples import SETTINGS, TABLE, Row, Rows, exempt, tag

ELB = "elasticloadbalancing"
AGAIN = "it is tried again at the next event and by the schedule"
MISSING = f"{OTHER_ENDPOINT} does not exist"
QUIET: Mapping[str, Any] = {"registered": [], "deregistered": [], "held": [], "refused": None}
WITH_QUEUE = replace(SETTINGS, sync_queue_url=QUEUE)
DENIED = refused("AccessDenied", 403)
MINUTE = 60
PASSED = {one.id: "pass" for one in TARGET_GROUP_RULES}
FIRST, SECOND, THIRD = (arn(f"group-{number:03}") for number in range(3))


def answers(**others: str) -> dict[str, str]:
    return PASSED | others


def of_group(group: str) -> Any:
    return lambda parameters: parameters.get("TargetGroupArn") == group


def alerted(outcome: SyncOutcome) -> list[str]:
    """What became of which rules, of which group: "opened AR510 orders"."""
    return sorted(
        f"{detail['transition']} {detail['finding']['rule']} {detail['finding']['resource_name']}"
        for put in outcome.aws.sent("events:PutEvents")
        for entry in put["Entries"]
        for detail in [json.loads(entry["Detail"])]
    )


def messages(outcome: SyncOutcome) -> list[list[str]]:
    """The groups that somebody comes back to, by message."""
    return [json.loads(one["MessageBody"])["target_groups"] for one in outcome.aws.sent("sqs:SendMessage")]


def waiting(rows: Rows, group: str = ORDERS) -> tuple[int, int]:
    """Since when it is recorded that the group waits, and until when a message is on its way; from now on."""
    (item,) = (one for one in rows["Items"] if (one["resource"]["S"], one["rule"]["S"]) == (group, "waiting"))
    since, until = int(item["first_seen"]["N"]), int(item["leased_until"]["N"])
    return (since - NOW if since else -1), (until - NOW if until else -1)


def stale(rows: Rows) -> Rows:
    """A target too many, that may go at once."""
    rows["Targets"] += targets("10.0.1.9:443")
    return rows


def three() -> Rows:
    """Three groups, of which each misses its second target."""
    rows = many(3)
    rows["Targets"] = [row for row in rows["Targets"] if row["Target"]["Id"].split(".")[2] == "1"]
    return rows


def unbound(rows: Rows) -> Rows:
    rows["Tags"] = [tag(ORDERS, "Name", "orders")]
    return rows


# What it comes to ----------------------------------------------------------------------------------------------------


def test_a_group_in_step_passes_every_rule_and_nothing_is_written_or_told() -> None:
    done = synced(in_step(), SCHEDULE)
    assert (done.groups, done.findings) == ({ORDERS: QUIET}, {ORDERS: PASSED})
    assert (done.changes, done.aws.acted, done.synced.alerts) == ([], [], 0)


def test_a_group_that_has_lost_a_target_gets_it_back_and_nobody_is_told() -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443")}
    done = synced(rows, SCHEDULE)
    assert done.groups == {ORDERS: {**QUIET, "registered": ["10.0.2.5:443"]}}
    assert (done.findings, alerted(done)) == ({ORDERS: PASSED}, [])
    again = synced(rows, SCHEDULE)
    assert (again.groups, again.changes) == ({ORDERS: QUIET}, [])


def test_what_was_done_held_and_refused_is_in_the_result() -> None:
    rows = stale(readdressed(in_step()))
    rows["TargetGroups"].append(target_group("carts"))
    rows["Tags"].append(tag(arn("carts"), TAG, OTHER_ENDPOINT))
    assert synced(rows, SCHEDULE).groups == {
        ORDERS: {
            "registered": ["10.0.2.6:443"],
            "deregistered": ["10.0.1.9:443"],
            "held": ["10.0.2.5:443"],
            "refused": None,
        },
        arn("carts"): {
            **QUIET,
            "refused": f"{MISSING}: refusing to change target group carts (0 registered); {AGAIN}",
        },
    }


def test_a_second_run_of_the_same_event_changes_and_tells_nothing() -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", state="unhealthy")}
    event = asked(endpoints=[ENDPOINT])
    first, second = synced(rows, event), synced(rows, event)
    health(rows, "10.0.2.5:443", "unhealthy")
    third, fourth = synced(rows, event), synced(rows, event)
    assert ([one.changes for one in (second, third, fourth)], first.changes != []) == ([[]] * 3, True)
    assert [alerted(one) for one in (first, second, third, fourth)] == [[], [], ["opened AR511 orders"], []]


@pytest.mark.parametrize("policy", [Policy.REGISTER_ONLY, Policy.REPORT_ONLY])
def test_what_a_policy_keeps_the_function_from_is_told(policy: Policy) -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", "10.0.1.9:443")}
    done = synced(rows, SCHEDULE, settings=replace(WITH_QUEUE, sync_policy=policy))
    registered = ["10.0.2.5:443"] if policy is Policy.REGISTER_ONLY else []
    assert done.groups == {ORDERS: {**QUIET, "registered": registered, "held": ["10.0.1.9:443"]}}
    assert (done.findings, alerted(done)) == ({ORDERS: answers(AR510="fail")}, ["opened AR510 orders"])
    (alert,) = done.aws.published
    assert f"policy {policy} keeps the function from deregistering them" in alert["Message"]


BROKEN: Mapping[str, str] = {
    "a tag that names none": "orders",
    "an endpoint that does not exist": OTHER_ENDPOINT,
    "an endpoint in a VPC that nothing leads to": ENDPOINT,
}


@pytest.mark.parametrize(("value"), BROKEN.values(), ids=BROKEN)
def test_a_broken_binding_is_told_and_its_end_too(value: str) -> None:
    rows = in_step()
    rows["Tags"] = [tag(ORDERS, TAG, value)]
    if value == ENDPOINT:
        rows["VpcEndpoints"] = [endpoint(ENDPOINT, "eni-a", "eni-b", VpcId="vpc-2")]
    broken = synced(rows, SCHEDULE)
    assert (broken.findings[ORDERS]["AR516"], "opened AR516 orders" in alerted(broken)) == ("fail", True)
    assert broken.changes == []
    mended = synced({**in_step(), "Items": rows["Items"]}, SCHEDULE)
    assert (mended.findings, "resolved AR516 orders" in alerted(mended)) == ({ORDERS: PASSED}, True)


def test_an_exemption_is_a_tag_on_the_group() -> None:
    rows = {**in_step(), "Targets": targets("10.0.1.5:443", "10.0.2.5:443", state="unhealthy")}
    rows["Tags"].append(exempt(ORDERS, "AR511"))
    done = synced(rows, SCHEDULE)
    assert (done.findings, done.alerted) == ({ORDERS: answers(AR511="exempt")}, [])


def test_an_endpoint_that_is_being_made_for_an_empty_group_is_no_fault_until_that_takes_too_long() -> None:
    rows = {**in_step(), "Targets": [], "VpcEndpoints": [endpoint(ENDPOINT, State="pending")]}
    first = synced(rows, SCHEDULE)
    why = f"{ENDPOINT} is pending: refusing to change target group orders (0 registered); {AGAIN}"
    assert (first.findings[ORDERS]["AR516"], first.groups[ORDERS]["refused"]) == ("pass", why)
    late = synced(rows, SCHEDULE, now=NOW + 15 * MINUTE)
    assert late.findings[ORDERS]["AR516"] == "fail"


# Which groups --------------------------------------------------------------------------------------------------------


def test_a_group_without_the_tag_is_never_touched() -> None:
    rows = stale(unbound(in_step()))
    for event in (SCHEDULE, asked([ORDERS]), asked(endpoints=[ENDPOINT]), asked([ORDERS], everything=True)):
        done = synced(rows, event)
        assert (done.groups, done.changes, done.aws.acted) == ({}, [], [])
        assert not [one for one in done.aws.actions if one.startswith("ec2:") or one.endswith("TargetHealth")]
    rows["Tags"] = in_step()["Tags"]
    assert synced(rows, SCHEDULE).changes == [("DeregisterTargets", ORDERS, ["10.0.1.9:443"])]


def test_an_event_of_an_endpoint_concerns_the_groups_that_are_bound_to_it() -> None:
    done = synced(three(), asked(endpoints=[f"vpce-{1:017x}", OTHER_ENDPOINT]))
    assert done.groups == {SECOND: {**QUIET, "registered": ["10.0.2.5:443"]}}


def test_an_event_of_a_group_concerns_that_group() -> None:
    done = synced(three(), asked([THIRD]))
    assert done.groups == {THIRD: {**QUIET, "registered": ["10.0.2.6:443"]}}
    assert "tagging:GetResources" not in done.aws.actions


def test_the_schedule_concerns_all_groups_that_are_bound() -> None:
    rows = three()
    rows["TargetGroups"].append(target_group("foreign"))
    assert set(synced(rows, SCHEDULE).groups) == {FIRST, SECOND, THIRD}


def test_events_in_one_batch_are_one_run_over_all_that_they_concern() -> None:
    event = folded([asked([THIRD]), asked(endpoints=[f"vpce-{0:017x}"]), asked([THIRD])])
    done = synced(three(), event)
    assert set(done.groups) == {FIRST, THIRD}
    assert [group for _, group, _ in done.changes] == [FIRST, THIRD]


def test_a_group_that_the_index_does_not_know_yet_is_known_by_its_own_tags() -> None:
    rows = {**in_step(), "IndexedTags": [], "Targets": []}
    assert (synced(rows, SCHEDULE).groups, synced(rows, asked(endpoints=[ENDPOINT])).groups) == ({}, {})
    assert synced(rows, asked([ORDERS])).groups[ORDERS]["registered"] == ["10.0.1.5:443", "10.0.2.5:443"]


def test_a_named_group_goes_by_its_own_tag_whatever_the_index_says() -> None:
    rows = {**in_step(), "Targets": [], "IndexedTags": [tag(ORDERS, TAG, OTHER_ENDPOINT)]}
    done = synced(rows, asked([ORDERS], everything=True))
    assert done.groups[ORDERS]["registered"] == ["10.0.1.5:443", "10.0.2.5:443"]


def test_a_group_of_which_the_index_says_something_else_is_neither_changed_nor_judged_and_come_back_to() -> None:
    rows = {**stale(readdressed(in_step())), "IndexedTags": in_step()["Tags"]}
    rows["Tags"] = [tag(ORDERS, TAG, f"{ENDPOINT} {OTHER_ENDPOINT}")]
    done = synced(rows, SCHEDULE, settings=WITH_QUEUE)
    assert (done.changes, done.findings, messages(done)) == ([], {}, [[ORDERS]])
    later = synced(rows, asked([ORDERS]), settings=WITH_QUEUE, now=NOW + MINUTE)
    assert [name for name, *_ in later.changes] == ["RegisterTargets", "DeregisterTargets"]


def test_a_group_whose_tag_differs_for_longer_than_it_may_is_judged() -> None:
    rows = {**stale(in_step()), "IndexedTags": in_step()["Tags"]}
    rows["Tags"] = []
    synced(rows, SCHEDULE)
    late = synced(rows, SCHEDULE, now=NOW + 15 * MINUTE)
    assert (late.changes, late.findings) == ([], {ORDERS: answers(AR510="fail")})


def test_where_it_cannot_be_told_which_groups_are_bound_nothing_is_done() -> None:
    done = synced(three(), SCHEDULE, faults={"tagging:GetResources": refused("AccessDeniedException")})
    assert isinstance(done.raised, NotRead)
    assert str(done.raised) == (
        "which target groups are bound to endpoints cannot be told: tag:GetResources failed (AccessDeniedException)"
    )
    assert done.changes == []


def test_a_named_group_whose_tags_cannot_be_read_is_left_alone_and_the_others_are_not() -> None:
    def names_second(parameters: Mapping[str, Any]) -> bool:
        return SECOND in parameters["ResourceArns"]

    rows = three()
    done = synced(
        rows, asked([SECOND], everything=True), faults={f"{ELB}:DescribeTags": replace(DENIED, when=names_second)}
    )
    assert isinstance(done.raised, NotSynced)
    assert str(done.raised) == f"target group {SECOND}: {ELB}:DescribeTags failed (AccessDenied)"
    assert [group for _, group, _ in done.changes] == [FIRST, THIRD]


# Whatever goes wrong with one ----------------------------------------------------------------------------------------


def test_where_a_change_is_refused_the_others_are_made_it_is_told_and_the_run_fails() -> None:
    rows = three()
    done = synced(rows, SCHEDULE, faults={f"{ELB}:RegisterTargets": replace(DENIED, when=of_group(SECOND))})
    assert isinstance(done.raised, NotSynced)
    assert str(done.raised) == f"target group group-001: {ELB}:RegisterTargets failed (AccessDenied)"
    assert [group for _, group, _ in done.changes] == [FIRST, SECOND, THIRD]
    assert alerted(done) == ["opened AR510 group-001"]
    assert states(rows, THIRD) == {"10.0.1.6:443": "healthy", "10.0.2.6:443": "initial"}
    mended = synced(rows, SCHEDULE)
    assert (mended.changes, alerted(mended)) == (
        [("RegisterTargets", SECOND, ["10.0.2.5:443"])],
        ["resolved AR510 group-001"],
    )


def test_where_registering_is_refused_nothing_is_deregistered() -> None:
    rows = stale({**in_step(), "Targets": targets("10.0.1.5:443")})
    done = synced(rows, SCHEDULE, faults={f"{ELB}:RegisterTargets": DENIED})
    assert [name for name, *_ in done.changes] == ["RegisterTargets"]
    (alert,) = done.aws.published
    assert "wanted for vpce-0a1b2c3d4e5f60718 and not registered (1 of 2): 10.0.2.5:443" in alert["Message"]
    assert "registered and not wanted (1 of 2): 10.0.1.9:443" in alert["Message"]


def test_a_deregistration_that_aws_says_yes_to_and_does_not_do_is_told() -> None:
    done = synced(stale(in_step()), SCHEDULE, faults={f"{ELB}:DeregisterTargets": pretended("DeregisterTargets")})
    assert done.groups[ORDERS]["deregistered"] == ["10.0.1.9:443"]
    assert (done.findings, alerted(done)) == ({ORDERS: answers(AR510="fail")}, ["opened AR510 orders"])


def test_a_quota_that_is_full_is_told_and_does_not_fail_the_run_again_and_again() -> None:
    rows = {**readdressed(in_step()), "Quotas": [{"TargetGroupArn": ORDERS, "Targets": 2}]}
    done = synced(rows, SCHEDULE)
    assert done.groups[ORDERS]["refused"] == f"{ELB}:RegisterTargets failed (TooManyTargets)"
    assert (alerted(done), done.findings[ORDERS]["AR510"]) == (["opened AR510 orders"], "fail")


def test_a_group_that_cannot_be_read_is_told_of_as_not_judged_and_the_others_are_brought_into_step() -> None:
    rows = three()
    done = synced(rows, SCHEDULE, faults={f"{ELB}:DescribeTargetHealth": replace(DENIED, when=of_group(SECOND))})
    assert [group for _, group, _ in done.changes] == [FIRST, THIRD]
    assert done.findings[SECOND] == answers(AR510="unknown", AR511="unknown", AR517="unknown")
    assert done.groups[SECOND]["refused"] == (
        f"{ELB}:DescribeTargetHealth failed (AccessDenied): group-001 is left as it is; {AGAIN}"
    )
    assert alerted(done) == ["opened AR902 group-001"]


def test_an_endpoint_that_cannot_be_read_is_no_verdict() -> None:
    done = synced(in_step(), SCHEDULE, faults={"ec2:DescribeVpcEndpoints": FAULTS["denied"]})
    assert done.findings == {ORDERS: answers(AR510="unknown", AR516="unknown", AR517="unknown")}


# No longer bound, or gone --------------------------------------------------------------------------------------------


def drifted() -> Rows:
    """A group that may not be changed, and what is recorded of that."""
    rows = stale(in_step())
    assert alerted(synced(rows, SCHEDULE, faults={f"{ELB}:DeregisterTargets": DENIED})) == ["opened AR510 orders"]
    return rows


@pytest.mark.parametrize("event", [SCHEDULE, asked([ORDERS])], ids=["the schedule", "a call that names it"])
@pytest.mark.parametrize("what", ["unbound", "unbound, without any tag", "gone"])
def test_findings_of_a_group_that_is_no_longer_bound_or_gone_are_over(what: str, event: Any) -> None:
    rows = drifted()
    if what == "gone":
        rows["TargetGroups"], rows["Tags"] = [], []
    else:
        rows["Tags"] = [tag(ORDERS, "Name", "orders")] if what == "unbound" else []
    done = synced(rows, event)
    assert (done.groups, done.changes, alerted(done)) == ({}, [], ["resolved AR510 orders"])
    again = synced(rows, event)
    assert (again.aws.acted, alerted(again)) == ([], [])


def test_findings_of_a_group_that_is_gone_are_over_though_the_index_still_has_it() -> None:
    rows = drifted()
    rows["TargetGroups"] = []
    done = synced(rows, SCHEDULE)
    assert (done.groups, alerted(done)) == ({}, ["resolved AR510 orders"])


def test_a_group_with_findings_that_the_index_has_lost_is_still_brought_into_step() -> None:
    rows = {**drifted(), "IndexedTags": []}
    done = synced(rows, SCHEDULE)
    assert (done.groups[ORDERS]["deregistered"], alerted(done)) == (["10.0.1.9:443"], ["resolved AR510 orders"])


def test_a_group_whose_findings_are_over_is_asked_for_no_more() -> None:
    rows = unbound(drifted())
    assert [len(synced(rows, SCHEDULE).aws.sent(f"{ELB}:DescribeTags")) for _ in range(2)] == [1, 0]


def test_what_is_recorded_is_parsed_once_however_many_groups_there_are() -> None:
    with patch.object(findings_table, "_stored", wraps=findings_table._stored) as parse:
        assert len(synced(many(40), SCHEDULE).groups) == 40
    assert parse.call_count == 1


def test_findings_of_others_are_none_of_its_business() -> None:
    rows = drifted()
    (item,) = (one for one in rows["Items"] if one["rule"]["S"] == "AR510")
    connector = "arn:aws:apprunner:us-east-1:123456789012:vpcconnector/shop/1/0"
    rows["Items"] = [{**item, "resource": {"S": connector}, "rule": {"S": "AR102"}}]
    done = synced({**unbound(in_step()), "Items": rows["Items"]}, SCHEDULE)
    assert (done.groups, done.aws.acted, done.aws.sent(f"{ELB}:DescribeTags")) == ({}, [], [])


# Coming back ---------------------------------------------------------------------------------------------------------


def test_who_waits_is_come_back_to_in_a_minute_and_not_twice_in_that_minute() -> None:
    rows = readdressed(in_step())
    first = synced(rows, SCHEDULE, settings=WITH_QUEUE)
    assert (messages(first), waiting(rows)) == ([[ORDERS]], (0, MINUTE))
    meanwhile = synced(rows, asked([ORDERS]), settings=WITH_QUEUE, now=NOW + MINUTE - 1)
    assert (messages(meanwhile), waiting(rows)) == ([], (0, MINUTE))
    back = synced(rows, asked([ORDERS]), settings=WITH_QUEUE, now=NOW + MINUTE)
    assert (messages(back), waiting(rows)) == ([[ORDERS]], (0, 2 * MINUTE))


def test_nobody_comes_back_once_all_is_well_and_the_next_wait_begins_anew() -> None:
    rows = readdressed(in_step())
    synced(rows, SCHEDULE, settings=WITH_QUEUE)
    health(rows, "10.0.2.6:443", "healthy")
    over = synced(rows, asked([ORDERS]), settings=WITH_QUEUE, now=NOW + MINUTE)
    assert (messages(over), waiting(rows), alerted(over)) == ([], (-1, -1), [])
    health(rows, "10.0.2.6:443", "initial")
    again = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 100 * MINUTE)
    assert (messages(again), waiting(rows)) == ([[ORDERS]], (100 * MINUTE, 101 * MINUTE))


def test_after_the_wait_what_is_held_is_told_and_nobody_comes_back_any_more() -> None:
    rows = moved(in_step())
    synced(rows, SCHEDULE, settings=WITH_QUEUE)
    health(rows, "10.0.3.5:443", "healthy")
    before = synced(rows, asked([ORDERS]), settings=WITH_QUEUE, now=NOW + 15 * MINUTE - 1)
    assert (messages(before), alerted(before)) == ([[ORDERS]], [])
    late = synced(rows, asked([ORDERS]), settings=WITH_QUEUE, now=NOW + 15 * MINUTE)
    assert (messages(late), alerted(late)) == ([], ["opened AR517 orders"])
    assert (late.findings, late.changes) == ({ORDERS: answers(AR517="fail")}, [])
    later = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 60 * MINUTE)
    assert (messages(later), alerted(later), later.changes) == ([], [], [])
    rows["Attributes"][0]["Value"] = "true"
    over = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 65 * MINUTE)
    assert (over.changes, alerted(over)) == (
        [("DeregisterTargets", ORDERS, ["10.0.2.5:443"])],
        ["resolved AR517 orders"],
    )
    assert waiting(rows) == (-1, -1)


def test_the_wait_is_as_long_as_the_setting_says() -> None:
    rows, short = moved(in_step()), replace(WITH_QUEUE, sync_wait_minutes=2)
    synced(rows, SCHEDULE, settings=short)
    health(rows, "10.0.3.5:443", "healthy")
    assert alerted(synced(rows, SCHEDULE, settings=short, now=NOW + 2 * MINUTE)) == ["opened AR517 orders"]


def test_a_target_that_does_not_get_healthy_is_told_after_the_wait() -> None:
    rows = {**in_step(), "Targets": []}
    synced(rows, SCHEDULE, settings=WITH_QUEUE)
    late = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 15 * MINUTE)
    assert (late.findings, alerted(late)) == ({ORDERS: answers(AR511="fail")}, ["opened AR511 orders"])


def test_a_target_that_stays_unhealthy_beside_healthy_ones_is_come_back_to_and_told_after_the_wait() -> None:
    rows = readdressed(in_step())
    synced(rows, SCHEDULE, settings=WITH_QUEUE)
    health(rows, "10.0.2.6:443", "unhealthy")
    health(rows, "10.0.1.5:443", "healthy")
    back = synced(rows, asked([ORDERS]), settings=WITH_QUEUE, now=NOW + MINUTE)
    assert (messages(back), alerted(back)) == ([[ORDERS]], [])
    late = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 15 * MINUTE)
    assert (messages(late), alerted(late)) == ([], ["opened AR510 orders", "opened AR517 orders"])
    health(rows, "10.0.2.6:443", "healthy")
    over = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 20 * MINUTE)
    assert alerted(over) == ["resolved AR510 orders", "resolved AR517 orders"]


def test_what_is_held_anew_has_its_whole_time_though_another_target_is_overdue() -> None:
    rows = moved(in_step())
    synced(rows, SCHEDULE, settings=WITH_QUEUE)
    health(rows, "10.0.3.5:443", "healthy")
    late = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 15 * MINUTE)
    assert alerted(late) == ["opened AR517 orders"]
    rows["Targets"] += targets("10.0.2.9:443")
    fresh = synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 16 * MINUTE)
    assert (messages(fresh), alerted(fresh)) == ([[ORDERS]], [])
    assert fresh.groups[ORDERS]["held"] == ["10.0.2.5:443", "10.0.2.9:443"]


def test_that_no_target_is_healthy_is_not_over_while_new_ones_are_only_on_their_way() -> None:
    rows = in_step()
    for row in ("10.0.1.5:443", "10.0.2.5:443"):
        health(rows, row, "unhealthy")
    assert alerted(synced(rows, SCHEDULE)) == ["opened AR511 orders"]
    changed = readdressed(rows)
    health(changed, "10.0.1.5:443", "unhealthy")
    hopeful = synced(changed, SCHEDULE, now=NOW + MINUTE)
    assert (hopeful.groups[ORDERS]["registered"], alerted(hopeful)) == (["10.0.2.6:443"], [])
    health(changed, "10.0.2.6:443", "healthy")
    assert alerted(synced(changed, SCHEDULE, now=NOW + 2 * MINUTE)) == ["resolved AR511 orders"]


def test_without_a_queue_only_events_and_the_schedule_lead_back() -> None:
    rows = readdressed(in_step())
    done = synced(rows, SCHEDULE)
    assert (messages(done), waiting(rows), done.raised) == ([], (0, MINUTE), None)


def test_a_queue_that_takes_no_message_fails_the_run_when_all_else_is_done_and_the_next_run_sends_one() -> None:
    rows = readdressed(in_step())
    rows["TargetGroups"].append(target_group("carts"))
    rows["Tags"].append(tag(arn("carts"), TAG, OTHER_ENDPOINT))
    done = synced(rows, SCHEDULE, settings=WITH_QUEUE, faults={"sqs:SendMessage": refused("AccessDenied", 403)})
    assert isinstance(done.raised, NotSynced)
    assert str(done.raised) == (
        f"nobody comes back to 1 target groups in a minute: {QUEUE}: An error occurred (AccessDenied) when calling the"
        " SendMessage operation: no"
    )
    assert (states(rows)["10.0.2.6:443"], alerted(done)) == ("initial", ["opened AR511 carts", "opened AR516 carts"])
    assert waiting(rows) == (0, -1)
    assert messages(synced(rows, SCHEDULE, settings=WITH_QUEUE, now=NOW + 1)) == [[ORDERS]]


def test_groups_that_wait_share_a_message() -> None:
    assert messages(synced(three(), SCHEDULE, settings=WITH_QUEUE)) == [[FIRST, SECOND, THIRD]]


def test_a_message_has_no_more_groups_than_it_has_room_for() -> None:
    rows = many(MESSAGE_GROUPS + 1)
    rows["VpcEndpoints"] = [{**one, "State": "pending"} for one in rows["VpcEndpoints"]]
    done = synced(rows, SCHEDULE, settings=WITH_QUEUE)
    assert [len(one) for one in messages(done)] == [MESSAGE_GROUPS, 1]
    sizes = [len(one["MessageBody"].encode()) for one in done.aws.sent("sqs:SendMessage")]
    longest = f"arn:aws-us-gov:elasticloadbalancing:us-gov-west-1:123456789012:targetgroup/{'g' * 32}/{'0' * 16}"
    assert max(sizes) + MESSAGE_GROUPS * (len(longest) - len(FIRST)) < 262_144


def test_where_no_time_was_left_somebody_comes_back_and_nothing_is_told() -> None:
    done = synced(three(), SCHEDULE, settings=WITH_QUEUE, seconds_left=lambda: RESERVE_SECONDS - 1)
    assert (done.changes, done.findings, done.aws.published) == ([], {}, [])
    assert messages(done) == [[FIRST, SECOND, THIRD]]
    assert {one["refused"] for one in done.groups.values()} == {
        f"no time was left for target group group-00{number}; {AGAIN}" for number in range(3)
    }


# The ledger and the channels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "action"),
    [(SCHEDULE, "dynamodb:Scan"), (asked([ORDERS]), "dynamodb:Query"), (asked(endpoints=[ENDPOINT]), "dynamodb:Scan")],
    ids=["the schedule", "a group", "an endpoint"],
)
def test_a_ledger_that_cannot_be_read_keeps_no_target_from_being_put_right_and_the_run_fails(
    event: Any, action: str
) -> None:
    rows = stale(readdressed(in_step()))
    done = synced(rows, event, settings=WITH_QUEUE, faults={action: refused("AccessDeniedException")})
    assert [name for name, *_ in done.changes] == ["RegisterTargets", "DeregisterTargets"]
    assert isinstance(done.raised, LedgerUnavailable)
    why = f"the findings table {TABLE} cannot be read: {action} failed (AccessDeniedException)"
    assert set(str(done.raised).split("; ")) == {why}
    assert done.aws.acted == []


def test_an_item_that_cannot_be_read_keeps_its_own_group_from_being_told_of_and_no_other() -> None:
    rows = three()
    broken = {f"{ELB}:RegisterTargets": DENIED}
    synced(rows, SCHEDULE, faults=broken)
    odd: Row = {"resource": {"S": SECOND}, "rule": {"S": "AR511"}, "state": {"S": "asleep"}}
    rows["Items"].append(odd)
    done = synced(rows, SCHEDULE)
    assert [group for _, group, _ in done.changes] == [FIRST, SECOND, THIRD]
    assert isinstance(done.raised, LedgerUnavailable)
    assert str(done.raised) == (
        f"the findings table's item {SECOND} AR511 cannot be read: ValueError 'asleep' is not a valid State"
    )
    assert alerted(done) == ["resolved AR510 group-000", "resolved AR510 group-002"]


def test_an_item_that_cannot_be_read_leaves_the_end_of_other_bindings_to_be_told() -> None:
    rows = drifted()
    rows["Items"].append({"resource": {"S": SECOND}, "rule": {"S": "AR511"}, "state": {"S": "asleep"}})
    done = synced(unbound(rows), SCHEDULE)
    assert alerted(done) == ["resolved AR510 orders"]


def test_a_ledger_that_cannot_be_written_fails_the_run_after_the_targets_were_put_right() -> None:
    rows = readdressed(in_step())
    done = synced(rows, SCHEDULE, settings=WITH_QUEUE, faults={WRITES: refused("AccessDeniedException")})
    assert isinstance(done.raised, LedgerUnavailable)
    assert (states(rows)["10.0.2.6:443"], messages(done)) == ("initial", [[ORDERS]])


def test_a_channel_that_takes_no_alert_fails_the_run_when_all_else_is_done() -> None:
    done = synced(
        unhealthy(), SCHEDULE, settings=WITH_QUEUE, faults={"sns:Publish": refused("AuthorizationError", 403)}
    )
    assert isinstance(done.raised, NotPublished)
    assert alerted(done) == ["opened AR511 orders"]


def unhealthy() -> Rows:
    return {**in_step(), "Targets": targets("10.0.1.5:443", "10.0.2.5:443", state="unhealthy")}


def test_what_was_done_is_told_before_the_first_of_several_failures_is_raised_with_all_of_them() -> None:
    faults: dict[str, Fault] = {f"{ELB}:RegisterTargets": DENIED, "sns:Publish": refused("AuthorizationError", 403)}
    done = synced({**unhealthy(), "Targets": targets("10.0.1.5:443", state="unhealthy")}, SCHEDULE, faults=faults)
    assert isinstance(done.raised, NotPublished)
    assert f"target group orders: {ELB}:RegisterTargets failed (AccessDenied)" in str(done.raised)


# For a stack ---------------------------------------------------------------------------------------------------------


def test_what_was_done_with_a_group_that_was_asked_for_is_its_outcome() -> None:
    done = synced(in_step(), asked([ORDERS])).synced
    assert outcome_of(done, ORDERS) is done.outcomes[0]


def test_a_group_that_is_not_bound_has_an_outcome_without_endpoints() -> None:
    told = outcome_of(synced(unbound(in_step()), asked([ORDERS])).synced, ORDERS)
    assert (told.endpoint_ids, told.wanted, told.refused, told.transient) == ((), (), "", False)


def test_a_group_that_does_not_exist_is_refused_as_such() -> None:
    told = outcome_of(synced({}, asked([ORDERS])).synced, ORDERS)
    assert (told.refused, told.transient) == (f"target group {ORDERS} does not exist", False)


def test_settings_that_name_no_rule_are_refused_before_anything_is_asked() -> None:
    settings, known = replace(SETTINGS, rule_overrides={"AR999": None}), dict[str, TargetGroup]()
    with Aws(in_step()) as aws, pytest.raises(BadSettings, match="AR999"):
        sync(SCHEDULE, client, settings, lambda: NOW, seconds_left=lambda: math.inf, known=known)
    assert aws.calls == []
