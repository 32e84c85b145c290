"""Accounts, by the credentials of roles that were assumed: what moto 5.2.5 answers otherwise than AWS.

| about       | moto                                           | after install()                                    |
|-------------|------------------------------------------------|----------------------------------------------------|
| AssumeRole  | of any role, whether there or not, by anybody  | AccessDenied, unless the role is there, trusts the |
|             |                                                | caller's account and is told its external id       |
| credentials | expire by this machine's clock; those of an    | expire by the emulated clock (they can be used on, |
|             | AWS that was reset are the default account's   | though); are refused                               |
| CreateRole  | at this machine's time                         | at the emulated time                               |

Whoever has credentials of a role acts in its account, as in moto; everybody else in the default account. A role that
Organizations makes in every account lets that one into all others (ACCESS_ROLE). What else a trust policy asks for, as
who it is of an account, is not looked at: nothing here knows the organization of an account, or a role's permissions.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from moto.core.common_types import TYPE_RESPONSE
from moto.core.errors import COMMON_ERROR_CODES
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import BaseResponse
from moto.core.utils import get_service_model
from moto.iam.models import IAMBackend, Role, iam_backends
from moto.sts.models import AssumedRole, STSBackend
from moto.sts.responses import TokenResponse

from emulator import cloudtrail
from emulator.clock import CLOCK
from emulator.denials import refused
from emulator.routes import Method, override

ACCESS_ROLE = "OrganizationAccountAccessRole"

NO_LONGER_KNOWN: Mapping[str, str] = {"query": "InvalidClientTokenId", "ec2": "AuthFailure"}
"""How a service refuses credentials that it does not know, by its protocol; else UnrecognizedClientException."""

_issued: set[str] = set()
"""Ids of every access key of a role that this process has given, also before a reset."""


def _guarded(call_action: Callable[[BaseResponse], TYPE_RESPONSE]) -> Callable[[BaseResponse], TYPE_RESPONSE]:
    @wraps(call_action)
    def guarded(request: BaseResponse) -> TYPE_RESPONSE:
        if request.access_key in _issued and not _is_known(request.access_key):
            protocol = get_service_model(request.boto3_service_name).protocol
            code = NO_LONGER_KNOWN.get(protocol, "UnrecognizedClientException")
            return refused(request, code, "The security token included in the request is invalid.")
        if isinstance(request, TokenResponse) and request._get_action() == "AssumeRole":
            arn, external_id = (request.querystring.get(name, [""])[0] for name in ("RoleArn", "ExternalId"))
            if not _lets_in(arn, request.current_account, external_id):
                return _not_let_in(request, arn)
        return call_action(request)

    return guarded


def _not_let_in(request: BaseResponse, arn: str) -> TYPE_RESPONSE:
    """STS does not tell what of it is wrong."""
    who = cloudtrail.caller_arn(request)
    return refused(
        request, "AccessDenied", f"User: {who} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    )


def _is_known(access_key: str) -> bool:
    return any(access_key in account["aws"].access_keys for account in iam_backends.values())


def _assume(moto: Method, backend: STSBackend, **request: Any) -> AssumedRole:
    made: AssumedRole = moto(backend, **request)
    made.expiration = _now() + timedelta(seconds=request["duration"])
    _issued.add(made.access_key_id)
    return made


def _make(moto: Method, backend: IAMBackend, **request: Any) -> Role:
    made: Role = moto(backend, **request)
    made.create_date = _now()
    return made


def _now() -> datetime:
    """Without a time zone, as moto has times."""
    return CLOCK.now().astimezone(UTC).replace(tzinfo=None)


def _lets_in(arn: str, caller: str, external_id: str | None) -> bool:
    account, _, name = arn.removeprefix("arn:aws:iam::").partition(":role/")
    if name == ACCESS_ROLE:
        return caller == DEFAULT_ACCOUNT_ID
    trusts = (json.loads(role.assume_role_policy_document) for role in _roles(account) if role.arn == arn)
    return any(_trusts(one, caller, external_id) for trust in trusts for one in _listed(trust["Statement"]))


def _roles(account: str) -> Iterator[Any]:
    if account in iam_backends:
        yield from iam_backends[account]["aws"].roles.values()


def _trusts(statement: Mapping[str, Any], caller: str, external_id: str | None) -> bool:
    principal = statement["Principal"]
    principals = _listed(principal["AWS"] if isinstance(principal, Mapping) and "AWS" in principal else principal)
    named = any(one == "*" or (isinstance(one, str) and caller in (one, *one.split(":")[4:5])) for one in principals)
    asked = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
    return statement["Effect"] == "Allow" and named and (asked is None or external_id in _listed(asked))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@functools.cache
def install() -> None:
    """Change moto's classes, once. Before CloudTrail is installed, which records what comes out of here."""
    COMMON_ERROR_CODES.extend({*NO_LONGER_KNOWN.values(), "UnrecognizedClientException"}.difference(COMMON_ERROR_CODES))
    override(STSBackend, "assume_role", _assume)
    override(IAMBackend, "create_role", _make)
    setattr(BaseResponse, "call_action", _guarded(BaseResponse.call_action))  # noqa: B010  # mypy lets nobody assign to a method
