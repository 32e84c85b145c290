from dataclasses import replace

from tests.cases import PASS, Answer, Case, Change, fail, unknown
from tests.cases._commands import CONNECT_INGRESS, lines
from tests.cases._healthy import unread
from tests.cases._healthy_path import INGRESS, INGRESS_ARN, set_service

_MOOT = unknown("")
_SECOND_ARN = INGRESS_ARN.replace("/orders/", "/second/")


def _connections(*states: str) -> Change:
    """The service's ingress connections are in these states; App Runner takes one, but its documents differ."""
    first = replace(INGRESS, endpoint=None)
    made = (first, replace(first, arn=_SECOND_ARN, name="second"))
    return set_service(ingress=tuple(replace(one, status=state) for one, state in zip(made, states, strict=False)))


def _delete(arn: str) -> str:
    return f"aws apprunner delete-vpc-ingress-connection --region us-east-1 --vpc-ingress-connection-arn {arn}"


def _unreachable(there: str, *commands: str) -> Answer:
    return fail(
        f"it is private, and no VPC ingress connection makes it reachable: {there}",
        command=lines(*commands, CONNECT_INGRESS),
    )


CASES = (
    Case(name="pass: its ingress connection is available", expect=PASS),
    Case(name="pass: a public service needs none", changes=(set_service(public=True, ingress=()),), expect=PASS),
    Case(
        name="pass: a public service's need not be read",
        changes=(set_service(public=True), unread("ingress_connections")),
        expect=PASS,
    ),
    Case(name="fail: it has none", changes=(set_service(ingress=()),), expect=_unreachable("it has none")),
    Case(
        name="fail: a paused service has none",
        changes=(set_service(ingress=(), status="PAUSED"),),
        expect=_unreachable("it has none"),
    ),
    Case(name="fail: it is deleted", changes=(_connections("DELETED"),), expect=_unreachable("it has none")),
    Case(
        name="fail: it could not be made",
        changes=(_connections("FAILED_CREATION"),),
        expect=_unreachable("orders is FAILED_CREATION", _delete(INGRESS_ARN)),
    ),
    Case(
        name="fail: none of two is available",
        changes=(_connections("FAILED_UPDATE", "FAILED_DELETION"),),
        expect=_unreachable(
            "orders is FAILED_UPDATE, second is FAILED_DELETION", _delete(INGRESS_ARN), _delete(_SECOND_ARN)
        ),
    ),
    Case(
        name="fail: it is being deleted",
        changes=(_connections("PENDING_DELETION"),),
        expect=_unreachable("orders is PENDING_DELETION", _delete(INGRESS_ARN)),
    ),
    Case(
        name="pass: one that is available is enough",
        changes=(_connections("FAILED_CREATION", "AVAILABLE"),),
        expect=PASS,
    ),
    Case(
        name="unknown: it is being made, so there is nothing to say yet",
        changes=(_connections("PENDING_CREATION"),),
        expect=_MOOT,
    ),
    Case(name="unknown: it is being changed", changes=(_connections("PENDING_UPDATE"),), expect=_MOOT),
    Case(
        name="unknown: one failed, and another is being made",
        changes=(_connections("FAILED_CREATION", "PENDING_CREATION"),),
        expect=_MOOT,
    ),
    Case(
        name="unknown: the service is only being made, and can have none before",
        changes=(set_service(ingress=(), status="OPERATION_IN_PROGRESS"),),
        expect=_MOOT,
    ),
    Case(
        name="unknown: the service could not be made, so there is nothing to reach",
        changes=(set_service(ingress=(), status="CREATE_FAILED"),),
        expect=_MOOT,
    ),
    Case(
        name="pass: it is available while the service is being changed",
        changes=(set_service(status="OPERATION_IN_PROGRESS"),),
        expect=PASS,
    ),
    Case(
        name="unknown: the ingress connections cannot be read",
        changes=(unread("ingress_connections"),),
        expect=unknown("apprunner:DescribeVpcIngressConnection failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(unread("services"),),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
