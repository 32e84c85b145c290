"""What the layer and the functions ship, built as SAM builds them: our own code, and of the packages that are locked
what our calls need. Every one of those calls is sent and understood as with the whole SDK.
"""

import base64
import csv
import hashlib
import json
import marshal
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from types import CodeType
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from packaging.utils import canonicalize_name

from prune import AUTHORITIES, CHANGED, LISTING
from tests.e2e import sdk_calls, sdk_samples
from tools.operations import HANDLERS, LIST

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers/guardrails"
OPERATIONS: Mapping[str, Sequence[str]] = json.loads(LIST.read_text())
REGIONS = ("us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1")
UNCHECKED = 0b01  # of bytecode that is taken without a look at its source (PEP 552)
MEGABYTE, KILOBYTE = 1_000_000, 1_000


@pytest.fixture(scope="module")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_layer(tmp_path_factory.mktemp("layer"))


def built_layer(folder: Path) -> Path:
    shutil.copytree(LAYER, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    made(folder / "source", "build-GuardrailsLayer", folder / "artifacts")
    return folder / "artifacts/python"


def built_function(name: str, folder: Path) -> Path:
    shutil.copytree(ROOT / "functions" / name, folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "artifacts").mkdir()
    made(folder / "source", "build-Function", folder / "artifacts", "--file", str(ROOT / "functions/Makefile"))
    return folder / "artifacts"


def made(source: Path, target: str, artifacts: Path, *more: str) -> None:
    """With the Python and the installer that `make build` has."""
    path = os.pathsep.join((str(Path(sys.executable).parent), str(ROOT / ".tools/uv/bin"), os.environ["PATH"]))
    build = ["make", "--silent", *more, target, f"ARTIFACTS_DIR={artifacts}"]
    subprocess.run(build, cwd=source, check=True, env={**os.environ, "PATH": path})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of the layer as they were published, which are installed here, and no others of those here."""
    folder = tmp_path_factory.mktemp("whole")
    for one in distributions():
        if canonicalize_name(one.metadata["Name"]) in {name.partition("==")[0] for name in locked()}:
            for top in {file.parts[0] for file in one.files or () if ".." not in file.parts}:
                (folder / top).symlink_to(Path(str(one.locate_file(top))))
    return folder


def locked() -> Sequence[str]:
    return [line.split()[0] for line in (LAYER / "requirements.txt").read_text().splitlines() if "==" in line]


def files(folder: Path) -> Mapping[str, Path]:
    """Bytecode aside."""
    return {
        str(path.relative_to(folder)): path
        for path in folder.rglob("*")
        if path.is_file() and path.parent.name != "__pycache__"
    }


def digest(content: bytes) -> str:
    """As in the record of what a package installs."""
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip('=')}"


def recorded(packages: Sequence[Distribution]) -> Iterator[tuple[str, str]]:
    """The files that packages came with, and their digests."""
    for one in packages:
        yield from ((row[0], row[1]) for row in csv.reader((one.read_text("RECORD") or "").splitlines()) if row)


def test_the_layer_ships_what_is_locked_less_what_it_says_is_cut_and_nothing_else(layer: Path) -> None:
    packages = [*distributions(path=[str(layer)])]
    assert sorted(f"{canonicalize_name(one.metadata['Name'])}=={one.version}" for one in packages) == sorted(locked())
    theirs, listing = dict(recorded(packages)), json.loads((layer / LISTING).read_text())
    removed = {name for name in theirs if any(name == one or name.startswith(f"{one}/") for one in gone(listing))}
    programs = {name for name in theirs if name.startswith(("bin/", "../"))}  # which name the machine that builds
    ours = {f"apprunner_guardrails/{name}" for name in files(LAYER / "apprunner_guardrails")}
    shipped = files(layer)
    assert shipped.keys() == (theirs.keys() - removed - programs) | ours | {*listing["made"], LISTING}
    other = {
        name
        for name, wanted in theirs.items()
        if name in shipped and wanted and digest(shipped[name].read_bytes()) != wanted
    }
    assert sorted(other) == listing["changed"]
    for name in ours:
        assert shipped[name].read_bytes() == (LAYER / name).read_bytes()
    for name in listing["changed"]:
        assert name.endswith(".json") or shipped[name].read_text().startswith(CHANGED), name
    assert {name for name in theirs if ".dist-info/" in name} <= shipped.keys()  # the licenses


def gone(listing: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return [name.removesuffix("/") for name in listing["removed"]]


def test_what_is_built_twice_is_the_same(layer: Path, tmp_path: Path) -> None:
    again = built_layer(tmp_path)
    first, second = ({name: path.read_bytes() for name, path in every(one).items()} for one in (layer, again))
    assert first == second
    for content in first.values():
        assert str(tmp_path.parent).encode() not in content
        assert str(ROOT).encode() not in content


def every(folder: Path) -> Mapping[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def zipped(folder: Path, into: Path) -> int:
    """How many bytes Lambda is given."""
    with ZipFile(into, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path in every(folder).items():
            archive.write(path, name)
    return into.stat().st_size


def test_the_layer_has_at_most_six_megabytes(layer: Path, tmp_path: Path) -> None:
    assert zipped(layer.parent, tmp_path / "layer.zip") <= 6 * MEGABYTE


@pytest.mark.parametrize("name", [handler.parent.name for handler in HANDLERS])
def test_a_function_is_its_handler_with_bytecode_and_has_at_most_20_kilobytes(name: str, tmp_path: Path) -> None:
    function = built_function(name, tmp_path)
    assert every(function).keys() == {"app.py", "__pycache__/app.cpython-313.pyc"}
    assert (function / "app.py").read_bytes() == (ROOT / "functions" / name / "app.py").read_bytes()
    assert_compiled(function, "/var/task")
    assert zipped(function, tmp_path / "function.zip") <= 20 * KILOBYTE


def test_all_of_the_layer_is_compiled_for_where_lambda_lays_it(layer: Path) -> None:
    assert_compiled(layer, "/opt/python")


def assert_compiled(folder: Path, laid: str) -> None:
    for name, path in files(folder).items():
        if path.suffix == ".py":
            compiled = (path.parent / f"__pycache__/{path.stem}.cpython-313.pyc").read_bytes()
            assert int.from_bytes(compiled[4:8], "little") == UNCHECKED
            code = marshal.loads(compiled[16:])  # noqa: S302  # built a moment ago
            assert isinstance(code, CodeType)
            assert code.co_filename == f"{laid}/{name}"
            assert code == compile(path.read_bytes(), code.co_filename, "exec", dont_inherit=True)


def run(program: str, path: Path, given: str = "", **environment: str) -> Any:
    """What a program says with these packages alone, and no network to ask for credentials."""
    apart = {"PYTHONPATH": str(path), "PYTHONHASHSEED": "0", "HOME": "/nonexistent", **environment}
    command = [sys.executable, "-S", "-P", *(["-c", program] if "\n" in program else [program])]
    done = subprocess.run(command, input=given, env=apart, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


IMPORT_ALL = """
import importlib, json, os, pkgutil, sys
failed, path = {}, os.environ["PYTHONPATH"]
def walk(name):
    try:
        module = importlib.import_module(name)
    except Exception as error:
        failed[name] = f"{type(error).__name__}: {error}".replace(path, "")
        return
    for one in pkgutil.iter_modules(getattr(module, "__path__", ())):
        walk(f"{name}.{one.name}")
for one in pkgutil.iter_modules([path]):
    walk(one.name)
json.dump([sorted(sys.modules), failed], sys.stdout)
"""


def test_what_is_left_can_be_imported_unless_it_never_could_be(layer: Path, whole: Path) -> None:
    """Without what nobody here has: other TLS libraries, other systems."""
    imported, failed = run(IMPORT_ALL, layer, AWS_REGION="us-east-1")
    _, never = run(IMPORT_ALL, whole)
    assert {"botocore.credentials", "apprunner_guardrails.respond", "urllib3.http2"} <= {*imported}
    assert {name: why for name, why in failed.items() if never.get(name) != why} == {}
    assert "boto3" not in imported


def every_call() -> Iterator[Mapping[str, Any]]:
    """With every answer that its model has."""
    for service, names in OPERATIONS.items():
        for name in names:
            model = sdk_samples.operation(service, name)
            for answer in (sdk_samples.answer(model), *sdk_samples.refusals(model)):
                yield asked(service, name, answer)


def everywhere() -> Iterator[Mapping[str, Any]]:
    """A call of each service, in Regions of every partition."""
    for service, (name, *_) in OPERATIONS.items():
        answer = sdk_samples.answer(sdk_samples.operation(service, name))
        yield from (asked(service, name, answer, region) for region in REGIONS)


def asked(service: str, name: str, answer: Mapping[str, Any], region: str = REGIONS[0]) -> Mapping[str, Any]:
    given = sdk_samples.parameters(sdk_samples.operation(service, name))
    return {"service": service, "region": region, "operation": name, "parameters": given, "answer": answer}


def told(calls: Sequence[Mapping[str, Any]], path: Path, **environment: str) -> Sequence[Mapping[str, str]]:
    """What the SDK in this folder sends and understands, call by call."""
    answers: Sequence[Mapping[str, str]] = run(
        str(Path(sdk_calls.__file__)), path, json.dumps(calls, default=as_json), **environment
    )
    return answers


def as_json(value: object) -> Mapping[str, str]:
    """What sdk_calls reads back."""
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    assert isinstance(value, bytes)
    return {"bytes": base64.b64encode(value).decode()}


def assert_same(calls: Sequence[Mapping[str, Any]], layer: Path, whole: Path, **environment: str) -> None:
    ours, theirs = (told(calls, path, **environment) for path in (layer, whole))
    for call, here, there in zip(calls, ours, theirs, strict=True):
        names = (call["service"], call["operation"], call["region"])
        assert (names, here) == (names, there)


def test_every_call_is_sent_and_understood_as_with_the_whole_sdk(layer: Path, whole: Path) -> None:
    assert_same([*every_call()], layer, whole)


@pytest.mark.parametrize("wanted", [{}, {"AWS_USE_DUALSTACK_ENDPOINT": "true"}, {"AWS_USE_FIPS_ENDPOINT": "true"}])
def test_calls_go_where_they_go_with_the_whole_sdk(wanted: Mapping[str, str], layer: Path, whole: Path) -> None:
    assert_same([*everywhere()], layer, whole, **wanted)


def test_the_answers_that_calls_are_tried_with_have_all_that_the_models_have(layer: Path) -> None:
    """Or the comparison above would say little."""
    calls = [one for one in every_call() if one["answer"]["status"] < 300]
    assert [(one["service"], one["operation"]) for one in calls] == [
        (service, name) for service, names in OPERATIONS.items() for name in names
    ]
    for call, one in zip(calls, told(calls, layer), strict=True):
        shape = sdk_samples.operation(call["service"], call["operation"]).output_shape
        for member in shape.members if shape else ():
            assert f"'{member}': " in one["answer"], (call["operation"], member)


OTHER_CALLS = """
import json, sys
from botocore.session import Session
failed = {}
for service, method in (("ec2", "describe_instances"), ("s3", "list_buckets")):
    try:
        getattr(Session().create_client(service, region_name="us-east-1"), method)
    except Exception as error:
        failed[service] = f"{type(error).__name__}: {error}"
json.dump(failed, sys.stdout)
"""


def test_a_call_that_is_not_listed_fails_and_says_what_is_not_there(layer: Path) -> None:
    known = ", ".join(sorted(OPERATIONS))
    assert run(OTHER_CALLS, layer) == {
        "ec2": "AttributeError: 'EC2' object has no attribute 'describe_instances'",
        "s3": f"UnknownServiceError: Unknown service: 's3'. Valid service names are: {known}",
    }


def test_the_authorities_that_are_laid_out_are_those_of_the_list(layer: Path) -> None:
    bundle = (layer / AUTHORITIES).read_text()
    laid = {path.read_text() for path in (layer / AUTHORITIES).with_suffix("").iterdir()}
    assert len(laid) == bundle.count("BEGIN CERTIFICATE") > 100
    assert all(one in bundle for one in laid)


TRUSTED = """
import json, sys
from apprunner_guardrails.aws.clients import _trusting
json.dump(_trusting(True).cert_store_stats(), sys.stdout)
"""


def test_our_clients_read_an_authority_when_they_need_it(layer: Path) -> None:
    """Those of the list are all read at once, wherever it is read."""
    assert run(TRUSTED, layer, AWS_REGION="us-east-1") == {"x509": 0, "crl": 0, "x509_ca": 0}
