"""CloudTrail on this machine: the event of every mutating call, as EventBridge delivers it.

`install()` puts one hook into moto, and from then on each call that changes something puts one event on the bus, in the
thread of the call and after it; App Runner's own events come through the same bus. Not recorded, as on AWS:

    reads                         they reach EventBridge only through a rule that asks for them
    data (items, messages …)      CloudTrail's management events leave them out
    events over 256 KB            never sent to EventBridge; the history has them

LookupEvents answers with what was recorded (`history`).

S3 is not recorded at all: moto answers it past the hook.
"""

import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import wraps
from http import HTTPStatus
from typing import cast

from botocore.awsrequest import HeadersDict
from botocore.model import Shape
from botocore.parsers import create_parser
from moto.core.common_types import TYPE_RESPONSE
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel
from moto.core.parse import PROTOCOL_PARSERS, RequestParserError
from moto.core.request import determine_request_protocol
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model
from moto.moto_api._internal import mock_random

from emulator.clock import CLOCK
from emulator.cloudtrail import history
from emulator.cloudtrail.history import forget
from emulator.cloudtrail.identities import (
    IDENTITIES,
    Identity,
    caller,
    calling_as,
    identity,
    lambda_function,
    running,
    user_identity,
)
from emulator.cloudtrail.shapes import error_code, request_parameters, response_elements

__all__ = [
    "IDENTITIES",
    "Event",
    "Identity",
    "Listener",
    "caller_arn",
    "calling_as",
    "emit",
    "envelope",
    "forget",
    "install",
    "is_recorded",
    "lambda_function",
    "running",
    "subscribe",
]

type Event = dict[str, object]
type Listener = Callable[[Event], None]

CALL = "AWS API Call via CloudTrail"
"""The detail type of calls' events."""
CALLER_HEADER = "x-emulator-caller"
FIELD_LIMIT_BYTES = 100 * 1024
EVENT_LIMIT_BYTES = 256 * 1024
ERROR_LIMIT_CHARACTERS = 1024

