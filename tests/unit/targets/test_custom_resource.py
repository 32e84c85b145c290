import json
import logging
import math
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from apprunner_guardrails.aws import http
from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.aws.http import NotAnswered
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.events import BadEvent, Ignored
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.ledger import Busy
from apprunner_guardrails.targets import triggers
from apprunner_guardrails.targets.custom_resource import (
    ANSWER_SECONDS,
    BODY_BYTES,
    PATIENCE_SECONDS,
    Means,
    Request,
    answer_body,
    handle,
    message,
    parse_request,
)
from apprunner_guardrails.targets.sync import NotSynced
from apprunner_guardrails.targets.triggers import Asked
from apprunner_guardrails.tell import NotPublished
from apprunner_guardrails.validate import NotRead

type Event = dict[str, Any]

ACCOUNT, REGION = "123456789012", "us-east-1"
GROUP, OTHER = (
    f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/0123456789abcdef" for name in ("orders", "old")
)
ONE, TWO = "vpce-0a1b2c3d4e5f60718", "vpce-0f9e8d7c6b5a43210"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/private-api/5b918d10-cd98-11ea-90d5-0a9cd3354c10"
SECRET = "X-Amz-Signature=0123456789abcdef"
URL = f"https://cloudformation.example/answer?{SECRET}"
TARGETS = ("10.0.1.5:443", "10.0.2.5:443")
TAG = "apprunner-guardrails:endpoint"
NOW = 1_795_000_000
AT_NOW = "2026-11-18T11:06:40Z"


def request(kind: str = "Create", /, *, url: str = URL, **changes: object) -> Event:
    """As CloudFormation sends it. A change to None takes a member or property away."""
    properties = {"ServiceToken": "arn:aws:lambda:…", "TargetGroupArn": GROUP, "EndpointIds": [ONE]}
    members: Event = {
        "RequestType": kind,
        "ResponseURL": url,
        "StackId": STACK,
        "RequestId": "request-1",
        "ResourceType": "Custom::EndpointTargets",
        "LogicalResourceId": "EndpointTargets",
        **({"PhysicalResourceId": GROUP} if kind != "Create" else {}),
        **({"OldResourceProperties": properties} if kind == "Update" else {}),
        "ResourceProperties": {
            name: value
            for name, value in {**properties, **{one: changes[one] for one in changes if _is_property(one)}}.items()
            if value is not None
        },
        **{one: changes[one] for one in changes if not _is_property(one)},
    }
    return {name: value for name, value in members.items() if value is not None}


def _is_property(name: str) -> bool:
    return name in ("TargetGroupArn", "EndpointIds", "ServiceTimeout")


def parsed(event: object) -> Request:
    found = parse_request(event)
    assert found is not None
    return found


# Requests


def test_a_request_is_understood() -> None:
    event = request(EndpointIds=[TWO, ONE, TWO])
    assert parse_request(event) == Request(
        kind="Create",
        request_id="request-1",
        stack_id=STACK,
        logical_id="EndpointTargets",
        physical_id=GROUP,
        target_group=GROUP,
        endpoint_ids=(ONE, TWO),
        problem="",
        patience=PATIENCE_SECONDS,
        since=None,
        url=URL,
        event=event,
    )


@pytest.mark.parametrize(
    "value",
    [
        [ONE, TWO],
        [f"{TWO} {ONE}"],
        f"{ONE} {TWO}",
        f"{ONE},{TWO}",
        f" {TWO} ,\n{ONE}, ",
    ],
)
def test_endpoints_are_a_list_or_a_text_with_spaces_or_commas(value: object) -> None:
    assert parsed(request(EndpointIds=value)).endpoint_ids == (ONE, TWO)


