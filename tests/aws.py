"""AWS for tests: the function's own SDK clients, whose calls end here and are answered from rows in AWS's shapes.

Requests are checked against the API model by botocore, answers by `Aws`. No call leaves the process, and none is at
work while another is: `Aws` counts in rounds instead, where a round is all the calls that were sent before somebody
waited for an answer. That is what time is spent on when each call takes as long as the next.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self
from unittest.mock import patch

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import BotoCoreError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.validate import validate_parameters

from apprunner_guardrails.aws import clients, reads
from apprunner_guardrails.aws.findings_table import LedgerUnavailable
from apprunner_guardrails.events import Ignored
from apprunner_guardrails.facts import TargetGroup
from apprunner_guardrails.ledger import Busy
from apprunner_guardrails.respond import Asked, Report, respond
from apprunner_guardrails.scheduled import audit_region
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.targets.sync import GroupResult, NotSynced, Synced, as_json, sync
from apprunner_guardrails.targets.triggers import Asked as AskedToSync
from apprunner_guardrails.tell import NotPublished
from apprunner_guardrails.validate import NotRead
from functions.validate_network import app
from tests.samples import SETTINGS, Event, Row, Rows

if TYPE_CHECKING:
    from botocore.model import OperationModel

type Parameters = Mapping[str, Any]

SERVICES = (
    "apigateway",
    "apigatewayv2",
    "apprunner",
    "dynamodb",
    "ec2",
    "elbv2",
    "events",
    "resourcegroupstaggingapi",
    "securityhub",
    "service-quotas",
    "sns",
    "sqs",
    "sts",
)
WRITES = "dynamodb:TransactWriteItems"
PUBLISHING = ("events:PutEvents", "securityhub:BatchImportFindings", "sns:Publish", "sns:PublishBatch")
COMING_BACK = "sqs:SendMessage"
CHANGING = ("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets")
TAGGING = ("apprunner:TagResource", "ec2:CreateTags", "elasticloadbalancing:AddTags")
NOW = 1_795_000_000  # 2026-11-18, when nothing in the samples has run out


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as it was sent: `action` as IAM names it, the round that it was sent in, from 1, and the `work` that
    it was a part of: the pages of an answer are one after the other."""

    action: str
    parameters: Parameters
    round: int
    work: int


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What happens to a call instead of its answer: an HTTP response, or no response at all."""

    code: str
    respond: Callable[[str], AWSResponse]  # by the service's name; may raise
    when: Callable[[Parameters], bool] = lambda _: True
    answer: Callable[[Parameters], Row] | None = None  # instead of what the rows have, and of `respond`


def refused(code: str, status: int = 400, when: Callable[[Parameters], bool] = lambda _: True) -> Fault:
    """AWS's answer that it will not, as it is on the wire."""
    return Fault(code=code, respond=lambda service: _refusal(service, code, status), when=when)


def answered(answer: Callable[[Parameters], Row]) -> Fault:
    """A success that is none in part; may raise what is no fault of AWS's, such as KeyboardInterrupt."""

    def never(service: str) -> AWSResponse:
        raise AssertionError(service)

    return Fault(code="", respond=never, answer=answer)


def pretended(operation: str) -> Fault:
    """Elastic Load Balancing says yes to a call, and does not do it."""
    body = f"<{operation}Response><{operation}Result/></{operation}Response>"
    return Fault(code="", respond=lambda _: _response(200, body))


def unanswered(error: type[BotoCoreError]) -> Fault:
    def respond(service: str) -> AWSResponse:
        raise error(endpoint_url=f"https://{service}.test", error="no answer")

    return Fault(code=error.__name__, respond=respond)


FAULTS: Mapping[str, Fault] = {
    "denied": refused("UnauthorizedOperation", 403),
    "throttled": refused("RequestLimitExceeded", 503),
    "broken": refused("InternalError", 500),
    "no connection": unanswered(ConnectTimeoutError),
    "no address": unanswered(EndpointConnectionError),
    "no answer": unanswered(ReadTimeoutError),
}


