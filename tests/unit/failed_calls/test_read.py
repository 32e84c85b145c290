"""Which calls are sent for a failed call, in which rounds, and what is left when some of them fail."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from apprunner_guardrails.alerts import Explanation
from apprunner_guardrails.aws import clients
from apprunner_guardrails.aws.reads import Reads
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.failed_calls.read import explain
from apprunner_guardrails.records import Json
from tests import aws as double
from tests.aws import FAULTS, Aws, Fault, Parameters
from tests.samples import (
    ACCOUNT,
    CONNECTOR,
    GROUP,
    OTHER_CONNECTOR,
    SERVICE,
    SETTINGS,
    SUBNETS,
    VPC,
    Row,
    Rows,
    connector,
    endpoint,
    healthy,
    public,
    service,
)
from tests.unit.failed_calls import calls

INGRESS = f"arn:aws:apprunner:us-east-1:{ACCOUNT}:vpcingressconnection/front/44444444444444444444444444444444"
PLACED: Json = {"vpcConnectorName": "shop-web", "subnets": list(SUBNETS), "securityGroups": [GROUP]}
EGRESS: Json = {"networkConfiguration": {"egressConfiguration": {"egressType": "VPC", "vpcConnectorArn": CONNECTOR}}}
NEAR = ["ec2:DescribeAvailabilityZones", "ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroups"]
IN_VPC = [
    "ec2:DescribeNatGateways",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcAttribute",
]


def _services(rows: Rows, asked: Parameters, size: int) -> Row:
    listed = ("ServiceName", "ServiceId", "ServiceArn", "Status")
    return double._page(
        "ServiceSummaryList", [{key: row[key] for key in listed} for row in rows["Services"]], asked, size
    )


def _ingress(rows: Rows, asked: Parameters, size: int) -> Row:
    listed = ("VpcIngressConnectionArn", "ServiceArn")
    own = [row for row in rows["Ingress"] if row["ServiceArn"] == asked["Filter"]["ServiceArn"]]
    return double._page(
        "VpcIngressConnectionSummaryList", [{key: row[key] for key in listed} for row in own], asked, size
    )


def _offered(rows: Rows, asked: Parameters, size: int) -> Row:
    (name,) = asked["ServiceNames"]
    return {"ServiceDetails": [{"ServiceName": name, "AvailabilityZones": ["us-east-1a"]}]}


def _quota(rows: Rows, asked: Parameters, size: int) -> Row:
    assert asked == {"ServiceCode": "apprunner", "QuotaCode": "L-F7ADEB8C"}
    return {"Quota": {"Value": 1.0}}


MORE = {
    "apprunner:DescribeVpcIngressConnection": double._one("Ingress", "VpcIngressConnectionArn", "VpcIngressConnection"),
    "apprunner:ListServices": _services,
    "apprunner:ListVpcIngressConnections": _ingress,
    "ec2:DescribeVpcEndpointServices": _offered,
    "servicequotas:GetServiceQuota": _quota,
}


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(double, "SERVICES", (*double.SERVICES, "service-quotas"))
    monkeypatch.setattr(double, "_ANSWERS", {**double._ANSWERS, **MORE})
    more: Mapping[str, Any] = {
        "vpc-endpoint-id": lambda row: [row["VpcEndpointId"]],
        "vpc-endpoint-type": lambda row: [row["VpcEndpointType"]],
    }
    monkeypatch.setattr(double, "_FILTERED", {**double._FILTERED, **more})


def ingress_row(status: str = "AVAILABLE") -> Row:
    return {
        "VpcIngressConnectionArn": INGRESS,
        "VpcIngressConnectionName": "front",
        "ServiceArn": SERVICE,
        "Status": status,
        "IngressVpcConfiguration": {"VpcId": VPC, "VpcEndpointId": "vpce-1"},
    }


def world(*ingress: Row, rows: Rows | None = None) -> Rows:
    return {**(rows or healthy()), "Ingress": list(ingress)}


def services(count: int) -> list[Row]:
    """One uses the connector, the last."""
    return [
        service(
            CONNECTOR if number == count - 1 else "",
            ServiceArn=f"{SERVICE[:-2]}{number:02}",
            ServiceName=f"shop-{number}",
        )
        for number in range(count)
    ]


def explained(
    call: FailedCall, rows: Rows, faults: Mapping[str, Fault] | None = None, pages: Mapping[str, int] | None = None
) -> tuple[Explanation, list[list[str]]]:
    with Aws(rows, faults, pages) as aws:
        told = explain(call, SETTINGS, Reads(clients.client))
    return told, aws.rounds


ALIKE = {
    "denied": calls.refused("CreateVpcConnector", PLACED, "AccessDenied"),
    "throttled": calls.refused("UpdateService", {"serviceArn": SERVICE}, "ThrottlingException"),
    "broken": calls.refused("DeleteService", {"serviceArn": SERVICE}, "InternalServiceErrorException"),
    "dry run": calls.refused("CreateVpcEndpoint", calls.endpoint_request("subnet-1"), "Client.DryRunOperation"),
    "unknown": calls.refused("ResumeService", {"serviceArn": SERVICE}, "X"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_where_the_account_has_nothing_to_add_nothing_is_read(name: str) -> None:
    assert explained(ALIKE[name], world())[1] == []


REDACTED: Json = dict.fromkeys(
    (*PLACED, *EGRESS, "serviceArn", "vpcConnectorArn", "vpcIngressConnectionArn", "ingressVpcConfiguration"),
    "HIDDEN_DUE_TO_SECURITY_REASONS",
)


@pytest.mark.parametrize("what", ["UpdateService", "DeleteService", "CreateVpcIngressConnection", "CreateVpcEndpoint"])
@pytest.mark.parametrize("code", ["InvalidRequestException", "ResourceNotFoundException", "InvalidStateException"])
def test_a_redacted_request_names_nothing_to_read(what: str, code: str) -> None:
    assert explained(calls.refused(what, REDACTED, code), world())[1] == []


def test_a_name_that_is_taken_costs_one_round() -> None:
    told, rounds = explained(calls.refused("CreateVpcConnector", PLACED, message="it already exists"), world())
    assert told.title == "VPC connector shop-web exists already"
    assert rounds == [["apprunner:ListVpcConnectors"]]


def test_a_connector_that_was_made_since_the_call_was_refused_hides_no_cause() -> None:
    message = "Subnets are not valid"
    told, rounds = explained(calls.refused("CreateVpcConnector", PLACED, message=message), world(rows=public()))
    assert told.cause == "connector-unsuitable AR102 shop-web"
    assert told.causes[-1].startswith(f"{CONNECTOR} has that name now; App Runner's answer does not speak of it")
    assert rounds == [["apprunner:ListVpcConnectors", *NEAR, "ec2:DescribeSubnets"], IN_VPC]


@pytest.mark.parametrize("code", ["InvalidRequestException", "ResourceNotFoundException"])
def test_a_connector_of_another_region_costs_nothing(code: str) -> None:
    arn = CONNECTOR.replace("us-east-1", "eu-west-1")
    told, rounds = explained(calls.refused("DeleteVpcConnector", {"vpcConnectorArn": arn}, code, "used"), world())
    assert told.causes == ("the ARN is of Region eu-west-1, and the call went to us-east-1",)
    assert told.commands == f"aws apprunner delete-vpc-connector --region eu-west-1 --vpc-connector-arn {arn}"
    assert rounds == []


def test_a_connector_that_app_runner_does_not_know_is_not_told_to_be_deleted_again() -> None:
    arn = CONNECTOR[:-4] + "dead"
    told, _ = explained(calls.refused("DeleteVpcConnector", {"vpcConnectorArn": arn}, message="is being used"), world())
    assert told.causes == ("there is no such connector: it was deleted a while ago, or never was",)
    assert told.commands == "aws apprunner list-vpc-connectors --region us-east-1"
    assert told.unread == ()


def test_an_asked_connector_is_judged_in_three_rounds() -> None:
    request = {**PLACED, "vpcConnectorName": "new"}
    told, rounds = explained(calls.refused("CreateVpcConnector", request), world(rows=public()))
    assert told.cause == "connector-unsuitable AR102 new"
    assert rounds == [["apprunner:ListVpcConnectors", *NEAR, "ec2:DescribeSubnets"], IN_VPC]


def test_a_quota_is_told_with_what_no_service_uses() -> None:
    rows = world()
    rows["VpcConnectors"].append(connector(OTHER_CONNECTOR))
    call = calls.refused("CreateVpcConnector", PLACED, "ServiceQuotaExceededException")
    told, rounds = explained(call, rows)
    assert told.causes == (
        "2 VPC connectors are active of 1 in us-east-1",
        f"no service uses shop-api ({OTHER_CONNECTOR})",
    )
    first = ["apprunner:ListServices", "apprunner:ListVpcConnectors", "servicequotas:GetServiceQuota"]
    assert rounds == [first, ["apprunner:DescribeService"]]


def test_thirty_services_are_described_ten_at_a_time() -> None:
    rows = world()
    rows["Services"] = services(30)
    call = calls.refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR})
    told, rounds = explained(call, rows, pages={"apprunner:ListServices": 20})
    assert told.causes == (f"service shop-29 uses it (RUNNING): {SERVICE[:-2]}29",)
    assert [len(calls_of_round) for calls_of_round in rounds] == [3, 10, 10, 10]


def test_a_service_that_cannot_be_read_is_told_and_nothing_is_claimed() -> None:
    rows = world()
    rows["Services"] = services(2)
    call = calls.refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR})
    fault = double.refused("AccessDeniedException", when=lambda asked: str(asked["ServiceArn"]).endswith("01"))
    told, _ = explained(call, rows, {"apprunner:DescribeService": fault})
    assert (told.causes, told.unread) == ((), ("apprunner:DescribeService failed (AccessDeniedException)",))


def test_a_service_that_is_gone_since_it_was_listed_is_no_user() -> None:
    rows = world()
    fault = double.refused("ResourceNotFoundException")
    call = calls.refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR})
    told, _ = explained(call, rows, {"apprunner:DescribeService": fault})
    assert told.unread == ()
    assert told.causes[0].startswith("none of the services in the Region uses it now (0 looked at)")


EVERYTHING = {
    "CreateVpcConnector": calls.refused("CreateVpcConnector", {**PLACED, "vpcConnectorName": "new"}),
    "quota of connectors": calls.refused("CreateVpcConnector", PLACED, "ServiceQuotaExceededException"),
    "DeleteVpcConnector": calls.refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR}),
    "DeleteVpcConnector gone": calls.refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR}, "NotFound"),
    "CreateService": calls.refused("CreateService", {"serviceName": "new", **EGRESS}),
    "quota of services": calls.refused("CreateService", {"serviceName": "new"}, "ServiceQuotaExceededException"),
    "UpdateService": calls.refused("UpdateService", {"serviceArn": SERVICE, **EGRESS}),
    "UpdateService busy": calls.refused("UpdateService", {"serviceArn": SERVICE, **EGRESS}, "InvalidStateException"),
    "DeleteService": calls.refused("DeleteService", {"serviceArn": SERVICE}, "InvalidStateException"),
    "DeleteService gone": calls.refused("DeleteService", {"serviceArn": SERVICE}, "ResourceNotFoundException"),
    "CreateVpcIngressConnection": calls.refused(
        "CreateVpcIngressConnection",
        {"serviceArn": SERVICE, "ingressVpcConfiguration": {"vpcId": VPC, "vpcEndpointId": "vpce-1"}},
    ),
    "DeleteVpcIngressConnection": calls.refused("DeleteVpcIngressConnection", {"vpcIngressConnectionArn": INGRESS}),
    "CreateVpcEndpoint": calls.refused("CreateVpcEndpoint", calls.endpoint_request(*SUBNETS)),
    "UpdateServiceFailed": replace(calls.failed("UpdateServiceFailed"), resource=SERVICE),
}
ROUNDS = {
    "CreateVpcConnector": [["apprunner:ListVpcConnectors", *NEAR, "ec2:DescribeSubnets"], IN_VPC],
    "quota of connectors": [
        ["apprunner:ListServices", "apprunner:ListVpcConnectors", "servicequotas:GetServiceQuota"],
        ["apprunner:DescribeService"],
    ],
    "DeleteVpcConnector": [["apprunner:DescribeVpcConnector", "apprunner:ListServices"], ["apprunner:DescribeService"]],
    "DeleteVpcConnector gone": [["apprunner:DescribeVpcConnector"]],
    "CreateService": [["apprunner:DescribeVpcConnector", "apprunner:ListServices"], NEAR, IN_VPC],
    "quota of services": [["apprunner:ListServices"]],
    "UpdateService": [["apprunner:DescribeService", "apprunner:DescribeVpcConnector"], NEAR, IN_VPC],
    "UpdateService busy": [["apprunner:DescribeService"]],
    "DeleteService": [
        ["apprunner:DescribeService", "apprunner:ListVpcIngressConnections"],
        ["apprunner:DescribeVpcIngressConnection"],
    ],
    "DeleteService gone": [["apprunner:DescribeService"]],
    "CreateVpcIngressConnection": [
        [
            "apprunner:DescribeService",
            "apprunner:ListVpcIngressConnections",
            "ec2:DescribeVpcEndpoints",
            "ec2:DescribeVpcEndpoints",
        ],
        ["apprunner:DescribeVpcIngressConnection"],
    ],
    "DeleteVpcIngressConnection": [["apprunner:DescribeVpcIngressConnection"]],
    "CreateVpcEndpoint": [
        [
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcAttribute",
            "ec2:DescribeVpcEndpointServices",
            "ec2:DescribeVpcEndpoints",
        ]
    ],
    "UpdateServiceFailed": [["apprunner:DescribeService", "apprunner:ListVpcConnectors"], NEAR, IN_VPC],
}


def busy_world() -> Rows:
    rows = world(ingress_row())
    rows["VpcEndpoints"] = [endpoint("vpce-1", "apprunner.requests")]
    return rows


@pytest.mark.parametrize("name", EVERYTHING)
def test_the_rounds_are_those_that_are_documented(name: str) -> None:
    told, rounds = explained(EVERYTHING[name], busy_world())
    assert rounds == ROUNDS[name]
    assert told.unread == ()


@pytest.mark.parametrize("name", EVERYTHING)
@pytest.mark.parametrize("kind", ["denied", "throttled", "no answer"])
def test_reads_that_fail_are_told_and_break_nothing(name: str, kind: str) -> None:
    """Each action alone, then all of them: what fails is named, nothing else is, and nothing is then claimed."""
    asked = {action for one in ROUNDS[name] for action in one} - {"servicequotas:GetServiceQuota"}
    for failing in (*({action} for action in sorted(asked)), asked):
        told, _ = explained(EVERYTHING[name], busy_world(), dict.fromkeys(failing, FAULTS[kind]))
        named = {one.partition(" ")[0] for one in told.unread}
        assert named <= failing
        if failing == asked:
            assert named
            assert told.causes == ()
            assert "shows no reason" not in told.what


def test_a_call_that_aws_breaks_is_told_too() -> None:
    told, _ = explained(
        EVERYTHING["DeleteVpcIngressConnection"],
        busy_world(),
        {
            "apprunner:DescribeVpcIngressConnection": FAULTS["broken"],
        },
    )
    assert told.unread == ("apprunner:DescribeVpcIngressConnection failed (InternalError)",)


def test_a_failed_update_is_explained_by_the_connector_whose_subnets_the_message_names() -> None:
    rows = world(rows=public())
    rows["VpcConnectors"] = [connector(CONNECTOR, Subnets=["subnet-public-a"]), connector(OTHER_CONNECTOR)]
    named = replace(EVERYTHING["UpdateServiceFailed"], message=f"{SUBNETS[0]} is public")
    told, _ = explained(named, rows)
    assert told.causes[0] == (
        f"the message names subnets of VPC connector {OTHER_CONNECTOR}; the service uses {CONNECTOR} now"
    )
    assert {cause.split()[0] for cause in told.causes[1:]} == {"AR102"}


def test_a_rule_that_is_switched_off_is_no_cause() -> None:
    settings = replace(SETTINGS, rule_overrides={"AR102": None})
    request = {**PLACED, "vpcConnectorName": "new"}
    with Aws(world(rows=public())):
        told = explain(calls.refused("CreateVpcConnector", request), settings, Reads(clients.client))
    assert told.cause == "connector-refused InvalidRequestException new"


def test_a_connector_that_was_deleted_is_cause_enough() -> None:
    rows = world()
    rows["VpcConnectors"] = [connector(CONNECTOR, Status="INACTIVE")]
    told, rounds = explained(EVERYTHING["UpdateService"], rows)
    assert told.causes == (f"VPC connector {CONNECTOR} is INACTIVE: it was deleted",)
    assert rounds == [["apprunner:DescribeService", "apprunner:DescribeVpcConnector"]]