TAKES = "EndpointIds should be ids of interface endpoints such as vpce-0a1b2c3d4e5f60718, as a list or separated by"
GROUP_TAKES = "TargetGroupArn should be the ARN of a target group, and is"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"EndpointIds": None}, f"{TAKES} spaces or commas, and is missing."),
        ({"EndpointIds": []}, f"{TAKES} spaces or commas, and is []."),
        ({"EndpointIds": ""}, f"{TAKES} spaces or commas, and is ''."),
        ({"EndpointIds": [ONE, "eni-1"]}, f"{TAKES} spaces or commas, and is ['{ONE}', 'eni-1']."),
        ({"EndpointIds": [ONE, {"Ref": "x"}]}, f"{TAKES} spaces or commas, and is ['{ONE}', {{'Ref': 'x'}}]."),
        ({"TargetGroupArn": None}, f"{GROUP_TAKES} missing."),
        ({"TargetGroupArn": "orders"}, f"{GROUP_TAKES} 'orders'."),
        ({"TargetGroupArn": [GROUP]}, f"{GROUP_TAKES} ['{GROUP}']."),
        (
            {"TargetGroupArn": "orders", "EndpointIds": "eni-1"},
            f"{GROUP_TAKES} 'orders'. {TAKES} spaces or commas, and is 'eni-1'.",
        ),
        (
            {"ResourceProperties": "none"},
            f"{GROUP_TAKES} missing. {TAKES} spaces or commas, and is missing.",
        ),
        (
            {"ResourceType": "Custom::EndpointTarget"},
            "The resource's Type should be Custom::EndpointTargets, and is 'Custom::EndpointTarget'.",
        ),
    ],
)
def test_what_is_wrong_with_properties_is_told_by_name_value_and_what_they_take(changes: Event, problem: str) -> None:
    assert parsed(request(**changes)).problem == problem


@pytest.mark.parametrize(
    ("event", "physical_id"),
    [
        (request("Create"), GROUP),
        (request("Create", TargetGroupArn="orders"), "EndpointTargets-without-a-target-group"),
        (request("Update"), GROUP),
        (request("Update", TargetGroupArn=OTHER), OTHER),  # another resource; the Delete of the former follows
        (request("Update", TargetGroupArn="orders"), GROUP),
        (request("Delete"), GROUP),
        (request("Delete", TargetGroupArn=OTHER), GROUP),
        (request("Delete", PhysicalResourceId="what it was given"), "what it was given"),
        (request("Delete", PhysicalResourceId=None), "EndpointTargets-without-a-target-group"),
    ],
)
def test_the_resource_is_its_target_group(event: Event, physical_id: str) -> None:
    assert parsed(event).physical_id == physical_id


@pytest.mark.parametrize(
    ("timeout", "patience"), [(None, 600), ("3600", 600), ("720", 600), (300, 180), ("60", 0), ("soon", 600)]
)
def test_a_request_comes_back_only_while_cloudformation_waits(timeout: object, patience: int) -> None:
    assert parsed(request(ServiceTimeout=timeout)).patience == patience


def test_a_request_comes_back_as_it_was() -> None:
    first = parsed(request("Update"))
    body = json.loads(message(first, NOW))
    assert body == {"apprunner-guardrails": "custom resource", "request": request("Update"), "since": NOW}
    again = parsed(body)
    assert (again.since, again.event) == (NOW, first.event)
    assert parsed(json.loads(message(again, NOW))) == again


@pytest.mark.parametrize(
    "event",
    [
        "text",
        [],
        {},
        {"detail-type": "Scheduled Event"},
        {"Records": []},
        json.loads(triggers.message([GROUP], "event-1")),
    ],
)
def test_what_is_no_request_is_none(event: object) -> None:
    assert parse_request(event) is None


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (request("Read"), "RequestType should be Create, Update or Delete, and is 'Read'"),
        (request(ResponseURL=None), "ResponseURL should be where it is answered"),
        ({"apprunner-guardrails": "custom resource", "since": NOW}, "request should be one of .* and is a NoneType"),
        (
            {"apprunner-guardrails": "custom resource", "request": request(), "since": "now"},
            "since should be seconds since 1970, and is 'now'",
        ),
        ({"apprunner-guardrails": "custom resource", "request": {}, "since": NOW}, "RequestType should be"),
    ],
)
def test_a_request_that_cannot_be_answered_is_refused(event: Event, why: str) -> None:
    with pytest.raises(BadEvent, match=why):
        parse_request(event)


def test_the_url_does_not_show_in_a_log() -> None:
    assert SECRET not in repr(parsed(request()))


# Answers


def test_an_answer_of_success_has_the_data_and_no_reason() -> None:
    assert json.loads(answer_body(parsed(request()), "", {"Targets": "10.0.1.5:443"})) == {
        "Status": "SUCCESS",
        "PhysicalResourceId": GROUP,
        "StackId": STACK,
        "RequestId": "request-1",
        "LogicalResourceId": "EndpointTargets",
        "NoEcho": False,
        "Data": {"Targets": "10.0.1.5:443"},
    }