class Aws:
    """Within `with`, calls of the function's clients for the current environment are answered from `rows`.

    `faults` maps an action (`ec2:DescribeSubnets`) to what happens to it, `pages` to how many rows a page has.
    `slept` has what botocore would have waited between tries.
    """

    def __init__(
        self, rows: Rows, faults: Mapping[str, Fault] | None = None, pages: Mapping[str, int] | None = None
    ) -> None:
        self.calls: list[Call] = []
        self.tries: list[str] = []
        self.slept: list[float] = []
        self._rows = rows
        self._faults = faults or {}
        self._pages = pages or {}
        self._steps = LockStep(reads._THREADS)
        self._patches = ExitStack()

    def __enter__(self) -> Self:
        hooks: Mapping[str, Callable[..., Any]] = {
            "before-parameter-build": self._remember,
            "before-call": self._call,
            "before-send": self._send,
        }
        for service in SERVICES:
            events = clients.client(service).meta.events
            for event, hook in hooks.items():
                events.register_first(event, hook)
                self._patches.callback(events.unregister, event, hook)
        self._patches.enter_context(patch.object(reads, "_pool", lambda: self._steps))
        self._patches.enter_context(patch("botocore.endpoint.time", SimpleNamespace(sleep=self.slept.append)))
        return self

    def __exit__(self, *error: object) -> None:
        self._patches.close()

    @property
    def rounds(self) -> list[list[str]]:
        """The actions of each round, sorted."""
        last = max((call.round for call in self.calls), default=0)
        return [sorted(call.action for call in self.calls if call.round == number) for number in range(1, last + 1)]

    @property
    def actions(self) -> list[str]:
        """Of every call, in order."""
        return [call.action for call in self.calls]

    @property
    def acted(self) -> list[str]:
        """The actions of the calls that wrote or published something."""
        return [action for action in self.actions if action == WRITES or action in PUBLISHING]

    def seconds(self, each: float) -> float:
        """How long all the calls take at so many seconds each: a round takes as long as its longest work."""
        longest = 0
        for number in {call.round for call in self.calls}:
            works = [call.work for call in self.calls if call.round == number]
            longest += max(works.count(work) for work in works)
        return longest * each

    @property
    def told(self) -> list[str]:
        """What machines heard: the resource's name, the rule and the transition."""
        details = [json.loads(one["Detail"]) for asked in self.sent("events:PutEvents") for one in asked["Entries"]]
        return [f"{one['finding']['resource_name']} {one['finding']['rule']} {one['transition']}" for one in details]

    @property
    def published(self) -> list[Parameters]:
        return [call.parameters for call in self.calls if call.action == "sns:Publish"]

    def sent(self, action: str) -> list[Parameters]:
        """The parameters of every call of an action."""
        return [call.parameters for call in self.calls if call.action == action]

    def _remember(self, params: Row, context: Row, **_: object) -> None:
        context["as_asked"] = dict(params)

    def _call(self, model: "OperationModel", context: Row, **_: object) -> tuple[object, Row] | None:
        # Both generations of API Gateway are signed alike, and have operations of the same names.
        service = model.service_model
        signed = service.service_name if service.service_name == "apigatewayv2" else service.signing_name
        action = f"{signed}:{model.name}"
        asked = context["as_asked"]
        if action in (WRITES, COMING_BACK, *TAGGING):  # sent and waited for outside of the pool: a round of its own
            self._steps.begin()
        self.calls.append(Call(action=action, parameters=asked, round=self._steps.round, work=self._steps.work))
        fault = self._faults.get(action)
        if fault and fault.when(asked) and not fault.answer:
            return None  # on to the wire, where _send has the fault
        told = fault.answer(asked) if fault and fault.answer and fault.when(asked) else None
        answer = told or _ANSWERS[action](self._rows, asked, self._pages.get(action, _PAGES.get(action, 1000)))
        if "Error" in answer:
            return SimpleNamespace(status_code=400), answer
        if model.output_shape is None:  # an answer that says nothing
            assert answer == {}
        else:
            validate_parameters(answer, model.output_shape)
        return SimpleNamespace(status_code=200), answer

    def _send(self, event_name: str, **_: object) -> AWSResponse:
        name, operation = event_name.split(".")[1:]
        service = _SIGNED_AS.get(name, name)
        action = f"{service}:{operation}"
        self.tries.append(action)
        return self._faults[action].respond(service)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of an event, and of AWS meanwhile."""

    answer: Report | Ignored
    aws: Aws

    @property
    def report(self) -> Report:
        assert isinstance(self.answer, Report), self.answer
        return self.answer

    @property
    def ignored(self) -> str:
        assert isinstance(self.answer, Ignored), self.answer
        return self.answer.why

    @property
    def resources(self) -> set[str]:
        return {one.resource for one in self.report.evaluations}

    def of(self, resource: str) -> dict[str, str]:
        """The answer of each rule about a resource."""
        (one,) = (one for one in self.report.evaluations if one.resource == resource)
        return {finding.rule: finding.status.value for finding in one.findings}

    @property
    def statuses(self) -> dict[str, str]:
        """The answer of each rule, where there is one resource."""
        (one,) = self.report.evaluations
        return self.of(one.resource)

    def rules(self, status: str, resource: str = "") -> set[str]:
        """The rules of a resource with such an answer; without a resource, where there is one."""
        answers = self.of(resource) if resource else self.statuses
        return {rule for rule, answer in answers.items() if answer == status}

    @property
    def failing(self) -> dict[str, set[str]]:
        """The rules that fail, by resource; those without any are there too."""
        return {resource: self.rules("fail", resource) for resource in self.resources}

    @property
    def alert(self) -> str:
        (published,) = self.aws.published
        body: str = published["Message"]
        return body


def validated(
    event: Event,
    rows: Rows,
    *,
    settings: Settings = SETTINGS,
    faults: Mapping[str, Fault] | None = None,
    pages: Mapping[str, int] | None = None,
    now: int = NOW,
) -> Outcome:
    """Let the event come, with AWS as the rows have it. The rows' `Items` are the findings table, and stay written."""
    return batch_validated([event], rows, settings=settings, faults=faults, pages=pages, now=now)


