"""The commands that answers carry, written out once."""

from tests.cases._healthy import CONNECTOR_ARN, GROUP_ARN


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
