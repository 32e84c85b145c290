"""Records what the emulator answers, then measures programs in processes of their own against the recording."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

from werkzeug.test import Client

from benchmarks.standin import Answer, Answers, Call, Question, StandIn, rounds, serving
from emulator import Emulator, emulate
from emulator.server import Application
from emulator.worlds import REGION, WORLDS, make, sdk_client
from replay import template

_ROOT = Path(__file__).parent.parent
_LAYER = _ROOT / "layers" / "guardrails"
_QUIET_SECONDS = 0.1  # while recording: whoever can ask more without an answer does so sooner
_LONGEST_RUN = 60.0
_LAST_CALL = "sns:Publish"  # each event that is measured ends with it
_OF_ANSWERS = ("Content-Type", "x-amzn-requestid")

# What Lambda sets for every function, and what keeps the SDK from looking elsewhere.
_AWS = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "benchmarks",
    "AWS_SECRET_ACCESS_KEY": "benchmarks",
    "AWS_SESSION_TOKEN": "benchmarks",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Unmeasurable(Exception):
    """A program did something else than what was recorded, or failed; the text says what."""


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """An event of events/ that ends in an alert, and the world that it happened in."""

    name: str
    world: str

    @property
    def event(self) -> Path:
        return _ROOT / "events" / f"apprunner-{self.name}-{self.world}.json"


@dataclass(frozen=True, kw_only=True)
class Program:
    """A file with a handler, and the environment variables that it is deployed with."""

    name: str
    file: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """What a program asked for one event, with the answers, and in which rounds."""

    answers: Mapping[Question, Answer]
    rounds: Sequence[Counter[str]]

    @property
    def actions(self) -> Counter[str]:
        return sum(self.rounds, Counter())

    @property
    def reads(self) -> frozenset[Question]:
        """What it wanted to know, in the words of the wire."""
        return frozenset(question for question in self.answers if question.action != _LAST_CALL)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One process and its events, in seconds. `to_alert` is from its start until the first alert arrived."""

    to_alert: float
    import_cpu: float
    first_cpu: float
    peak_bytes: int | None
    again: Sequence[float]
    again_cpu: Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The middle of some numbers, and between what the middle half of them lies."""

    median: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One thing that was measured for our handler and for the bare script."""

    name: str
    unit: str
    ours: Spread
    bare: Spread

    @property
    def ratio(self) -> float:
        """Ours by the bare script's."""
        return self.ours.median / self.bare.median


TRIGGERS: Mapping[str, Trigger] = {
    one.name: one
    for one in (
        Trigger(name="CreateVpcConnector", world="public-subnets"),
        Trigger(name="CreateService", world="copilot"),
        Trigger(name="ResumeService", world="nat-gone"),
        Trigger(name="UpdateServiceCompletedSuccessfully", world="mixed-address-types"),
    )
}
TIMED = ("CreateVpcConnector", "ResumeService")  # what the bare script knows


def programs() -> tuple[Program, Program]:
    """Our handler, deployed as template.yaml says, and the bare script."""
    function = template.load().functions["ValidateNetworkFunction"]
    topic = f"arn:aws:sns:{REGION}:123456789012:AlertTopic"
    return (
        Program(
            name="guardrails",
            file=function.code / f"{function.handler.partition('.')[0]}.py",
            environment=function.environment({}, {"AlertTopic": topic}),
        ),
        Program(
            name="bare script",
            file=Path(__file__).parent / "bare_script.py",
            environment={"ALERT_TOPIC_ARN": topic},
        ),
    )