def batch_validated(
    events: Sequence[Event],
    rows: Rows,
    *,
    settings: Settings = SETTINGS,
    faults: Mapping[str, Fault] | None = None,
    pages: Mapping[str, int] | None = None,
    now: int = NOW,
) -> Outcome:
    """Let all of them come at once, as the queue hands them on."""
    with Aws(rows, faults, pages) as aws:
        asked = [asked_of(event) for event in events]
        return Outcome(answer=respond(asked, clients.client, settings, lambda: now, pace=_no_pace), aws=aws)


def _no_pace(per_second: float) -> Callable[[], None]:
    return lambda: None


def asked_of(event: Event) -> Asked:
    """What the function understands by it."""
    asked = app._understood(event)
    assert not isinstance(asked, Ignored), asked
    return asked


def audited(
    rows: Rows,
    *,
    settings: Settings = SETTINGS,
    faults: Mapping[str, Fault] | None = None,
    pages: Mapping[str, int] | None = None,
    now: int = NOW,
    seconds_left: Callable[[], float] = lambda: math.inf,
) -> Outcome:
    """Audit the Region as the rows have it, by a schedule that is on time."""
    time = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with Aws(rows, faults, pages) as aws:
        report = audit_region(time, clients.client, settings, lambda: now, seconds_left, pace=_no_pace)
        return Outcome(answer=report, aws=aws)


@dataclass(frozen=True, kw_only=True)
class SyncOutcome:
    """What came of a sync, or what it raised, and of AWS meanwhile."""

    done: Synced | None
    raised: Exception | None
    aws: Aws

    @property
    def synced(self) -> Synced:
        assert self.done is not None, self.raised
        return self.done

    @property
    def groups(self) -> Mapping[str, GroupResult]:
        return as_json(self.synced.outcomes)

    @property
    def changes(self) -> list[tuple[str, str, list[str]]]:
        """Every call that changed targets, in order: its name, the group, and the targets as it named them."""
        return [
            (
                one.action.partition(":")[2],
                one.parameters["TargetGroupArn"],
                list(map(_named, one.parameters["Targets"])),
            )
            for one in self.aws.calls
            if one.action in CHANGING
        ]

    @property
    def findings(self) -> dict[str, dict[str, str]]:
        """The answer of each rule, by group."""
        return {
            one.resource: {finding.rule: finding.status.value for finding in one.findings}
            for one in self.synced.evaluations
        }

    @property
    def alerted(self) -> list[str]:
        """The subjects of the alerts."""
        return [str(one["Subject"]) for one in self.aws.published]


def _named(target: Parameters) -> str:
    zone = f"@{target['AvailabilityZone']}" if "AvailabilityZone" in target else ""
    return f"{target['Id']}:{target['Port']}{zone}"


def synced(
    rows: Rows,
    asked: AskedToSync,
    *,
    settings: Settings = SETTINGS,
    faults: Mapping[str, Fault] | None = None,
    pages: Mapping[str, int] | None = None,
    now: int = NOW,
    seconds_left: Callable[[], float] = lambda: math.inf,
    known: dict[str, TargetGroup] | None = None,
) -> SyncOutcome:
    """Sync what is asked for, with AWS as the rows have it, at no pace. What is registered, deregistered and recorded
    stays so in the rows; `known` is what the process remembers."""
    groups = {} if known is None else known
    with Aws(rows, faults, pages) as aws:
        try:
            done = sync(
                asked,
                clients.client,
                settings,
                lambda: now,
                seconds_left=seconds_left,
                known=groups,
                pace=_no_pace,
            )
        except (Busy, LedgerUnavailable, NotPublished, NotRead, NotSynced) as error:
            return SyncOutcome(done=None, raised=error, aws=aws)
        return SyncOutcome(done=done, raised=None, aws=aws)


@dataclass
class LockStep:
    """Stands in for the thread pool: what was sent is done when somebody waits, all of a round at once."""

    threads: int
    round: int = 0
    work: int = 0
    _sent: list["_Sent"] = field(default_factory=list)

    def submit(self, work: Callable[..., object], *arguments: object) -> Future[object]:
        self._sent.append(_Sent(self, work, arguments))
        return self._sent[-1]

    def begin(self) -> None:
        """A call that is waited for at once."""
        self.round += 1
        self.work += 1

    def advance(self) -> None:
        """Let as many works as there are threads come to an end."""
        self.round += 1
        now, self._sent = self._sent[: self.threads], self._sent[self.threads :]
        for sent in now:
            self.work += 1
            sent.run()


