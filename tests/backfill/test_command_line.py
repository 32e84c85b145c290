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
from typing import IO

import pytest

from backfill.command_line import main
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

    def start(self, *arguments: str, out: int | IO[str] = subprocess.PIPE, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "backfill", *arguments],
            cwd=self.folder,
            env=self.environment | more,
            text=True,
            stdout=out,
            stderr=subprocess.PIPE,
        )

    def run(self, *arguments: str, **more: str) -> tuple[int, str, str]:
        started = self.start(*arguments, out=subprocess.PIPE, **more)
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
            # One keeps the test's own clients in process, the other would hide what is not flushed.
            ignored = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "PYTHONUNBUFFERED"}
            kept = {name: value for name, value in os.environ.items() if name not in ignored}
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
    assert last == (
        f"interrupted: run it again to continue; what was read is used for a day, and .backfill/{shell.file.name} may"
        " be deleted"
    )

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
    assert not shell.file.parent.exists()


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


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AWS_ENDPOINT_URL", "nonsense", "Invalid endpoint: nonsense"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:99999", "Port out of range 0-65535"),
        ("AWS_ENDPOINT_URL_APPRUNNER", "nonsense", "Invalid endpoint: nonsense"),
    ],
    ids=["none", "port", "of-a-service"],
)
def test_an_address_that_is_none_is_said(shell: Shell, name: str, value: str, said: str) -> None:
    status, _, err = shell.run("--apply", **{name: value})
    assert (status, "Traceback" in err) == (2, False)
    assert err.splitlines()[-1] == (
        f"backfill: no call can be made ({said}): look at AWS_ENDPOINT_URL and its like, in the environment and the"
        " profile"
    )


def test_names_that_the_output_has_no_letters_for_are_spelt_out(shell: Shell) -> None:
    sdk_client("cloudformation").create_stack(
        StackName="guardrails",
        TemplateBody=json.dumps(
            {
                "Parameters": {"DefaultTags": {"Type": "String"}},
                "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            }
        ),
        Parameters=[{"ParameterKey": "DefaultTags", "ParameterValue": '{"team": "Büro"}'}],
    )
    status, out, err = shell.run("--stack", "guardrails", PYTHONIOENCODING="ascii")
    assert (status, "Traceback" in err) == (0, False)
    assert out.count(r"  team=B\xfcro  ") == 2


def test_help_needs_no_letters_but_ascii(shell: Shell) -> None:
    status, out, err = shell.run("--help", PYTHONIOENCODING="ascii")
    assert (status, err, "\\" in out) == (0, "", False)
    assert ".backfill/ may be deleted" in " ".join(out.split())


@pytest.mark.parametrize(
    ("form", "answers"), [("text", {"tagged"}), ("json", {"tagged before"})], ids=["before", "after-the-tags"]
)
def test_where_the_output_is_full_it_is_said_and_what_was_put_is_known(
    shell: Shell, form: str, answers: set[str]
) -> None:
    """The text's first line comes before anything is put, JSON when everything is."""
    with Path("/dev/full").open("w") as full:
        started = shell.start("--apply", "--format", form, out=full)
        _, err = started.communicate(timeout=120)
    assert (started.returncode, err.splitlines()[-1]) == (
        1,
        "backfill: the output cannot be written: No space left on device",
    )
    assert "Traceback" not in err
    status, out, _ = shell.run("--apply", "--format", "json")
    assert (status, {one["answer"] for one in json.loads(out)["resources"]}) == (0, answers)


def test_interrupted_while_it_is_loaded_it_ends_quietly(tmp_path: Path) -> None:
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("raise KeyboardInterrupt\n")
    path = os.pathsep.join([str(tmp_path), str(ROOT / "layers/guardrails"), str(ROOT)])
    told = subprocess.run(
        [sys.executable, "-m", "backfill"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (told.returncode, told.stdout, told.stderr) == (130, "", "")


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
    of_make = {"MAKEFLAGS", "MAKELEVEL", "MFLAGS", "GNUMAKEFLAGS"}  # where `make test` runs this
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_") and name not in of_make}
    told = subprocess.run(
        ["make", "--no-print-directory", "-n", "backfill", "STACK=guardrails", "APPLY=1", "FRESH=1", "FORMAT=json"],  # noqa: S607  # whatever make there is
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
