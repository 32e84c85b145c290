"""What moto 5.2.5 answers otherwise than AWS in the services that the guardrails keep findings in, tell them by, and
read beside the network.

| about                | moto                                          | after install()                             |
|----------------------|-----------------------------------------------|---------------------------------------------|
| DynamoDB             | calls of several threads run into each other; | one call at a time; every condition is      |
|                      | a transaction copies the table for each item  | checked before anything is written          |
| PutEvents            | takes sources of AWS's, details that are no   | refuses them, the entry alone or the whole  |
|                      | object, entries of any size; keeps nothing    | request; PUT_EVENTS                         |
| BatchImportFindings  | takes nearly everything, from any account     | needs Security Hub enabled; each finding is |
|                      |                                               | checked by itself, FailedCount counts       |
| GetServiceQuota      | knows VPC only                                | App Runner's services and VPC connectors    |
| GetResources         | pages end by a count of tags that nobody set; | pages of resources, in the order of ARNs;   |
|                      | the last one has no token                     | the last one has an empty one               |
| SQS                  | delays, hides and forgets messages by this    | by the emulated one;                        |
|                      | machine's time; does not say which queue a    | DeadLetterQueueSourceArn does;              |
|                      | message was moved to a dead-letter queue from;|                                             |
|                      | lets nobody show what was sent 12 hours ago   | whoever has received it may                 |

Not reproduced: DynamoDB's throttling and TransactionConflict; events that reach a rule's targets late or twice;
findings that Security Hub archives by itself.
"""

from __future__ import annotations

import base64
import binascii
import copy
import functools
import hashlib
import itertools
import json
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from unittest.mock import patch

from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    ERROR_TYPE_PREFIX,
    DynamodbException,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.events.exceptions import ValidationException
from moto.events.models import EventsBackend
from moto.resourcegroupstaggingapi.exceptions import ResourceGroupsTaggingAPIError
from moto.resourcegroupstaggingapi.responses import ResourceGroupsTaggingAPIResponse
from moto.securityhub.exceptions import SecurityHubClientError
from moto.securityhub.responses import SecurityHubResponse
from moto.servicequotas.models import ServiceQuotasBackend
from moto.sqs import models as sqs_models
from moto.sqs.models import Message, SQSBackend
from moto.sqs.responses import SQSResponse

from emulator import cloudtrail
from emulator.clock import CLOCK
from emulator.routes import Method, override, override_property
from emulator.settings import SETTINGS

# --- DynamoDB -------------------------------------------------------------------------------------------------------

TRANSACTION_ITEMS = 100

_dynamodb = threading.RLock()

TOKEN_KEPT = timedelta(minutes=10)


def _exclusively(moto: Method, response: DynamoHandler, **request: Any) -> Any:
    """Without the recording of its CloudTrail event, whose listeners may wait for other threads."""
    with _dynamodb:
        return moto(response, **request)


def _answer_transaction(moto: Method, response: DynamoHandler) -> Any:
    """A request that comes again with its token (the SDK gives each call one, and keeps it in its retries) has been
    served: it answers as it did, and writes nothing."""
    token, now = response.body.get("ClientRequestToken"), CLOCK.now()
    served: dict[str, tuple[datetime, str]] = vars(response.dynamodb_backend).setdefault("served_tokens", {})
    digest = json.dumps(response.body, sort_keys=True)
    if token in served and now - served[token][0] < TOKEN_KEPT:
        if served[token][1] != digest:
            raise DynamodbException(
                f"{ERROR_TYPE_PREFIX}IdempotentParameterMismatchException",
                "The request has a token of an earlier one, and other parameters.",
            )
        return EmptyResult()
    answer = moto(response)
    if token:
        served[token] = now, digest
    return answer


