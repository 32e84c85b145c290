"""What a failed call asked for and how it was refused, by whatever name AWS calls that."""

import pytest

from apprunner_guardrails.facts import Connector
from apprunner_guardrails.failed_calls.asked import (
    EndpointAsked,
    IngressAsked,
    Refusal,
    connector_arn,
    connector_asked,
    denied_action,
    endpoint_asked,
    ingress_asked,
    named_subnets,
    refusal,
    service_arn,
)
from apprunner_guardrails.records import Json
from tests.cases._healthy import ACCOUNT, CONNECTOR_ARN, REGION
from tests.unit.failed_calls.calls import EGRESS, INGRESS, PLACED, REQUESTS, SERVICE_ARN, endpoint_request, refused

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("AccessDenied", Refusal.DENIED),
        ("AccessDeniedException", Refusal.DENIED),
        ("Client.UnauthorizedOperation", Refusal.DENIED),
        ("Throttling", Refusal.THROTTLED),
        ("ThrottlingException", Refusal.THROTTLED),
        ("TooManyRequestsException", Refusal.THROTTLED),
        ("Client.RequestLimitExceeded", Refusal.THROTTLED),
        ("InternalServiceErrorException", Refusal.AWS),
        ("InternalServiceError", Refusal.AWS),
        ("Server.InternalError", Refusal.AWS),
        ("Server.SomethingNew", Refusal.AWS),
        ("Client.DryRunOperation", Refusal.DRY_RUN),
        ("ServiceQuotaExceededException", Refusal.QUOTA),
        ("ServiceQuotaExceeded", Refusal.QUOTA),
        ("Client.VpcEndpointLimitExceeded", Refusal.QUOTA),
        ("ResourceNotFoundException", Refusal.GONE),
        ("Client.InvalidVpcId.NotFound", Refusal.GONE),
        ("InvalidStateException", Refusal.STATE),
        ("InvalidState", Refusal.STATE),
        ("Client.IncorrectState", Refusal.STATE),
        ("InvalidRequestException", Refusal.OTHER),
        ("InvalidRequest", Refusal.OTHER),
        ("Client.InvalidParameter", Refusal.OTHER),
        ("", Refusal.OTHER),
    ],
)
def test_a_code_counts_in_every_spelling(code: str, kind: Refusal) -> None:
    assert refusal(refused("CreateService", {}, code)) is kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("User x is NOT AUTHORIZED to perform: iam:PassRole", Refusal.DENIED),
        ("Rate Exceeded", Refusal.THROTTLED),
        ("The quota is reached", Refusal.QUOTA),
        ("You have exceeded the limit of connectors", Refusal.QUOTA),
        ("A VPC connector with the provided name already exists: quota", Refusal.OTHER),
        ("x" * 5_000_000 + "rate exceeded", Refusal.OTHER),
    ],
)
def test_a_text_tells_where_the_code_does_not(message: str, kind: Refusal) -> None:
    assert refusal(refused("CreateService", {}, "InvalidRequestException", message)) is kind


def test_a_code_outweighs_a_text() -> None:
    assert refusal(refused("CreateService", {}, "InvalidStateException", "rate exceeded")) is Refusal.STATE


def test_the_denied_action_is_the_one_that_the_message_names() -> None:
    message = "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: iam:CreateServiceLinkedRole on *"
    assert denied_action(refused("CreateVpcConnector", {}, message=message)) == "iam:CreateServiceLinkedRole"
    assert denied_action(refused("CreateVpcEndpoint", {}, message="no")) == "ec2:CreateVpcEndpoint"
    assert denied_action(refused("DeleteService", {}, message="no")) == "apprunner:DeleteService"


def test_the_asked_connector_has_sorted_ids_and_an_arn_that_names_nothing() -> None:
    subnets = ["subnet-2", "subnet-1", "subnet-2", "10.0.0.0/24", "$(reboot)", 7]
    request: Json = {"vpcConnectorName": "orders", "subnets": subnets, "securityGroups": ["sg-1", "vpc-1"]}
    assert connector_asked(refused("CreateVpcConnector", request)) == Connector(
        arn=f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/not-created/1/0",
        name="orders",
        status="",
        subnet_ids=("subnet-1", "subnet-2"),
        security_group_ids=("sg-1",),
    )


@pytest.mark.parametrize("subnets", [HIDDEN, None, [], ["x"], {"subnet-1": "subnet-1"}])
def test_a_connector_without_subnets_was_not_told(subnets: object) -> None:
    assert connector_asked(refused("CreateVpcConnector", {**PLACED, "subnets": subnets})) is None


@pytest.mark.parametrize("value", [HIDDEN, {"a": "b"}, None, "arn:aws:s3:::x", CONNECTOR_ARN + "\n", SERVICE_ARN])
def test_what_is_no_connector_is_none(value: object) -> None:
    assert connector_arn(refused("DeleteVpcConnector", {"vpcConnectorArn": value})) == ""


def test_a_services_connector_is_found_where_the_request_has_it() -> None:
    assert connector_arn(refused("UpdateService", EGRESS)) == CONNECTOR_ARN
    assert connector_arn(refused("UpdateService", {"networkConfiguration": HIDDEN})) == ""
    assert service_arn(refused("UpdateService", {"serviceArn": SERVICE_ARN})) == SERVICE_ARN


def test_an_ingress_connection_is_asked_for_between_a_service_and_an_endpoint() -> None:
    whole = IngressAsked(name="front", service_arn=SERVICE_ARN, vpc_id="vpc-1", endpoint_id="vpce-1")
    assert ingress_asked(refused("CreateVpcIngressConnection", INGRESS)) == whole
    hidden = refused("CreateVpcIngressConnection", {"ingressVpcConfiguration": HIDDEN, "serviceArn": HIDDEN})
    assert ingress_asked(hidden) == IngressAsked(name="", service_arn="", vpc_id="", endpoint_id="")


@pytest.mark.parametrize(
    ("request_", "subnets"),
    [
        (endpoint_request("subnet-1"), ("subnet-1",)),
        (endpoint_request("subnet-2", "subnet-1"), ("subnet-1", "subnet-2")),
        (endpoint_request(SubnetId="subnet-3"), ("subnet-3",)),
        (endpoint_request(SubnetId=HIDDEN), ()),
        (endpoint_request(SubnetId=""), ()),
    ],
)
def test_a_list_of_one_is_an_object_in_ec2s_records(request_: Json, subnets: tuple[str, ...]) -> None:
    asked = endpoint_asked(refused("CreateVpcEndpoint", request_))
    assert asked == EndpointAsked(vpc_id="vpc-1", service=REQUESTS, subnet_ids=subnets, group_ids=(), private_dns=True)


def test_private_names_are_asked_for_unless_the_request_says_no() -> None:
    for no in (False, "false"):
        request = endpoint_request("subnet-1", PrivateDnsEnabled=no, SecurityGroupId={"tag": 1, "content": "sg-1"})
        asked = endpoint_asked(refused("CreateVpcEndpoint", request))
        assert (asked.private_dns, asked.group_ids) == (False, ("sg-1",))


def test_the_subnets_that_a_message_names_are_found() -> None:
    message = "Subnets (subnet-0abc, subnet-private-1.) in use1-az3; see subnet-"
    assert named_subnets(refused("CreateService", {}, message=message)) == {"subnet-0abc", "subnet-private-1"}
