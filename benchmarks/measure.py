"""Records what the emulator answers, then measures programs in processes of their own against the recording."""

import compileall
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
from functools import cached_property
from pathlib import Path
from statistics import quantiles
from typing import Any, Literal

from packaging.requirements import Requirement
from werkzeug.test import Client

from benchmarks.build import Built, build
from benchmarks.standin import Answer, Answers, Call, Question, StandIn, replayed, rounds, serving
from benchmarks.trust import certificate, trusted
from emulator import Emulator, emulate
from emulator.server import Application
from emulator.worlds import ALERT_TOPIC, FINDINGS_TABLE, REGION, WORLDS, make, sdk_client
from replay import template

_ROOT = Path(__file__).parent.parent
_LAYER = _ROOT / "layers" / "guardrails"
_C7N = _ROOT / ".tools" / "c7n" / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages"
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


# What a program sees of packages: our layer's, the SDK as pip installs it, or those of Cloud Custodian's environment.
type Packages = Literal["layer", "sdk", "c7n"]


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
    packages: Packages = "layer"


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
    def rounds_to_alert(self) -> int:
        """Of the first alert: the rounds until it is published, its own with them."""
        return next(number for number, one in enumerate(self.rounds, start=1) if _ALERT in one)

    @property
    def reads(self) -> frozenset[Question]:
        """What it wanted to know of the Region, in the words of the wire."""
        return frozenset(one for one in self.answers if not one.is_write and one.service != _MEMORY)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event in a process, in seconds: until its alert arrived, until the answer to that left, and until the handler
    was done.

    `rounds` are those until the alert, its own with them, as the answers' delay made them.
    """

    to_alert: float
    published: float
    whole: float
    cpu: float
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Run:
    """One process and its events, in seconds. Those of the first event are from the start of the process."""

    first: Event
    import_cpu: float
    cpu_to_alert: float | None  # of the process until its first alert arrived; None where the kernel does not say
    peak_bytes: int | None
    modules: int  # that were imported by the end of the first event
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
    """One thing that was measured for our handler and for the bare script, and for Cloud Custodian where it can be."""

    name: str
    unit: str
    ours: Spread
    bare: Spread
    custodian: Spread | None = None

    @property
    def ratio(self) -> float:
        """Ours by the bare script's."""
        return self.ours.median / self.bare.median

    @property
    def custodian_ratio(self) -> float | None:
        return self.ours.median / self.custodian.median if self.custodian else None


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
            packages="sdk",
        ),
    )