class _Sent(Future[object]):
    def __init__(self, steps: LockStep, work: Callable[..., object], arguments: tuple[object, ...]) -> None:
        super().__init__()
        self._steps, self._work, self._arguments = steps, work, arguments

    def result(self, timeout: float | None = None) -> object:
        while not self.done():
            self._steps.advance()
        return super().result(timeout)

    def run(self) -> None:
        try:
            self.set_result(self._work(*self._arguments))
        except BaseException as raised:  # noqa: BLE001 - handed on to whoever waits, as a thread pool does
            self.set_exception(raised)


_SIGNED_AS = {
    "api-gateway": "apigateway",
    "elastic-load-balancing-v2": "elasticloadbalancing",
    "eventbridge": "events",
    "resource-groups-tagging-api": "tagging",
    "service-quotas": "servicequotas",
}


def _refusal(service: str, code: str, status: int) -> AWSResponse:
    as_xml = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    body = {
        "apigateway": json.dumps({"code": code, "message": "no"}),
        "apigatewayv2": json.dumps({"code": code, "message": "no"}),
        "apprunner": json.dumps({"__type": code, "Message": "no"}),
        "ec2": f"<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors></Response>",
        "dynamodb": json.dumps({"__type": code, "message": "no"}),
        "elasticloadbalancing": as_xml,
        "sts": as_xml,
        "events": json.dumps({"__type": code, "message": "no"}),
        "sqs": json.dumps({"__type": code, "message": "no"}),
        "tagging": json.dumps({"__type": code, "message": "no"}),
        "securityhub": json.dumps({"Code": code, "Message": "no"}),
        "servicequotas": json.dumps({"__type": code, "Message": "no"}),
        "sns": as_xml,
    }[service]
    return _response(status, body)


def _response(status: int, body: str) -> AWSResponse:
    # botocore reads a body as urllib3 gives it
    raw = SimpleNamespace(stream=lambda *_, **__: iter([body.encode()]))
    return AWSResponse("https://aws.test", status, HTTPHeaders(), raw)


type _Answer = Callable[[Rows, Parameters, int], Row]


def _gone(what: str) -> Row:
    return {"Error": {"Code": "ResourceNotFoundException", "Message": f"no {what}"}}


def _one(member: str, key: str, name: str) -> _Answer:
    """App Runner's Describe calls: one resource by its ARN, also a new one that lists do not have yet."""

    def answer(rows: Rows, asked: Parameters, size: int) -> Row:
        found = [row for row in (*rows.get(member, ()), *rows.get(f"New{member}", ())) if row[key] == asked[key]]
        return {name: found[0]} if found else _gone(asked[key])

    return answer


def _active_connectors(rows: Rows, asked: Parameters, size: int) -> Row:
    return _page("VpcConnectors", [row for row in rows["VpcConnectors"] if row["Status"] == "ACTIVE"], asked, size)


def _listed(member: str, filters: str = "Filters") -> _Answer:
    """EC2's Describe calls: rows that every filter admits."""

    def answer(rows: Rows, asked: Parameters, size: int) -> Row:
        admitted = [
            row
            for row in rows.get(member, ())
            if all(set(_FILTERED[one["Name"]](row)) & set(one["Values"]) for one in asked.get(filters, ()))
        ]
        return _page(member, admitted, asked, size)

    return answer


_FILTERED: Mapping[str, Callable[[Row], Iterable[str]]] = {
    "vpc-id": lambda row: [row["VpcId"]],
    "subnet-id": lambda row: [row["SubnetId"]],
    "group-name": lambda row: [row["GroupName"]],
    "group-id": lambda row: [row["GroupId"]] if "GroupId" in row else [one["GroupId"] for one in row["Groups"]],
    "association.subnet-id": lambda row: [one["SubnetId"] for one in row["Associations"]],
    "description": lambda row: [row.get("Description", "")],
    "service-name": lambda row: [row["ServiceName"]],
    "tag-key": lambda row: [one["Key"] for one in row.get("TagSet", ())],
    "vpc-endpoint-type": lambda row: [row["VpcEndpointType"]],
    "vpc-endpoint-id": lambda row: [row["VpcEndpointId"]],
    "requester-vpc-info.vpc-id": lambda row: [row["RequesterVpcInfo"]["VpcId"]],
    "accepter-vpc-info.vpc-id": lambda row: [row["AccepterVpcInfo"]["VpcId"]],
    "status-code": lambda row: [row["Status"]["Code"]],
    "state": lambda row: [row["State"]],
}


