"""The commands that answers carry, written out once."""

from tests.cases._healthy import CONNECTOR_ARN, GROUP_ARN
from tests.cases._healthy_path import SERVICE_ARN


def new_connector(subnets: str, *, groups: str = "sg-app", note: str = "") -> str:
    return (
        (f"# {note}\n" if note else "")
        + "# App Runner may refuse a second connector with the same security groups: give it copies of them then\n"
        + "aws apprunner create-vpc-connector --region us-east-1 --vpc-connector-name orders-v2"
        + f" --subnets {subnets} --security-groups {groups}\n"
        + "aws apprunner update-service --region us-east-1 --service-arn SERVICE_ARN --network-configuration"
        + " EgressConfiguration='{EgressType=VPC,VpcConnectorArn=NEW_CONNECTOR_ARN}'\n"
        + f"aws apprunner delete-vpc-connector --region us-east-1 --vpc-connector-arn {CONNECTOR_ARN}"
    )


def nat_route(verb: str, table: str, nat: str = "NAT_GATEWAY_ID", destination: str = "0.0.0.0/0") -> str:
    option = "prefix-list-id" if destination.startswith("pl-") else "cidr-block"
    return (
        f"aws ec2 {verb} --region us-east-1 --route-table-id {table}"
        f" --destination-{option} {destination} --nat-gateway-id {nat}"
    )


def targets(verb: str, *options: str) -> str:
    """The command that changes the targets of the target group, or tells of them."""
    chosen = f" --targets {' '.join(options)}" if options else ""
    return f"aws elbv2 {verb} --region us-east-1 --target-group-arn {GROUP_ARN}{chosen}"


def lines(*commands: str) -> str:
    return "\n".join(commands)


THROUGH_ORDERS = f"EgressConfiguration={{EgressType=VPC,VpcConnectorArn={CONNECTOR_ARN}}}"
CONNECT_INGRESS = (
    f"aws apprunner create-vpc-ingress-connection --region us-east-1 --service-arn {SERVICE_ARN}"
    " --vpc-ingress-connection-name orders"
    " --ingress-vpc-configuration VpcId=VPC_ID,VpcEndpointId=VPC_ENDPOINT_ID"
)


def update_service(option: str, value: str) -> str:
    return f"aws apprunner update-service --region us-east-1 --service-arn {SERVICE_ARN} --{option} {value}"


def set_network(value: str) -> str:
    return update_service("network-configuration", f"'{value}'")


def to_another_endpoint(subnets: str, groups: str) -> str:
    """The commands that find or make an endpoint for private services in the VPC."""
    service = "com.amazonaws.us-east-1.apprunner.requests"
    return lines(
        "# use the endpoint for private services that the VPC has; where it has none, make one:",
        "aws ec2 describe-vpc-endpoints --region us-east-1"
        f" --filters Name=vpc-id,Values=vpc-1 Name=service-name,Values={service}",
        "aws ec2 create-vpc-endpoint --region us-east-1 --vpc-endpoint-type Interface --vpc-id vpc-1"
        f" --service-name {service} --subnet-ids {subnets} --security-group-ids {groups}",
    )


def another_target_group(endpoint_ids: str, name: str = "orders-v2") -> str:
    """The command that makes a target group as endpoints need it."""
    return (
        f"aws elbv2 create-target-group --region us-east-1 --name {name} --protocol TCP --port 443 --target-type ip"
        f" --vpc-id vpc-1 --health-check-protocol TCP --tags {endpoint_ids}"
    )


def instead_of_target_group(endpoint_ids: str, name: str = "orders-v2") -> str:
    return lines(
        "# target sync fills the new group by its tag; its targets are checked once a listener leads to it",
        another_target_group(endpoint_ids, name),
        "aws elbv2 modify-listener --region us-east-1 --listener-arn LISTENER_ARN --protocol TCP"
        " --default-actions Type=forward,TargetGroupArn=NEW_TARGET_GROUP_ARN",
    )
