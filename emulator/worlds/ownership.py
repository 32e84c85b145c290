"""A world in which people and tools of every kind create things, for the tags that say whose they are."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from emulator import ids
from emulator.clock import CLOCK
from emulator.cloudtrail import calling_as
from emulator.worlds.parts import (
    Client,
    World,
    connector,
    group_named,
    service,
    subnets_beside,
    tag_roles,
    vpc,
)
from emulator.worlds.path_parts import (
    BINDING,
    HTTPS,
    balancer_named,
    endpoint,
    endpoint_named,
    ingress,
    target_group_named,
)

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

OWNERSHIP = "ownership"
ORDERS, REPORTS = f"{OWNERSHIP}-orders", f"{OWNERSHIP}-reports"
JOINED_SECONDS = 150  # after they were made: when the guardrails have looked for a path once or twice


def _build_ownership(client: Client) -> None:
    tag_roles(client, vpc(client, name=OWNERSHIP))


def _happen_ownership(client: Client) -> None:
    """A connector by hand, and by a pipeline a service that uses it."""
    own = f"{OWNERSHIP}-connector"
    with calling_as("sso"):
        made = connector(client, OWNERSHIP, subnets_beside(client, own, "private"), [group_named(client, own)])
    with calling_as("terraform"):
        service(client, ORDERS, made, tags={"team": "orders"})


def _later_ownership(client: Client) -> None:
    """By a stack a private service, whose tags say already whose it is; an endpoint and an ingress connection for it by
    one person; by another a load balancer and a target group, which lead nowhere yet."""
    ec2: EC2Client = client("ec2")
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    own = f"{OWNERSHIP}-connector"
    subnets = subnets_beside(client, own, "private")
    vpc_id = ec2.describe_subnets(SubnetIds=subnets)["Subnets"][0]["VpcId"]
    with calling_as("cloudformation"):
        reports = service(client, REPORTS, public=False, tags={"created-by": "reports-stack", "team": "reports"})
    with calling_as("cli"):
        made = endpoint(client, vpc_id, subnets, name=OWNERSHIP)
        ingress(client, OWNERSHIP, reports, vpc_id, made)
    with calling_as("assumed-role"):
        elbv2.create_load_balancer(Name=OWNERSHIP, Type="network", Scheme="internal", Subnets=subnets)
        elbv2.create_target_group(
            Name=OWNERSHIP, Protocol="TCP", Port=HTTPS, VpcId=vpc_id, TargetType="ip", HealthCheckProtocol="TCP"
        )
    CLOCK.schedule(JOINED_SECONDS, lambda: _join(client))


def _join(client: Client) -> None:
    """The person takes a while. Ids do not depend on what was done meanwhile."""
    elbv2: ElasticLoadBalancingv2Client = client("elbv2")
    group = target_group_named(client, OWNERSHIP)
    with ids.aside(OWNERSHIP), calling_as("assumed-role"):
        bound = endpoint_named(client, OWNERSHIP)["VpcEndpointId"]
        elbv2.add_tags(ResourceArns=[group], Tags=[{"Key": BINDING, "Value": bound}])
        elbv2.create_listener(
            LoadBalancerArn=balancer_named(client, OWNERSHIP),
            Protocol="TCP",
            Port=HTTPS,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )


OWNED: Sequence[World] = (
    World(
        name=OWNERSHIP,
        summary="people, pipelines and stacks create things, some with tags, some on a path only minutes later",
        seed=126,
        build=_build_ownership,
        happen=_happen_ownership,
        later=_later_ownership,
        parameters={"RequiredTags": "created-by,team", "DefaultTags": '{"team": "platform"}'},
    ),
)
