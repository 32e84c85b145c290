"""`make backfill`: ownership tags for what was made before the stack was there."""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from apprunner_guardrails.aws import clients
from apprunner_guardrails.aws.clients import Clients
from apprunner_guardrails.aws.reads import Pace
from apprunner_guardrails.tags.plan import keys
from backfill import deployed, history, journal, show
from backfill.aws import Unusable, ask, region, usable
from backfill.run import INTERRUPTED, Run, Target, run
from backfill.settle import Answer, settle

_PLAIN_WIDTH = 1000
_OTHERS_PER_SECOND = 5  # reads and writes of what was found: few enough to leave everybody else undisturbed
_FAILED, _UNUSABLE, _INTERRUPTED = 1, 2, 130
_HELP = """\
CloudTrail remembers the calls of 90 days. What they made for App Runner in this account and Region is looked at, by the
rules of the stack's own function (docs/tags.md), and what it lacks is printed. With APPLY=1 it is put, and nothing else
is ever changed.

CloudTrail allows two lookups a second. Ctrl-C ends it at any time. What was read is put into .backfill/ and used for a
day: the next run continues with it, be it one with APPLY=1. It names people, and .backfill/ may be deleted whenever no
run is under way; by itself it is removed when everything is tagged.
"""
_EXAMPLES = """\
permissions:
  cloudtrail:LookupEvents             always
  cloudformation:DescribeStacks       with STACK
  apprunner:ListTagsForResource apprunner:DescribeVpcConnector apprunner:DescribeService
  apprunner:DescribeVpcIngressConnection ec2:DescribeVpcEndpoints elasticloadbalancing:DescribeTags
  elasticloadbalancing:DescribeTargetGroups
                                      to see what is missing
  apprunner:TagResource ec2:CreateTags elasticloadbalancing:AddTags
                                      with APPLY=1

Credentials and Region are those of any SDK client: AWS_PROFILE, AWS_REGION ...

examples:
  make backfill STACK=apprunner-guardrails
  make backfill STACK=apprunner-guardrails APPLY=1
  make backfill FORMAT=json
"""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What a run has beside its arguments; tests put something else in its place."""

    client: Clients = clients.client
    now: Callable[[], datetime] = _now
    seconds: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    folder: Path = Path(".backfill")


def main(arguments: list[str] | None = None, machine: Machine | None = None) -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # so that no name ends it; stderr is like this anyway
    asked = _parser().parse_args(arguments)
    try:
        return _backfill(asked, machine or Machine())
    except Unusable as error:
        print(f"backfill: {error}", file=sys.stderr)
        return _UNUSABLE
    except KeyboardInterrupt:
        print("backfill: interrupted; run it again to continue", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        return _unheard()
    except OSError as error:  # such as of a full disk; of a file it has the name
        what = f"{error.filename} cannot be used" if error.filename else "the output cannot be written"
        print(f"backfill: {what}: {error.strerror or error}", file=sys.stderr)
        return _unheard()


def _unheard() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
    return _FAILED


def _backfill(asked: argparse.Namespace, machine: Machine) -> int:
    # A terminal wraps tables to its width; a file or pipe gets each resource on one line.
    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    console = Console(highlight=False, width=width, quiet=asked.format == "json")
    lookups, others = (Pace(each, machine.seconds, machine.sleep) for each in (history.PER_SECOND, _OTHERS_PER_SECOND))
    client = clients.with_paced_retries(
        usable(machine.client), lambda call: lookups if call == "LookupEvents" else others
    )
    place = region(client)
    account = str(ask(client, "sts", "get_caller_identity")["Account"])
    target = Target(
        account=account,
        region=place,
        stack=asked.stack,
        settings=deployed.settings(client, asked.stack),
        apply=asked.apply,
    )
    show.heading(console, target, os.environ.get("AWS_ENDPOINT_URL", ""))
    if not keys(target.settings):
        raise Unusable(
            "these settings put no tags: CreatedByTag, CreatedAtTag, CreatedWithTag and DefaultTags are empty"
        )
    with journal.opened(machine.folder, account, place, machine.now(), fresh=asked.fresh) as (kept, anew):
        show.beginning(console, kept, anew)
        with show.progression(Console(stderr=True, highlight=False), machine.seconds) as tell:
            done = run(
                target,
                kept,
                history.lookup(client, lookups, machine.sleep),
                lambda one: settle(one, client, others, target.settings, machine.now(), apply=target.apply),
                tell,
            )
        status = _told(console, asked, done)
        if not done.progress_file:
            kept.remove()  # after it was told: where that fails, the next run still knows what was put
    return status


def _told(console: Console, asked: argparse.Namespace, done: Run) -> int:
    if asked.format == "json":
        print(json.dumps(show.as_json(done), indent=2), flush=True)
    if done.pages or not done.stopped:
        show.results(console, done)
    if done.stopped == INTERRUPTED:
        return _INTERRUPTED
    if done.stopped:
        raise Unusable(done.stopped)
    return _FAILED if done.of(Answer.FAILED) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make backfill",
        description=_HELP,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--stack",
        metavar="NAME",
        default="",
        help="take the names of the tags, and further tags, from this deployed stack's parameters (STACK=NAME); the"
        " template's defaults count without one",
    )
    parser.add_argument(
        "--apply", nargs="?", type=_one("APPLY"), const=True, default=False, help="put the tags (APPLY=1)", metavar="1"
    )
    parser.add_argument(
        "--fresh",
        nargs="?",
        type=_one("FRESH"),
        const=True,
        default=False,
        help="read everything again, whatever was read before (FRESH=1)",
        metavar="1",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json tells programs (FORMAT=json)")
    return parser


def _one(name: str) -> Callable[[str], bool]:
    """A switch: 1, or nothing."""

    def parse(said: str) -> bool:
        if said not in ("", "1"):
            raise argparse.ArgumentTypeError(f"{name} takes 1, or nothing: {said!r} is neither")
        return said == "1"

    return parse
