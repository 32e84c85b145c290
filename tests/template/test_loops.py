"""Ownership tags in the records that the emulated AWS makes of them: whoever puts them but the guardrails is heard."""

from collections.abc import Iterator

import pytest

from apprunner_guardrails.aws import tags
from emulator import Emulator, cloudtrail, emulate
from emulator.cloudtrail.identities import IDENTITIES
from emulator.worlds import WORLDS, build, sdk_client
from replay.template import load, matches

STACK = load()
PATTERNS = {
    rule: pattern
    for one in STACK.functions.values()
    for patterns in (one.patterns, *(queue.patterns for queue in one.queues.values()))
    for rule, pattern in patterns.items()
}
TAGS = {"created-by": "mara.lind", "team": "shop"}
HEARD = {
    "connector": ["ValidateNetworkFunctionNetworkChange"],
    "service": ["ValidateNetworkFunctionNetworkChange"],
    "ingress connection": ["PathRule"],
    # Of these, tags are looked at only if they tell the guardrails something.
    "endpoint": [],
    "target group": [],
    "load balancer": [],
}


@pytest.fixture(scope="module")
def aws() -> Iterator[Emulator]:
    with emulate() as aws:
        build(WORLDS["private-path"], sdk_client)
        aws.clock.advance(600)
        yield aws


def put_on_everything() -> None:
    """The calls that the function makes, on each of what it makes them on."""
    apprunner, ec2, elbv2 = map(sdk_client, ("apprunner", "ec2", "elbv2"))
    [connector] = apprunner.list_vpc_connectors()["VpcConnectors"]
    [service] = apprunner.list_services()["ServiceSummaryList"]
    [ingress] = apprunner.list_vpc_ingress_connections()["VpcIngressConnectionSummaryList"]
    [endpoint] = ec2.describe_vpc_endpoints()["VpcEndpoints"]
    [group] = elbv2.describe_target_groups()["TargetGroups"]
    [balancer] = elbv2.describe_load_balancers()["LoadBalancers"]
    assert [
        tags.add_to_apprunner(sdk_client, connector["VpcConnectorArn"], TAGS),
        tags.add_to_apprunner(sdk_client, service["ServiceArn"], TAGS),
        tags.add_to_apprunner(sdk_client, ingress["VpcIngressConnectionArn"], TAGS),
        tags.add_to_endpoint(sdk_client, endpoint["VpcEndpointId"], TAGS),
        tags.add_to_balancing(sdk_client, group["TargetGroupArn"], TAGS),
        tags.add_to_balancing(sdk_client, balancer["LoadBalancerArn"], TAGS),
    ] == [None] * len(HEARD)


def heard(aws: Emulator, before: int) -> dict[str, list[str]]:
    """The rules that admit each of the calls since."""
    admitted = (
        [name for name, pattern in PATTERNS.items() if matches(pattern, event)] for event in aws.events[before:]
    )
    return dict(zip(HEARD, admitted, strict=True))


def test_a_tag_of_the_function_that_tags_wakes_nothing(aws: Emulator) -> None:
    function = STACK.functions["TagResourcesFunction"]
    before = len(aws.events)
    with cloudtrail.running(cloudtrail.lambda_function(function.logical_id, function.role)):
        put_on_everything()
    assert heard(aws, before) == {what: [] for what in HEARD}


@pytest.mark.parametrize("function", [name for name in STACK.functions if name != "TagResourcesFunction"])
def test_a_tag_of_another_function_would_be_heard_of(aws: Emulator, function: str) -> None:
    before = len(aws.events)
    with cloudtrail.running(cloudtrail.lambda_function(function, STACK.functions[function].role)):
        put_on_everything()
    assert heard(aws, before) == HEARD


@pytest.mark.parametrize("name", sorted(IDENTITIES))
def test_a_tag_of_anybody_else_is_heard_of_as_ever(aws: Emulator, name: str) -> None:
    before = len(aws.events)
    with cloudtrail.calling_as(name):
        put_on_everything()
    assert heard(aws, before) == HEARD
