"""Writes events/: the sample events, as the emulator emits them in its named worlds.

python -m tools.events [--check]
"""

import json
import sys
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from apprunner_guardrails.events import CLOUDTRAIL, OPERATION, Ignored, parse
from emulator import emulate
from emulator.worlds import OPERATION_SECONDS, REGION, WORLDS, World, audit_due, build, happen, later, sdk_client

FOLDER = Path(__file__).parent.parent / "events"

# Calls made while a world is built that have a sample too: one that nobody watches, changes of a network, and what a
# private service is reached by. EC2 and HTTP APIs each have a CreateRoute.
BUILDING = (
    "PauseService",
    "CreateRoute",
    "DeleteNatGateway",
    "CreateVpcEndpoint",
    "CreateVpcIngressConnection",
    "CreateTargetGroup",
    "AddTags",
    "RegisterTargets",
)

HOME = ("123456789012", REGION)
UNSEEN = "aws.iam"  # whose calls let the guardrails into an account
MEMBER = "apprunner-guardrails.member"

type Event = Mapping[str, Any]


def samples() -> dict[str, Event]:
    """File name → event: `<source>-<call>-[<account>-<region>-]<world>[-failed].json`, with the place if it is not the
    stack's own. What built a world, and what is not about a connector or a service, has one sample a call."""
    found: dict[str, Event] = {}
    shown: set[str] = set()
    for world in WORLDS.values():
        for event, happened in _emitted(world):
            call = f"{event['source'].removeprefix('aws.').removeprefix('apprunner-guardrails.')}-{_call(event)}"
            once = not happened or (isinstance(parse(event), Ignored) and "errorCode" not in event["detail"])
            if not once or call not in shown:
                found.setdefault(f"{call}-{_case(world, event)}.json", event)
            if once:
                shown.add(call)
    whole = found["apprunner-CreateService-healthy.json"]
    found["apprunner-CreateService-omitted.json"] = _without_bodies(whole)
    return found


def _emitted(world: World) -> Iterator[tuple[Event, bool]]:
    """The world's events, and whether they happened in it; of those that built it the ones in BUILDING."""
    client = cache(sdk_client)
    with emulate() as aws:
        build(world, client)
        built = len(aws.events)
        happen(world, client)
        aws.clock.advance(OPERATION_SECONDS)
        later(world, client)
        aws.clock.advance(OPERATION_SECONDS)
        for number, event in enumerate(aws.events):
            made: Event = deepcopy(event)
            if (number >= built and made["source"] != UNSEEN) or made["detail"].get("eventName") in BUILDING:
                yield made, number >= built
        for member in world.members[:1]:
            yield audit_due(member), True


def _call(event: Event) -> str:
    if event["detail-type"] == CLOUDTRAIL:
        return str(event["detail"]["eventName"])
    if event["detail-type"] == OPERATION:
        return str(event["detail"]["operationStatus"])
    if event["source"] == MEMBER:
        return str(event["detail-type"]).replace(" ", "")
    return f"ServiceStatusChange-{event['detail']['currentServiceStatus']}"


def _case(world: World, event: Event) -> str:
    place = (event["account"], event["region"])
    return (
        ("" if place == HOME else f"{'-'.join(place)}-")
        + world.name
        + ("-failed" if "errorCode" in event["detail"] else "")
    )


def _without_bodies(event: Event) -> Event:
    """CloudTrail leaves out request and response when they are over 100 KB."""
    omitted = deepcopy(dict(event))
    omitted["detail"] |= {"requestParameters": None, "responseElements": None}
    return omitted


def main(arguments: list[str]) -> int:
    wanted = {name: json.dumps(event, indent=2) + "\n" for name, event in sorted(samples().items())}
    there = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    if "--check" in arguments:
        stale = sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))
        if stale:
            print(f"stale: events/{', events/'.join(stale)}; `make docs` writes them anew", file=sys.stderr)
        return int(bool(stale))
    for name in there.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
