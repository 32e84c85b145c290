"""Named worlds: small AWS accounts, each with something wrong, built by ordinary SDK calls with repeatable ids. One is
of several accounts and Regions.

A world is first built (the network, and what stood there before), then something happens in it: the calls that the
guardrails are woken by. In some, more happens later, when they have told of it: somebody mends it, or deletes it. All
are plain functions of `client`, which gives the SDK's client of a service by name; a few also set what no call leads
to (emulator.settings). Connectors, services, ingress connections, load balancers and target groups are named for their
world, so an event says which world it belongs to, if it names one of them at all. So do the names of the files in
events/.

`region` builds no named world, but a Region of any size.
"""

from collections.abc import Mapping

from moto.moto_api._internal import mock_random

from emulator.clock import CLOCK
from emulator.cloudtrail import calling_as
from emulator.worlds.broken_paths import BROKEN_PATHS
from emulator.worlds.connectors import CONNECTORS
from emulator.worlds.organization import ORGANIZATIONS, audit_due
from emulator.worlds.ownership import OWNED
from emulator.worlds.parts import (
    ALERT_TOPIC,
    CHAT_TOPIC,
    FINDINGS_TABLE,
    OPERATION_SECONDS,
    REGION,
    SYNC_QUEUE,
    Client,
    Member,
    Region,
    Vpc,
    World,
    alert_topic,
    connector,
    egress_through,
    findings_table,
    region,
    sdk_client,
    service,
    stack_resources,
    vpc,
)
from emulator.worlds.private_path import PRIVATE_PATHS
from emulator.worlds.services import SERVICES

__all__ = [
    "ALERT_TOPIC",
    "CHAT_TOPIC",
    "FINDINGS_TABLE",
    "OPERATION_SECONDS",
    "REGION",
    "SYNC_QUEUE",
    "WORLDS",
    "Client",
    "Member",
    "Region",
    "Vpc",
    "World",
    "alert_topic",
    "audit_due",
    "build",
    "connector",
    "egress_through",
    "findings_table",
    "happen",
    "later",
    "make",
    "region",
    "sdk_client",
    "service",
    "stack_resources",
    "vpc",
]


def build(world: World, client: Client) -> None:
    """Make what stands in the world before anything happens. Ids are the same wherever it is built."""
    mock_random.seed(world.seed)
    with calling_as("cli"):
        world.build(client)


def happen(world: World, client: Client) -> None:
    """Make the world's calls. Ids do not depend on what was done since `build`; operations are under way after it."""
    mock_random.seed(world.seed + 1000)
    world.happen(client)


def later(world: World, client: Client) -> None:
    """Make the world's later calls, if it has any. Ids do not depend on what was done since `happen`."""
    if world.later is not None:
        mock_random.seed(world.seed + 2000)
        world.later(client)


def make(world: World, client: Client) -> None:
    """Build the world and what the stack deploys, let the world's event happen, and its operations end. What comes
    later in it is left to the caller."""
    build(world, client)
    stack_resources(client)
    happen(world, client)
    CLOCK.advance(OPERATION_SECONDS)


WORLDS: Mapping[str, World] = {
    world.name: world for world in (*CONNECTORS, *PRIVATE_PATHS, *SERVICES, *BROKEN_PATHS, *OWNED, *ORGANIZATIONS)
}