def test_an_answer_of_failure_has_the_reason() -> None:
    assert json.loads(answer_body(parsed(request("Update")), "Because.", {})) == {
        "Status": "FAILED",
        "Reason": "Because.",
        "PhysicalResourceId": GROUP,
        "StackId": STACK,
        "RequestId": "request-1",
        "LogicalResourceId": "EndpointTargets",
        "NoEcho": False,
        "Data": {},
    }


@pytest.mark.parametrize("reason", ["x" * 9000, "é" * 3000, "\ud800" * 3000, '"' * 5000])
def test_a_long_reason_is_shortened_to_what_cloudformation_reads(reason: str) -> None:
    body = answer_body(parsed(request()), reason, {})
    assert BODY_BYTES - 12 <= len(body.encode()) <= BODY_BYTES or reason[0] in 'é\ud800"'
    assert len(body.encode()) <= BODY_BYTES
    told = json.loads(body)["Reason"]
    assert told.endswith("...")
    assert reason.startswith(told.removesuffix("..."))


def test_a_reason_that_fits_is_told_in_full() -> None:
    bare = len(answer_body(parsed(request()), "x", {})) - 1
    assert json.loads(answer_body(parsed(request()), "x" * (BODY_BYTES - bare), {}))["Reason"] == "x" * (
        BODY_BYTES - bare
    )


def test_data_that_do_not_fit_are_left_out_rather_than_cut() -> None:
    body = json.loads(answer_body(parsed(request()), "", {"Targets": "10.0.1.5:443 " * 400}))
    assert (body["Status"], body["Data"]) == ("SUCCESS", {})


# What CloudFormation hears