class Bench:
    """Runs programs in processes that see what a function in Lambda sees: a layer's packages and nothing else.

    With `built` that is what `sam build` makes of our layer and functions, bytecode included, and like a sandbox of
    Lambda's no process may keep what it compiles. Without, it is our source and the layer's packages as they are
    installed here, which does for counting calls.
    """

    def __init__(self, folder: Path, built: Built | None = None) -> None:
        self.folder = folder
        self.built = built
        self._certificate = certificate()
        self._sdk = folder / "sdk"
        self._link(self._sdk, _tops(_required("boto3")))
        if built:
            self._layer = built.layer
            trusted(self._layer / "botocore", self._certificate)
            _compile(self._sdk)
        else:
            self._layer = folder / "layer"
            self._link(self._layer, [_LAYER / "apprunner_guardrails", *_tops(_locked())])

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
        tls: bool = True,
    ) -> Run:
        """Play the event so many times in a new process; each call gets its recorded answer after the delay."""
        stand_in = StandIn(answers=replayed(recording.answers), delay=delay)
        told = self._run(program, event, stand_in, times=times, tls=tls)
        events = _calls(stand_in.calls, told)
        for calls in events:
            if (asked := Counter(call.action for call in calls)) != recording.actions:
                raise Unmeasurable(f"{program.name} asked {dict(asked)}; recorded were {dict(recording.actions)}")
        return _timed(told, events)

    def alone(self, program: Program, event: Path, stand_in: StandIn) -> Run:
        """Play the event once in a new process, whatever the stand-in answers."""
        told = self._run(program, event, stand_in, times=1)
        return _timed(told, _calls(stand_in.calls, told))

    def _run(
        self, program: Program, event: Path, stand_in: StandIn, *, times: int, tls: bool = True
    ) -> Mapping[str, Any]:
        """What the process told of itself (benchmarks/candidate.py), and when it was `started`."""
        result = self.folder / "result.json"
        candidate = Path(__file__).parent / "candidate.py"
        handler = self._deployed(program)
        packages = self._packages(program)
        with serving(stand_in, self._certificate if tls else None):
            environment = {
                **program.environment,
                **_AWS,
                "AWS_ENDPOINT_URL": stand_in.url,
                "HOME": str(self.folder),  # without anybody's ~/.aws
                "PYTHONPATH": str(packages),
                **({"PYTHONDONTWRITEBYTECODE": "1"} if self.built else {}),
            }
            arguments = (handler.parent, handler.stem, event, str(times), result)
            with (self.folder / "stderr").open("w+") as errors:
                started = time.monotonic()
                process = subprocess.Popen(
                    [sys.executable, "-S", "-P", candidate, *arguments],
                    env=environment,
                    cwd=handler.parent,
                    stdout=subprocess.DEVNULL,  # logs and metrics
                    stderr=errors,
                )
                stand_in.caller = process.pid
                try:
                    status = process.wait(timeout=_LONGEST_RUN)
                except subprocess.TimeoutExpired as error:
                    process.kill()
                    process.wait()
                    raise Unmeasurable(f"{program.name} was not done after {error.timeout:.0f} s") from error
                errors.seek(0)
                said = errors.read().strip()
        if stand_in.unanswered:
            first = stand_in.unanswered[0]
            raise Unmeasurable(f"{program.name} asked {first.action} as it was never recorded")
        if status:
            raise Unmeasurable(f"{program.name} failed:\n{said}")
        return {**json.loads(result.read_text()), "started": started}

    def _packages(self, program: Program) -> Path:
        match program.packages:
            case "layer":
                return self._layer
            case "sdk":
                return self._sdk
            case "c7n":
                return self._c7n

    @cached_property
    def _c7n(self) -> Path:
        if not _C7N.is_dir():
            raise Unmeasurable("Cloud Custodian is not installed: run `make .tools/c7n/.ready`")
        folder = self.folder / "c7n"
        _compile(_C7N)
        self._link(folder, _C7N.iterdir())
        return folder

    def _link(self, folder: Path, packages: Iterable[Path]) -> None:
        """Lay out packages that are installed elsewhere. The SDK's list of authorities knows the stand-in's too."""
        folder.mkdir()
        for package in packages:
            if package.name == "botocore":
                (folder / package.name).mkdir()
                for path in package.iterdir():
                    (folder / package.name / path.name).symlink_to(path)
                trusted(folder / package.name, self._certificate)
            else:
                (folder / package.name).symlink_to(package)

    def _deployed(self, program: Program) -> Path:
        """The handler's file where it is deployed: in a folder of its own, which is where Lambda runs it."""
        if program.packages == "c7n":
            return program.file
        if self.built and program.packages == "layer":
            return self.built.functions / program.file.parent.name / program.file.name
        folder = self.folder / "deployed" / program.file.parent.name / program.file.stem
        if not folder.exists():
            folder.mkdir(parents=True)
            shutil.copy(program.file, folder)
            _compile(folder)
        return folder / program.file.name


@contextmanager
def bench(*, built: bool = False, layer: Path | None = None) -> Iterator[Bench]:
    """A bench in a temporary folder; a built one with this layer's packages in place of those that were built."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        made = build(folder / "built") if built else None
        if made and layer:
            shutil.rmtree(made.layer)
            shutil.copytree(layer, made.layer)
        yield Bench(folder, made)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A program, an event for it, and what it asks for that."""

    program: Program
    event: Path
    recording: Recording


def in_turns(
    place: Bench,
    subjects: Sequence[Subject],
    *,
    runs: int,
    delay: float,
    times: int = 1,
    tls: bool = True,
    say: Callable[[str], None],
) -> Sequence[Sequence[Run]]:
    """So many processes of each, one of each in turn, so that whatever else the machine does hits all of them alike.

    A process of each goes before, which is not counted: it reads the files from the disk.
    """
    done: list[list[Run]] = [[] for _ in subjects]
    for number in range(runs + 1):
        say(f"process {number} of {runs}" if number else "a process of each that does not count")
        for one, told in zip(subjects, done, strict=True):
            run = place.run(one.program, one.event, one.recording, delay=delay, times=times, tls=tls)
            told.extend([run] if number else [])
    return done


def spread(numbers: Sequence[float]) -> Spread:
    if len(numbers) == 1:
        return Spread(median=numbers[0], low=numbers[0], high=numbers[0], count=1)
    low, middle, high = quantiles(numbers, n=4, method="inclusive")
    return Spread(median=middle, low=low, high=high, count=len(numbers))


