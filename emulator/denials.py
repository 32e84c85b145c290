"""Calls that IAM would deny: those named in SETTINGS.denied fail before the service sees them, and are recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import wraps
from http import HTTPStatus

from moto.core.common_types import TYPE_RESPONSE
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import get_service_model

from emulator import cloudtrail
from emulator.settings import SETTINGS

IAM_PREFIXES: Mapping[str, str] = {"monitoring": "cloudwatch", "tagging": "tag"}
"""Of the services that IAM calls otherwise than their endpoints."""

CODES: Mapping[str, str] = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}
"""Of the services that spell it in their own way; else AccessDenied over the query protocol, AccessDeniedException."""

_MARK = "refuses_what_is_denied"


class Denied(ServiceException):
    """moto looks for an error's shape by the module of its class: not ServiceException itself."""


@contextmanager
def denied(*actions: str, recorded_as: str = "AccessDenied") -> Iterator[None]:
    """Inside, whatever thread calls: these IAM actions are denied (`*` allowed)."""
    before = SETTINGS.denied, SETTINGS.denied_as
    SETTINGS.denied, SETTINGS.denied_as = (*SETTINGS.denied, *actions), recorded_as
    try:
        yield
    finally:
        SETTINGS.denied, SETTINGS.denied_as = before


def install() -> None:
    """Before CloudTrail is, which records what comes out of here. Idempotent."""
    COMMON_ERROR_CODES.extend({*CODES.values(), "AccessDenied", "AccessDeniedException"}.difference(COMMON_ERROR_CODES))
    if _MARK not in vars(BaseResponse.call_action):
        guarded = _guarded(BaseResponse.call_action)
        vars(guarded)[_MARK] = True
        setattr(BaseResponse, "call_action", guarded)  # noqa: B010  # mypy lets nobody assign to a method


def _guarded(call_action: Callable[[BaseResponse], TYPE_RESPONSE]) -> Callable[[BaseResponse], TYPE_RESPONSE]:
    @wraps(call_action)
    def guarded(request: BaseResponse) -> TYPE_RESPONSE:
        actions = _actions(request) if SETTINGS.denied else ()
        if not any(fnmatchcase(action, each) for action in actions for each in SETTINGS.denied):
            return call_action(request)
        return _refused(request, actions[0])

    return guarded


def _actions(request: BaseResponse) -> tuple[str, ...]:
    """As IAM names it: apprunner:CreateVpcConnector. API Gateway's actions are the methods of HTTP (apigateway:GET):
    policies tell its calls apart by their resources, and here the name of the call does too (apigateway:GetStages)."""
    model = get_service_model(request.boto3_service_name)
    prefix = IAM_PREFIXES.get(model.endpoint_prefix, model.endpoint_prefix)
    methods = (f"{prefix}:{request.method}",) if prefix == "apigateway" else ()
    return (*methods, f"{prefix}:{request._get_action()}")


def _refused(request: BaseResponse, action: str) -> TYPE_RESPONSE:
    model = get_service_model(request.boto3_service_name)
    code = CODES.get(model.service_name) or ("AccessDenied" if model.protocol == "query" else "AccessDeniedException")
    message = (
        f"User: {cloudtrail.caller_arn(request)} is not authorized to perform: {action} on resource: *"
        f" because no identity-based policy allows the {action} action"
    )
    return refused(request, code, message)


def refused(request: BaseResponse, code: str, message: str) -> TYPE_RESPONSE:
    """The answer to a call that the service itself never saw."""
    _, headers, body = request.serialized(ActionResult(Denied(code, message)))
    # AWS JSON answers 400, everything else 403.
    is_json = get_service_model(request.boto3_service_name).protocol == "json"
    status = HTTPStatus.BAD_REQUEST if is_json else HTTPStatus.FORBIDDEN
    return int(status), {**headers, "status": str(int(status))}, body