class Bench:
    """Runs programs in processes that see what a function in Lambda sees: the layer's packages and nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._packages = folder / "packages"
        self._without_bytecode = folder / "packages-without-bytecode"
        _lay_out(self._packages, _link)
        _lay_out(self._without_bytecode, _copy_without_bytecode)

    def record(self, program: Program, trigger: Trigger) -> Recording:
        """What the program asks for the event, what the emulator answers, and which calls had to wait for others.

        The event is played twice in one process and the rounds are those of the second time: by then the clients are
        made, and what is sent together arrives together.
        """
        answers: dict[Question, Answer] = {}
        with emulate() as aws:
            make(WORLDS[trigger.world], sdk_client)
            stand_in = StandIn(answers=_emulated(aws, answers), delay=_QUIET_SECONDS, hold=True)
            self._run(program, trigger, stand_in, times=2)
        return Recording(answers=answers, rounds=rounds(_events(stand_in.calls)[1]))

    def run(
        self,
        program: Program,
        trigger: Trigger,
        recording: Recording,
        *,
        delay: float,
        times: int,
        bytecode: bool = True,
    ) -> Run:
        """Play the event so many times in a new process; each call gets its recorded answer after the delay."""
        stand_in = StandIn(answers=recording.answers.get, delay=delay)
        run = self._run(program, trigger, stand_in, times=times, bytecode=bytecode)
        for calls in _events(stand_in.calls):
            if (asked := Counter(call.action for call in calls)) != recording.actions:
                raise Unmeasurable(f"{program.name} asked {dict(asked)}; recorded were {dict(recording.actions)}")
        return run

    def _run(self, program: Program, trigger: Trigger, stand_in: StandIn, *, times: int, bytecode: bool = True) -> Run:
        result = self._folder / "result.json"
        candidate = Path(__file__).parent / "candidate.py"
        with serving(stand_in, self._folder) as authorities:
            environment = {
                **program.environment,
                **_AWS,
                "AWS_ENDPOINT_URL": stand_in.url,
                "AWS_CA_BUNDLE": str(authorities),
                "HOME": str(self._folder),  # without anybody's ~/.aws
                "PYTHONPATH": str(self._packages if bytecode else self._without_bytecode),
                **({} if bytecode else {"PYTHONDONTWRITEBYTECODE": "1"}),
            }
            started = time.monotonic()
            try:
                done = subprocess.run(
                    [sys.executable, "-S", "-P", candidate, program.file, trigger.event, str(times), result],
                    env=environment,
                    stdout=subprocess.DEVNULL,  # logs and metrics
                    stderr=subprocess.PIPE,
                    text=True,
                    timeout=_LONGEST_RUN,
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise Unmeasurable(f"{program.name} was not done after {error.timeout:.0f} s") from error
        if stand_in.unanswered:
            first = stand_in.unanswered[0]
            raise Unmeasurable(f"{program.name} asked {first.action} as it was never recorded")
        if done.returncode:
            raise Unmeasurable(f"{program.name} failed:\n{done.stderr.strip()}")
        events = _events(stand_in.calls)
        if len(events) != times:
            raise Unmeasurable(f"{program.name} published {len(events)} alerts for {times} events")
        return _told(json.loads(result.read_text()), events[0], started)


@contextmanager
def bench() -> Iterator[Bench]:
    """A bench in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        yield Bench(Path(folder))


def measure(
    place: Bench,
    trigger: Trigger,
    ours: tuple[Program, Recording],
    bare: tuple[Program, Recording],
    *,
    runs: int,
    delay: float,
    again: int,
) -> list[Measure]:
    """Time both in turns, so that whatever else the machine does hits both; every third time without bytecode too."""
    runs_of: dict[bool, tuple[list[Run], list[Run]]] = {True: ([], []), False: ([], [])}
    for number in range(runs):
        for bytecode in (True, False) if number % 3 == 0 else (True,):
            for (program, recording), told in zip((ours, bare), runs_of[bytecode], strict=True):
                times = 1 + again if bytecode else 1
                told.append(place.run(program, trigger, recording, delay=delay, times=times, bytecode=bytecode))
    measures = [_compare(name, unit, numbers, *runs_of[True]) for name, unit, numbers in _MEASURED]
    without = [_compare(f"{name}, no bytecode", unit, numbers, *runs_of[False]) for name, unit, numbers in _COLD]
    return [one for one in (*measures, *without) if one]