type Measured = tuple[str, str, Callable[[Run], Sequence[float]]]  # name, unit, and the numbers of a run

CPU: Measured = ("CPU until the end of the first event", "ms", lambda run: [run.cpu * 1000])
TO_ALERT: Measured = ("process start to the alert", "ms", lambda run: [run.first.to_alert * 1000])
TO_END: Measured = ("process start to the end", "ms", lambda run: [run.first.whole * 1000])
CPU_TO_ALERT: Measured = (
    "CPU until the alert",
    "ms",
    lambda run: [] if run.cpu_to_alert is None else [run.cpu_to_alert * 1000],
)
CPU_TO_HANDLER: Measured = ("CPU until the handler is there", "ms", lambda run: [run.import_cpu * 1000])
PEAK: Measured = ("most memory held", "MB", lambda run: [] if run.peak_bytes is None else [run.peak_bytes / 1e6])
WARM_TO_ALERT: Measured = (
    "warm event to the alert",
    "ms",
    lambda run: [event.to_alert * 1000 for event in run.again],
)
WARM_PUBLISHED: Measured = (
    "warm event until the alert is published",
    "ms",
    lambda run: [event.published * 1000 for event in run.again],
)
WARM_TO_END: Measured = ("warm event to the end", "ms", lambda run: [event.whole * 1000 for event in run.again])
WARM_CPU: Measured = ("CPU of a warm event", "ms", lambda run: [event.cpu * 1000 for event in run.again])
WARM_ROUNDS: Measured = ("rounds to the alert", "", lambda run: [event.rounds for event in run.again])
MODULES: Measured = ("modules imported", "", lambda run: [run.modules])


def compare(
    measured: Iterable[Measured], ours: Sequence[Run], bare: Sequence[Run], custodian: Sequence[Run] = ()
) -> list[Measure]:
    """What was measured of each; what the machine does not tell is left out."""
    found: list[Measure] = []
    for name, unit, numbers in measured:
        of_ours, of_bare, of_custodian = (
            [number for run in runs for number in numbers(run)] for runs in (ours, bare, custodian)
        )
        if of_ours and of_bare:
            third = spread(of_custodian) if of_custodian else None
            found.append(Measure(name=name, unit=unit, ours=spread(of_ours), bare=spread(of_bare), custodian=third))
    return found


def found(measures: Sequence[Measure], wanted: Measured) -> Measure:
    """What was measured of it. Raises StopIteration if it was not."""
    return next(one for one in measures if one.name == wanted[0])


def _timed(told: Mapping[str, Any], events: Sequence[Sequence[Call]]) -> Run:
    starts = [told["started"], *(event["began"] for event in told["events"][1:])]
    alerts = [next(call for call in calls if call.action == _ALERT) for calls in events]
    first, *again = (
        Event(
            to_alert=alert.arrived - start,
            published=alert.answered - start,
            whole=event["ended"] - start,
            cpu=event["cpu_seconds"],
            rounds=len(rounds([call for call in calls if call.arrived <= alert.arrived])),
        )
        for start, event, calls, alert in zip(starts, told["events"], events, alerts, strict=True)
    )
    return Run(
        first=first,
        import_cpu=told["import_cpu_seconds"],
        cpu_to_alert=alerts[0].caller_cpu,
        peak_bytes=told["peak_bytes"],
        modules=told["modules"],
        again=again,
    )


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


def _locked() -> list[str]:
    """The packages of the layer."""
    return re.findall(r"^([\w.-]+)==", (_LAYER / "requirements.txt").read_text(), re.MULTILINE)


def _required(name: str) -> list[str]:
    """The package and all that it needs in turn, as pip would install it."""
    found, due = [name], [name]
    while due:
        for text in importlib.metadata.distribution(due.pop()).requires or ():
            one = Requirement(text)
            if one.name not in found and (one.marker is None or one.marker.evaluate({"extra": ""})):
                found.append(one.name)
                due.append(one.name)
    return found


def _tops(names: Iterable[str]) -> Iterator[Path]:
    """Files and folders of the packages, where they are installed."""
    for name in names:
        installed = importlib.metadata.distribution(name)
        for top in sorted({file.parts[0] for file in installed.files or ()} - {"..", "__pycache__"}):
            yield Path(str(installed.locate_file(top)))


def _compile(folder: Path) -> None:
    """As pip does with what it installs. What has its bytecode keeps it."""
    compileall.compile_dir(str(folder), quiet=2)
