from dataclasses import replace

from apprunner_guardrails.facts import GONE, Unread
from tests.cases import PASS, Answer, Case, fail, unknown
from tests.cases._commands import set_network
from tests.cases._healthy import CONNECTOR_ARN, unread
from tests.cases._healthy_path import CONNECTOR, set_service


def _gone(said: str) -> Answer:
    return fail(
        f"the VPC connector that it uses is no longer there: {CONNECTOR_ARN} ({said})",
        command=set_network(
            "EgressConfiguration={EgressType=VPC,VpcConnectorArn=VPC_CONNECTOR_ARN}"
            ",IngressConfiguration={IsPubliclyAccessible=false},IpAddressType=IPV4"
        ),
    )


CASES = (
    Case(name="pass: its connector is active", expect=PASS),
    Case(name="pass: it uses none", changes=(set_service(connector_arn="", connector=None),), expect=PASS),
    Case(
        name="fail: its connector is deleted",
        changes=(set_service(connector=replace(CONNECTOR, status="INACTIVE")),),
        expect=_gone("it is INACTIVE"),
    ),
    Case(
        name="fail: App Runner has forgotten its connector",
        changes=(set_service(connector=Unread(call="apprunner:DescribeVpcConnector", code=GONE)),),
        expect=_gone("App Runner does not know it"),
    ),
    Case(
        name="fail: a paused service will need it when it resumes",
        changes=(set_service(connector=replace(CONNECTOR, status="INACTIVE"), status="PAUSED"),),
        expect=_gone("it is INACTIVE"),
    ),
    Case(
        name="unknown: the connector cannot be described",
        changes=(unread("connectors"),),
        expect=unknown("apprunner:DescribeVpcConnector failed (UnauthorizedOperation)"),
    ),
    Case(
        name="unknown: the service cannot be described",
        changes=(unread("services"),),
        expect=unknown("apprunner:DescribeService failed (UnauthorizedOperation)"),
    ),
)
