"""One failed call a cause, with what the account shows: the inputs of test_explain.py; expected.py has what is told."""

from collections.abc import Mapping
from dataclasses import replace

from apprunner_guardrails.events import FailedCall
from apprunner_guardrails.facts import Unread, known
from apprunner_guardrails.failed_calls.seen import Seen
from tests.cases._healthy import (
    CONNECTOR_ARN,
    IPV6,
    REGION,
    add_group,
    associate,
    dns,
    groups_are_gone,
    set_subnet,
    subnets_are_gone,
    unread,
)
from tests.unit.failed_calls.calls import (
    EGRESS,
    INGRESS,
    INGRESS_ARN,
    OTHER_ARN,
    PLACED,
    SERVICE_ARN,
    asked,
    connector,
    endpoint,
    endpoint_request,
    failed,
    ingress,
    judged,
    network,
    refused,
    service,
)

DENIED = Unread(call="apprunner:DescribeService", code="AccessDeniedException")
GONE = Unread(call="apprunner:DescribeService", code="ResourceNotFoundException")
QUOTA_UNREAD = Unread(call="servicequotas:GetServiceQuota", code="AccessDeniedException")
LISTS_UNREAD = Unread(call="apprunner:ListServices", code="ThrottlingException")
SUBNETS_UNREAD = Unread(call="ec2:DescribeSubnets", code="UnauthorizedOperation")

CREATE = refused("CreateVpcConnector", PLACED)
NAME_TAKEN = replace(CREATE, message="A VPC connector with the provided name already exists: orders")
QUOTA = refused("CreateVpcConnector", PLACED, "ServiceQuotaExceededException")
PUBLIC = associate("subnet-private-1", "rtb-public")
DELETE = refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR_ARN})
DELETE_GONE = refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR_ARN}, "ResourceNotFoundException")
UPDATE = refused("UpdateService", {"serviceArn": SERVICE_ARN, **EGRESS})
BUSY = refused("UpdateService", {"serviceArn": SERVICE_ARN}, "InvalidStateException")
CREATE_SERVICE = refused("CreateService", {"serviceName": "shop", **EGRESS})
DELETE_SERVICE = refused("DeleteService", {"serviceArn": SERVICE_ARN}, "InvalidStateException")
CREATE_INGRESS = refused("CreateVpcIngressConnection", INGRESS)
DELETE_INGRESS = refused(
    "DeleteVpcIngressConnection", {"vpcIngressConnectionArn": INGRESS_ARN}, "InvalidStateException"
)
ENDPOINT = refused(
    "CreateVpcEndpoint", endpoint_request("subnet-private-1", "subnet-private-2"), "Client.InvalidParameter"
)
DNS_TAKEN = replace(
    ENDPOINT,
    message="private-dns-enabled cannot be set because there is already a conflicting DNS domain for"
    f" apprunner.requests.{REGION}.amazonaws.com in the VPC vpc-1",
)
NO_ZONE = replace(
    ENDPOINT,
    message="The VPC endpoint service does not support the availability zone of the subnet: subnet-private-2.",
)
CREATED_CONNECTOR = asked(CREATE)

LEAVING = replace(ingress("PENDING_DELETION"), arn=INGRESS_ARN.replace("/front/", "/back/"), name="back")
(GROUP,) = known(network().security_groups)
_SUBNETS = known(network().subnets)
PAIR = tuple(one for one in _SUBNETS if one.id in ("subnet-private-1", "subnet-private-2"))
ENDPOINT_SEEN = Seen(
    subnets=PAIR,
    zones=network().zones,
    zones_offered=("us-east-1b", "us-east-1c", "us-east-1d", "us-east-1a"),
    endpoints=(),
    dns_support=True,
    dns_hostnames=True,
)

