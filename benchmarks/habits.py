"""Two published habits of keeping a target group in step with addresses, in our own plain words, to set beside sync.

Each is given what those are configured with, the target group and the endpoints, and is run as often as sync is.

    deregister first       as controllers do (Kubernetes' for load balancers): targets that drain do not count, what AWS
                           refuses ends the run, and what is not wanted leaves before what is wanted comes
    empty means remove     as scripts do that look up interfaces or a name: an error is printed and counts as nothing
                           found, one page is the answer, all targets count, and what was not found leaves
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

type Client = Callable[[str], Any]  # botocore's client of a service, whose methods are made from a model
type Targets = dict[tuple[str, int], str]  # states, by address and port

_PORT = 443


def deregister_first(client: Client, group: str, endpoints: Sequence[str]) -> None:
    """Raises ClientError or BotoCoreError: then it is tried again at the next event."""
    wanted = _addresses(client, endpoints)
    there = [key for key, state in _targets(client, group).items() if state != "draining"]
    _deregister(client, group, [key for key in there if key not in wanted])
    _register(client, group, [key for key in wanted if key not in there])


def empty_means_remove(client: Client, group: str, endpoints: Sequence[str]) -> None:
    descriptions = [f"VPC Endpoint Interface {one}" for one in endpoints]
    try:
        rows = client("ec2").describe_network_interfaces(Filters=[{"Name": "description", "Values": descriptions}])
        wanted = [(row["PrivateIpAddress"], _PORT) for row in rows["NetworkInterfaces"]]
    except (BotoCoreError, ClientError):
        wanted = []
    try:
        there = list(_targets(client, group))
    except (BotoCoreError, ClientError):
        there = []
    for change, keys in (
        (_register, [key for key in wanted if key not in there]),
        (_deregister, [key for key in there if key not in wanted]),
    ):
        try:
            change(client, group, keys)
        except (BotoCoreError, ClientError):
            continue


def _addresses(client: Client, endpoints: Sequence[str]) -> list[tuple[str, int]]:
    named = [{"Name": "vpc-endpoint-id", "Values": list(endpoints)}]
    found = client("ec2").describe_vpc_endpoints(Filters=named)["VpcEndpoints"]
    ids = [interface for row in found for interface in row["NetworkInterfaceIds"]]
    rows = client("ec2").describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"] if ids else []
    return [(row["PrivateIpAddress"], _PORT) for row in rows]


def _targets(client: Client, group: str) -> Targets:
    rows = client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {(row["Target"]["Id"], row["Target"]["Port"]): row["TargetHealth"]["State"] for row in rows}


def _register(client: Client, group: str, keys: Iterable[tuple[str, int]]) -> None:
    targets = [{"Id": address, "Port": port} for address, port in keys]
    if targets:
        client("elbv2").register_targets(TargetGroupArn=group, Targets=targets)


def _deregister(client: Client, group: str, keys: Iterable[tuple[str, int]]) -> None:
    targets = [{"Id": address, "Port": port} for address, port in keys]
    if targets:
        client("elbv2").deregister_targets(TargetGroupArn=group, Targets=targets)
