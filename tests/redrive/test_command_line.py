"""`make redrive` as a person or a program uses it: a process of its own, over HTTP, and its arguments."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emulator.server import Application, listen, serving
from emulator.worlds import sdk_client
from redrive.command_line import main
from tests.redrive.deployed import Deployed
from tests.redrive.test_redrive import DEAD, event

ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join(str(ROOT / part) for part in ("layers/guardrails", "."))


@contextmanager
def served(place: Deployed) -> Iterator[dict[str, str]]:
    """The environment of a process that uses the emulated AWS."""
    with listen("127.0.0.1", 0) as listener, serving(Application(place.aws), listener):
        # One keeps the test's own clients in process, the other would hide what is not flushed.
        ignored = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "PYTHONUNBUFFERED"}
        kept = {name: value for name, value in os.environ.items() if name not in ignored}
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield kept | {"AWS_ENDPOINT_URL": address, "PYTHONPATH": PATH}


def started(environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "redrive", "--stack", "guardrails", "--queue", "ValidateNetwork", *arguments],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_interrupted_by_a_person_and_run_again_it_sends_everything_back(place: Deployed) -> None:
    for number in range(60):
        place.not_delivered(DEAD, event(f"{number:02}"), "DriftQueue")
    with served(place) as environment:
        first = started(environment, "--apply")
        ends = time.monotonic() + 60
        while not place.depth("DriftQueue"):
            assert (first.poll(), time.monotonic() < ends) == (None, True)
            time.sleep(0.02)
        first.send_signal(signal.SIGINT)
        out, _ = first.communicate(timeout=60)
        assert (first.returncode, out.splitlines()[-1]) == (
            130,
            "interrupted: nothing is lost; run it again to continue",
        )
        sent = place.depth("DriftQueue")
        assert 0 < sent < 60

        again = started(environment, "--apply", "1", "--format", "json")
        out, err = again.communicate(timeout=60)
    assert (again.returncode, err) == (0, "")
    assert 60 - sent <= len(json.loads(out)["messages"]) <= 60 - sent + 1
    assert place.depth(DEAD) == 0
    found = []
    while some := sdk_client("sqs").receive_message(QueueUrl=place.urls["DriftQueue"], MaxNumberOfMessages=10):
        if "Messages" not in some:
            break
        found += [json.loads(one["Body"])["detail"]["eventID"] for one in some["Messages"]]
    assert set(found) == {f"{number:02}" for number in range(60)}


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("REGION", "no Region is set: put it into AWS_REGION, or into the profile"),
        ("KEY", "no credentials are found: sign in, or choose a profile with AWS_PROFILE"),
    ],
)
def test_without_credentials_or_a_region_it_says_what_to_do(lacks: str, said: str) -> None:
    left = {name: value for name, value in os.environ.items() if lacks not in name}
    out, err = started(left | {"PYTHONPATH": PATH}).communicate(timeout=60)
    assert (out, err) == ("", f"redrive: {said}\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "the following arguments are required: --stack"),
        (["--stack", "s", "--apply", "yes"], "argument --apply: APPLY takes 1, or nothing: 'yes' is neither"),
        (["--stack", "s", "--max", "0"], "argument --max: MAX takes a number from 1 on: '0' is none"),
        (["--stack", "s", "--max", "-1"], "argument --max: MAX takes a number from 1 on: '-1' is none"),
        (["--stack", "s", "--max", "all"], "argument --max: MAX takes a number from 1 on: 'all' is none"),
        (
            ["--stack", "s", "--delete", " "],
            "argument --delete: DELETE takes the ids of messages, as they are shown without it",
        ),
    ],
)
def test_arguments_that_make_no_sense_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert (ended.value.code, said in capsys.readouterr().err) == (2, True)


@pytest.mark.parametrize(
    ("environment", "begins"),
    [
        ({}, "env -u AWS_DEFAULT_REGION .venv/bin/python -m redrive"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, ".venv/bin/python"),
    ],
    ids=["none", "chosen"],
)
def test_make_hands_everything_on_and_takes_no_region_that_nobody_chose(
    environment: dict[str, str], begins: str
) -> None:
    of_make = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "GNUMAKEFLAGS"}  # where `make test` runs this
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name not in of_make}
    given = ("STACK=guardrails", "QUEUE=SyncTargets", "APPLY=1", "MAX=1", "DELETE=a b", "FORMAT=json")
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", "redrive", *given],  # noqa: S607  # whatever make there is
        cwd=ROOT,
        env=kept | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    command = told.stdout.splitlines()[-1].strip()
    assert command.startswith(begins)
    assert command.split("-m redrive ")[1].strip() == (
        '--stack "guardrails" --queue "SyncTargets" --apply "1" --max "1" --delete "a b" --format "json"'
    )
