"""CloudFormation's custom resource Custom::EndpointTargets: a stack goes on when a target group has its targets.

    EndpointTargets:
      Type: Custom::EndpointTargets
      Properties:
        ServiceToken: the ARN of the function
        TargetGroupArn: a target group with the tag apprunner-guardrails:endpoint
        EndpointIds: endpoints that the tag names; a list, or a text with spaces or commas

The tag says what the targets are, here as everywhere; the properties only say what the stack waits for. `Ref` gives the
target group's ARN, `!GetAtt EndpointTargets.Targets` the targets: "10.0.1.5:443 10.0.2.5:443". Delete touches nothing.

CloudFormation invokes the function asynchronously, and reads an answer that is put at a URL that it has signed. Until
then the stack waits, an hour unless ServiceTimeout says less; so every request is answered, whatever happens
(docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html). An answer that does not get there is given
again: the request comes back by the function's own queue.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from datetime import UTC, datetime
from threading import Timer
from typing import Literal, Protocol

from apprunner_guardrails import observe
from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.aws.http import NotAnswered
from apprunner_guardrails.callers import Caller
from apprunner_guardrails.events import BadEvent, Ignored
from apprunner_guardrails.facts import Unread
from apprunner_guardrails.ledger import Busy
from apprunner_guardrails.light import dataclass
from apprunner_guardrails.records import Json, at, shown, text
from apprunner_guardrails.targets.binding import TAG, Malformed, endpoint_ids
from apprunner_guardrails.targets.sync import NotSynced
from apprunner_guardrails.targets.triggers import MARK, TARGET_GROUP, Asked
from apprunner_guardrails.targets.triggers import message as come_back
from apprunner_guardrails.tell import NotPublished
from apprunner_guardrails.validate import NotRead

TYPE = "Custom::EndpointTargets"
REQUEST = "custom resource"  # what a message to our own queue is that brings a request back
PATIENCE_SECONDS = 600  # how long what will pass by itself is waited for
WAITED_FOR_SECONDS = 3600  # how long CloudFormation waits for an answer, unless ServiceTimeout says less
ANSWER_SECONDS = 20  # what an answer may take at worst, of an invocation's time: three tries, and some room
BODY_BYTES = 4096  # the most that CloudFormation reads

_LONGEST = 900  # seconds: no invocation lasts longer
_NO_TIME = "The time of an invocation was too short for the sync."

_KNOWN = (NotSynced, NotRead, LedgerUnavailable, NotPublished, Busy)

type Kind = Literal["Create", "Update", "Delete"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request of CloudFormation. The URL is a secret: whoever has it can answer. `event` is the request as it came.

    `problem` says what is wrong with its properties, empty if nothing is. `since` is when it was first dealt with, in
    seconds since 1970, if it came back. `patience` is the time in seconds from then in which it may come back again.
    """

    kind: Kind
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str
    target_group: str  # its ARN; empty where the property is none
    endpoint_ids: tuple[str, ...]
    problem: str
    patience: int
    since: int | None
    url: str = field(repr=False)
    event: Json = field(repr=False)


