"""What holds for every test: no network but this machine's own, no account, and no silence about what cannot run."""

import os
import socket
from collections.abc import Generator, Iterator
from ipaddress import ip_address

import pytest

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


def pytest_configure(config: pytest.Config) -> None:
    """Whatever AWS the machine knows, the tests do not; nor does moto, which looks when it is imported."""
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    for name in [name for name in os.environ if name.startswith(("AWS_", "POWERTOOLS_"))]:
        patch.delenv(name)
    for name, value in ENVIRONMENT.items():
        patch.setenv(name, value)


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """A test that reaches out fails, whatever the code under test catches: pytest's failure is no Exception."""
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def connect_here(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and isinstance(address, tuple):
            _refuse_elsewhere(address[0])
        connect(self, address)  # type: ignore[arg-type]  # whatever socket takes

    def look_up_here(host: object, *arguments: object, **options: object) -> object:
        _refuse_elsewhere(host)
        return look_up(host, *arguments, **options)  # type: ignore[arg-type]  # whatever socket takes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect_here)
        patch.setattr(socket, "getaddrinfo", look_up_here)
        yield


def _refuse_elsewhere(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in ("", "localhost"):
        return
    try:
        here = ip_address(name).is_loopback or ip_address(name).is_unspecified
    except ValueError:
        here = False
    if not here:
        pytest.fail(f"a test reached out to {name}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test that cannot run is a failure: nothing there may be left untested in silence."""
    report = yield
    return _refuse_skip(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    return _refuse_skip(report)


def _refuse_skip[R: pytest.TestReport | pytest.CollectReport](report: R) -> R:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where CI is set: {report.longrepr}"
    return report