def _transact_write_items(_moto: Method, backend: DynamoDBBackend, transact_items: Sequence[Mapping[str, Any]]) -> None:
    if len(transact_items) > TRANSACTION_ITEMS:
        raise TooManyTransactionsException
    if any(len(each) > 1 for each in transact_items):
        raise TransactWriteSingleOpException
    writes = [_Write.of(backend, *next(iter(each.items()))) for each in transact_items]
    if len({(each.table.name, json.dumps(each.key, sort_keys=True)) for each in writes}) < len(writes):
        raise MultipleTransactionsException
    reasons = [each.refusal(backend) for each in writes]
    if any(code for code, _, _ in reasons):
        raise TransactionCanceledException(reasons)
    before = [copy.deepcopy(each.item(backend)) for each in writes]
    try:
        for each in writes:
            each.make(backend)
    except JsonRESTError:
        for each, item in zip(writes, before, strict=True):
            each.undo(backend, item)
        raise


@dataclass(frozen=True, kw_only=True)
class _Write:
    """One action of a transaction; a ConditionCheck writes nothing."""

    kind: str
    action: Mapping[str, Any]
    table: Table
    key: Mapping[str, Any]

    @classmethod
    def of(cls, backend: DynamoDBBackend, kind: str, action: Mapping[str, Any]) -> Self:
        table = backend.get_table(action["TableName"])
        names = [name for name in (table.hash_key_attr, table.range_key_attr) if name is not None]
        key = {name: action["Item"][name] for name in names} if kind == "Put" else action["Key"]
        return cls(kind=kind, action=action, table=table, key=key)

    def item(self, backend: DynamoDBBackend) -> Item | None:
        return backend.get_item(self.table.name, dict(self.key))

    def refusal(self, backend: DynamoDBBackend) -> tuple[str | None, str | None, Mapping[str, Any] | None]:
        """Code, message and item of the reason why it cancels its transaction; the code is None when it does not."""
        condition = self.action.get("ConditionExpression")
        there = self.item(backend)
        names, values = self.action.get("ExpressionAttributeNames"), self.action.get("ExpressionAttributeValues")
        if condition is None or get_filter_expression(condition, names, values).expr(there):
            return None, None, None
        wanted = self.action.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        shown = there.to_json()["Attributes"] if wanted and there is not None else None
        return "ConditionalCheckFailed", "The conditional request failed", shown

    def make(self, backend: DynamoDBBackend) -> None:
        match self.kind:
            case "Put":
                backend.put_item(self.table.name, self.action["Item"])
            case "Delete":
                backend.delete_item(self.table.name, dict(self.key))
            case "Update":
                backend.update_item(
                    self.table.name,
                    dict(self.key),
                    update_expression=self.action["UpdateExpression"],
                    expression_attribute_names=self.action.get("ExpressionAttributeNames", {}),
                    expression_attribute_values=self.action.get("ExpressionAttributeValues", {}),
                )

    def undo(self, backend: DynamoDBBackend, item: Item | None) -> None:
        hash_value, range_value = backend.get_keys_value(self.table, dict(self.key))
        if item is None:
            self.table.delete_item(hash_value, range_value)
        else:
            backend.put_item(self.table.name, item.to_json()["Attributes"])


# --- EventBridge ----------------------------------------------------------------------------------------------------

PUT_EVENTS: list[cloudtrail.Event] = []
"""What PutEvents has put on default buses, as the envelopes that rules would have matched."""

REQUEST_ENTRIES = 10
REQUEST_BYTES = 1024 * 1024
"""Of all entries together: the API model's documentation."""

type Entry = Mapping[str, Any]


def _put_events(moto: Method, backend: EventsBackend, events: Sequence[Entry]) -> list[Entry]:
    if sum(map(_entry_size, events)) >= REQUEST_BYTES:
        raise ValidationException("Total size of the entries in the request is over the limit.")
    refused = {number: refusal for number, entry in enumerate(events) if (refusal := _refusal(entry))}
    taken = [entry for number, entry in enumerate(events) if number not in refused]
    # With too many of them moto refuses the request as AWS does.
    answers = iter(moto(backend, taken if len(events) <= REQUEST_ENTRIES else events))
    results = [refused.get(number) or next(answers) for number in range(len(events))]
    for entry, result in zip(events, results, strict=True):
        if "EventId" in result and _is_default(entry.get("EventBusName")):
            PUT_EVENTS.append(_envelope(backend, entry, result["EventId"]))
    return results


