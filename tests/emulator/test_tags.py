"""What AWS refuses of tags, in the three services that the guardrails tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

if TYPE_CHECKING:
    from tests.emulator.conftest import Cloud

SESSION = boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing", region_name="us-east-1")
UNCHECKED = Config(parameter_validation=False)
"""What the SDK refuses by itself is to reach the emulator."""

INVALID = {
    "App Runner": "InvalidRequestException",
    "App Runner, created": "InvalidRequestException",
    "EC2": "InvalidParameterValue",
    "EC2, created": "InvalidParameterValue",
    "ELBv2 group": "ValidationError",
    "ELBv2 group, created": "ValidationError",
    "ELBv2 balancer": "ValidationError",
    "ELBv2 balancer, created": "ValidationError",
    "ELBv2 listener, created": "ValidationError",
}
TOO_MANY = {
    **{name: code for name, code in INVALID.items() if name.startswith("App Runner")},
    **{name: "TagLimitExceeded" for name in INVALID if name.startswith("EC2")},
    **{name: "TooManyTags" for name in INVALID if name.startswith("ELBv2")},
}
PRESENT = {"team": "shop"}

type Tags = Mapping[str, str]


def listed(tags: Tags) -> Any:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def by_key(tags: Any) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in tags}


@dataclass(frozen=True, kw_only=True)
class Taggable:
    tag: Callable[[Tags], object]
    tags: Callable[[], Tags]
    count: Callable[[], int]
    """How many there are of its kind."""


@pytest.fixture
def taggable(cloud: Cloud, request: pytest.FixtureRequest) -> Taggable:
    """What is tagged with PRESENT, or made with the tags given where its name says so."""
    service, _, when = str(request.param).partition(", ")
    made = {"App Runner": connector, "EC2": endpoint, "ELBv2 group": group, "ELBv2 balancer": balancer}
    if service == "ELBv2 listener":
        return listener(cloud)
    return made[service](cloud, created=when == "created")


def connector(cloud: Cloud, *, created: bool) -> Taggable:
    client: Any = SESSION.client("apprunner", config=UNCHECKED)

    def create(tags: Tags, name: str = "new") -> str:
        made = client.create_vpc_connector(
            VpcConnectorName=name,
            Subnets=cloud.network.private,
            SecurityGroups=[cloud.network.group],
            Tags=listed(tags),
        )
        return str(made["VpcConnector"]["VpcConnectorArn"])

    arn = create(PRESENT, "orders")
    return Taggable(
        tag=create if created else lambda tags: client.tag_resource(ResourceArn=arn, Tags=listed(tags)),
        tags=lambda: by_key(client.list_tags_for_resource(ResourceArn=arn)["Tags"]),
        count=lambda: len(client.list_vpc_connectors()["VpcConnectors"]),
    )


def endpoint(cloud: Cloud, *, created: bool) -> Taggable:
    client: Any = SESSION.client("ec2", config=UNCHECKED)

    def create(tags: Tags) -> str:
        made = client.create_vpc_endpoint(
            VpcId=cloud.network.vpc,
            ServiceName="com.amazonaws.us-east-1.apprunner.requests",
            VpcEndpointType="Interface",
            SubnetIds=cloud.network.private[:1],
            PrivateDnsEnabled=False,
            TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": listed(tags)}],
        )
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    endpoint_id = create(PRESENT)

    def described() -> Any:
        return client.describe_vpc_endpoints()["VpcEndpoints"]

    return Taggable(
        tag=create if created else lambda tags: client.create_tags(Resources=[endpoint_id], Tags=listed(tags)),
        tags=lambda: by_key(*(each["Tags"] for each in described() if each["VpcEndpointId"] == endpoint_id)),
        count=lambda: len(described()),
    )


def group(cloud: Cloud, *, created: bool) -> Taggable:
    client: Any = SESSION.client("elbv2", config=UNCHECKED)

    def create(tags: Tags, name: str = "new") -> str:
        made = client.create_target_group(
            Name=name, Protocol="TCP", Port=443, TargetType="ip", VpcId=cloud.network.vpc, Tags=listed(tags)
        )
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    arn = create(PRESENT, "orders")
    return Taggable(
        tag=create if created else lambda tags: client.add_tags(ResourceArns=[arn], Tags=listed(tags)),
        tags=lambda: by_key(client.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]),
        count=lambda: len(client.describe_target_groups()["TargetGroups"]),
    )


def balancer(cloud: Cloud, *, created: bool) -> Taggable:
    client: Any = SESSION.client("elbv2", config=UNCHECKED)

    def create(tags: Tags, name: str = "new") -> str:
        made = client.create_load_balancer(
            Name=name, Type="network", Scheme="internal", Subnets=cloud.network.private, Tags=listed(tags)
        )
        return str(made["LoadBalancers"][0]["LoadBalancerArn"])

    arn = create(PRESENT, "orders")
    return Taggable(
        tag=create if created else lambda tags: client.add_tags(ResourceArns=[arn], Tags=listed(tags)),
        tags=lambda: by_key(client.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]),
        count=lambda: len(client.describe_load_balancers()["LoadBalancers"]),
    )


def listener(cloud: Cloud) -> Taggable:
    client: Any = SESSION.client("elbv2", config=UNCHECKED)
    made = client.create_load_balancer(Name="orders", Type="network", Subnets=cloud.network.private)
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    target = client.create_target_group(Name="orders", Protocol="TCP", Port=443, VpcId=cloud.network.vpc)
    forward = [{"Type": "forward", "TargetGroupArn": target["TargetGroups"][0]["TargetGroupArn"]}]

    def create(tags: Tags, port: int = 80) -> str:
        listener = client.create_listener(
            LoadBalancerArn=arn, Protocol="TCP", Port=port, DefaultActions=forward, Tags=listed(tags)
        )
        return str(listener["Listeners"][0]["ListenerArn"])

    first = create(PRESENT, 443)
    return Taggable(
        tag=create,
        tags=lambda: by_key(client.describe_tags(ResourceArns=[first])["TagDescriptions"][0]["Tags"]),
        count=lambda: len(client.describe_listeners(LoadBalancerArn=arn)["Listeners"]),
    )


FORBIDDEN: Mapping[str, Tags] = {
    "AWS's own key": {"aws:team": "shop"},
    "AWS's own key in capitals": {"AWS:team": "shop"},
    "AWS's own key in both": {"Aws:": ""},
    "an empty key": {"": "shop"},
    "a key that is too long": {"k" * 129: "shop"},
    "a value that is too long": {"team": "v" * 257},
    "one of several": {"fine": "yes", "aws:team": "shop"},
}
ALLOWED: Mapping[str, Tags] = {
    "the longest": {"k" * 128: "v" * 256},
    "an empty value": {"stage": ""},
    "AWS's prefix further on": {"by-aws:team": "aws:shop"},
    "letters, digits and marks": {"größe Ω_.:/=+-@ 7": "日本 _.:/=+-@ 7"},
}


@pytest.mark.parametrize(("taggable", "code"), INVALID.items(), indirect=["taggable"])
def test_a_tag_that_is_forbidden_is_refused_with_all_that_came_with_it(
    cloud: Cloud, taggable: Taggable, code: str
) -> None:
    refused = {what: cloud.refusal(partial(taggable.tag, tags))[0] for what, tags in FORBIDDEN.items()}
    assert (refused, taggable.tags(), taggable.count()) == (dict.fromkeys(FORBIDDEN, code), PRESENT, 1)


@pytest.mark.parametrize("taggable", [name for name in INVALID if "created" not in name], indirect=True)
def test_what_is_just_allowed_is_taken(taggable: Taggable) -> None:
    for tags in ALLOWED.values():
        taggable.tag(tags)
    assert taggable.tags() == {key: value for tags in (PRESENT, *ALLOWED.values()) for key, value in tags.items()}


@pytest.mark.parametrize(("taggable", "code"), TOO_MANY.items(), indirect=["taggable"])
def test_no_resource_gets_more_than_fifty(cloud: Cloud, taggable: Taggable, code: str) -> None:
    many = {f"key-{number}": "x" for number in range(51)}
    refused, _ = cloud.refusal(lambda: taggable.tag(many))
    assert (refused, taggable.tags(), taggable.count()) == (code, PRESENT, 1)


@pytest.mark.parametrize("taggable", [name for name in INVALID if "created" not in name], indirect=True)
def test_those_that_are_there_count_and_can_still_be_changed(cloud: Cloud, taggable: Taggable) -> None:
    fifty = {**PRESENT, **{f"key-{number}": "x" for number in range(49)}}
    taggable.tag(fifty)
    cloud.refusal(lambda: taggable.tag({"team": "web", "one-more": "x"}))
    assert taggable.tags() == fifty
    taggable.tag({"team": "web"})
    assert taggable.tags() == fifty | {"team": "web"}


@pytest.mark.parametrize("taggable", ["ELBv2 group", "ELBv2 balancer"], indirect=True)
def test_load_balancing_has_an_alphabet_of_its_own(cloud: Cloud, taggable: Taggable) -> None:
    texts = ["a,b", "a\nb", "it's", "(a)", "🙂", "a*"]
    refused = [cloud.refusal(partial(taggable.tag, tags))[0] for each in texts for tags in ({each: "x"}, {"x": each})]
    assert (refused, taggable.tags()) == (["ValidationError"] * 12, PRESENT)


@pytest.mark.parametrize("taggable", ["App Runner", "EC2"], indirect=True)
def test_the_others_take_any_character(taggable: Taggable) -> None:
    tags = {"a,b": "it's (a)", "🙂": "*"}
    taggable.tag(tags)
    assert taggable.tags() == PRESENT | tags


def test_load_balancing_refuses_a_key_that_comes_twice(cloud: Cloud) -> None:
    client: Any = SESSION.client("elbv2")
    twice = [{"Key": "team", "Value": "shop"}, {"Key": "team", "Value": "web"}]
    refused, _ = cloud.refusal(
        lambda: client.create_target_group(
            Name="orders", Protocol="TCP", Port=443, VpcId=cloud.network.vpc, TargetType="ip", Tags=twice
        )
    )
    assert (refused, client.describe_target_groups()["TargetGroups"]) == ("DuplicateTagKeys", [])


def test_an_endpoint_that_was_not_made_leaves_no_tags(cloud: Cloud) -> None:
    one = endpoint(cloud, created=True)
    for tags in ({"team": "web", "aws:team": "shop"}, {f"key-{number}": "x" for number in range(51)}):
        cloud.refusal(partial(one.tag, tags))
    left = cloud.ec2.describe_tags(Filters=[{"Name": "resource-type", "Values": ["vpc-endpoint"]}])["Tags"]
    assert by_key(left) == PRESENT


def test_an_endpoint_that_is_not_there_is_not_tagged(cloud: Cloud) -> None:
    client: Any = SESSION.client("ec2")
    refused, _ = cloud.refusal(
        lambda: client.create_tags(Resources=[cloud.network.vpc, "vpce-0123456789abcdef0"], Tags=listed(PRESENT))
    )
    tags = client.describe_tags(Filters=[{"Name": "key", "Values": ["team"]}])["Tags"]
    assert (refused, tags) == ("InvalidVpcEndpointId.NotFound", [])
