from apprunner_guardrails.facts import Egress
from tests.cases import PASS, Answer, Case, fail, unknown
from tests.cases._commands import THROUGH_ORDERS, set_network
from tests.cases._healthy import CONNECTOR_ARN, unread
from tests.cases._healthy_path import OTHER_CONNECTOR, set_service

_PUBLIC = Egress(kind="DEFAULT")
_OLD = Egress(kind="VPC", connector_arn=CONNECTOR_ARN)
_NEW = Egress(kind="VPC", connector_arn=OTHER_CONNECTOR.arn)


def _not_applied(asked: str, egress: str, setting: str) -> Answer:
    return fail(
        f"its last update asked for egress {asked} and did not fail, but its egress is {egress}",
        command=set_network(f"{setting},IngressConfiguration={{IsPubliclyAccessible=false}},IpAddressType=IPV4"),
    )


CASES = (
    Case(name="pass: no update is known", expect=PASS),
    Case(name="pass: what was asked for is there", changes=(set_service(asked=_OLD),), expect=PASS),
    Case(
        name="pass: public egress was asked for and is there",
        changes=(set_service(asked=_PUBLIC, connector_arn="", connector=None),),
        expect=PASS,
    ),
    Case(
        name="fail: it was to leave the VPC and did not",
        changes=(set_service(asked=_PUBLIC),),
        expect=_not_applied("DEFAULT", f"VPC through {CONNECTOR_ARN}", "EgressConfiguration={EgressType=DEFAULT}"),
    ),
    Case(
        name="fail: it was to go through a VPC and does not",
        changes=(set_service(asked=_OLD, connector_arn="", connector=None),),
        expect=_not_applied(f"VPC through {CONNECTOR_ARN}", "DEFAULT", THROUGH_ORDERS),
    ),
    Case(
        name="fail: it was to use another connector",
        changes=(set_service(asked=_NEW),),
        expect=_not_applied(
            f"VPC through {OTHER_CONNECTOR.arn}",
            f"VPC through {CONNECTOR_ARN}",
            f"EgressConfiguration={{EgressType=VPC,VpcConnectorArn={OTHER_CONNECTOR.arn}}}",
        ),
    ),
    Case(
        name="fail: also where it was paused since",
        changes=(set_service(asked=_PUBLIC, status="PAUSED"),),
        expect=_not_applied("DEFAULT", f"VPC through {CONNECTOR_ARN}", "EgressConfiguration={EgressType=DEFAULT}"),
    ),
    Case(
        name="pass: the update failed, so App Runner put back what was there",
        changes=(set_service(asked=_PUBLIC, update_failed=True),),
        expect=PASS,
    ),
    Case(
        name="pass: what was asked for is there, so whether the update failed need not be known",
        changes=(set_service(asked=_OLD), unread("operations")),
        expect=PASS,
    ),
    Case(
        name="pass: no update is known while one is in progress",
        changes=(set_service(status="OPERATION_IN_PROGRESS"),),
        expect=PASS,
    ),
    Case(
        name="unknown: the next update is in progress, and may change it",
        changes=(set_service(asked=_PUBLIC, status="OPERATION_IN_PROGRESS"),),
        expect=unknown(""),
    ),
    Case(
        name="unknown: whether the update failed cannot be read",
        changes=(set_service(asked=_PUBLIC), unread("operations")),
        expect=unknown("apprunner:ListOperations failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(unread("services"),),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