class Outcome(Protocol):
    """What a sync of the target group came to."""

    @property
    def tags(self) -> Mapping[str, str]:
        """Of the target group; none if it has none, or does not exist."""

    @property
    def endpoint_ids(self) -> tuple[str, ...]:
        """As its tag names them; none if they cannot be understood."""

    @property
    def refused(self) -> str:
        """Why nothing was done, empty if it was."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The targets that it should have, as 10.0.1.5:443."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of them that are not registered after the run."""

    @property
    def failed(self) -> Unread | None:
        """A change that AWS refused."""

    @property
    def transient(self) -> bool:
        """Whether it is worth trying again soon."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Means:
    """What an answer needs.

    `put` puts a body at a URL, and raises NotAnswered. `later` sends a message to our own queue, and is False if
    there is none, or it takes none. `look` says how a target group is, and does nothing; None where it cannot be told.
    `now` is in seconds since 1970, `seconds_left` until Lambda ends the invocation.
    """

    put: Callable[[str, str], None]
    later: Callable[[str], bool]
    look: Callable[[str], Outcome | None]
    now: Callable[[], int]
    seconds_left: Callable[[], float]


def parse_request(event: object) -> Request | None:
    """The request, as CloudFormation sends it or as it comes back by our own queue; None if it is something else.

    Raises BadEvent for a request that cannot be answered.
    """
    if not isinstance(event, Mapping):
        return None
    if event.get(MARK) != REQUEST:
        return _request(event, None) if "RequestType" in event else None
    request, since = event.get("request"), event.get("since")
    if not isinstance(request, Mapping):
        raise BadEvent(f"the message's request should be one of CloudFormation's, and is a {type(request).__name__}")
    if not isinstance(since, int):
        raise BadEvent(f"the message's since should be seconds since 1970, and is {shown(since)}")
    return _request(request, since)


def message(request: Request, since: int) -> str:
    """The body of a message to our own queue that brings the request back."""
    return json.dumps({MARK: REQUEST, "request": request.event, "since": since})


def _request(event: Json, since: int | None) -> Request:
    kind, url = event.get("RequestType"), text(event.get("ResponseURL"))
    if kind not in ("Create", "Update", "Delete"):
        raise BadEvent(f"the request's RequestType should be Create, Update or Delete, and is {shown(kind)}")
    if not url:
        raise BadEvent("the request's ResponseURL should be where it is answered, and there is none")
    properties = event.get("ResourceProperties")
    group = text(at(event, "ResourceProperties.TargetGroupArn"))
    group = group if TARGET_GROUP.fullmatch(group) else ""
    ids = _endpoint_ids(properties.get("EndpointIds") if isinstance(properties, Mapping) else None)
    given = text(event.get("PhysicalResourceId"))
    logical_id = text(event.get("LogicalResourceId"))
    return Request(
        kind=kind,
        request_id=text(event.get("RequestId")),
        stack_id=text(event.get("StackId")),
        logical_id=logical_id,
        physical_id=(given if kind == "Delete" else group or given) or f"{logical_id}-without-a-target-group",
        target_group=group,
        endpoint_ids=ids or (),
        problem=_problem(event, group, ids),
        patience=_patience(at(event, "ResourceProperties.ServiceTimeout")),
        since=since,
        url=url,
        event=event,
    )


def _endpoint_ids(value: object) -> tuple[str, ...] | None:
    """None where the property does not name endpoints."""
    entries: list[object] = value if isinstance(value, list) else [value]
    named = [one for one in entries if isinstance(one, str)]
    if len(named) < len(entries):
        return None
    try:
        return endpoint_ids(" ".join(named).replace(",", " "))
    except Malformed:
        return None


def _problem(event: Json, group: str, ids: tuple[str, ...] | None) -> str:
    """Sentences, each with the property, what it holds and what it takes."""
    problems = []
    if event.get("ResourceType") != TYPE:
        problems.append(f"The resource's Type should be {TYPE}, and is {shown(event.get('ResourceType'))}.")
    if not group:
        held = shown(at(event, "ResourceProperties.TargetGroupArn"))
        problems.append(f"TargetGroupArn should be the ARN of a target group, and is {held}.")
    if ids is None:
        takes = "ids of interface endpoints such as vpce-0a1b2c3d4e5f60718, as a list or separated by spaces or commas"
        problems.append(f"EndpointIds should be {takes}, and is {shown(at(event, 'ResourceProperties.EndpointIds'))}.")
    return " ".join(problems)


def _patience(service_timeout: object) -> int:
    """CloudFormation does not say whether it sends ServiceTimeout along. Where it does, coming back a minute later and
    syncing anew has to end before."""
    told = re.fullmatch(r"[0-9]{1,4}", str(service_timeout))
    allowed = int(told[0]) if told else WAITED_FOR_SECONDS
    return max(0, min(PATIENCE_SECONDS, allowed - 120))


def answer_body(request: Request, failed: str, data: Mapping[str, str]) -> str:
    """The answer: SUCCESS with the data, or FAILED with why. ASCII, so that its characters are its bytes.

    What is too long for CloudFormation is shortened; data cannot be, and is left out.
    """
    body = _body(request, failed, data)
    if data and len(body) > BODY_BYTES:
        body = _body(request, failed, {})
    if failed and len(body) > BODY_BYTES:
        keep = max(0, len(failed) - (len(body) - BODY_BYTES) - len("..."))
        body = _body(request, f"{failed[:keep]}...", {})
    return body


def _body(request: Request, failed: str, data: Mapping[str, str]) -> str:
    answer: dict[str, object] = {
        "Status": "FAILED" if failed else "SUCCESS",
        "Reason": failed,
        "PhysicalResourceId": request.physical_id,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
        "NoEcho": False,
        "Data": data,
    }
    if not failed:
        del answer["Reason"]
    return json.dumps(answer)


def handle[T: Outcome](request: Request, sync_group: Callable[[Asked], T], means: Means) -> T | Ignored:
    """Sync the target group that the request is about and answer it, or see to it that it comes back.

    Gives what the sync came to, or why there is nothing to tell of one. Raises, once it is answered or comes back, what
    it does not know, and what could not be told where there is no queue to try that again by. Raises NotAnswered where
    CloudFormation does not get its answer and the request cannot come back.
    """
    since = request.since if request.since is not None else means.now()
    if request.kind == "Delete":
        why = f"{request.logical_id} of type {TYPE} was deleted: its target group stays as it is"
        return Ignored(why=_answer(request, "", (), since, means) or why)
    if request.problem:
        return Ignored(why=_answer(request, request.problem, (), since, means) or request.problem)
    told: list[str] = []  # by the watch, when time was nearly over
    try:
        said = _synced(request, sync_group, since, means, told)
        failed = _later(request, said.why, since, means) if said.transient and not told else said.why
    except BaseException as bug:
        # Whatever it is: the stack would wait an hour. Its text is for the log only, as it may hold anything.
        why = f"The function that syncs targets failed ({type(bug).__name__}); its log says more."
        if not told:
            _answer(request, why, (), since, means)
        raise
    if told:
        back = " ".join(told)
    elif said.transient and not failed:
        back = f"{said.why} It comes back."
    else:
        back = _answer(request, failed, said.targets, since, means) or _tell_later(request, said.untold, means)
    return said.outcome or Ignored(why=back or failed)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Said[T: Outcome]:
    """What the sync came to, if there was one; `why` the stack cannot go on, empty if it can, then with its targets;
    `untold`: that the stack can go on, though what was done could not be told."""

    outcome: T | None = None
    why: str = ""
    transient: bool = False
    targets: tuple[str, ...] = ()
    untold: Exception | None = None


def _synced[T: Outcome](
    request: Request, sync_group: Callable[[Asked], T], since: int, means: Means, told: list[str]
) -> _Said[T]:
    left = means.seconds_left() - ANSWER_SECONDS
    if left <= 0:
        return _Said(why=_NO_TIME, transient=True)
    with _watched(left, lambda: told.append(_out_of_time(request, since, means))):
        try:
            outcome = sync_group(_asked(request, since))
        except _KNOWN as error:
            seen = means.look(request.target_group)
            if seen is None or _judged(request, seen)[0]:
                return _Said(why=f"{error}.", transient=True)
            return _Said(targets=seen.wanted, untold=error)
    why, transient = _judged(request, outcome)
    return _Said(outcome=outcome, why=why, transient=transient, targets=() if why else outcome.wanted)


@contextmanager
def _watched(seconds: float, out_of_time: Callable[[], None]) -> Iterator[None]:
    """Call that when the seconds are over before what is inside. Not both at once: it is through when this is left."""
    timer = Timer(min(seconds, _LONGEST), out_of_time)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def _out_of_time(request: Request, since: int, means: Means) -> str:
    """Lambda is about to end the invocation. What was done; raised errors go to the log, and the sync goes on."""
    failed = _later(request, _NO_TIME, since, means)
    if failed:
        return _answer(request, failed, (), since, means) or failed
    return f"{_NO_TIME} It comes back."


def _answer(request: Request, failed: str, targets: Sequence[str], since: int, means: Means) -> str:
    """Empty if CloudFormation has its answer; else why the request comes back to be answered then.

    One that cannot be answered must not fail the invocation: that may be a whole batch of a queue, with requests of
    other stacks in it, which would be hidden for longer than a stack waits.
    """
    data = {"Targets": " ".join(targets)} if targets else {}
    try:
        means.put(request.url, answer_body(request, failed, data))
    except NotAnswered as error:
        if means.now() - since >= WAITED_FOR_SECONDS or not means.later(message(request, since)):
            raise
        observe.logger().warning("not answered", extra={"request_id": request.request_id, "why": str(error)})
        return f"{error}. It comes back."
    return ""


def _tell_later(request: Request, untold: Exception | None, means: Means) -> str:
    """Let the target group have a run of its own, which tells what could not be told: no stack waits for that one."""
    if untold is None:
        return ""
    if not means.later(come_back([request.target_group], request.request_id)):
        raise untold
    observe.logger().warning("not told", extra={"request_id": request.request_id, "why": str(untold)})
    return f"{untold}. The target group has its targets, and comes back to be told of."


def _later(request: Request, why: str, since: int, means: Means) -> str:
    """Let the request come back: empty, or what it fails with if it cannot."""
    waited = means.now() - since
    if waited >= request.patience:
        return f"{why} That did not pass in {waited} seconds."
    if means.later(message(request, since)):
        return ""
    return f"{why} It may pass, but no message to come back could be sent to a queue (SYNC_QUEUE_URL)."


def _asked(request: Request, since: int) -> Asked:
    stack = request.stack_id.split("/")[1:2]
    return Asked(
        id=request.request_id,
        what=f"{request.kind} of {TYPE}",
        time=f"{datetime.fromtimestamp(since, UTC):%Y-%m-%dT%H:%M:%SZ}",
        caller=Caller(name=" ".join(["stack", *stack]), tool="CloudFormation"),
        target_groups=(request.target_group,),
    )


def _judged(request: Request, outcome: Outcome) -> tuple[str, bool]:
    """Why the stack cannot go on, empty if it can, and whether that may pass by itself."""
    group = f"Target group {request.target_group}"
    tag = f"{TAG} = {' '.join(sorted({*outcome.endpoint_ids, *request.endpoint_ids}))}"
    unnamed = sorted(set(request.endpoint_ids) - set(outcome.endpoint_ids))
    if outcome.endpoint_ids and unnamed:
        named = ", ".join(outcome.endpoint_ids)
        why = f"EndpointIds has {', '.join(unnamed)}, and the tag {TAG} of the target group names only {named}"
        return f"{why}. {group} should have the tag {tag}, or EndpointIds only what the tag names.", False
    if outcome.refused:
        mend = f" {group} should have the tag {tag}." if TAG in outcome.tags and not outcome.endpoint_ids else ""
        return f"{outcome.refused}.{mend}", outcome.transient
    if unnamed:
        return f"{group} has no tag {TAG}, so that nothing is done with it. It should have the tag {tag}.", False
    if outcome.missing:
        which = f"{', '.join(outcome.missing)} (of {len(outcome.wanted)} targets wanted)"
        because = f": {outcome.failed}" if outcome.failed else ""
        return f"{group} does not have {which}{because}.", outcome.transient
    if not outcome.wanted:
        return f"{', '.join(outcome.endpoint_ids)} have no addresses that {group} could have.", outcome.transient
    return "", False
