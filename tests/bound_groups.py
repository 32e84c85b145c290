"""A bound target group as AWS tells of it, in step with its endpoint: tests change one thing of these rows.

orders   10.0.1.5:443 (us-east-1a), 10.0.2.5:443 (us-east-1b), both healthy; the interfaces of ENDPOINT
"""

from collections.abc import Iterable

from apprunner_guardrails.callers import Caller
from apprunner_guardrails.targets.binding import TAG
from apprunner_guardrails.targets.triggers import SCHEDULED, Asked
from tests.samples import ACCOUNT, REGION, VPC, Row, Rows, tag

ENDPOINT = "vpce-0a1b2c3d4e5f60718"
OTHER_ENDPOINT = "vpce-0f9e8d7c6b5a43210"
REQUESTS = f"com.amazonaws.{REGION}.apprunner.requests"
QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/sync"
BALANCER = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/net/orders/0123456789abcdef"
ZONE = {"1": "us-east-1a", "2": "us-east-1b", "3": "us-east-1c"}  # by the third part of an address


def arn(name: str) -> str:
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/{sum(name.encode()):016x}"


ORDERS = arn("orders")


def in_step() -> Rows:
    return {
        "TargetGroups": [target_group()],
        "Tags": [tag(ORDERS, TAG, ENDPOINT)],
        "Targets": targets("10.0.1.5:443", "10.0.2.5:443"),
        "VpcEndpoints": [endpoint(ENDPOINT, "eni-a", "eni-b")],
        "NetworkInterfaces": [interface("eni-a", "10.0.1.5"), interface("eni-b", "10.0.2.5")],
        "Attributes": [
            {"Arn": ORDERS, "Key": "load_balancing.cross_zone.enabled", "Value": "use_load_balancer_configuration"},
            {"Arn": BALANCER, "Key": "load_balancing.cross_zone.enabled", "Value": "false"},
        ],
    }


def many(count: int, zones: str = "12") -> Rows:
    """So many bound groups in step with their endpoints, each with an interface in these zones."""
    rows: Rows = {"TargetGroups": [], "Tags": [], "Targets": [], "VpcEndpoints": [], "NetworkInterfaces": []}
    for number in range(count):
        group, name = arn(f"group-{number:03}"), f"vpce-{number:017x}"
        addresses = [f"10.{number // 200}.{zone}.{number % 200 + 4}" for zone in zones]
        rows["TargetGroups"].append(target_group(f"group-{number:03}"))
        rows["Tags"].append(tag(group, TAG, name))
        rows["Targets"] += targets(*(f"{one}:443" for one in addresses), group=group)
        rows["VpcEndpoints"].append(endpoint(name, *(f"eni-{one}" for one in addresses)))
        rows["NetworkInterfaces"] += [interface(f"eni-{one}", one) for one in addresses]
    return rows


def target_group(name: str = "orders", **changes: object) -> Row:
    return {
        "TargetGroupArn": arn(name),
        "TargetGroupName": name,
        "Protocol": "TCP",
        "Port": 443,
        "VpcId": VPC,
        "TargetType": "ip",
        "IpAddressType": "ipv4",
        "HealthCheckProtocol": "TCP",
        "LoadBalancerArns": [BALANCER],
        **changes,
    }


def targets(*keys: str, group: str = ORDERS, state: str = "healthy") -> list[Row]:
    """Targets as 10.0.1.5:443, in the zone that the address says."""
    rows = []
    for key in keys:
        address, _, port = key.rpartition(":")
        told = {"Id": address, "Port": int(port), "AvailabilityZone": ZONE.get(address.split(".")[2], "all")}
        rows.append({"TargetGroupArn": group, "Target": told, "TargetHealth": {"State": state}})
    return rows


def endpoint(name: str, *interfaces: str, **changes: object) -> Row:
    return {
        "VpcEndpointId": name,
        "VpcEndpointType": "Interface",
        "VpcId": VPC,
        "ServiceName": REQUESTS,
        "State": "available",
        "SubnetIds": [f"subnet-{one}" for one in interfaces],
        "NetworkInterfaceIds": list(interfaces),
        **changes,
    }


def interface(name: str, address: str, *ipv6: str, vpc: str = VPC) -> Row:
    return {
        "NetworkInterfaceId": name,
        "InterfaceType": "vpc_endpoint",
        "VpcId": vpc,
        "AvailabilityZone": ZONE[address.split(".")[2]],
        "PrivateIpAddress": address,
        "Ipv6Addresses": [{"Ipv6Address": one} for one in ipv6],
    }


def moved(rows: Rows) -> Rows:
    """The endpoint's interface in us-east-1b was replaced by one in us-east-1c: 10.0.2.5 is stale, 10.0.3.5 missing."""
    rows["VpcEndpoints"] = [endpoint(ENDPOINT, "eni-a", "eni-c")]
    rows["NetworkInterfaces"] = [interface("eni-a", "10.0.1.5"), interface("eni-c", "10.0.3.5")]
    return rows


def readdressed(rows: Rows) -> Rows:
    """The endpoint's interface in us-east-1b was replaced by another there: 10.0.2.5 is stale, 10.0.2.6 missing."""
    rows["VpcEndpoints"] = [endpoint(ENDPOINT, "eni-a", "eni-d")]
    rows["NetworkInterfaces"] = [interface("eni-a", "10.0.1.5"), interface("eni-d", "10.0.2.6")]
    return rows


def health(rows: Rows, key: str, state: str, reason: str = "") -> None:
    """Let the health checks find that of a target of `orders`."""
    address, _, port = key.rpartition(":")
    (row,) = (
        row
        for row in rows["Targets"]
        if row["TargetGroupArn"] == ORDERS and (row["Target"]["Id"], row["Target"]["Port"]) == (address, int(port))
    )
    row["TargetHealth"] = {"State": state, **({"Reason": reason} if reason else {})}


def states(rows: Rows, group: str = ORDERS) -> dict[str, str]:
    """The state of each target that the group has."""
    return {
        f"{row['Target']['Id']}:{row['Target']['Port']}": row["TargetHealth"]["State"]
        for row in rows["Targets"]
        if row["TargetGroupArn"] == group
    }


def asked(groups: Iterable[str] = (), endpoints: Iterable[str] = (), *, everything: bool = False) -> Asked:
    return Asked(
        id="event-1",
        what="ModifyVpcEndpoint",
        time="2026-11-21T07:00:00Z",
        caller=Caller(name="alice"),
        target_groups=tuple(groups),
        endpoints=tuple(endpoints),
        everything=everything,
    )


SCHEDULE = Asked(
    id="event-2",
    what=SCHEDULED,
    time="2026-11-21T07:00:00Z",
    caller=Caller(),
    everything=True,
)
