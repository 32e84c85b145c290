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

from benchmarks.standin import Answer, Answers, Call, Question, StandIn, replayed, rounds, serving
from emulator import Emulator, emulate
from emulator.server import Application
from emulator.worlds import ALERT_TOPIC, FINDINGS_TABLE, REGION, WORLDS, make, sdk_client
from replay import template

_ROOT = Path(__file__).parent.parent
_LAYER = _ROOT / "layers" / "guardrails"
ACCOUNT = "123456789012"
_QUIET_SECONDS = 0.1  # while recording: whoever can ask more without an answer does so sooner
_LONGEST_RUN = 120.0
_ALERT = "sns:Publish"  # each event that is measured leads to one
_MEMORY = "dynamodb"  # where our handlers and the bare script keep what was told, each in its own way
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
    """What a program asked for one event, with the answers, and when it asked."""

    answers: Mapping[Question, Answer]
    calls: Sequence[Call]

    @property
    def actions(self) -> Counter[str]:
        return Counter(call.action for call in self.calls)

    @property
    def rounds(self) -> Sequence[Counter[str]]:
        """They are the program's, and not the machine's, where it was recorded patiently."""
        return rounds(self.calls)

    @property
    def reads(self) -> frozenset[Question]:
        """What it wanted to know of the Region, in the words of the wire."""
        return frozenset(one for one in self.answers if not one.is_write and one.service != _MEMORY)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event in a process, in seconds: until its alert arrived, and until the handler was done."""

    to_alert: float
    whole: float
    cpu: float


@dataclass(frozen=True, kw_only=True)
class Run:
    """One process and its events, in seconds. Those of the first event are from the start of the process."""

    first: Event
    import_cpu: float
    peak_bytes: int | None
    again: Sequence[Event]

    @property
    def cpu(self) -> float:
        """Of the process until its first event was done."""
        return self.import_cpu + self.first.cpu


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


def programs(name: str = "ValidateNetworkFunction") -> tuple[Program, Program]:
    """Our handler, deployed as template.yaml says, and the bare script."""
    function = template.load().functions[name]
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:{ALERT_TOPIC}"
    return (
        Program(
            name="guardrails",
            file=function.code / f"{function.handler.partition('.')[0]}.py",
            environment=function.environment({}, {ALERT_TOPIC: topic}),
        ),
        Program(
            name="bare script",
            file=Path(__file__).parent / "bare_script.py",
            environment={"ALERT_TOPIC_ARN": topic, "FINDINGS_TABLE": FINDINGS_TABLE},
        ),
    )


class Bench:
    """Runs programs in processes that see what a function in Lambda sees: the layer's packages and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._packages = folder / "packages"
        self._without_bytecode = folder / "packages-without-bytecode"
        _lay_out(self._packages, _link)
        _lay_out(self._without_bytecode, _copy_without_bytecode)

    def record(self, program: Program, trigger: Trigger) -> Recording:
        """What the program asks for the event, what the emulator answers, and which calls had to wait for others.

        The event is played twice in one process and the calls are those of the second time: by then the clients are
        made, and what is sent together arrives together. Nothing of the first time shows in the answers.
        """
        with emulate() as aws:
            make(WORLDS[trigger.world], sdk_client)
            return self.record_in(aws, program, trigger.event, times=2, delay=_QUIET_SECONDS, hold=True)

    def record_in(
        self, aws: Emulator, program: Program, event: Path, *, times: int = 1, delay: float = 0.0, hold: bool = False
    ) -> Recording:
        """What the program asks for its last event, and what this emulated AWS answers."""
        answers: dict[Question, Answer] = {}
        stand_in = StandIn(answers=_emulated(aws, answers), delay=delay, hold=hold)
        *_, last = _calls(stand_in.calls, self._run(program, event, stand_in, times=times))
        return Recording(answers=answers, calls=last)

    def play(self, aws: Emulator, program: Program, event: Path, *, times: int, delay: float) -> Mapping[str, Any]:
        """Play the event so many times in a new process, as this emulated AWS answers the first of them; what the
        process told of itself (benchmarks/candidate.py)."""
        return self._run(program, event, StandIn(answers=_emulated(aws, {}), delay=delay), times=times)

    def run(
        self,
        program: Program,
        event: Path,
        recording: Recording,
        *,
        delay: float,
        times: int = 1,
        bytecode: bool = True,
    ) -> Run:
        """Play the event so many times in a new process; each call gets its recorded answer after the delay."""
        stand_in = StandIn(answers=replayed(recording.answers), delay=delay)
        told = self._run(program, event, stand_in, times=times, bytecode=bytecode)
        events = _calls(stand_in.calls, told)
        for calls in events:
            if (asked := Counter(call.action for call in calls)) != recording.actions:
                raise Unmeasurable(f"{program.name} asked {dict(asked)}; recorded were {dict(recording.actions)}")
        return _timed(told, events)

    def _run(
        self, program: Program, event: Path, stand_in: StandIn, *, times: int, bytecode: bool = True
    ) -> Mapping[str, Any]:
        """What the process told of itself (benchmarks/candidate.py), and when it was `started`."""
        result = self.folder / "result.json"
        candidate = Path(__file__).parent / "candidate.py"
        with serving(stand_in, self.folder) as authorities:
            environment = {
                **program.environment,
                **_AWS,
                "AWS_ENDPOINT_URL": stand_in.url,
                "AWS_CA_BUNDLE": str(authorities),
                "HOME": str(self.folder),  # without anybody's ~/.aws
                "PYTHONPATH": str(self._packages if bytecode else self._without_bytecode),
                **({} if bytecode else {"PYTHONDONTWRITEBYTECODE": "1"}),
            }
            started = time.monotonic()
            try:
                done = subprocess.run(
                    [sys.executable, "-S", "-P", candidate, program.file, event, str(times), result],
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
        return {**json.loads(result.read_text()), "started": started}


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
                told.append(place.run(program, trigger.event, recording, delay=delay, times=times, bytecode=bytecode))
    without = [(f"{name}, no bytecode", unit, numbers) for name, unit, numbers in _COLD]
    return [*compare(_MEASURED, *runs_of[True]), *compare(without, *runs_of[False])]


def spread(numbers: Sequence[float]) -> Spread:
    low, middle, high = quantiles(numbers, n=4, method="inclusive")
    return Spread(median=middle, low=low, high=high, count=len(numbers))


type Measured = tuple[str, str, Callable[[Run], Sequence[float]]]  # name, unit, and the numbers of a run

TO_ALERT: Measured = ("process start to the alert", "ms", lambda run: [run.first.to_alert * 1000])
TO_END: Measured = ("process start to the end", "ms", lambda run: [run.first.whole * 1000])
PEAK: Measured = ("most memory held", "MB", lambda run: [] if run.peak_bytes is None else [run.peak_bytes / 1e6])
_COLD: Sequence[Measured] = (
    TO_ALERT,
    TO_END,
    ("CPU until the handler is there", "ms", lambda run: [run.import_cpu * 1000]),
)
_MEASURED: Sequence[Measured] = (
    *_COLD,
    ("CPU of the first event", "ms", lambda run: [run.first.cpu * 1000]),
    PEAK,
    ("warm event to the alert", "ms", lambda run: [event.to_alert * 1000 for event in run.again]),
    ("warm event to the end", "ms", lambda run: [event.whole * 1000 for event in run.again]),
    ("CPU of a warm event", "ms", lambda run: [event.cpu * 1000 for event in run.again]),
)


def compare(measured: Iterable[Measured], ours: Sequence[Run], bare: Sequence[Run]) -> list[Measure]:
    """What was measured of both; what the machine does not tell is left out."""
    found: list[Measure] = []
    for name, unit, numbers in measured:
        of_ours, of_bare = ([number for run in runs for number in numbers(run)] for runs in (ours, bare))
        if of_ours and of_bare:
            found.append(Measure(name=name, unit=unit, ours=spread(of_ours), bare=spread(of_bare)))
    return found


def _timed(told: Mapping[str, Any], events: Sequence[Sequence[Call]]) -> Run:
    starts = [told["started"], *(event["began"] for event in told["events"][1:])]
    first, *again = (
        Event(
            to_alert=next(call.arrived for call in calls if call.action == _ALERT) - start,
            whole=event["ended"] - start,
            cpu=event["cpu_seconds"],
        )
        for start, event, calls in zip(starts, told["events"], events, strict=True)
    )
    return Run(first=first, import_cpu=told["import_cpu_seconds"], peak_bytes=told["peak_bytes"], again=again)


def _calls(calls: Sequence[Call], told: Mapping[str, Any]) -> list[list[Call]]:
    """The calls of each event, in the order in which they came."""
    ordered = sorted(calls, key=lambda call: call.arrived)
    events = [[call for call in ordered if one["began"] <= call.arrived <= one["ended"]] for one in told["events"]]
    for number, event in enumerate(events, start=1):
        if not any(call.action == _ALERT for call in event):
            raise Unmeasurable(f"no alert came of event {number} of {len(events)}")
    if sum(map(len, events)) != len(calls):
        raise Unmeasurable(f"of {len(calls)} calls only {sum(map(len, events))} came during an event")
    return events


def _emulated(aws: Emulator, answers: dict[Question, Answer]) -> Answers:
    """Asks the emulator in this process, and keeps what it answers."""
    emulator = Client(Application(aws))
    one_at_a_time = threading.Lock()

    def answer(question: Question, body: bytes) -> Answer:
        # moto tells services apart by the signature's scope, and checks no signature.
        scope = f"AWS4-HMAC-SHA256 Credential=benchmarks/20260101/{REGION}/{question.service}/aws4_request"
        with one_at_a_time:
            if question not in answers:
                told = emulator.post(
                    question.path, data=body, headers={**dict(question.headers), "Authorization": scope}
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
