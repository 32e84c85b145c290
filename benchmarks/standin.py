"""A stand-in for AWS on loopback: gives each call its answer after a fixed delay, and notes when which call came.

It speaks HTTPS, as AWS does: a handshake is a good part of what a new connection costs a small function.
"""

import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs

from benchmarks.trust import LOOPBACK, Certificate

# What these say is another at every event: it holds times and tokens.
WRITES = frozenset({"dynamodb:PutItem", "dynamodb:TransactWriteItems", "events:PutEvents", "sns:Publish"})

_LARGEST_REQUEST = 1_000_000
_IDLE_SECONDS = 30.0  # a connection that asks nothing for so long is closed


@dataclass(frozen=True, kw_only=True)
class Question:
    """One request as the SDK sent it. Two that are equal deserve the same answer.

    A write is known by its action and its place, not by its body: `place` is its number among those of its action that
    came since something was read last, which for our programs is since the event began.
    """

    service: str  # as it signs: ec2
    operation: str
    path: str
    headers: tuple[tuple[str, str], ...]  # those that say what is asked
    body: bytes
    place: int = 0

    @property
    def action(self) -> str:
        return f"{self.service}:{self.operation}"

    @property
    def is_write(self) -> bool:
        return self.action in WRITES


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Call:
    """When a question was wholly here and when its answer began to leave: seconds of time.monotonic().

    `caller_cpu` is what the process that asks had spent of processor time by then, in seconds.
    """

    question: Question
    arrived: float
    answered: float
    caller_cpu: float | None = None

    @property
    def action(self) -> str:
        return self.question.action


type Answers = Callable[[Question, bytes], Answer | None]  # the question, and the body as it came


@dataclass(kw_only=True)
class StandIn:
    """Answers calls; `calls` has those that were answered. Whoever reads it sees to it that nobody asks meanwhile.

    Each answer leaves `delay` seconds after its question came. With `hold`, it waits until nobody has asked anything
    for `delay` seconds: then calls are one after the other only where one needs the answer of the other, however
    slow the machine.
    """

    answers: Answers
    delay: float
    hold: bool = False
    url: str = ""
    caller: int | None = None  # the process that asks, for what it spends
    calls: list[Call] = field(default_factory=list)
    unanswered: list[Question] = field(default_factory=list)
    _noting: threading.Lock = field(default_factory=threading.Lock)
    _latest: float = 0.0
    _writes: Counter[str] = field(default_factory=Counter)

    def answer(self, asked: Question) -> Answer | None:
        """The answer, when it is time for it; None for a question that nobody has an answer to."""
        arrived = self._latest = time.monotonic()
        spent = None if self.caller is None else processor_seconds(self.caller)
        question = self._placed(asked)
        answer = self.answers(question, asked.body)
        while (left := (self._latest if self.hold else arrived) + self.delay - time.monotonic()) > 0:
            time.sleep(left)
        with self._noting:
            if answer is None:
                self.unanswered.append(question)
            else:
                self.calls.append(Call(question=question, arrived=arrived, answered=time.monotonic(), caller_cpu=spent))
        return answer

    def _placed(self, asked: Question) -> Question:
        with self._noting:
            if not asked.is_write:
                self._writes.clear()
                return asked
            self._writes[asked.action] += 1
            return replace(asked, body=b"", place=self._writes[asked.action])


def processor_seconds(process: int) -> float | None:
    """What another process of ours has spent, all its threads, to the nanosecond; None where only Linux would tell.

    A clock's number is made of the process's as in clock_getcpuclockid(3), which Python does not have.
    """
    if not sys.platform.startswith("linux"):
        return None
    try:
        return time.clock_gettime(~process << 3 | 2)
    except OSError:
        return None  # it is no more


def replayed(answers: Mapping[Question, Answer]) -> Answers:
    """What was recorded, and nothing else."""
    return lambda question, _: answers.get(question)


def rounds(calls: Sequence[Call]) -> list[Counter[str]]:
    """The calls' actions by round: a call is one round later than the last of those that were answered before it came.

    So their number is the length of the longest chain of calls that went one after the other.
    """
    numbers: list[int] = []
    ordered = sorted(calls, key=lambda call: call.arrived)
    for call in ordered:
        before = zip(ordered, numbers, strict=False)
        numbers.append(1 + max((number for one, number in before if one.answered <= call.arrived), default=0))
    told: list[Counter[str]] = [Counter() for _ in range(max(numbers, default=0))]
    for call, number in zip(ordered, numbers, strict=True):
        told[number - 1][call.action] += 1
    return told


@contextmanager
def serving(stand_in: StandIn, certificate: Certificate | None) -> Iterator[None]:
    """Serve until the end of the block, at `stand_in.url`: HTTPS with a certificate, HTTP without."""
    with _Server(stand_in, certificate.context() if certificate else None) as server:
        stand_in.url = f"{'https' if certificate else 'http'}://{LOOPBACK}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, stand_in: StandIn, tls: ssl.SSLContext | None) -> None:
        self.stand_in = stand_in
        self._tls = tls
        super().__init__((LOOPBACK, 0), _Handler)

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is None:
            return connection, address
        # The handshake is left to the connection's own thread, or callers would stand in line for it.
        return self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, *_: object) -> None:
        """A caller that went away ends its connection and nothing else."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, as AWS's do
    timeout = _IDLE_SECONDS
    wbufsize = 65536  # an answer leaves in one piece

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", "0"))
        if length > _LARGEST_REQUEST:
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        body = self.rfile.read(length)
        answer = cast("_Server", self.server).stand_in.answer(self._question(body))
        if answer is None:
            self.send_error(HTTPStatus.BAD_REQUEST, "this was never recorded")
            return
        self.send_response_only(answer.status)
        for name, value in {**answer.headers, "Content-Length": str(len(answer.body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: object) -> None:
        pass

    def _question(self, body: bytes) -> Question:
        """The service stands in the signature's scope, the operation in a header (JSON) or in the body (query)."""
        scope = self.headers.get("Authorization", "").partition("Credential=")[2].partition(",")[0].split("/")
        action = parse_qs(body.decode()).get("Action", [""])[0]
        return Question(
            service=scope[3] if len(scope) > 3 else "unsigned",  # noqa: PLR2004  # key/date/Region/service/aws4_request
            operation=self.headers.get("X-Amz-Target", "").rpartition(".")[2] or action,
            path=self.path,
            headers=tuple(
                (name, self.headers[name]) for name in ("Content-Type", "X-Amz-Target") if name in self.headers
            ),
            body=body,
        )