def _entry_size(entry: Entry) -> int:
    texts = [entry.get("Source"), entry.get("DetailType"), entry.get("Detail"), *(entry.get("Resources") or ())]
    return (14 if entry.get("Time") else 0) + sum(len(text.encode()) for text in texts if text)


def _refusal(entry: Entry) -> Entry | None:
    if str(entry.get("Source")).startswith("aws."):
        return {
            "ErrorCode": "NotAuthorizedForSourceException",
            "ErrorMessage": "Not authorized for the source.",
        }
    try:
        malformed = not isinstance(json.loads(entry.get("Detail") or "{}"), dict)
    except ValueError:
        malformed = True
    return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."} if malformed else None


def _is_default(bus: str | None) -> bool:
    return bus is None or bus.rpartition("/")[2] == "default"


def _envelope(backend: EventsBackend, entry: Entry, event_id: str) -> cloudtrail.Event:
    event = cloudtrail.envelope(
        source=entry["Source"],
        detail_type=entry["DetailType"],
        region=backend.region_name,
        account=backend.account_id,
        resources=entry.get("Resources") or (),
        detail=json.loads(entry["Detail"]),
        event_id=event_id,
    )
    time = entry.get("Time")
    at = {"time": f"{datetime.fromtimestamp(float(time), UTC):%Y-%m-%dT%H:%M:%SZ}"} if time else {}
    return {**event, **at}


# --- Security Hub ---------------------------------------------------------------------------------------------------

BATCH_FINDINGS = 100
FINDING_BYTES = 240 * 1024
FINDING_LIMITS: Mapping[str, int] = {"Id": 512, "GeneratorId": 512, "Title": 256, "Description": 1024, "Resources": 32}
FINDING_MEMBERS = ("SchemaVersion", "ProductArn", "AwsAccountId", "CreatedAt", "UpdatedAt", "Severity", "Types")
"""Required beside those that have a limit (aws-facts 8)."""
CUSTOMERS_MEMBERS = frozenset({"Note", "UserDefinedFields", "VerificationState", "Workflow"})
"""What an import cannot change of a finding that is there."""


def _batch_import_findings(_moto: Method, response: SecurityHubResponse) -> ActionResult:
    backend, findings = response.securityhub_backend, json.loads(response.body)["Findings"]
    if not backend.enabled:
        message = f"Account {backend.account_id} is not subscribed to AWS Security Hub"
        raise SecurityHubClientError("InvalidAccessException", message)
    if not 0 < len(findings) <= BATCH_FINDINGS:
        raise SecurityHubClientError(
            "InvalidInputException", f"Findings must be 1 to {BATCH_FINDINGS}, not {len(findings)}"
        )
    product = f"arn:{backend.partition}:securityhub:{backend.region_name}:{backend.account_id}:product/"
    for finding in findings:
        own = f"{product}{backend.account_id}/default"
        if (finding.get("ProductArn"), finding.get("AwsAccountId")) != (own, backend.account_id):
            # As in prowler-cloud/prowler#867: nothing says that it is the product or the account.
            raise SecurityHubClientError(
                "AccessDeniedException",
                f"User: {cloudtrail.caller_arn(response)} is not authorized to perform:"
                f" securityhub:BatchImportFindings on resource: {finding.get('ProductArn')}",
            )
    faults = [(finding, "; ".join(_finding_faults(finding))) for finding in findings]
    failed = [
        {
            "Id": finding.get("Id") or "unknown",
            "ErrorCode": "InvalidInput",
            "ErrorMessage": f"Finding does not adhere to Amazon Finding Format. {fault}",
        }
        for finding, fault in faults
        if fault
    ]
    known = {finding.id for finding in backend.findings}
    imported = [_imported(finding, known) for finding, fault in faults if not fault]
    backend.batch_import_findings(imported)
    return ActionResult({"FailedCount": len(failed), "SuccessCount": len(imported), "FailedFindings": failed})