def _by_id(member: str, ids: str, key: str, gone: str) -> _Answer:
    """EC2's Describe calls that may name ids: one that is not there refuses the call. `Hidden…` are rows that are told
    of by their id only."""
    by_filter = _listed(member)

    def answer(rows: Rows, asked: Parameters, size: int) -> Row:
        if ids not in asked:
            return by_filter(rows, asked, size)
        there = {row[key]: row for row in (*rows.get(member, ()), *rows.get(f"Hidden{member}", ()))}
        if not there.keys() >= set(asked[ids]):
            return {"Error": {"Code": gone, "Message": "no"}}
        return _page(member, [there[one] for one in asked[ids]], asked, size)

    return answer


# Target groups: `Targets` are rows of DescribeTargetHealth with the TargetGroupArn, `Quotas` the targets that a group
# may have, attributes are rows with the ARN that they are of.


def _target_groups(rows: Rows, asked: Parameters, size: int) -> Row:
    there = {row["TargetGroupArn"]: row for row in rows.get("TargetGroups", ())}
    of = asked.get("LoadBalancerArn")
    if of is not None and not any(row["LoadBalancerArn"] == of for row in rows.get("LoadBalancers", ())):
        return _NO_BALANCER
    listed = [arn for arn, row in there.items() if of is None or of in row.get("LoadBalancerArns", ())]
    named = asked.get("TargetGroupArns", listed)
    if not there.keys() >= set(named):
        return _NO_GROUP
    found = [there[arn] for arn in named]
    start, size = int(asked.get("Marker", "0")), min(size, asked.get("PageSize", size))
    more = {"NextMarker": str(start + size)} if len(found) > start + size else {}
    return {"TargetGroups": found[start : start + size], **more}


_NO_GROUP: Row = {"Error": {"Code": "TargetGroupNotFound", "Message": "no"}}
_NO_BALANCER: Row = {"Error": {"Code": "LoadBalancerNotFound", "Message": "no"}}


def _load_balancers(rows: Rows, asked: Parameters, size: int) -> Row:
    there = {row["LoadBalancerArn"]: row for row in rows.get("LoadBalancers", ())}
    if not there.keys() >= set(asked["LoadBalancerArns"]):
        return _NO_BALANCER
    return {"LoadBalancers": [there[arn] for arn in asked["LoadBalancerArns"]]}


def _listeners(rows: Rows, asked: Parameters, size: int) -> Row:
    found = [row for row in rows.get("Listeners", ()) if row["LoadBalancerArn"] == asked["LoadBalancerArn"]]
    start, size = int(asked.get("Marker", "0")), min(size, asked["PageSize"])
    more = {"NextMarker": str(start + size)} if len(found) > start + size else {}
    return {"Listeners": found[start : start + size], **more}


# Private paths: `VpcIngressConnections` are rows of DescribeVpcIngressConnection, `CustomDomains` and `Operations`
# those of a service, with its ServiceArn. Of API Gateway, `Rest…` are of the first generation and `Http…` of the
# second; what an API has, has its id.


def _ingress_connections(rows: Rows, asked: Parameters, size: int) -> Row:
    names = ("VpcIngressConnectionArn", "ServiceArn")
    wanted = asked.get("Filter", {}).items()
    found = [
        {name: row[name] for name in names} for row in rows.get("VpcIngressConnections", ()) if wanted <= row.items()
    ]
    return _page("VpcIngressConnectionSummaryList", found, asked, min(size, asked.get("MaxResults", size)))


def _of_service(member: str, named: str) -> _Answer:
    def answer(rows: Rows, asked: Parameters, size: int) -> Row:
        found = [
            {key: value for key, value in row.items() if key != "ServiceArn"}
            for row in rows.get(member, ())
            if row["ServiceArn"] == asked["ServiceArn"]
        ]
        return _page(named, found, asked, min(size, asked.get("MaxResults", size)))

    return answer


def _custom_domains(rows: Rows, asked: Parameters, size: int) -> Row:
    found = _of_service("CustomDomains", "CustomDomains")(rows, asked, size)
    return {"DNSTarget": "x", "ServiceArn": asked["ServiceArn"], "VpcDNSTargets": [], **found}


def _of_gateway(member: str, named: str, of: str = "", page: str = "NextToken") -> _Answer:
    """Rows of API Gateway: all, or those of the API that is asked for as `of`."""

    def answer(rows: Rows, asked: Parameters, size: int) -> Row:
        found = [
            {key: value for key, value in row.items() if key != of}
            for row in rows.get(member, ())
            if not of or row[of] == asked[of]
        ]
        return _page(named, found, asked, min(size, asked.get("limit", size)), page)

    return answer


def _group_tags(rows: Rows, asked: Parameters, size: int) -> Row:
    arns = set(asked["ResourceArns"])
    if any(":loadbalancer/" in arn for arn in arns):
        if not {row["LoadBalancerArn"] for row in rows.get("LoadBalancers", ())} >= arns:
            return _NO_BALANCER
    elif not {row["TargetGroupArn"] for row in rows.get("TargetGroups", ())} >= arns:
        return _NO_GROUP
    tags = {arn: _tags(rows, {"ResourceArn": arn}, size) for arn in asked["ResourceArns"]}
    return {"TagDescriptions": [{"ResourceArn": arn, **(told if told["Tags"] else {})} for arn, told in tags.items()]}


