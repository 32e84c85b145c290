"""Failed calls as they are parsed, and facts about them."""

from dataclasses import replace

from apprunner_guardrails.callers import Caller
from apprunner_guardrails.engine import evaluate
from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.facts import Connector, IngressConnection, InterfaceEndpoint, Network, Service
from apprunner_guardrails.failed_calls.asked import connector_asked
from apprunner_guardrails.failed_calls.seen import Seen
from apprunner_guardrails.records import Json
from apprunner_guardrails.rules import by_id
from tests.cases import Change
from tests.cases._healthy import ACCOUNT, CONNECTOR_ARN, REGION, healthy

SERVICE_ARN = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:service/shop/33333333333333333333333333333333"
OTHER_ARN = CONNECTOR_ARN.replace("/orders/", "/others/")
INGRESS_ARN = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcingressconnection/front/44444444444444444444444444444444"
REQUESTS = f"com.amazonaws.{REGION}.apprunner.requests"
CALLER = Caller(name="alice", tool="Terraform")
PLACED: Json = {
    "vpcConnectorName": "orders",
    "subnets": ["subnet-private-1", "subnet-private-2", "subnet-private-4"],
    "securityGroups": ["sg-app"],
}
EGRESS: Json = {
    "networkConfiguration": {"egressConfiguration": {"egressType": "VPC", "vpcConnectorArn": CONNECTOR_ARN}}
}
INGRESS: Json = {
    "vpcIngressConnectionName": "front",
    "serviceArn": SERVICE_ARN,
    "ingressVpcConfiguration": {"vpcId": "vpc-1", "vpcEndpointId": "vpce-1"},
}


def refused(what: str, request: Json, code: str = "InvalidRequestException", message: str = "no") -> FailedCall:
    return FailedCall(
        id="55555555-5555-4555-8555-555555555555",
        what=what,
        source="ec2.amazonaws.com" if what == "CreateVpcEndpoint" else "apprunner.amazonaws.com",
        code=code,
        message=message,
        resource="",
        request=request,
        account=ACCOUNT,
        region=REGION,
        time="2026-11-21T09:00:00Z",
        caller=CALLER,
    )


def failed(status: str, message: str = "it failed") -> FailedCall:
    """An operation of the service."""
    return replace(refused(status, {}, code="", message=message), source="aws.apprunner", resource=SERVICE_ARN)


def endpoint_request(*subnet_ids: str, **changes: object) -> Json:
    """As EC2's records have it: a list of one is an object."""
    listed: list[Json] = [{"tag": number, "content": one} for number, one in enumerate(subnet_ids, 1)]
    return {
        "CreateVpcEndpointRequest": {
            "VpcId": "vpc-1",
            "ServiceName": REQUESTS,
            "VpcEndpointType": "Interface",
            "SubnetId": listed[0] if len(listed) == 1 else listed,
            **changes,
        }
    }


def connector(arn: str = CONNECTOR_ARN, status: str = "ACTIVE") -> Connector:
    return replace(healthy().connector, arn=arn, name=arn.split("/")[1], status=status)


def service(name: str = "shop", connector_arn: str = CONNECTOR_ARN, status: str = "RUNNING") -> Service:
    arn = SERVICE_ARN.replace("/shop/", f"/{name}/")
    return Service(arn=arn, name=name, status=status, connector_arn=connector_arn, public=False)


def ingress(status: str = "AVAILABLE") -> IngressConnection:
    return IngressConnection(
        arn=INGRESS_ARN, name="front", service_arn=SERVICE_ARN, status=status, vpc_id="vpc-1", endpoint_id="vpce-9"
    )


def endpoint(
    endpoint_id: str,
    service: str = REQUESTS,
    vpc_id: str = "vpc-1",
    state: str = "available",
    *,
    private_dns: bool = True,
) -> InterfaceEndpoint:
    return InterfaceEndpoint(id=endpoint_id, vpc_id=vpc_id, service=service, state=state, private_dns=private_dns)


def network(*changes: Change) -> Network:
    snapshot = healthy()
    for change in changes:
        snapshot = change(snapshot)
    return snapshot.network


def judged(connector: Connector, network: Network, *rules: str) -> Seen:
    """What is seen of a connector in a network, by these rules."""
    settings = healthy().settings
    chosen = [by_id()[rule] for rule in rules]
    findings = evaluate(chosen, connector.arn, connector, network, settings)
    return Seen(connector=connector, network=network, findings=findings)


def asked(call: FailedCall) -> Connector:
    made = connector_asked(call)
    assert made is not None
    return made