READS = (
    "BatchGet",
    "Describe",
    "Filter",
    "Get",
    "Head",
    "List",
    "Lookup",
    "Query",
    "Scan",
    "Search",
    "Select",
    "Simulate",
    "Test",
    "Validate",
)
DATA: Mapping[str, frozenset[str]] = {
    "dynamodb": frozenset(
        {
            "BatchExecuteStatement",
            "BatchWriteItem",
            "DeleteItem",
            "ExecuteStatement",
            "ExecuteTransaction",
            "PutItem",
            "TransactGetItems",
            "TransactWriteItems",
            "UpdateItem",
        }
    ),
    "cloudwatch": frozenset({"PutMetricData"}),
    "events": frozenset({"PutEvents"}),
    "firehose": frozenset({"PutRecord", "PutRecordBatch"}),
    "kinesis": frozenset({"PutRecord", "PutRecords"}),
    "lambda": frozenset({"Invoke", "InvokeAsync", "InvokeWithResponseStream"}),
    "logs": frozenset({"PutLogEvents"}),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "sqs": frozenset(
        {
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "DeleteMessage",
            "DeleteMessageBatch",
            "ReceiveMessage",
            "SendMessage",
            "SendMessageBatch",
        }
    ),
    # Recorded by AWS as read-only management events.
    "sts": frozenset({"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "DecodeAuthorizationMessage"}),
}
SHOWN_API_VERSIONS = {"elbv2": "2015-12-01"}

_SESSION_AGE = timedelta(minutes=20)
_ADDRESS_IN_PROCESS = "192.0.2.44"
_REQUEST_ID_ELEMENT = re.compile(r"(<requestid>)[^<]*", re.IGNORECASE)
_MARK = "recorded_by_cloudtrail"

_listeners: dict[int, Listener] = {}
_numbers = itertools.count()


class UnknownCaller(ServiceException):
    """The header names nobody; answered in the form of the service that was called, before anything changes."""

    code = "ValidationError"


def subscribe(listener: Listener) -> Callable[[], None]:
    """Hand every later event to `listener`, in the thread of the call that caused it (what it raises reaches that call,
    which has been served by then); returns what ends it."""
    number = next(_numbers)
    _listeners[number] = listener

    def unsubscribe() -> None:
        _listeners.pop(number, None)

    return unsubscribe


def emit(event: Event) -> None:
    """Put one envelope on the bus: every listener gets it, in the order in which they subscribed. One over 256 KB is
    not delivered (aws-facts 1.8). The record of a call goes into CloudTrail's history too."""
    if event["detail-type"] == CALL:
        history.keep(str(event["account"]), str(event["region"]), cast(history.Record, event["detail"]))
    if _size(event) > EVENT_LIMIT_BYTES:
        return
    for listener in tuple(_listeners.values()):
        listener(event)


def envelope(
    *,
    source: str,
    detail_type: str,
    region: str,
    account: str,
    resources: Sequence[str],
    detail: Event,
    event_id: str | None = None,
) -> Event:
    """The EventBridge event around `detail` (aws-facts 1.8), with an id of its own unless it has one."""
    return {
        "version": "0",
        "id": event_id or str(mock_random.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": account,
        "time": _iso(CLOCK.now()),
        "region": region,
        "resources": list(resources),
        "detail": detail,
    }


def install() -> None:
    """Record the calls that moto answers, in process and served, and let them be looked up. What is patched is
    BaseResponse.call_action, which every service but S3 passes through, whatever its protocol; a second call changes
    nothing."""
    history.install()
    if _MARK not in vars(BaseResponse.call_action):
        recorded = _recorded(BaseResponse.call_action)
        vars(recorded)[_MARK] = True
        setattr(BaseResponse, "call_action", recorded)  # noqa: B010  # mypy lets nobody assign to a method


def is_recorded(service: str, action: str) -> bool:
    """Whether a call of the service (boto3's name for it) makes an event."""
    return bool(action) and not action.startswith(READS) and action not in DATA.get(service, ())


def _recorded(call_action: Callable[[BaseResponse], TYPE_RESPONSE]) -> Callable[[BaseResponse], TYPE_RESPONSE]:
    @wraps(call_action)
    def recorded(request: BaseResponse) -> TYPE_RESPONSE:
        operation = _operation(request)
        if operation is None:
            return call_action(request)
        try:
            who = _caller(request)
        except ValueError as error:
            return request.serialized(ActionResult(UnknownCaller(f"{CALLER_HEADER}: {error}")))
        response = _with_request_id(call_action(request))
        emit(_event(request, operation, response, who))
        return response

    return recorded


def caller_arn(request: BaseResponse) -> str:
    """The ARN of whoever makes the request; for an identity without one, the type of it."""
    who = user_identity(
        _caller(request),
        account=request.current_account,
        session_start=_iso(CLOCK.now() - _SESSION_AGE),
    )
    return str(who.get("arn") or who["type"])


def _caller(request: BaseResponse) -> Identity:
    named = request.headers.get(CALLER_HEADER)
    return identity(named) if named else caller()


def _operation(request: BaseResponse) -> OperationModel | None:
    """What the request asks for, if that is recorded. Reads must not pay for the recording: those of the REST services
    are told by their method, before any route is matched."""
    named = request.querystring.get("Action") or request.headers.get("x-amz-target")
    if not named and request.method in ("GET", "HEAD"):
        return None
    service = request.boto3_service_name
    action = request._get_action() if service else ""
    if not is_recorded(service, action):
        return None
    model = get_service_model(service)
    return model.operation_model(action) if action in model.operation_names else None


def _with_request_id(response: TYPE_RESPONSE) -> TYPE_RESPONSE:
    """moto gives 52 letters as the id of a request, and EC2's answers all the same one; AWS gives a UUID, by which the
    answer and the record can be matched."""
    status, headers, body = response
    request_id = str(mock_random.uuid4())
    if isinstance(body, str) and body.startswith("<"):
        body = _REQUEST_ID_ELEMENT.sub(rf"\g<1>{request_id}", body)
    return status, {**headers, "x-amzn-requestid": request_id}, body


def _event(request: BaseResponse, operation: OperationModel, response: TYPE_RESPONSE, who: Identity) -> Event:
    record = _record(request, operation, response, who)
    return envelope(
        source=f"aws.{operation.service_model.endpoint_prefix}",
        detail_type=CALL,
        region=request.region,
        account=request.current_account,
        resources=[],
        detail=record,
    )


def _record(request: BaseResponse, operation: OperationModel, response: TYPE_RESPONSE, who: Identity) -> Event:
    now, service = CLOCK.now(), operation.service_model
    _, headers, _ = response
    request_id = str(headers["x-amzn-requestid"])
    return {
        "eventVersion": "1.11",
        "userIdentity": user_identity(who, account=request.current_account, session_start=_iso(now - _SESSION_AGE)),
        "eventTime": _iso(now),
        "eventSource": f"{service.endpoint_prefix}.amazonaws.com",
        "eventName": operation.name,
        "awsRegion": request.region,
        "sourceIPAddress": who.source_ip or request.normalized_request.remote_addr or _ADDRESS_IN_PROCESS,
        "userAgent": who.user_agent or request.headers.get("User-Agent", ""),
        **_outcome(request, operation, response, request_id),
        "requestID": request_id,
        "eventID": str(mock_random.uuid4()),
        "readOnly": False,
        "eventType": "AwsApiCall",
        **_api_version(service.service_name),
        "managementEvent": True,
        "recipientAccountId": request.current_account,
        "eventCategory": "Management",
        **_session(who, host=f"{service.endpoint_prefix}.{request.region}.amazonaws.com"),
    }


def _outcome(request: BaseResponse, operation: OperationModel, response: TYPE_RESPONSE, request_id: str) -> Event:
    """What was asked, and what came of it."""
    status, _, body = response
    params, answer = _parameters(request, operation), _answer(request, operation, response)
    asked = _field(None if params is None else request_parameters(operation, params))
    if status < HTTPStatus.BAD_REQUEST:
        done = _field(response_elements(operation, answer, _bytes(body), request_id))
        return {"requestParameters": asked, "responseElements": done}
    error = cast(Mapping[str, str], answer["Error"])
    return {
        "errorCode": error_code(operation, error.get("Code", ""), status)[:ERROR_LIMIT_CHARACTERS],
        "errorMessage": error.get("Message", "")[:ERROR_LIMIT_CHARACTERS],
        "requestParameters": asked,
        "responseElements": None,
    }


def _api_version(service: str) -> Event:
    return {"apiVersion": SHOWN_API_VERSIONS[service]} if service in SHOWN_API_VERSIONS else {}


def _session(who: Identity, *, host: str) -> Event:
    """How the caller was connected: no TLS is shown for a service; a console is, by the string "true"."""
    tls = {"tlsVersion": "TLSv1.3", "cipherSuite": "TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader": host}
    return {
        **({} if who.is_service else {"tlsDetails": tls}),
        **({"sessionCredentialFromConsole": "true"} if who.console else {}),
    }


def _parameters(request: BaseResponse, operation: OperationModel) -> Mapping[str, object] | None:
    """The request by the API model; None if it is not even of the right form (moto has then refused it)."""
    sent = request.normalized_request
    parser = PROTOCOL_PARSERS[_protocol(request, operation)](operation)
    try:
        return cast(
            Mapping[str, object],
            parser.parse(
                {
                    "method": sent.method,
                    "values": sent.values,
                    "headers": sent.headers,
                    "body": sent.data,
                    "url_path": sent.path,
                    "url_params": request.uri_match,
                }
            ),
        )
    except (AttributeError, TypeError, ValueError, RequestParserError):
        return None


def _answer(request: BaseResponse, operation: OperationModel, response: TYPE_RESPONSE) -> Mapping[str, object]:
    """What a client of the SDK would get, `Error` included."""
    status, headers, body = response
    shape = cast(Shape, operation.output_shape)  # None is fine, whatever the stubs say
    parsed = create_parser(_protocol(request, operation)).parse(
        {"status_code": status, "headers": HeadersDict(headers), "body": _bytes(body)}, shape
    )
    return {name: value for name, value in parsed.items() if name != "ResponseMetadata"}


def _protocol(request: BaseResponse, operation: OperationModel) -> str:
    return determine_request_protocol(operation.service_model, request.headers.get("Content-Type", ""))


def _field(value: object) -> object:
    """A field over 100 KB loses its content, and says so with `omitted` (CloudTrail's page on record contents)."""
    return {"omitted": True} if _size(value) > FIELD_LIMIT_BYTES else value


def _size(value: object) -> int:
    return len(json.dumps(value, ensure_ascii=False).encode())


def _bytes(body: str | bytes) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