CAUSES: Mapping[str, tuple[FailedCall, Seen]] = {
    # VPC connectors
    "a connector of that name exists": (NAME_TAKEN, Seen(connectors=(connector(OTHER_ARN), connector()))),
    "a connector of that name exists, of which App Runner does not speak": (
        replace(CREATE, message="Subnets are not valid"),
        Seen(connectors=(connector(),)),
    ),
    "a connector of that name exists, and the connector is asked for on a public subnet": (
        CREATE,
        replace(judged(CREATED_CONNECTOR, network(PUBLIC), "AR113", "AR102"), connectors=(connector(),)),
    ),
    "a connector of that name was deleted": (NAME_TAKEN, Seen(connectors=(connector(status="INACTIVE"),))),
    "the security groups are another connector's": (
        replace(CREATE, message="The Security Groups combination ALREADY EXISTS on existing vpc connector"),
        Seen(connectors=(connector(OTHER_ARN),)),
    ),
    "the security groups are another connector's, of which App Runner does not speak": (
        CREATE,
        Seen(connectors=(connector(OTHER_ARN),)),
    ),
    "the default group is another connector's": (
        refused("CreateVpcConnector", {**PLACED, "securityGroups": []}, message="combination already exists"),
        replace(
            judged(
                replace(CREATED_CONNECTOR, security_group_ids=()),
                network(groups_are_gone("sg-app"), add_group("sg-0", name="default")),
                "AR206",
            ),
            connectors=(replace(connector(OTHER_ARN), security_group_ids=("sg-0",)),),
        ),
    ),
    "the connector is over the quota": (
        QUOTA,
        Seen(connectors=(connector(OTHER_ARN), connector()), quota=2, services=(service(),)),
    ),
    "the connector is over a quota that cannot be read": (
        QUOTA,
        Seen(connectors=(connector(), connector(OTHER_ARN)), quota=QUOTA_UNREAD, services=(service(), DENIED)),
    ),
    "the connector is over the quota and nothing can be read": (
        QUOTA,
        Seen(connectors=LISTS_UNREAD, quota=QUOTA_UNREAD, services=LISTS_UNREAD),
    ),
    "all connectors of the quota are used": (
        QUOTA,
        Seen(connectors=(connector(),), quota=1, services=(service(), GONE, service("old", OTHER_ARN, "DELETED"))),
    ),
    "the connector is asked for on a public subnet, one that is gone and another type": (
        CREATE,
        judged(
            CREATED_CONNECTOR,
            network(PUBLIC, subnets_are_gone("subnet-private-2"), set_subnet("subnet-private-4", ipv6_cidrs=(IPV6,))),
            *("AR113", "AR206", "AR106", "AR104", "AR102", "AR105"),
        ),
    ),
    "the connector is asked for in a refused zone, with a group that is gone": (
        CREATE,
        replace(
            judged(
                CREATED_CONNECTOR,
                network(set_subnet("subnet-private-1", zone_id="use1-az3"), groups_are_gone("sg-app")),
                *("AR113", "AR206", "AR106", "AR104", "AR102", "AR105"),
            ),
            connectors=(connector(OTHER_ARN),),
        ),
    ),
    "the connector is asked for in two VPCs": (
        CREATE,
        Seen(subnets=(*PAIR, replace(PAIR[0], id="subnet-private-4", vpc_id="vpc-2"))),
    ),
    "the connector's group is of another VPC": (
        CREATE,
        Seen(
            subnets=PAIR,
            network=replace(network(), security_groups=(replace(GROUP, vpc_id="vpc-2"),)),
        ),
    ),
    "nothing is wrong with the connector that was asked for": (
        CREATE,
        judged(CREATED_CONNECTOR, network(), "AR113", "AR206", "AR106", "AR104", "AR102", "AR105"),
    ),
    "the network of the connector cannot be read": (
        CREATE,
        judged(CREATED_CONNECTOR, network(unread("subnets", "route_tables")), "AR113", "AR102"),
    ),
    "the record does not say what connector was asked for": (
        refused("CreateVpcConnector", {"vpcConnectorName": {}, "subnets": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
        Seen(connectors=()),
    ),
    "the connector is used": (
        DELETE,
        Seen(services=(service(), service("idle", OTHER_ARN), service("busy", status="OPERATION_IN_PROGRESS"))),
    ),
    "no service uses the connector": (
        DELETE,
        Seen(services=(service("idle", ""), service("old", status="DELETED"), GONE)),
    ),
    "no service uses the connector, but one is being switched": (
        DELETE,
        Seen(services=(service("idle", "", "OPERATION_IN_PROGRESS"),)),
    ),
    "no service is known to use the connector": (DELETE, Seen(services=(service("idle", ""), DENIED))),
    "the services cannot be listed": (DELETE, Seen(services=LISTS_UNREAD)),
    "the connector is gone": (DELETE_GONE, Seen(connector=GONE)),
    "the connector is deleted": (DELETE_GONE, Seen(connector=connector(status="INACTIVE"))),
    "the connector is of another Region": (
        refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR_ARN.replace(REGION, "eu-west-1")}, "NotFound"),
        Seen(),
    ),
    "the connector is of another Region, and App Runner says that it is used": (
        refused("DeleteVpcConnector", {"vpcConnectorArn": CONNECTOR_ARN.replace(REGION, "eu-west-1")}, message="used"),
        Seen(services=(service("idle", ""),)),
    ),
    "App Runner says that the connector is used, and it is gone": (
        replace(DELETE, message="used"),
        Seen(connector=GONE, services=(service("idle", ""),)),
    ),
    "App Runner says that the connector is used, and it is deleted": (
        replace(DELETE, message="used"),
        Seen(connector=connector(status="INACTIVE"), services=(service("idle", ""),)),
    ),
    # services
    "a service of that name exists": (
        replace(CREATE_SERVICE, message="Service with the provided name already exists: shop"),
        Seen(service_arns=(SERVICE_ARN,)),
    ),
    "a service of that name exists, of which App Runner does not speak": (
        CREATE_SERVICE,
        Seen(service_arns=(SERVICE_ARN,)),
    ),
    "a service of that name exists, and the connector of the call is gone": (
        CREATE_SERVICE,
        Seen(connector=GONE, service_arns=(SERVICE_ARN,)),
    ),
    "the service is over the quota": (
        replace(CREATE_SERVICE, code="ServiceQuotaExceeded"),
        Seen(service_arns=(SERVICE_ARN,) * 30),
    ),
    "the new service's connector is gone": (CREATE_SERVICE, Seen(connector=GONE, service_arns=())),
    "the service's connector is deleted": (UPDATE, Seen(connector=connector(status="INACTIVE"), service=service())),
    "the service's connector is public": (
        UPDATE,
        replace(judged(connector(), network(PUBLIC), "AR113", "AR102"), service=service()),
    ),
    "App Runner names a subnet that no rule finds fault with": (
        replace(UPDATE, message="Subnets subnet-private-4 are in unsupported Availability Zones"),
        replace(judged(connector(), network(), "AR113", "AR104"), service=service()),
    ),
    "the service is refused for no reason that the account shows": (
        replace(UPDATE, request={"serviceArn": SERVICE_ARN}),
        Seen(service=service()),
    ),
    "the service is busy": (BUSY, Seen(service=service(status="OPERATION_IN_PROGRESS"))),
    "the service was busy": (BUSY, Seen(service=service())),
    "the service is gone": (replace(UPDATE, code="ResourceNotFoundException"), Seen(service=GONE)),
    "the service has an ingress connection": (
        DELETE_SERVICE,
        Seen(service=service(), ingress=(ingress(), LEAVING, GONE)),
    ),
    "the service to delete is busy": (
        DELETE_SERVICE,
        Seen(service=service(status="OPERATION_IN_PROGRESS"), ingress=()),
    ),
    # operations
    "an update failed on a connector with a public subnet and a dead route": (
        failed("UpdateServiceFailed"),
        replace(judged(connector(), network(PUBLIC, dns(hostnames=False)), "AR102", "AR111"), service=service()),
    ),
    "an update to another connector was rolled back": (
        failed("UpdateServiceFailed", "subnet-private-1 is public"),
        replace(judged(connector(OTHER_ARN), network(PUBLIC), "AR102"), service=service()),
    ),
    "a service could not be created and nothing is wrong": (
        failed("CreateServiceFailed", ""),
        Seen(service=service(connector_arn="", status="CREATE_FAILED")),
    ),
    "a service could not be deleted": (
        failed("DeleteServiceFailed"),
        Seen(service=service(status="DELETE_FAILED"), ingress=(ingress(),)),
    ),
    "a service could not be paused": (failed("PauseServiceFailed"), Seen(service=DENIED)),
    # private services
    "the service has an ingress connection already": (CREATE_INGRESS, Seen(service=service(), ingress=(ingress(),))),
    "the endpoint is gone": (
        CREATE_INGRESS,
        Seen(service=service(), ingress=(), endpoint=(), endpoints=(endpoint("vpce-3"), endpoint("vpce-2"))),
    ),
    "the endpoint is of the control API, in another VPC and pending": (
        CREATE_INGRESS,
        Seen(
            service=service(),
            ingress=(ingress("DELETED"),),
            endpoint=(endpoint("vpce-1", f"com.amazonaws.{REGION}.apprunner", "vpc-2", "pending"),),
            endpoints=(),
        ),
    ),
    "the service is public and busy": (
        CREATE_INGRESS,
        Seen(
            service=replace(service(status="OPERATION_IN_PROGRESS"), public=True),
            ingress=(),
            endpoint=(endpoint("vpce-1"),),
            endpoints=(endpoint("vpce-1"),),
        ),
    ),
    "the ingress connection is refused for no reason that the account shows": (
        CREATE_INGRESS,
        Seen(service=service(), ingress=(), endpoint=(endpoint("vpce-1"),), endpoints=(endpoint("vpce-1"),)),
    ),
    "the ingress connection is over the quota": (
        replace(CREATE_INGRESS, code="ServiceQuotaExceededException"),
        Seen(service=GONE, ingress=LISTS_UNREAD),
    ),
    "the ingress connection is pending": (DELETE_INGRESS, Seen(ingress=(ingress("PENDING_UPDATE"),))),
    "the ingress connection can be deleted": (DELETE_INGRESS, Seen(ingress=(ingress("FAILED_DELETION"),))),
    "the ingress connection is gone": (DELETE_INGRESS, Seen(ingress=(GONE,))),
    "another endpoint has the private name": (
        DNS_TAKEN,
        replace(ENDPOINT_SEEN, endpoints=(endpoint("vpce-1"), endpoint("vpce-2", private_dns=False))),
    ),
    "the other endpoint with the private name is being deleted": (
        DNS_TAKEN,
        replace(ENDPOINT_SEEN, endpoints=(endpoint("vpce-1", state="deleting"),)),
    ),
    "EC2 names a subnet in a zone that is offered, and another endpoint has the private name": (
        NO_ZONE,
        replace(ENDPOINT_SEEN, endpoints=(endpoint("vpce-1"),)),
    ),
    "EC2 names a subnet in a zone that is not offered, and the other one is gone": (
        NO_ZONE,
        replace(ENDPOINT_SEEN, subnets=PAIR[1:], zones_offered=("us-east-1a",), endpoints=(endpoint("vpce-1"),)),
    ),
    "EC2 names a subnet that cannot be read": (NO_ZONE, replace(ENDPOINT_SEEN, subnets=SUBNETS_UNREAD)),
    "EC2 names one of two subnets in a zone": (
        replace(
            ENDPOINT,
            code="Client.DuplicateSubnetsInSameZone",
            message="Found another VPC endpoint subnet in the availability zone of subnet-private-1",
        ),
        replace(ENDPOINT_SEEN, subnets=(PAIR[0], replace(PAIR[1], zone_id=PAIR[0].zone_id))),
    ),
    "EC2 speaks of a security group, and another endpoint has the private name": (
        replace(ENDPOINT, code="Client.InvalidGroup.NotFound", message="The security group 'sg-1' does not exist"),
        replace(ENDPOINT_SEEN, endpoints=(endpoint("vpce-1"),)),
    ),
    "private names are not asked for": (
        refused("CreateVpcEndpoint", endpoint_request("subnet-private-1", PrivateDnsEnabled=False)),
        replace(ENDPOINT_SEEN, subnets=PAIR[:1], endpoints=(endpoint("vpce-1"),), dns_support=False),
    ),
    "the VPC has no DNS": (
        replace(ENDPOINT, message="Enabling private DNS requires both"),
        replace(ENDPOINT_SEEN, dns_support=False, dns_hostnames=False),
    ),
    "the endpoint's subnets are gone, shared, elsewhere, and in zones that do not do": (
        refused(
            "CreateVpcEndpoint",
            endpoint_request("subnet-1", "subnet-2", "subnet-3", "subnet-4", "subnet-5"),
            "Client.InvalidSubnetId.NotFound",
        ),
        replace(
            ENDPOINT_SEEN,
            subnets=(
                replace(PAIR[0], id="subnet-2", zone_id="use1-az5"),
                replace(PAIR[0], id="subnet-3", vpc_id="vpc-2", owner_id="444455556666"),
                replace(PAIR[0], id="subnet-4"),
                replace(PAIR[0], id="subnet-5"),
            ),
        ),
    ),
    "the endpoint is over the quota": (
        replace(ENDPOINT, code="Client.VpcEndpointLimitExceeded"),
        replace(ENDPOINT_SEEN, endpoints=(endpoint("vpce-1", f"com.amazonaws.{REGION}.ssm"),)),
    ),
    "nothing is known about the endpoint": (
        refused("CreateVpcEndpoint", {"CreateVpcEndpointRequest": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
        Seen(),
    ),
    # whatever the call was
    "a call is denied": (
        refused(
            "CreateVpcConnector",
            PLACED,
            "AccessDenied",
            "User: arn:aws:iam::1:user/a is not authorized to perform: iam:CreateServiceLinkedRole on resource: *"
            " with an explicit deny in a service control policy",
        ),
        Seen(),
    ),
    "a call to EC2 is denied": (
        refused(
            "CreateVpcEndpoint",
            endpoint_request("subnet-1"),
            "Client.UnauthorizedOperation",
            "You are not authorized to perform this operation. Encoded authorization failure message: abc",
        ),
        Seen(),
    ),
    "a call is throttled": (refused("UpdateService", {}, "ThrottlingException", "Rate exceeded"), Seen()),
    "AWS breaks": (refused("DeleteService", {}, "InternalServiceErrorException", ""), Seen()),
    "a call is a dry run": (refused("CreateVpcEndpoint", {}, "Client.DryRunOperation", "Request would have"), Seen()),
    "a call is not known": (refused("ResumeService", {}, "ValidationException"), Seen()),
}