def _health(rows: Rows, asked: Parameters, size: int) -> Row:
    if not any(row["TargetGroupArn"] == asked["TargetGroupArn"] for row in rows.get("TargetGroups", ())):
        return _NO_GROUP
    found = [row for row in rows.get("Targets", ()) if row["TargetGroupArn"] == asked["TargetGroupArn"]]
    return {
        "TargetHealthDescriptions": [
            {key: value for key, value in row.items() if key != "TargetGroupArn"} for row in found
        ]
    }


def _attributes(key: str) -> _Answer:
    def answer(rows: Rows, asked: Parameters, size: int) -> Row:
        found = [row for row in rows.get("Attributes", ()) if row["Arn"] == asked[key]]
        return {"Attributes": [{"Key": row["Key"], "Value": row["Value"]} for row in found]}

    return answer


def _register(rows: Rows, asked: Parameters, size: int) -> Row:
    targets, arn = rows.setdefault("Targets", []), asked["TargetGroupArn"]
    there = {_target_key(row["Target"]) for row in targets if row["TargetGroupArn"] == arn and not _drains(row)}
    coming = {_target_key(one): one for one in asked["Targets"] if _target_key(one) not in there}
    quota = next((row["Targets"] for row in rows.get("Quotas", ()) if row["TargetGroupArn"] == arn), math.inf)
    if len(there) + len(coming) > quota:
        return {"Error": {"Code": "TooManyTargets", "Message": "no"}}
    targets[:] = [row for row in targets if row["TargetGroupArn"] != arn or _target_key(row["Target"]) not in coming]
    targets += [{"TargetGroupArn": arn, "Target": one, "TargetHealth": {"State": "initial"}} for one in coming.values()]
    return {}


def _deregister(rows: Rows, asked: Parameters, size: int) -> Row:
    leaving = {_target_key(one) for one in asked["Targets"]}
    for row in rows.get("Targets", ()):
        if row["TargetGroupArn"] == asked["TargetGroupArn"] and _target_key(row["Target"]) in leaving:
            row["TargetHealth"] = {"State": "draining"}
    return {}


def _target_key(target: Row) -> tuple[str, int]:
    return target["Id"], target["Port"]


def _drains(row: Row) -> bool:
    state: str = row["TargetHealth"]["State"]
    return state == "draining"


def _sent(rows: Rows, asked: Parameters, size: int) -> Row:
    return {"MessageId": "88888888-8888-4888-8888-888888888888"}


def _page(member: str, rows: list[Row], asked: Parameters, size: int, named: str = "NextToken") -> Row:
    start = int(asked.get(named, "0"))
    more = {named: str(start + size)} if len(rows) > start + size else {}
    return {member: rows[start : start + size], **more}


def _vpc_attribute(rows: Rows, asked: Parameters, size: int) -> Row:
    (vpc,) = (row for row in rows["VpcAttributes"] if row["VpcId"] == asked["VpcId"])
    name = asked["Attribute"][0].upper() + asked["Attribute"][1:]
    return {"VpcId": vpc["VpcId"], name: {"Value": vpc[name]}}


def _prefix_list_entries(rows: Rows, asked: Parameters, size: int) -> Row:
    (found,) = (row for row in rows["PrefixLists"] if row["PrefixListId"] == asked["PrefixListId"])
    return _page("Entries", [{"Cidr": cidr} for cidr in found["Cidrs"]], asked, size)


def _published(rows: Rows, asked: Parameters, size: int) -> Row:
    return {"MessageId": "77777777-7777-4777-8777-777777777777"}


def _tags(rows: Rows, asked: Parameters, size: int) -> Row:
    found = [row for row in rows.get("Tags", ()) if row["ResourceArn"] == asked["ResourceArn"]]
    return {"Tags": [{"Key": row["Key"], "Value": row["Value"]} for row in found]}


def _tagged(rows: Rows, asked: Parameters, size: int) -> Row:
    """The index of tags; `IndexedTags` is what it has where it lags behind the resources' own `Tags`."""
    keys = {one["Key"] for one in asked.get("TagFilters", ())}
    everything = {"Tags": rows.get("IndexedTags", rows.get("Tags", []))}
    indexed = {"Tags": [row for row in everything["Tags"] if _kind(row["ResourceArn"]) in asked["ResourceTypeFilters"]]}
    arns = [
        arn
        for arn in dict.fromkeys(row["ResourceArn"] for row in indexed["Tags"])
        if keys <= {row["Key"] for row in indexed["Tags"] if row["ResourceArn"] == arn}
    ]
    mappings = [{"ResourceARN": arn, **_tags(indexed, {"ResourceArn": arn}, size)} for arn in arns]
    return _page("ResourceTagMappingList", mappings, asked, min(size, asked["ResourcesPerPage"]), "PaginationToken")


