"""`make redrive`: what ended in the dead-letter queues goes back to where it belongs."""

import argparse
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console

from apprunner_guardrails.aws import clients
from apprunner_guardrails.aws.clients import Clients
from programs.aws import Unusable, account, region, usable
from programs.command_line import FAILED, add_switch, console, ended, parser, spell_out
from programs.show import heading, note
from programs.start import INTERRUPTED as STATUS_INTERRUPTED
from redrive import queues, show
from redrive.run import INTERRUPTED, Answer, Means, Run, Target, run

_MOST = 1000
_HELP = """\
What the guardrails could not deal with waits in four dead-letter queues for 14 days. Without APPLY=1 this shows how
many messages there are, of which kind and how old, which event each is about, why it is there as far as it says, and
what would be done; it changes nothing. Mend the cause first. With APPLY=1 each goes back to where it belongs, and is
deleted only after that:

  not delivered     by an EventBridge rule: the event goes to the rule's target
  function failed   at an event, each time it was tried: the function is invoked with it, asynchronously
  queue gave up     on a message that its function failed at: it goes back to that queue

Nothing goes anywhere but to queues and functions of the stack. A message that cannot be understood stays, with what to
do. Messages that ask for the same, such as scheduled runs, are sent once. The guardrails read everything again and tell
nobody twice, so an event that comes late or twice does no harm.

What comes back because its cause is not mended is for the next run: no run goes on for ever. Ctrl-C ends it at any
time. Messages are hidden from others while it runs, and for ten minutes at most if it cannot undo that at the end.
"""
_EXAMPLES = """\
permissions:
  cloudformation:ListStackResources   of the stack
  sqs:GetQueueAttributes sqs:ReceiveMessage sqs:ChangeMessageVisibility
                                      of the dead-letter queues
  sqs:DeleteMessage                   of the dead-letter queues, with APPLY=1
  sqs:SendMessage                     of the working queues, with APPLY=1
  lambda:InvokeFunction               of the functions, with APPLY=1
  kms:Decrypt kms:GenerateDataKey     of the key, where the stack has one of yours (KeyArn)

Credentials and Region are those of any SDK client: AWS_PROFILE, AWS_REGION ...

It ends with status 1 if APPLY=1 left something that failed or stays, or a message to drop is not there.

examples:
  make redrive STACK=apprunner-guardrails
  make redrive STACK=apprunner-guardrails QUEUE=ValidateNetwork APPLY=1 MAX=1
  make redrive STACK=apprunner-guardrails APPLY=1
  make redrive STACK=apprunner-guardrails DELETE=0f3c1a52-7f0e-4f0c-9c55-5f1d1b0c6a11 APPLY=1
  make redrive STACK=apprunner-guardrails FORMAT=json
"""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What a run has beside its arguments; tests put something else in its place. `wait_seconds`: how long SQS may look
    for messages until it says that there are none."""

    client: Clients = clients.client
    now: Callable[[], datetime] = _now
    seconds: Callable[[], float] = time.monotonic
    wait_seconds: int = 2


def main(arguments: list[str] | None = None, machine: Machine | None = None) -> int:
    spell_out()
    asked = _parser().parse_args(arguments)
    return ended("redrive", lambda: _redrive(asked, machine or Machine()), "interrupted; nothing is lost, run it again")


def _redrive(asked: argparse.Namespace, machine: Machine) -> int:
    out = console(asked.format)
    client = usable(machine.client)
    place = region(client, "sqs")
    whose = account(client)
    heading(out, "redrive", whose, place, os.environ.get("AWS_ENDPOINT_URL", ""))
    note(out, f"stack: {asked.stack}")
    stack = queues.stack(client, asked.stack, whose, place, asked.queue)
    target = Target(
        account=whose, region=place, stack=asked.stack, apply=asked.apply, most=asked.max, delete=asked.delete
    )
    with show.progression(Console(stderr=True, highlight=False)) as tell:
        means = Means(
            client=client,
            now=int(machine.now().timestamp()),
            seconds=machine.seconds,
            wait_seconds=machine.wait_seconds,
            tell=tell,
        )
        done = run(target, stack, means)
    if asked.format == "json":
        print(json.dumps(show.as_json(done), indent=2), flush=True)
    show.results(out, done)
    return _status(done)


def _status(done: Run) -> int:
    if done.stopped == INTERRUPTED:
        return STATUS_INTERRUPTED
    if done.stopped:
        raise Unusable(done.stopped)
    is_left = done.not_found or (done.target.apply and done.of(Answer.FAILED, Answer.STAYS))
    return FAILED if is_left else 0


def _parser() -> argparse.ArgumentParser:
    made = parser("redrive", _HELP, _EXAMPLES)
    made.add_argument("--stack", metavar="NAME", required=True, help="the deployed stack (STACK=NAME)")
    made.add_argument(
        "--queue",
        metavar="NAME",
        default="",
        help="one dead-letter queue alone, such as ValidateNetwork or SyncTargets (QUEUE=NAME)",
    )
    add_switch(made, "APPLY", "send the messages back, or drop those of DELETE")
    made.add_argument(
        "--max",
        type=_number,
        default=_MOST,
        metavar="N",
        help=f"look at so many messages at most, {_MOST} unless this says otherwise; MAX=1 tries with one (MAX=N)",
    )
    made.add_argument(
        "--delete",
        type=_ids,
        default=frozenset(),
        metavar="ID",
        help="drop the messages with these ids, separated by spaces or commas, and touch no other (DELETE=ID)",
    )
    return made


def _number(said: str) -> int:
    if not said.isdecimal() or not int(said):
        raise argparse.ArgumentTypeError(f"MAX takes a number from 1 on: {said!r} is none")
    return int(said)


def _ids(said: str) -> frozenset[str]:
    ids = frozenset(said.replace(",", " ").split())
    if not ids:
        raise argparse.ArgumentTypeError("DELETE takes the ids of messages, as they are shown without it")
    return ids
