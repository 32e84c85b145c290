"""The emulated AWS over HTTP: moto's server with everything of ours, and a few control routes of its own.

    GET  /emulator/events?since=N     what AWS's services sent to EventBridge, as a JSON list, without the first N
    GET  /emulator/put-events?since=N what PutEvents has put on default buses, likewise
    GET  /emulator/settings           quotas, and what AWS does not document
    POST /emulator/settings           {"refuse_same_groups": true, "denied": ["ec2:CreateVpcEndpoint"], …}: set some
    POST /emulator/clock              {"advance": seconds}: let time pass; answers what the clock says
    POST /emulator/reset              an empty AWS again
    GET  /emulator/worlds             the named worlds that there are, and those that are built
    POST /emulator/worlds/NAME        build one
    POST /emulator/worlds/NAME/later  let happen in it what happens later, if anything does

moto's own routes are under /moto-api/. Requests are answered one at a time: moto's backends are not made for more.
"""

from __future__ import annotations

import argparse
import errno
import functools
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import boto3
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from emulator import Emulator, emulate
from emulator.ids import in_turn

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from emulator.worlds import World

DEFAULT_PORT = 5000
DEFAULT_SPEED = 60.0
HIGHEST_PORT = 65535
SHUTDOWN_POLL_SECONDS = 0.1
USAGE_ERROR = 2


class UnusableRequest(Exception):
    """A control request that cannot be served: an HTTP status and what to say about it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Application:
    """The WSGI application: control routes here, everything else is moto's."""

    def __init__(self, aws: Emulator) -> None:
        self._aws = aws
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._one_at_a_time = threading.Lock()
        self._built: list[str] = []

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = Request(environ)
        with self._one_at_a_time:
            self._aws.clock.run_due()
            if request.path.startswith("/emulator/"):
                return self._control(request)(environ, start_response)
            answer: Iterable[bytes] = self._moto(environ, start_response)
            if request.method == "POST" and request.path == "/moto-api/reset":
                self._reset()
            return answer

    def build(self, names: Iterable[str]) -> None:
        for name in names:
            self._build(name)

    def _control(self, request: Request) -> Response:
        try:
            return _json(self._answer(request))
        except UnusableRequest as error:
            return _json({"error": str(error)}, error.status)

    def _answer(self, request: Request) -> object:
        match request.method, request.path.split("/")[2:]:
            case "GET", ["events" | "put-events" as which]:
                events = self._aws.events if which == "events" else self._aws.put_events
                return events[_number(request.args.get("since", "0"), "since") :]
            case "GET" | "POST", ["settings"]:
                if request.method == "POST":
                    self._set(request)
                return vars(self._aws.settings)
            case "POST", ["clock"]:
                self._aws.clock.advance(_seconds(request))
                return {"now": self._aws.clock.now().isoformat(), "speed": self._aws.clock.speed}
            case "POST", ["reset"]:
                self._reset()
                return {"status": "empty"}
            case "GET", ["worlds"]:
                return {"available": {world.name: world.summary for world in _worlds().values()}, "built": self._built}
            case "POST", ["worlds", name, *when] if when in ([], ["later"]):
                (self._later if when else self._build)(name)
                return {"built": self._built}
        raise UnusableRequest(404, f"no control route {request.method} {request.path}; there are:\n{_routes()}")

    def _build(self, name: str) -> None:
        from emulator import worlds  # noqa: PLC0415  # not needed to serve an empty AWS

        world = _worlds().get(name)
        if world is None:
            raise UnusableRequest(404, f"no world {name!r}; there are {', '.join(sorted(_worlds()))}")
        if name in self._built:
            raise UnusableRequest(409, f"the world {name} is built already; POST /emulator/reset empties AWS")
        with in_turn():
            worlds.make(world, _client())
        self._built.append(name)

    def _later(self, name: str) -> None:
        from emulator import worlds  # noqa: PLC0415  # not needed to serve an empty AWS

        if name not in self._built:
            raise UnusableRequest(409, f"the world {name} is not built: POST /emulator/worlds/{name} first")
        with in_turn():
            worlds.later(_worlds()[name], _client())

    def _set(self, request: Request) -> None:
        try:
            changes = json.loads(request.get_data(as_text=True))
        except ValueError:
            changes = None
        if not isinstance(changes, dict):
            raise UnusableRequest(400, 'the body must be an object, such as {"refuse_same_groups": true}')
        try:
            self._aws.settings.change(changes)
        except ValueError as error:
            raise UnusableRequest(400, str(error)) from error

    def _reset(self) -> None:
        self._aws.reset()
        self._built.clear()