def _kind(arn: str) -> str:
    """apprunner:service"""
    _, _, service, _, _, name = arn.split(":", maxsplit=5)
    return f"{service}:{name.partition('/')[0]}"


def _tag_resource(rows: Rows, asked: Parameters, size: int) -> Row:
    return _add_tags(rows, {"ResourceArns": [asked["ResourceArn"]], "Tags": asked["Tags"]}, size)


def _add_tags(rows: Rows, asked: Parameters, size: int) -> Row:
    added = [{"ResourceArn": arn, **one} for arn in asked["ResourceArns"] for one in asked["Tags"]]
    replaced = {(one["ResourceArn"], one["Key"]) for one in added}
    kept = [one for one in rows.get("Tags", ()) if (one["ResourceArn"], one["Key"]) not in replaced]
    rows["Tags"] = kept + added
    return {}


def _create_tags(rows: Rows, asked: Parameters, size: int) -> Row:
    """Of VPC endpoints, which tell their tags themselves."""
    there = {row["VpcEndpointId"]: row for row in rows.get("VpcEndpoints", ())}
    if not there.keys() >= set(asked["Resources"]):
        return {"Error": {"Code": "InvalidVpcEndpointId.NotFound", "Message": "no"}}
    keys = {one["Key"] for one in asked["Tags"]}
    for name in asked["Resources"]:
        kept = [one for one in there[name].get("Tags", ()) if one["Key"] not in keys]
        there[name]["Tags"] = kept + asked["Tags"]
    return {}


def _services(rows: Rows, asked: Parameters, size: int) -> Row:
    names = ("ServiceName", "ServiceId", "ServiceArn", "Status")
    summaries = [{name: row[name] for name in names} for row in rows["Services"]]
    return _page("ServiceSummaryList", summaries, asked, min(size, asked["MaxResults"]))


def _scanned(rows: Rows, asked: Parameters, size: int) -> Row:
    items = rows.get("Items", [])
    if "FilterExpression" in asked:
        assert asked["FilterExpression"] == "attribute_not_exists(#place)"
        items = [one for one in items if "place" not in one]
    start = int(asked.get("ExclusiveStartKey", {}).get("start", {}).get("N", "0"))
    more = {"LastEvaluatedKey": {"start": {"N": str(start + size)}}} if len(items) > start + size else {}
    return {"Items": items[start : start + size], **more}


def _batch_published(rows: Rows, asked: Parameters, size: int) -> Row:
    return {
        "Successful": [{"Id": one["Id"], "MessageId": one["Id"]} for one in asked["PublishBatchRequestEntries"]],
        "Failed": [],
    }


def _imported(rows: Rows, asked: Parameters, size: int) -> Row:
    return {"FailedCount": 0, "SuccessCount": len(asked["Findings"]), "FailedFindings": []}


def _items(rows: Rows, asked: Parameters, size: int) -> Row:
    """By a resource; or, by the index, by a place, which what is recorded at home has not."""
    (key,) = asked["ExpressionAttributeNames"].values()
    (wanted,) = asked["ExpressionAttributeValues"].values()
    assert key == ("place" if "IndexName" in asked else "resource")
    return {"Items": [item for item in rows.get("Items", ()) if item.get(key) == wanted]}


def _transaction(rows: Rows, asked: Parameters, size: int) -> Row:
    """All or nothing; a Put's condition is that of findings_table: there is no item, or it has a version."""
    puts = [one["Put"] for one in asked["TransactItems"]]
    held = [_version(rows, put["Item"]) == put.get("ExpressionAttributeValues", {}).get(":before") for put in puts]
    if not all(held):
        reasons = [{"Code": "None" if one else "ConditionalCheckFailed"} for one in held]
        return {"Error": {"Code": "TransactionCanceledException", "Message": "no"}, "CancellationReasons": reasons}
    for put in puts:
        items = rows.setdefault("Items", [])
        items[:] = [one for one in items if (one["resource"], one["rule"]) != _item_key(put["Item"])]
        items.append(put["Item"])
    return {}


def _version(rows: Rows, item: Row) -> object:
    found = [one for one in rows.get("Items", ()) if (one["resource"], one["rule"]) == _item_key(item)]
    return found[0]["version"] if found else None


def _item_key(item: Row) -> tuple[object, object]:
    return item["resource"], item["rule"]


def _quota(rows: Rows, asked: Parameters, size: int) -> Row:
    """`ServiceQuotas` are rows of GetServiceQuota: those that were raised."""
    for row in rows.get("ServiceQuotas", ()):
        if row["QuotaCode"] == asked["QuotaCode"]:
            return {"Quota": row}
    return {"Error": {"Code": "NoSuchResourceException", "Message": "no"}}