@dataclass(kw_only=True)
class CloudFormation:
    """Reads answers, at a URL on this machine. `statuses` are what it answers to the next ones, and then 200."""

    url: str
    statuses: list[int] = field(default_factory=list)
    tries: list[Mapping[str, str]] = field(default_factory=list)  # the headers of each
    answers: list[Event] = field(default_factory=list)

    def heard(self) -> tuple[str, str, object]:
        """The status, reason and data of the one answer."""
        (answer,) = self.answers
        return answer["Status"], answer.get("Reason", ""), answer["Data"]


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            reader.tries.append({"path": self.path, **{name.lower(): value for name, value in self.headers.items()}})
            status = reader.statuses.pop(0) if reader.statuses else 200
            if status == 200:
                reader.answers.append(json.loads(body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        reader = CloudFormation(url=f"http://127.0.0.1:{server.server_port}/answer?{SECRET}")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield reader
        server.shutdown()
        serving.join()


@dataclass(frozen=True, kw_only=True)
class Synced:
    tags: Mapping[str, str] = field(default_factory=lambda: {TAG: ONE})
    endpoint_ids: tuple[str, ...] = (ONE,)
    refused: str = ""
    wanted: tuple[str, ...] = TARGETS
    missing: tuple[str, ...] = ()
    failed: Unread | None = None
    transient: bool = False


@dataclass(kw_only=True)
class Run:
    """A sync that comes to `outcome`, or raises it, a queue, if there is one, and how the target group is."""

    outcome: Synced | BaseException | Callable[[], Synced] = field(default_factory=Synced)
    group: Synced | None = None
    queue: bool | Exception = True
    now: int = NOW
    left: float = 300.0
    asked: list[Asked] = field(default_factory=list)
    sent: list[Event] = field(default_factory=list)

    def of(self, event: Event) -> Synced | Ignored:
        means = Means(
            put=http.put,
            later=self._later,
            look={GROUP: self.group}.__getitem__,
            now=lambda: self.now,
            seconds_left=lambda: self.left,
        )
        return handle(parsed(event), self._sync, means)

    def _sync(self, asked: Asked) -> Synced:
        self.asked.append(asked)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome if isinstance(self.outcome, Synced) else self.outcome()

    def _later(self, body: str) -> bool:
        if isinstance(self.queue, Exception):
            raise self.queue
        if self.queue:
            self.sent.append(json.loads(body))
        return self.queue


def comes_back(event: Event, since: int = NOW) -> Event:
    return {"apprunner-guardrails": "custom resource", "request": event, "since": since}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_stack_goes_on_when_all_that_is_wanted_is_registered(cloudformation: CloudFormation, kind: str) -> None:
    run = Run()
    assert run.of(request(kind, url=cloudformation.url)) == Synced()
    assert cloudformation.heard() == ("SUCCESS", "", {"Targets": "10.0.1.5:443 10.0.2.5:443"})
    assert run.asked == [
        Asked(
            id="request-1",
            what=f"{kind} of Custom::EndpointTargets",
            time=AT_NOW,
            caller=Caller(name="stack private-api", tool="CloudFormation"),
            target_groups=(GROUP,),
        )
    ]
    assert run.sent == []


def test_an_answer_is_put_with_an_empty_content_type_as_its_url_was_signed(cloudformation: CloudFormation) -> None:
    Run().of(request(url=cloudformation.url))
    (headers,) = cloudformation.tries
    assert (headers["path"], headers["content-type"]) == (f"/answer?{SECRET}", "")


@pytest.mark.parametrize(
    "changes", [{}, {"TargetGroupArn": "orders", "EndpointIds": None}, {"ResourceType": "Custom::X"}]
)
def test_delete_touches_nothing_and_succeeds_at_once(cloudformation: CloudFormation, changes: Event) -> None:
    run = Run(outcome=AssertionError("synced"), queue=AssertionError("queued"), left=0)
    ignored = run.of(request("Delete", url=cloudformation.url, **changes))
    why = "EndpointTargets of type Custom::EndpointTargets was deleted: its target group stays as it is"
    assert (ignored, run.asked) == (Ignored(why=why), [])
    assert cloudformation.heard() == ("SUCCESS", "", {})


def test_the_delete_of_a_former_target_group_leaves_it_as_it_is(cloudformation: CloudFormation) -> None:
    run = Run()
    run.of(request("Update", url=cloudformation.url, TargetGroupArn=OTHER))
    run.of(request("Delete", url=cloudformation.url))
    assert [(one["Status"], one["PhysicalResourceId"]) for one in cloudformation.answers] == [
        ("SUCCESS", OTHER),
        ("SUCCESS", GROUP),
    ]
    assert [one.target_groups for one in run.asked] == [(OTHER,)]


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_properties_that_cannot_be_understood_fail_at_once(cloudformation: CloudFormation, kind: str) -> None:
    run = Run()
    assert run.of(request(kind, url=cloudformation.url, TargetGroupArn="orders")) == Ignored(
        why=f"{GROUP_TAKES} 'orders'."
    )
    assert cloudformation.heard() == ("FAILED", f"{GROUP_TAKES} 'orders'.", {})
    assert (run.asked, run.sent) == ([], [])


NOT_NAMED = (
    f"EndpointIds has {ONE}, and the tag {TAG} of the target group names only {TWO}. Target group {GROUP} should have"
    f" the tag {TAG} = {ONE} {TWO}, or EndpointIds only what the tag names."
)
LACKS = f"Target group {GROUP} does not have 10.0.1.5:443, 10.0.2.5:443 (of 2 targets wanted)"
NOT_TAGGED = (
    f"Target group {GROUP} has no tag {TAG}, so that nothing is done with it. It should have the tag {TAG} = {ONE}."
)


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [
        (
            Synced(endpoint_ids=(TWO,)),
            NOT_NAMED,
        ),
        (
            Synced(endpoint_ids=(TWO,), refused=f"{TWO} is pending", transient=True),
            NOT_NAMED,
        ),
        (
            Synced(tags={}, endpoint_ids=(), wanted=()),
            NOT_TAGGED,
        ),
        (
            Synced(tags={TAG: "none"}, endpoint_ids=(), wanted=(), refused="the tag names no endpoint"),
            f"the tag names no endpoint. Target group {GROUP} should have the tag {TAG} = {ONE}.",
        ),
        (
            Synced(tags={}, endpoint_ids=(), wanted=(), refused=f"target group {GROUP} does not exist"),
            f"target group {GROUP} does not exist.",  # and has no tag that could be mended
        ),
        (Synced(wanted=(), refused=f"{ONE} is an endpoint of s3"), f"{ONE} is an endpoint of s3."),
        (
            Synced(missing=TARGETS[1:]),
            f"Target group {GROUP} does not have 10.0.2.5:443 (of 2 targets wanted).",
        ),
        (
            Synced(missing=TARGETS, failed=Unread(call="elasticloadbalancing:RegisterTargets", code="TooManyTargets")),
            f"{LACKS}: elasticloadbalancing:RegisterTargets failed (TooManyTargets).",
        ),
        (Synced(wanted=()), f"{ONE} have no addresses that Target group {GROUP} could have."),
    ],
)
def test_what_does_not_pass_by_itself_fails_at_once_with_how_to_mend_it(
    cloudformation: CloudFormation, outcome: Synced, reason: str
) -> None:
    run = Run(outcome=outcome)
    assert run.of(request(url=cloudformation.url)) == outcome
    assert cloudformation.heard() == ("FAILED", reason, {})
    assert run.sent == []


def test_a_tag_may_name_more_endpoints_than_the_stack_waits_for(cloudformation: CloudFormation) -> None:
    run = Run(outcome=Synced(endpoint_ids=(ONE, TWO)))
    run.of(request(url=cloudformation.url))
    assert cloudformation.heard() == ("SUCCESS", "", {"Targets": "10.0.1.5:443 10.0.2.5:443"})


TRANSIENT = (
    (Synced(refused=f"{ONE} is pending", wanted=(), transient=True), f"{ONE} is pending."),
    (Synced(refused="the tags could not be read", endpoint_ids=(), wanted=(), transient=True), "the tags could not be"),
    (Synced(missing=TARGETS, transient=True), f"{LACKS}."),
    (NotSynced("RegisterTargets was refused"), "RegisterTargets was refused."),
    (NotRead("targets could not be read: Throttling"), "targets could not be read: Throttling."),
    (LedgerUnavailable("the table was not read"), "the table was not read."),
    (NotPublished("the topic took nothing"), "the topic took nothing."),
    (Busy("another is telling"), "another is telling."),
)


@pytest.mark.parametrize(("outcome", "reason"), TRANSIENT)
def test_what_may_pass_comes_back_and_is_not_answered_yet(
    cloudformation: CloudFormation, outcome: Synced | Exception, reason: str
) -> None:
    run, event = Run(outcome=outcome), request(url=cloudformation.url)
    result = run.of(event)
    assert run.sent == [comes_back(event)]
    assert cloudformation.answers == []
    if isinstance(outcome, Synced):
        assert result == outcome
    else:
        assert result == Ignored(why=f"{reason} It comes back.")


@pytest.mark.parametrize(("outcome", "reason"), TRANSIENT)
def test_what_may_pass_fails_when_there_is_no_queue_to_come_back_by(
    cloudformation: CloudFormation, outcome: Synced | Exception, reason: str
) -> None:
    Run(outcome=outcome, queue=False).of(request(url=cloudformation.url))
    status, told, _ = cloudformation.heard()
    assert (status, told[: len(reason)]) == ("FAILED", reason)
    assert told.endswith(" It may pass, but no message to come back could be sent to a queue (SYNC_QUEUE_URL).")


@pytest.mark.parametrize(("outcome", "reason"), TRANSIENT)
def test_what_does_not_pass_in_time_fails_with_the_reason(
    cloudformation: CloudFormation, outcome: Synced | Exception, reason: str
) -> None:
    event = request(url=cloudformation.url)
    run = Run(outcome=outcome)
    run.now = NOW + PATIENCE_SECONDS - 1
    run.of(comes_back(event))
    assert (run.sent, cloudformation.answers) == ([comes_back(event)], [])
    run.now = NOW + PATIENCE_SECONDS
    run.of(comes_back(event))
    status, told, _ = cloudformation.heard()
    assert (status, told[: len(reason)]) == ("FAILED", reason)
    assert told.endswith(" That did not pass in 600 seconds.")
    assert run.sent == [comes_back(event)]


def test_what_is_right_at_last_succeeds_however_late_it_is(cloudformation: CloudFormation) -> None:
    run = Run(now=NOW + 2000)
    run.of(comes_back(request(url=cloudformation.url)))
    assert cloudformation.heard() == ("SUCCESS", "", {"Targets": "10.0.1.5:443 10.0.2.5:443"})
    assert [one.time for one in run.asked] == [AT_NOW]


def test_a_request_with_little_time_is_not_waited_for_longer_than_that(cloudformation: CloudFormation) -> None:
    run = Run(outcome=Synced(missing=TARGETS, transient=True), now=NOW + 60)
    run.of(comes_back(request(url=cloudformation.url, ServiceTimeout="180")))
    assert cloudformation.heard() == ("FAILED", f"{LACKS}. That did not pass in 60 seconds.", {})


RAISED = [(one, reason) for one, reason in TRANSIENT if isinstance(one, Exception)]


@pytest.mark.parametrize(("error", "reason"), RAISED)
def test_a_stack_goes_on_where_the_group_has_its_targets_though_that_could_not_be_told(
    cloudformation: CloudFormation, error: Exception, reason: str
) -> None:
    run = Run(outcome=error, group=Synced())
    result = run.of(request(url=cloudformation.url))
    assert cloudformation.heard() == ("SUCCESS", "", {"Targets": "10.0.1.5:443 10.0.2.5:443"})
    sent = json.loads(triggers.message([GROUP], "request-1"))
    assert run.sent == [sent]  # a run of its own, which tells
    assert result == Ignored(why=f"{reason} The target group has its targets, and comes back to be told of.")


@pytest.mark.parametrize(("error", "reason"), RAISED)
def test_what_could_not_be_told_is_raised_where_no_other_run_would_tell_it(
    cloudformation: CloudFormation, error: Exception, reason: str
) -> None:
    with pytest.raises(type(error)) as raised:
        Run(outcome=error, group=Synced(), queue=False).of(request(url=cloudformation.url))
    assert raised.value is error
    assert cloudformation.heard() == ("SUCCESS", "", {"Targets": "10.0.1.5:443 10.0.2.5:443"})


@pytest.mark.parametrize(
    "group",
    [
        None,
        Synced(missing=TARGETS[1:]),
        Synced(refused=f"{ONE} is pending", wanted=(), transient=True),
        Synced(endpoint_ids=(TWO,)),
        Synced(wanted=()),
    ],
)
def test_a_group_that_has_not_its_targets_comes_back_whatever_went_wrong(
    cloudformation: CloudFormation, group: Synced | None
) -> None:
    run, event = Run(outcome=NotPublished("the topic took nothing"), group=group), request(url=cloudformation.url)
    assert run.of(event) == Ignored(why="the topic took nothing. It comes back.")
    assert (run.sent, cloudformation.answers) == ([comes_back(event)], [])


def test_what_could_not_be_told_nor_answered_comes_back_as_one(cloudformation: CloudFormation) -> None:
    cloudformation.statuses = [503, 503, 503]
    run, event = Run(outcome=NotPublished("the topic took nothing"), group=Synced()), request(url=cloudformation.url)
    assert run.of(event) == Ignored(why=f"{UNHEARD}. It comes back.")
    assert run.sent == [comes_back(event)]


# Whatever happens, it is answered


@pytest.mark.parametrize("bug", [KeyError(SECRET), AssertionError(), SystemExit(1), KeyboardInterrupt()])
def test_what_nobody_expected_is_answered_and_raised(cloudformation: CloudFormation, bug: BaseException) -> None:
    with pytest.raises(type(bug)) as raised:
        Run(outcome=bug).of(request(url=cloudformation.url))
    assert raised.value is bug
    reason = f"The function that syncs targets failed ({type(bug).__name__}); its log says more."
    assert cloudformation.heard() == ("FAILED", reason, {})


def test_a_queue_that_fails_is_answered_and_raised(cloudformation: CloudFormation) -> None:
    run = Run(outcome=Synced(missing=TARGETS, transient=True), queue=PermissionError("sqs:SendMessage"))
    with pytest.raises(PermissionError):
        run.of(request(url=cloudformation.url))
    reason = "The function that syncs targets failed (PermissionError); its log says more."
    assert cloudformation.heard() == ("FAILED", reason, {})


NO_TIME = "The time of an invocation was too short for the sync."


def test_without_the_time_to_answer_nothing_is_begun(cloudformation: CloudFormation) -> None:
    run, event = Run(left=ANSWER_SECONDS), request(url=cloudformation.url)
    assert run.of(event) == Ignored(why=f"{NO_TIME} It comes back.")
    assert (run.asked, run.sent, cloudformation.answers) == ([], [comes_back(event)], [])


def test_without_the_time_to_answer_and_without_a_queue_it_fails(cloudformation: CloudFormation) -> None:
    run = Run(left=-1, queue=False)
    run.of(request(url=cloudformation.url))
    why = f"{NO_TIME} It may pass, but no message to come back could be sent to a queue (SYNC_QUEUE_URL)."
    assert (run.asked, cloudformation.heard()) == ([], ("FAILED", why, {}))


def test_where_nothing_ends_the_function_there_is_time(cloudformation: CloudFormation) -> None:
    Run(left=math.inf).of(request(url=cloudformation.url))
    assert cloudformation.heard()[0] == "SUCCESS"


def until(happened: Callable[[], bool], outcome: Synced | None = None) -> Callable[[], Synced]:
    """A sync that takes so long."""
    pause = threading.Event()

    def sync() -> Synced:
        for _ in range(1000):
            if happened():
                return outcome or Synced()
            pause.wait(0.01)
        pytest.fail("nothing happened while the sync went on")

    return sync


def test_a_sync_that_takes_too_long_comes_back_before_lambda_ends_it(cloudformation: CloudFormation) -> None:
    run, event = Run(left=ANSWER_SECONDS + 0.05), request(url=cloudformation.url)
    run.outcome = until(lambda: run.sent != [])
    assert run.of(event) == Synced()
    assert run.sent == [comes_back(event)]
    assert cloudformation.answers == []  # that is for the one that comes back


def test_a_sync_that_takes_too_long_comes_back_once_though_it_comes_to_nothing_in_the_end(
    cloudformation: CloudFormation,
) -> None:
    run, event = Run(left=ANSWER_SECONDS + 0.05), request(url=cloudformation.url)
    run.outcome = until(lambda: run.sent != [], Synced(missing=TARGETS, transient=True))
    run.of(event)
    assert (run.sent, cloudformation.answers) == ([comes_back(event)], [])


def test_a_sync_that_takes_too_long_is_answered_where_there_is_no_queue(cloudformation: CloudFormation) -> None:
    run = Run(left=ANSWER_SECONDS + 0.05, queue=False)
    run.outcome = until(lambda: cloudformation.answers != [])
    assert run.of(request(url=cloudformation.url)) == Synced()
    why = f"{NO_TIME} It may pass, but no message to come back could be sent to a queue (SYNC_QUEUE_URL)."
    assert cloudformation.heard() == ("FAILED", why, {})


def test_a_sync_that_fails_after_it_was_answered_is_raised_and_not_answered_again(
    cloudformation: CloudFormation,
) -> None:
    def sync() -> Synced:
        until(lambda: cloudformation.answers != [])()
        raise ZeroDivisionError

    run = Run(left=ANSWER_SECONDS + 0.05, queue=False, outcome=sync)
    with pytest.raises(ZeroDivisionError):
        run.of(request(url=cloudformation.url))
    assert cloudformation.heard()[1].startswith(NO_TIME)


# Getting an answer there


def test_an_answer_is_tried_three_times(cloudformation: CloudFormation) -> None:
    cloudformation.statuses = [500, 503]
    Run().of(request(url=cloudformation.url))
    assert cloudformation.heard()[0] == "SUCCESS"
    assert len(cloudformation.tries) == 3


UNHEARD = "CloudFormation was not answered: HTTP 503, HTTP 503, HTTP 503"
ANSWERS: Mapping[str, tuple[Event, Synced, tuple[str, str, object]]] = {
    "a success": (request(), Synced(), ("SUCCESS", "", {"Targets": "10.0.1.5:443 10.0.2.5:443"})),
    "a failure": (request("Update"), Synced(wanted=(), refused="No"), ("FAILED", "No.", {})),
    "a problem": (request(TargetGroupArn="orders"), Synced(), ("FAILED", f"{GROUP_TAKES} 'orders'.", {})),
    "a deletion": (request("Delete"), Synced(), ("SUCCESS", "", {})),
}


@pytest.mark.parametrize(("event", "outcome", "heard"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_does_not_get_there_is_given_again_when_the_request_comes_back(
    cloudformation: CloudFormation, event: Event, outcome: Synced, heard: object
) -> None:
    cloudformation.statuses = [503] * 6
    run, event = Run(outcome=outcome), {**event, "ResponseURL": cloudformation.url}
    run.of(event)
    assert (run.sent, len(cloudformation.tries), cloudformation.answers) == ([comes_back(event)], 3, [])
    run.now = NOW + 60
    run.of(run.sent[0])
    assert (run.sent[1:], len(cloudformation.tries), cloudformation.answers) == ([comes_back(event)], 6, [])
    run.of(run.sent[1])
    assert cloudformation.heard() == heard
    assert len(run.sent) == 2


@pytest.mark.parametrize(("event", "outcome", "heard"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_is_given_again_for_as_long_as_cloudformation_waits(
    cloudformation: CloudFormation, event: Event, outcome: Synced, heard: object
) -> None:
    cloudformation.statuses = [503] * 6
    run = Run(outcome=outcome, now=NOW + 3599)
    event = comes_back({**event, "ResponseURL": cloudformation.url})
    run.of(event)
    assert run.sent == [event]
    run.now = NOW + 3600
    with pytest.raises(NotAnswered, match=f"^{UNHEARD}$"):
        run.of(event)
    assert run.sent == [event]


@pytest.mark.parametrize(("event", "outcome", "heard"), ANSWERS.values(), ids=ANSWERS)
def test_an_answer_that_does_not_get_there_is_an_error_where_there_is_no_queue_to_come_back_by(
    cloudformation: CloudFormation, event: Event, outcome: Synced, heard: object
) -> None:
    cloudformation.statuses = [500, 403, 307]
    event = {**event, "ResponseURL": cloudformation.url}
    with pytest.raises(NotAnswered, match=r"^CloudFormation was not answered: HTTP 500, HTTP 403, HTTP 307$"):
        Run(outcome=outcome, queue=False).of(event)
    assert (len(cloudformation.tries), cloudformation.answers) == (3, [])
    Run(outcome=outcome, queue=False).of(event)
    assert cloudformation.heard() == heard


def test_what_was_not_answered_says_so_in_the_result_where_there_is_no_other() -> None:
    refused = Run().of(request("Delete", url="http://127.0.0.1:port/answer"))
    assert refused == Ignored(why="CloudFormation was not answered: InvalidURL, InvalidURL, InvalidURL. It comes back.")


def test_a_bug_shows_where_it_cannot_even_be_answered_and_its_request_comes_back(
    cloudformation: CloudFormation,
) -> None:
    cloudformation.statuses = [500, 500, 500]
    bug, event = KeyError("bug"), request(url=cloudformation.url)
    run = Run(outcome=bug)
    with pytest.raises(KeyError) as raised:
        run.of(event)
    assert raised.value is bug
    assert (run.sent, cloudformation.answers) == ([comes_back(event)], [])


def test_a_bug_shows_where_it_cannot_even_be_answered_nor_its_request_come_back(
    cloudformation: CloudFormation,
) -> None:
    cloudformation.statuses = [500, 500, 500]
    with pytest.raises(NotAnswered) as raised:
        Run(outcome=KeyError("bug"), queue=False).of(request(url=cloudformation.url))
    assert "KeyError: 'bug'" in "".join(traceback.format_exception(raised.value))


def test_a_sync_that_takes_too_long_and_too_late_comes_back_where_it_cannot_be_answered(
    cloudformation: CloudFormation,
) -> None:
    cloudformation.statuses = [503, 503, 503]
    event = comes_back(request(url=cloudformation.url))
    run = Run(left=ANSWER_SECONDS + 0.05, now=NOW + PATIENCE_SECONDS)
    run.outcome = until(lambda: run.sent != [])
    run.of(event)
    assert (run.sent, len(cloudformation.tries), cloudformation.answers) == ([event], 3, [])


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1:1/answer", "was not answered: ConnectionRefusedError, ConnectionRefusedError, ConnectionRe"),
        ("http://127.0.0.1:port/answer", "was not answered: InvalidURL"),
        ("http://[::1/answer", "was not answered: ValueError, ValueError, ValueError$"),
        ("file:///etc/hostname", "at a URL of http or https, and was told another"),
        ("ftp://127.0.0.1/answer", "at a URL of http or https, and was told another"),
        ("http://127.0.0.1/an answer", "at a URL of http or https, and was told another"),
        ("http://127.0.0.1/\r\nanswer", "at a URL of http or https, and was told another"),
    ],
)
def test_an_answer_that_does_not_get_there_never_shows_the_url(
    url: str, why: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NotAnswered, match=why) as raised:
        http.put(f"{url}?{SECRET}", "{}")
    shown = "".join(traceback.format_exception(raised.value))
    assert SECRET not in f"{shown}{caplog.text}{capfd.readouterr()}"


def test_an_answer_that_gets_there_never_shows_the_url(
    cloudformation: CloudFormation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    cloudformation.statuses = [500]
    Run().of(request(url=cloudformation.url))
    assert SECRET not in f"{caplog.text}{capfd.readouterr()}"


def test_nobody_who_does_not_answer_is_waited_for_longer_than_the_time_of_an_answer() -> None:
    assert http.TRIES * http.TIMEOUT < ANSWER_SECONDS