def _finding_faults(finding: Mapping[str, Any]) -> Iterator[str]:
    for member in (*FINDING_LIMITS, *FINDING_MEMBERS):
        if not finding.get(member):
            yield f"data should have required property '{member}'"
        elif (length := len(finding[member])) > FINDING_LIMITS.get(member, length):
            yield f"data.{member} should not be longer than {FINDING_LIMITS[member]}, and is {length}"
    for member in ("CreatedAt", "UpdatedAt"):
        if finding.get(member) and not _is_time(finding[member]):
            yield f"data.{member} should match format date-time, and is {finding[member]}"
    for resource in finding.get("Resources") or ():
        if not resource.get("Type") or not resource.get("Id"):
            yield "data.Resources should have required properties 'Type' and 'Id'"
    if (size := len(json.dumps(finding, ensure_ascii=False).encode())) > FINDING_BYTES:
        yield f"data should not be larger than {FINDING_BYTES} bytes, and is {size}"


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _imported(finding: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    if finding["Id"] in known:
        return {member: value for member, value in finding.items() if member not in CUSTOMERS_MEMBERS}
    return {"RecordState": "ACTIVE", "Workflow": {"Status": "NEW"}, **finding}


# --- Service Quotas -------------------------------------------------------------------------------------------------

QUOTAS: Mapping[str, tuple[str, str]] = {
    "L-F7ADEB8C": ("VPC connectors", "connectors"),
    "L-69F96A0C": ("Services", "services"),
}
"""Code → name, and ours for it. The first is documented (aws-facts 3), the second only in a public inventory tool."""


def _get_service_quota(moto: Method, backend: ServiceQuotasBackend, service_code: str, quota_code: str) -> Any:
    if service_code != "apprunner" or quota_code not in QUOTAS:
        return moto(backend, service_code, quota_code)
    name, setting = QUOTAS[quota_code]
    where = f"{backend.region_name}:{backend.account_id}"
    return {
        "ServiceCode": service_code,
        "ServiceName": "AWS App Runner",
        "QuotaArn": f"arn:{backend.partition}:servicequotas:{where}:{service_code}/{quota_code}",
        "QuotaCode": quota_code,
        "QuotaName": name,
        "Value": float(SETTINGS.quotas[setting]),
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }


# --- Resource Groups Tagging API ------------------------------------------------------------------------------------

PAGE_RESOURCES, MAX_PAGE_RESOURCES = 50, 100
PAGE_TAGS = range(100, 501)


def _get_resources(_moto: Method, response: ResourceGroupsTaggingAPIResponse) -> ActionResult:
    get = response._get_param
    members = ("ResourceARNList", "ResourceTypeFilters", "TagFilters", "ResourcesPerPage", "TagsPerPage")
    arns, types, tags, size, tag_limit = (get(member) for member in members)
    if arns and (types or tags or size or tag_limit):
        raise _invalid("ResourceARNList cannot be combined with filters, ResourcesPerPage or TagsPerPage")
    if size is not None and not 1 <= int(size) <= MAX_PAGE_RESOURCES:
        raise _invalid(f"ResourcesPerPage must be between 1 and {MAX_PAGE_RESOURCES}")
    if tag_limit is not None and int(tag_limit) not in PAGE_TAGS:
        raise _invalid(f"TagsPerPage must be between {PAGE_TAGS.start} and {PAGE_TAGS.stop - 1}")
    found = response.backend._get_resources_generator(tags, types, arns)
    rest = sorted(found, key=lambda each: each.arn)
    digest = hashlib.sha256(json.dumps([arns, types, tags]).encode()).hexdigest()[:16]
    if token := get("PaginationToken"):
        last = _last_arn(token, digest)
        rest = [each for each in rest if each.arn > last]
    page = rest[: int(size or PAGE_RESOURCES)]
    if tag_limit is not None:
        counts = itertools.accumulate(max(1, len(each.tags)) for each in page)
        page = [each for each, count in zip(page, counts, strict=True) if count <= int(tag_limit)]
    more = len(page) < len(rest)
    return ActionResult(
        {
            "ResourceTagMappingList": [
                {"ResourceARN": each.arn, "Tags": [{"Key": key, "Value": value} for key, value in each.tags.items()]}
                for each in page
            ],
            "PaginationToken": _token(page[-1].arn, digest) if more else "",
        }
    )


def _invalid(message: str) -> ResourceGroupsTaggingAPIError:
    return ResourceGroupsTaggingAPIError("InvalidParameterException", message)


def _token(last_arn: str, digest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([digest, last_arn]).encode()).decode()


def _last_arn(token: str, digest: str) -> str:
    try:
        of_request, last_arn = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError) as error:
        raise _invalid("The PaginationToken is not valid") from error
    if of_request != digest:
        raise _invalid("The PaginationToken belongs to a request with other filters")
    return str(last_arn)