def _assumed(rows: Rows, asked: Parameters, size: int) -> Row:
    credentials = {"AccessKeyId": "ASIA0000000000000000", "SecretAccessKey": "s", "SessionToken": "t"}
    return {"Credentials": {**credentials, "Expiration": datetime.fromtimestamp(NOW + 3600, UTC)}}


def _put_events(rows: Rows, asked: Parameters, size: int) -> Row:
    return {"FailedEntryCount": 0, "Entries": [{"EventId": str(number)} for number, _ in enumerate(asked["Entries"])]}


_ANSWERS: Mapping[str, _Answer] = {
    "apigateway:GetResources": _of_gateway("RestResources", "items", "restApiId", "position"),
    "apigateway:GetRestApis": _of_gateway("RestApis", "items", page="position"),
    "apigateway:GetStages": _of_gateway("RestStages", "item", "restApiId", "position"),
    "apigateway:GetVpcLinks": _of_gateway("RestVpcLinks", "items", page="position"),
    "apigatewayv2:GetApis": _of_gateway("HttpApis", "Items"),
    "apigatewayv2:GetIntegrations": _of_gateway("HttpIntegrations", "Items", "ApiId"),
    "apigatewayv2:GetRoutes": _of_gateway("HttpRoutes", "Items", "ApiId"),
    "apigatewayv2:GetStages": _of_gateway("HttpStages", "Items", "ApiId"),
    "apigatewayv2:GetVpcLinks": _of_gateway("HttpVpcLinks", "Items"),
    "apprunner:DescribeCustomDomains": _custom_domains,
    "apprunner:DescribeVpcIngressConnection": _one(
        "VpcIngressConnections", "VpcIngressConnectionArn", "VpcIngressConnection"
    ),
    "apprunner:ListOperations": _of_service("Operations", "OperationSummaryList"),
    "apprunner:ListVpcIngressConnections": _ingress_connections,
    "apprunner:ListServices": _services,
    "apprunner:ListTagsForResource": _tags,
    "apprunner:TagResource": _tag_resource,
    "dynamodb:Query": _items,
    "dynamodb:Scan": _scanned,
    "dynamodb:TransactWriteItems": _transaction,
    "events:PutEvents": _put_events,
    "apprunner:DescribeService": _one("Services", "ServiceArn", "Service"),
    "apprunner:DescribeVpcConnector": _one("VpcConnectors", "VpcConnectorArn", "VpcConnector"),
    "apprunner:ListVpcConnectors": _active_connectors,
    "ec2:CreateTags": _create_tags,
    "ec2:DescribeAvailabilityZones": _listed("AvailabilityZones"),
    "ec2:DescribeNatGateways": _listed("NatGateways", "Filter"),
    "ec2:DescribeNetworkAcls": _listed("NetworkAcls"),
    "ec2:DescribeNetworkInterfaces": _by_id(
        "NetworkInterfaces", "NetworkInterfaceIds", "NetworkInterfaceId", "InvalidNetworkInterfaceID.NotFound"
    ),
    "ec2:DescribeRouteTables": _listed("RouteTables"),
    "ec2:DescribeSecurityGroups": _listed("SecurityGroups"),
    "ec2:DescribeSubnets": _listed("Subnets"),
    "ec2:DescribeVpcAttribute": _vpc_attribute,
    "ec2:DescribeTransitGatewayVpcAttachments": _listed("TransitGatewayVpcAttachments"),
    "ec2:DescribeVpcEndpoints": _by_id(
        "VpcEndpoints", "VpcEndpointIds", "VpcEndpointId", "InvalidVpcEndpointId.NotFound"
    ),
    "ec2:DescribeVpcPeeringConnections": _listed("VpcPeeringConnections"),
    "ec2:GetManagedPrefixListEntries": _prefix_list_entries,
    "elasticloadbalancing:AddTags": _add_tags,
    "elasticloadbalancing:DeregisterTargets": _deregister,
    "elasticloadbalancing:DescribeListeners": _listeners,
    "elasticloadbalancing:DescribeLoadBalancers": _load_balancers,
    "elasticloadbalancing:DescribeLoadBalancerAttributes": _attributes("LoadBalancerArn"),
    "elasticloadbalancing:DescribeTags": _group_tags,
    "elasticloadbalancing:DescribeTargetGroupAttributes": _attributes("TargetGroupArn"),
    "elasticloadbalancing:DescribeTargetGroups": _target_groups,
    "elasticloadbalancing:DescribeTargetHealth": _health,
    "elasticloadbalancing:RegisterTargets": _register,
    "securityhub:BatchImportFindings": _imported,
    "servicequotas:GetServiceQuota": _quota,
    "sns:Publish": _published,
    "sns:PublishBatch": _batch_published,
    "sqs:SendMessage": _sent,
    "sts:AssumeRole": _assumed,
    "tagging:GetResources": _tagged,
}
# How many rows a page has at most, where AWS sets it; that which is asked for is less or the same.
_PAGES: Mapping[str, int] = {"apprunner:ListVpcConnectors": 100}
