"""What is installed, here and in Lambda, is pinned to a version and to the hashes of its files, from no other source.

Whether a pinned version has a known weakness no file here can say: docs/security.md has how to ask.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
LAYER = "layers/guardrails/requirements"
UV = {"tools/uv-requirements"}  # which makes the environments, and so has its own way
LOCKS = sorted(
    str(path.relative_to(ROOT).with_suffix(""))
    for pattern in ("requirements*.txt", "layers/*/requirements*.txt", "tools/*requirements*.txt")
    for path in ROOT.glob(pattern)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    version: str
    marker: Marker | None
    hashes: tuple[str, ...]


class Unpinned(ValueError):
    """A line of a lock is no package with its version and hashes; the text has it."""


def pins(text: str) -> Mapping[str, Pin]:
    """The packages of a lock by their normalized names. Raises Unpinned."""
    found: dict[str, Pin] = {}
    for line in re.sub(r" *\\\n *", " ", text).splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        given = re.fullmatch(
            r"(?P<name>[\w.-]+)==(?P<version>[\w.]+)( ; (?P<marker>[^#@]+?))?(?P<hashes>( --hash=\S+)+)", line
        )
        hashes = tuple(given["hashes"].replace("--hash=", "").split()) if given else ()
        if not given or not all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes):
            raise Unpinned(line)
        marker = Marker(given["marker"]) if given["marker"] else None
        found[canonicalize_name(given["name"])] = Pin(version=given["version"], marker=marker, hashes=hashes)
    return found


def locked(name: str) -> Mapping[str, Pin]:
    return pins((ROOT / f"{name}.txt").read_text())


def asked(name: str) -> Iterator[Requirement]:
    """What a .in file asks for, with what the files ask for that it names."""
    for line in (ROOT / f"{name}.in").read_text().splitlines():
        wanted = line.partition("#")[0].strip()
        if wanted.startswith("-r "):
            yield from asked(wanted.removeprefix("-r ").removesuffix(".in"))
        elif wanted and not wanted.startswith("-c "):
            yield Requirement(wanted)


def is_met(one: Requirement, by: Mapping[str, Pin]) -> bool:
    pin = by.get(canonicalize_name(one.name))
    return pin is not None and one.url is None and one.specifier.contains(pin.version, prereleases=True)


def test_the_locks_are_those_that_make_lock_writes() -> None:
    assert [*LOCKS] == [
        LAYER,
        "requirements-dev",
        *(f"tools/{one}-requirements" for one in ("c7n", "checkov", "ministack", "uv")),
    ]
    rule = re.search(r"^lock:.*\n\t@for name in (.+); do", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert rule is not None
    assert rule[1] == f"{LAYER} requirements-dev $(basename $(wildcard tools/*-requirements.in))"


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_a_version_and_hashes_for_each_package_and_no_other_line(name: str) -> None:
    assert locked(name)


@pytest.mark.parametrize(
    "line",
    [
        "boto3",
        "boto3==1.43.108",
        "boto3>=1.43 --hash=sha256:" + "0" * 64,
        "boto3==1.* --hash=sha256:" + "0" * 64,
        "boto3==1.43.108 --hash=md5:" + "0" * 32,
        "boto3==1.43.108 --hash=sha256:" + "0" * 63,
        "boto3==1.43.108 --hash=sha256:" + "0" * 64 + " --index-url=https://example.com",
        "boto3 @ https://example.com/boto3.whl --hash=sha256:" + "0" * 64,
        "git+https://example.com/boto3 --hash=sha256:" + "0" * 64,
        "--index-url https://example.com",
        "--extra-index-url https://example.com",
        "--find-links wheels",
        "-e .",
        "-r other.txt",
        "./boto3.whl --hash=sha256:" + "0" * 64,
    ],
)
def test_anything_else_in_a_lock_is_told(line: str) -> None:
    fine = "six==1.17.0 \\\n    --hash=sha256:" + "0" * 64 + "\n    # via boto3\n"
    assert list(pins(fine)) == ["six"]
    with pytest.raises(Unpinned, match=re.escape(line)):
        pins(f"{fine}{line}\n")


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_what_its_in_file_asks_for(name: str) -> None:
    packages = locked(name)
    assert [str(one) for one in asked(name) if not is_met(one, packages)] == []


def test_what_tests_run_with_is_what_lambda_runs_with() -> None:
    shipped, developed = locked(LAYER), locked("requirements-dev")
    assert {one: developed[one] for one in shipped} == shipped
    assert [pin for pin in shipped.values() if pin.marker] == []  # one layer, whatever the machine that builds it


def installed() -> Mapping[str, Distribution]:
    return {canonicalize_name(one.metadata["Name"]): one for one in distributions() if one.metadata["Name"]}


def needs(one: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in one.requires or ():
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            yield wanted


@pytest.mark.parametrize("name", [LAYER, "requirements-dev"])
def test_what_is_locked_is_all_that_is_needed_and_no_more(name: str) -> None:
    """As the packages say themselves, which are installed here."""
    packages, here = locked(name), installed()
    todo, seen = list(asked(name)), set()
    while todo:
        one = todo.pop()
        key = canonicalize_name(one.name), frozenset(one.extras)
        if key not in seen:
            seen.add(key)
            assert is_met(one, packages), one
            todo.extend(needs(here[key[0]], key[1]))
    elsewhere = {one for one, pin in packages.items() if pin.marker and not pin.marker.evaluate()}
    assert {package for package, _ in seen} | elsewhere == packages.keys()


def test_what_is_installed_here_is_what_is_locked() -> None:
    packages = locked("requirements-dev")
    here = {one: found.version for one, found in installed().items()}
    assert {
        one: version for one, version in here.items() if one not in packages or packages[one].version != version
    } == {}


def test_each_tool_with_an_environment_of_its_own_has_a_lock() -> None:
    tools = set(re.findall(r"\.tools/(\w+)/\.ready", (ROOT / "Makefile").read_text()))
    assert {f"tools/{one}-requirements" for one in tools} == {one for one in LOCKS if one.startswith("tools/")} - UV


def test_an_environment_without_a_lock_is_not_made() -> None:
    done = subprocess.run([ROOT / "tools/setup", "nothing"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Set-up failed: there is no tools/nothing-requirements.txt.\n"
    assert not (ROOT / ".tools/nothing").exists()


def test_the_layer_is_built_from_its_lock_by_hash_and_from_nothing_else() -> None:
    arguments = re.search(
        r"^ARGUMENTS := ((?:.*\\\n)*.*)$", (ROOT / "layers/guardrails/Makefile").read_text(), re.MULTILINE
    )
    assert arguments is not None
    words = arguments[1].replace("\\\n", "").split()
    assert {"--no-deps", "--require-hashes", "--only-binary", "requirements.txt"} <= {*words}
    assert [one for one in words if "index" in one or "find-links" in one or "://" in one] == []
