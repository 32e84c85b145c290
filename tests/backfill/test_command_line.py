"""`make backfill` as a person or a program uses it: a process of its own, over HTTP."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backfill.__main__ import main
from emulator import Emulator, emulate
from emulator.server import Application, listen, serving
from emulator.worlds import WORLDS, make
from emulator.worlds.parts import sdk_client
from tests.backfill.conftest import fail
from tests.samples import ACCOUNT, REGION

ROOT = Path(__file__).parents[2]
CONNECTOR = f"arn:aws:apprunner:{REGION}:{ACCOUNT}:vpcconnector/healthy/1/"


@dataclass(frozen=True)
class Shell:
    """Where the program is run, against an emulated AWS that is served."""

    aws: Emulator
    folder: Path
    environment: dict[str, str]

    @property
    def file(self) -> Path:
        return self.folder / ".backfill" / f"{ACCOUNT}-{REGION}.jsonl"

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "backfill", *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        started = self.start(*arguments)
        out, err = started.communicate(timeout=120)
        return started.returncode, out, err


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with emulate(start=datetime.now(UTC)) as aws:
        make(WORLDS["healthy"], sdk_client)
        fail(60)
        with listen("127.0.0.1", 0) as listener, serving(Application(aws), listener):
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            path = os.pathsep.join(str(ROOT / part) for part in ("layers/guardrails", "."))
            ignored = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"  # so that the test's own clients stay in process
            kept = {name: value for name, value in os.environ.items() if name != ignored}
            yield Shell(aws=aws, folder=tmp_path, environment=kept | {"AWS_ENDPOINT_URL": address, "PYTHONPATH": path})


def test_interrupted_by_a_person_and_run_again_it_tags_what_was_made(shell: Shell) -> None:
    started = shell.start()
    ends = time.monotonic() + 60
    while not shell.file.exists() or shell.file.read_bytes().count(b"\n") < 3:
        assert time.monotonic() < ends
        assert started.poll() is None
        time.sleep(0.05)
    started.send_signal(signal.SIGINT)
    out, _ = started.communicate(timeout=60)
    assert started.returncode == 130
    last = out.splitlines()[-1]
    assert last == f"interrupted: run it again to continue; .backfill/{shell.file.name} keeps what was read for a day"

    status, out, err = shell.run("--apply", "1", "--format", "json")
    assert status == 0, err
    said = json.loads(out)
    assert said["read"]["events"] == 63
    assert {one["call"]: (one["answer"], one["tags"]["created-by"]) for one in said["resources"]} == {
        "CreateVpcConnector": ("tagged", "NetworkEngineer/jonas.weber"),
        "CreateService": ("tagged", "NetworkEngineer/jonas.weber"),
    }
    arn = next(one["arn"] for one in said["resources"] if one["arn"].startswith(CONNECTOR))
    tags = sdk_client("apprunner").list_tags_for_resource(ResourceArn=arn)["Tags"]
    assert {"created-by", "created-at", "created-with"} <= {tag["Key"] for tag in tags}
    assert not shell.file.exists()


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ("REGION", "no Region is set: put it into AWS_REGION, or into the profile"),
        ("KEY", "no credentials are found: sign in, or choose a profile with AWS_PROFILE"),
    ],
)
def test_without_credentials_or_a_region_it_says_what_to_do(tmp_path: Path, lacks: str, said: str) -> None:
    left = {name: value for name, value in os.environ.items() if lacks not in name}
    path = os.pathsep.join(str(ROOT / part) for part in ("layers/guardrails", "."))
    told = subprocess.run(
        [sys.executable, "-m", "backfill"],
        cwd=tmp_path,
        env=left | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (2, "", f"backfill: {said}\n")
    assert list(tmp_path.iterdir()) == []


def test_the_region_may_come_from_the_profile(shell: Shell) -> None:
    profile = shell.folder / "config"
    profile.write_text("[default]\nregion = eu-west-1\n")
    left = {name: value for name, value in shell.environment.items() if "REGION" not in name}
    status, out, _ = Shell(
        aws=shell.aws, folder=shell.folder, environment=left | {"AWS_CONFIG_FILE": str(profile)}
    ).run("--format", "json")
    said = json.loads(out)
    assert (status, said["region"], said["read"]["events"]) == (0, "eu-west-1", 0)


# --- Arguments ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--apply", "yes"], "argument --apply: APPLY takes 1, or nothing: 'yes' is neither"),
        (["--apply", "0"], "argument --apply: APPLY takes 1, or nothing: '0' is neither"),
        (["--fresh", "true"], "argument --fresh: FRESH takes 1, or nothing: 'true' is neither"),
        (["--format", "yaml"], "argument --format: invalid choice: 'yaml'"),
    ],
)
def test_what_is_no_switch_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_help_tells_the_permissions(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    for action in (
        *("cloudtrail:LookupEvents", "cloudformation:DescribeStacks"),
        *("apprunner:TagResource", "ec2:CreateTags", "elasticloadbalancing:AddTags"),
        *("APPLY=1", "STACK=NAME", "FRESH=1", "FORMAT=json"),
    ):
        assert action in said


@pytest.mark.parametrize(
    ("environment", "begins"),
    [
        ({}, "env -u AWS_DEFAULT_REGION .venv/bin/python -m backfill"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, ".venv/bin/python"),
    ],
    ids=["none", "chosen"],
)
def test_make_takes_no_region_that_nobody_chose(environment: dict[str, str], begins: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    told = subprocess.run(
        ["make", "-n", "backfill", "STACK=guardrails", "APPLY=1", "FRESH=1", "FORMAT=json"],  # noqa: S607  # whatever make there is
        cwd=ROOT,
        env=kept | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    command = told.stdout.splitlines()[-1].strip()
    assert command.startswith(begins)
    assert command.split("-m backfill ")[1].split() == [
        *("--stack", '"guardrails"', "--apply", '"1"', "--fresh", '"1"', "--format", '"json"')
    ]
