from dataclasses import replace

from apprunner_guardrails.facts import GONE, Unread
from tests.cases import PASS, Answer, Case, fail, unknown
from tests.cases._healthy import CONNECTOR_ARN, unread
from tests.cases._healthy_path import SERVICE, fleet_has, services, set_connector

_DELETE = f"aws apprunner delete-vpc-connector --region us-east-1 --vpc-connector-arn {CONNECTOR_ARN}"
_ELSEWHERE = replace(
    SERVICE, arn=SERVICE.arn.replace("/orders/", "/billing/"), name="billing", connector_arn="arn:of:another"
)
_PUBLIC = replace(SERVICE, arn=SERVICE.arn.replace("/orders/", "/shop/"), name="shop", connector_arn="")
_DENIED = Unread(call="apprunner:DescribeService", code="AccessDeniedException")
_FORGOTTEN = Unread(call="apprunner:DescribeService", code=GONE)


def _unused(looked_at: int, age: str = "19 days") -> Answer:
    return fail(
        f"no service uses it (services looked at: {looked_at}, at 2026-11-21T07:00:00Z; age of the connector: {age})",
        command=_DELETE,
    )


CASES = (
    Case(name="pass: a service uses it", expect=PASS),
    Case(
        name="fail: services use another connector, or none",
        changes=(fleet_has(services=services(_ELSEWHERE, _PUBLIC)),),
        expect=_unused(2),
    ),
    Case(name="fail: there is no service", changes=(fleet_has(services={}),), expect=_unused(0)),
    Case(
        name="pass: a paused service uses it, and needs it when it resumes",
        changes=(fleet_has(services=services(replace(SERVICE, status="PAUSED"))),),
        expect=PASS,
    ),
    Case(
        name="pass: a service that is being changed uses it still",
        changes=(fleet_has(services=services(replace(SERVICE, status="OPERATION_IN_PROGRESS"))),),
        expect=PASS,
    ),
    Case(
        name="pass: a service that could not be made names it, and App Runner does not let it go",
        changes=(fleet_has(services=services(replace(SERVICE, status="CREATE_FAILED"))),),
        expect=PASS,
    ),
    Case(
        name="fail: only a deleted service had it",
        changes=(fleet_has(services=services(replace(SERVICE, status="DELETED"), _ELSEWHERE)),),
        expect=_unused(1),
    ),
    Case(
        name="fail: a service that was deleted between list and description had it at most",
        changes=(fleet_has(services=services(_FORGOTTEN, _PUBLIC)),),
        expect=_unused(1),
    ),
    Case(
        name="pass: a service uses it, whatever another may do that could not be described",
        changes=(fleet_has(services=services(SERVICE, _DENIED)),),
        expect=PASS,
    ),
    Case(
        name="unknown: a service that could not be described may use it",
        changes=(fleet_has(services=services(_ELSEWHERE, _DENIED, _DENIED)),),
        expect=unknown(
            "2 of 3 services could not be described, and none of the others uses it:"
            " apprunner:DescribeService failed (AccessDeniedException)"
        ),
    ),
    Case(
        name="fail: it was made a moment ago",
        changes=(fleet_has(services={}), set_connector(created="2026-11-20T07:00:01Z")),
        expect=_unused(0, "less than a day"),
    ),
    Case(
        name="fail: it was made a day ago",
        changes=(fleet_has(services={}), set_connector(created="2026-11-20T07:00:00Z")),
        expect=_unused(0, "1 day"),
    ),
    Case(
        name="fail: a leap day lies between",
        changes=(
            fleet_has(services={}, read_at="2028-03-01T08:00:00Z"),
            set_connector(created="2028-02-28T08:00:00Z"),
        ),
        expect=fail(
            "no service uses it (services looked at: 0, at 2028-03-01T08:00:00Z; age of the connector: 2 days)",
            command=_DELETE,
        ),
    ),
    Case(
        name="fail: App Runner does not say when it was made",
        changes=(fleet_has(services={}), set_connector(created="")),
        expect=_unused(0, "not known"),
    ),
    Case(
        name="unknown: the services cannot be listed",
        changes=(unread("services"),),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