@contextmanager
def serving(application: Application, listener: socket.socket) -> Iterator[None]:
    """Answer what comes in at the listening socket, from threads of the server's own, until the end of the block."""
    host, port = listener.getsockname()[:2]
    server = make_server(host, port, application, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, args=(SHUTDOWN_POLL_SECONDS,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; OSError says in words why there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} of {host} is taken: end what listens there, or choose another with --port"
        else:
            message = f"cannot listen on port {port} of {host}: {error.strerror or error}"
        raise OSError(error.errno, message) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; the exit status."""
    options = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        print(f"emulator: {error.strerror}", file=sys.stderr)
        return USAGE_ERROR
    with listener, emulate(speed=options.speed, start=datetime.now(UTC), pending_seconds=options.pending) as aws:
        application = Application(aws)
        application.build(options.world)
        with serving(application, listener):
            print(_ready(listener, options.world), flush=True)
            stop.wait()
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m emulator",
        description="Serve an emulated AWS (moto and AWS App Runner) to any SDK client on this machine.",
        epilog=f"Point a client at it:  AWS_ENDPOINT_URL=http://127.0.0.1:{DEFAULT_PORT} aws apprunner list-services\n"
        "Any credentials will do.\n\n"
        f"control routes:\n{_routes()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 for containers too (%(default)s)"
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="port to listen on; 0 takes a free one (%(default)s)",
    )
    parser.add_argument(
        "--world",
        action="append",
        default=[],
        metavar="NAME",
        help="build a named world first; may be repeated; `all` builds every one",
    )
    parser.add_argument(
        "--speed",
        type=float,
        default=DEFAULT_SPEED,
        help="emulated seconds per second: at 60 a minute of AWS takes a second, at 0 time stands still (%(default)s)",
    )
    parser.add_argument(
        "--pending",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="emulated seconds that new NAT gateways and interface endpoints stay pending (%(default)s)",
    )
    options = parser.parse_args(arguments)
    for name in ("speed", "pending"):
        if getattr(options, name) < 0:
            parser.error(f"argument --{name}: time does not run backwards")
    options.world = _named(options.world, parser)
    return options


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: they go from 0 to {HIGHEST_PORT}")
    return int(text)


def _named(names: Sequence[str], parser: argparse.ArgumentParser) -> list[str]:
    """The worlds asked for, each once."""
    if not names:
        return []
    known = sorted(_worlds())
    wanted = known if "all" in names else list(dict.fromkeys(names))
    if unknown := [name for name in wanted if name not in known]:
        parser.error(f"argument --world: no world {', '.join(unknown)}; there are {', '.join(known)}, or all")
    return wanted


def _worlds() -> Mapping[str, World]:
    from emulator.worlds import WORLDS  # noqa: PLC0415  # not needed to serve an empty AWS

    return WORLDS


def _client() -> Callable[[str], Any]:
    """The SDK's clients for worlds: they name the zones of one Region, whatever AWS_DEFAULT_REGION says."""
    return functools.cache(boto3.Session(region_name="us-east-1").client)


def _ready(listener: socket.socket, worlds: Sequence[str]) -> str:
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    nearby = f"http://127.0.0.1:{port}" if host == str(IPv4Address(0)) else address
    built = f"with the worlds {', '.join(worlds)}" if worlds else "empty"
    return f"Emulated AWS ready on {address}, {built}. Point a client at it: AWS_ENDPOINT_URL={nearby}"


def _routes() -> str:
    lines = (__doc__ or "").splitlines()
    return "\n".join(f"  {line.strip()}" for line in lines if "/emulator/" in line)


def _seconds(request: Request) -> float:
    try:
        seconds = json.loads(request.get_data(as_text=True))["advance"]
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableRequest(400, 'the body must be {"advance": seconds}') from error
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise UnusableRequest(400, f"advance must be a number of seconds, 0 or more: {seconds!r}")
    return float(seconds)


def _number(text: str, name: str) -> int:
    if not text.isdecimal():
        raise UnusableRequest(400, f"{name} must be a number, 0 or more: {text!r}")
    return int(text)


def _json(answer: object, status: int = 200) -> Response:
    return Response(json.dumps(answer, indent=1) + "\n", status=status, mimetype="application/json")


class _QuietHandler(MotoRequestHandler):
    """Says nothing about requests that went well; failures of the server itself are still logged."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass
