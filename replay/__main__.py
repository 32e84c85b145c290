"""`make replay`: from an event to an alert, on this machine, with no AWS account."""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from unittest.mock import patch

from rich.console import Console

from apprunner_guardrails.paths.render import as_json
from apprunner_guardrails.paths.report import Kind, Report
from emulator.worlds import WORLDS, World
from replay import diagrams, loop, show, template

_PLAIN_WIDTH = 1000
_NAMED_FOR_WORLDS = (
    "vpcconnector",
    "service",
    "vpcingressconnection",
    "targetgroup",
    "loadbalancer/net",
    "listener/net",
)


class Unusable(Exception):
    """The command line asks for something that is not there; the text says what, and what there is."""


def main(arguments: list[str] | None = None) -> int:
    asked = _parser().parse_args(arguments)
    try:
        with _no_account():
            return _replay(asked)
    except Unusable as error:
        print(f"replay: {error}", file=sys.stderr)
        return 2
    except loop.Endless as error:
        print(f"replay: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` has seen enough; rich ends in the same way
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
        return 1


@contextmanager
def _no_account() -> Iterator[None]:
    """Nothing of the caller's AWS configuration may lead a replay to a real account."""
    with patch.dict(os.environ):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            del os.environ[name]
        yield


def _replay(asked: argparse.Namespace) -> int:
    started = time.monotonic()
    stack = template.load()
    # A terminal wraps tables to its width; a file or pipe gets each answer on one line.
    console = Console(
        highlight=False, width=None if sys.stdout.isatty() else _PLAIN_WIDTH, quiet=asked.format == "json"
    )
    event = _event(asked.event) if asked.event else None
    named = world_of(asked.world, asked.event, event) if asked.world or event else None
    worlds = [named or WORLDS["healthy"]] if asked.world or event else list(WORLDS.values())
    played: list[tuple[World, list[loop.Step], Report]] = []
    for world in worlds:
        show.heading(console, world.name, world.summary, world.parameters)
        if event and named is None:
            console.print("  [dim]the event names no world; WORLD=name plays it in another one than this[/dim]")
        steps, report = _play(world, event, stack, console, whole=bool(event or asked.world))
        if asked.world or _has_private_path(report):
            show.paths(console, report)
        if asked.report:
            for path in _draw(report, Path(asked.report), world.name):
                console.print(f"  wrote {path}")
        played.append((world, steps, report))
    steps = [step for _, these, _ in played for step in these]
    if asked.format == "json":
        print(json.dumps({"worlds": [_as_json(*one) for one in played]}, indent=2))
    show.summary(console, len(worlds), steps, time.monotonic() - started)
    return int(any(invocation.error for step in steps for invocation in step.invocations))


def _play(
    world: World, event: Mapping[str, object] | None, stack: template.Stack, console: Console, *, whole: bool
) -> tuple[list[loop.Step], Report]:
    steps: list[loop.Step] = []
    reports: list[Report] = []

    def at_end(played: loop.Loop) -> None:
        reports.append(played.paths())

    all_steps = loop.play_event_twice(event, world, stack, at_end) if event else loop.play_world(world, stack, at_end)
    with closing(all_steps):  # an emulated AWS that is left must be taken down before the environment is restored
        for _, some in groupby(all_steps, lambda step: (step.moment, step.delivery)):
            these = list(some)
            steps += these
            show.steps(console, these, whole=whole)
    if event and not any(step.invocations for step in steps):
        console.print("    no rule of template.yaml matches this event: nothing is invoked")
    return steps, reports[0]


def _as_json(world: World, steps: Iterable[loop.Step], report: Report) -> dict[str, object]:
    return {"world": world.name, "events": [show.as_json(step) for step in steps], "paths": as_json(report)}


def _has_private_path(report: Report) -> bool:
    return any(hop.kind is Kind.INGRESS for chain in report.chains for hop in chain.hops)


def _draw(report: Report, folder: Path, name: str) -> Iterator[Path]:
    """Write the report's diagrams into a folder, which is made if need be."""
    for end, drawn in ((".md", diagrams.markdown(report)), (".svg", diagrams.svg(report))):
        path = folder / f"{name}-paths{end}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(drawn, encoding="utf-8")
        except OSError as error:
            raise Unusable(f"{path} cannot be written: {error.strerror}") from error
        yield path


def _event(path: str) -> Mapping[str, object]:
    try:
        event = json.loads(Path(path).read_text())
    except OSError as error:
        raise Unusable(f"the event file {path} cannot be read: {error.strerror}; events/ has samples") from error
    except ValueError as error:
        raise Unusable(f"the event file {path} is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise Unusable(f"the event file {path} should hold one event, or one batch of SQS, as an object")
    return event


def world_of(name: str | None, event_path: str | None, event: Mapping[str, object] | None) -> World | None:
    """The world asked for, else the one that something of the event is named for (see _NAMED_FOR_WORLDS), else the one
    that the file is named for, as those in events/ are; else None. Where a name ends or begins as another, the longer
    one is meant."""
    if name is not None:
        if name not in WORLDS:
            raise Unusable(f"there is no world {name!r}; there are {', '.join(WORLDS)}")
        return WORLDS[name]
    text, file = json.dumps(event), Path(event_path or "").stem
    worlds = sorted(WORLDS.values(), key=lambda world: -len(world.name))
    by_name = (world for world in worlds if any(f":{kind}/{world.name}" in text for kind in _NAMED_FOR_WORLDS))
    by_file = (world for world in worlds if file.removesuffix("-failed").endswith(f"-{world.name}"))
    return next(by_name, None) or next(by_file, None)


def _parser() -> argparse.ArgumentParser:
    worlds = "\n".join(f"  {world.name:<22}{world.summary}" for world in WORLDS.values())
    parser = argparse.ArgumentParser(
        prog="make replay",
        description="Play events through the functions of template.yaml, against an emulated AWS on this machine.",
        epilog=f"worlds:\n{worlds}\n\nexamples:\n  make replay\n  make replay WORLD=public-subnets\n"
        "  make replay EVENT=events/apprunner-CreateVpcConnector-public-subnets.json\n  make replay FORMAT=json\n"
        "  make replay WORLD=private-path REPORT=diagrams",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--event",
        metavar="FILE",
        help="play this one event, batch of SQS, or request of CloudFormation (EVENT=FILE); a request is answered for"
        " real, at its ResponseURL: let that be on this machine",
    )
    parser.add_argument("--world", metavar="NAME", help="play this one world, or the event in it (WORLD=NAME)")
    parser.add_argument(
        "--report",
        metavar="FOLDER",
        help="write the path report of each world played there as diagrams: NAME-paths.md with Mermaid, and"
        " NAME-paths.svg (REPORT=FOLDER)",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json prints the same for programs")
    return parser


if __name__ == "__main__":
    sys.exit(main())
