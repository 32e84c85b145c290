"""`make backfill`: ownership tags for what was made before the stack was there."""

import argparse
import json
import os
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
from backfill.run import INTERRUPTED, Run, Target, run
from backfill.settle import Answer, settle
from programs.aws import Unusable, account, region, usable
from programs.command_line import FAILED, add_switch, console, ended, parser, spell_out
from programs.start import INTERRUPTED as STATUS_INTERRUPTED

_OTHERS_PER_SECOND = 5  # reads and writes of what was found: few enough to leave everybody else undisturbed
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
    spell_out()
    asked = _parser().parse_args(arguments)
    return ended("backfill", lambda: _backfill(asked, machine or Machine()), "interrupted; run it again to continue")


def _backfill(asked: argparse.Namespace, machine: Machine) -> int:
    out = console(asked.format)
    lookups, others = (Pace(each, machine.seconds, machine.sleep) for each in (history.PER_SECOND, _OTHERS_PER_SECOND))
    client = clients.with_paced_retries(
        usable(machine.client), lambda call: lookups if call == "LookupEvents" else others
    )
    place = region(client, "cloudtrail")
    whose = account(client)
    target = Target(
        account=whose,
        region=place,
        stack=asked.stack,
        settings=deployed.settings(client, asked.stack),
        apply=asked.apply,
    )
    show.heading(out, target, os.environ.get("AWS_ENDPOINT_URL", ""))
    if not keys(target.settings):
        raise Unusable(
            "these settings put no tags: CreatedByTag, CreatedAtTag, CreatedWithTag and DefaultTags are empty"
        )
    with journal.opened(machine.folder, whose, place, machine.now(), fresh=asked.fresh) as (kept, anew):
        show.beginning(out, kept, anew)
        with show.progression(Console(stderr=True, highlight=False), machine.seconds) as tell:
            done = run(
                target,
                kept,
                history.lookup(client, lookups, machine.sleep),
                lambda one: settle(one, client, others, target.settings, machine.now(), apply=target.apply),
                tell,
            )
        status = _told(out, asked, done)
        if not done.progress_file:
            kept.remove()  # after it was told: where that fails, the next run still knows what was put
    return status


def _told(console: Console, asked: argparse.Namespace, done: Run) -> int:
    if asked.format == "json":
        print(json.dumps(show.as_json(done), indent=2), flush=True)
    if done.pages or not done.stopped:
        show.results(console, done)
    if done.stopped == INTERRUPTED:
        return STATUS_INTERRUPTED
    if done.stopped:
        raise Unusable(done.stopped)
    return FAILED if done.of(Answer.FAILED) else 0


def _parser() -> argparse.ArgumentParser:
    made = parser("backfill", _HELP, _EXAMPLES)
    made.add_argument(
        "--stack",
        metavar="NAME",
        default="",
        help="take the names of the tags, and further tags, from this deployed stack's parameters (STACK=NAME); the"
        " template's defaults count without one",
    )
    add_switch(made, "APPLY", "put the tags")
    add_switch(made, "FRESH", "read everything again, whatever was read before")
    return made