# --- SQS ------------------------------------------------------------------------------------------------------------


_SOURCE = "DeadLetterQueueSourceArn"


def _milliseconds(*_: object) -> float:
    return CLOCK.now().timestamp() * 1000


def _visible(_moto: Method, message: Message) -> bool:
    return _milliseconds() >= message.visible_at


def _is_kept(_moto: Method, backend: SQSBackend, queue_name: str, message: Message) -> bool:
    name = "MessageRetentionPeriod"
    sent: Any = message.sent_timestamp
    return bool(_milliseconds() < sent + backend.get_queue_attributes(queue_name, [name])[name] * 1000)


def _receive(moto: Method, backend: SQSBackend, queue_name: str, **asked: Any) -> Any:
    """What has been received too often is moved on the way; it keeps where it came from."""
    queue = backend.get_queue(queue_name)
    before = list(queue._messages)
    received = moto(backend, queue_name, **asked)
    still = {one.id for one in queue._messages}
    for message in before:
        if message.id not in still:
            message.system_attributes[_SOURCE] = queue.queue_arn
    return received


def _change_visibility(moto: Method, backend: SQSBackend, queue_name: str, receipt_handle: str, **asked: Any) -> None:
    """The twelve hours for which a message may be hidden do not begin when it is sent."""
    found = [one for one in backend.get_queue(queue_name)._messages if one.had_receipt_handle(receipt_handle)]
    with ExitStack() as stack:
        for one in found:
            stack.enter_context(patch.object(one, "sent_timestamp", int(_milliseconds())))
        moto(backend, queue_name, receipt_handle, **asked)


def _answer_receive(moto: Method, response: SQSResponse) -> Any:
    answer = moto(response)
    asked = {*response._get_param("AttributeNames", []), *response._get_param("MessageSystemAttributeNames", [])}
    if asked & {"All", _SOURCE}:
        kept = response.sqs_backend.get_queue(response._get_queue_name())._messages
        sources = {one.id: one.system_attributes.get(_SOURCE) for one in kept}
        for message in answer.result.get("Messages", ()):
            if source := sources[message["MessageId"]]:
                message.setdefault("Attributes", {})[_SOURCE] = source
    return answer


METHODS: tuple[tuple[type, str, Method], ...] = (
    (DynamoDBBackend, "transact_write_items", _transact_write_items),
    (DynamoHandler, "transact_write_items", _answer_transaction),
    (EventsBackend, "put_events", _put_events),
    (ResourceGroupsTaggingAPIResponse, "get_resources", _get_resources),
    (SecurityHubResponse, "batch_import_findings", _batch_import_findings),
    (ServiceQuotasBackend, "get_service_quota", _get_service_quota),
    (SQSBackend, "change_message_visibility", _change_visibility),
    (SQSBackend, "is_message_valid_based_on_retention_period", _is_kept),
    (SQSBackend, "receive_message", _receive),
    (SQSResponse, "receive_message", _answer_receive),
)


@functools.cache
def install() -> None:
    """Change moto's classes, once. Holds for every account and Region, in process and in the server."""
    for owner, name, ours in METHODS:
        override(owner, name, ours)
    override_property(Message, "visible", _visible)
    vars(sqs_models)["unix_time_millis"] = _milliseconds  # by which it sends, hides and delays
    for name in get_service_model("dynamodb").operation_names:
        method = camelcase_to_underscores(name)
        if hasattr(DynamoHandler, method):
            override(DynamoHandler, method, _exclusively)