def spread(numbers: Sequence[float]) -> Spread:
    low, middle, high = quantiles(numbers, n=4, method="inclusive")
    return Spread(median=middle, low=low, high=high, count=len(numbers))


type _Numbers = Callable[[Run], Sequence[float]]

_COLD: Sequence[tuple[str, str, _Numbers]] = (
    ("process start to the alert", "ms", lambda run: [run.to_alert * 1000]),
    ("CPU until the handler is there", "ms", lambda run: [run.import_cpu * 1000]),
)
_MEASURED: Sequence[tuple[str, str, _Numbers]] = (
    *_COLD,
    ("CPU of the first event", "ms", lambda run: [run.first_cpu * 1000]),
    ("most memory held", "MB", lambda run: [] if run.peak_bytes is None else [run.peak_bytes / 1e6]),
    ("warm event", "ms", lambda run: [seconds * 1000 for seconds in run.again]),
    ("CPU of a warm event", "ms", lambda run: [seconds * 1000 for seconds in run.again_cpu]),
)


def _compare(name: str, unit: str, numbers: _Numbers, ours: Iterable[Run], bare: Iterable[Run]) -> Measure | None:
    """None where the machine does not tell."""
    of_ours, of_bare = ([number for run in runs for number in numbers(run)] for runs in (ours, bare))
    if not of_ours or not of_bare:
        return None
    return Measure(name=name, unit=unit, ours=spread(of_ours), bare=spread(of_bare))


def _told(result: Mapping[str, Any], first: Sequence[Call], started: float) -> Run:
    return Run(
        to_alert=first[-1].arrived - started,
        import_cpu=result["import_cpu_seconds"],
        first_cpu=result["first_cpu_seconds"],
        peak_bytes=result["peak_bytes"],
        again=[one["seconds"] for one in result["again"]],
        again_cpu=[one["cpu_seconds"] for one in result["again"]],
    )


def _events(calls: Sequence[Call]) -> list[list[Call]]:
    """The calls of each event, in the order in which they came."""
    events: list[list[Call]] = [[]]
    for call in sorted(calls, key=lambda call: call.arrived):
        events[-1].append(call)
        if call.action == _LAST_CALL:
            events.append([])
    if strays := events.pop():
        raise Unmeasurable(f"no alert came after {', '.join(call.action for call in strays)}")
    return events


def _emulated(aws: Emulator, answers: dict[Question, Answer]) -> Answers:
    """Asks the emulator in this process, and keeps what it answers."""
    emulator = Client(Application(aws))
    one_at_a_time = threading.Lock()

    def answer(question: Question) -> Answer:
        # moto tells services apart by the signature's scope, and checks no signature.
        scope = f"AWS4-HMAC-SHA256 Credential=benchmarks/20260101/{REGION}/{question.service}/aws4_request"
        with one_at_a_time:
            if question not in answers:
                told = emulator.post(
                    question.path, data=question.body, headers={**dict(question.headers), "Authorization": scope}
                )
                headers = {name: told.headers[name] for name in _OF_ANSWERS if name in told.headers}
                answers[question] = Answer(status=told.status_code, headers=headers, body=told.get_data())
            return answers[question]

    return answer


def _lay_out(folder: Path, place: Callable[[Path, Path], object]) -> None:
    """The packages of the layer, found where they are installed, and our own."""
    folder.mkdir()
    place(_LAYER / "apprunner_guardrails", folder / "apprunner_guardrails")
    for name in re.findall(r"^([\w.-]+)==", (_LAYER / "requirements.txt").read_text(), re.MULTILINE):
        installed = importlib.metadata.distribution(name)
        tops = {file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}
        for top in tops:
            place(Path(str(installed.locate_file(top))), folder / top)


def _link(source: Path, target: Path) -> None:
    target.symlink_to(source)


def _copy_without_bytecode(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)
