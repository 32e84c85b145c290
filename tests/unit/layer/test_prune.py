"""What is cut from the packages that are installed here, which are those that the layer is built from."""

import gzip
import json
import os
import re
import shutil
import symtable
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

import prune
from prune import (
    ALIASES,
    AUTHORITIES,
    CHANGED,
    DATA,
    DOCS,
    HANDLERS,
    MOVED,
    POWERTOOLS,
    REMOVED,
    REPLACED,
    Unexpected,
    cut_model,
)

PACKAGES = {"aws-lambda-powertools": POWERTOOLS, "botocore": "botocore", "urllib3": "urllib3"}
OPERATIONS = {"dynamodb": ["Query"], "elbv2": ["DescribeTags"], "sts": ["AssumeRole"]}
UNCALLED = "sqs"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages as published, with the data of a few services only, as time is short."""
    folder = tmp_path_factory.mktemp("store")
    for name, package in PACKAGES.items():
        here = Path(str(distribution(name).locate_file(package)))
        shutil.copytree(here, folder / package, ignore=shutil.ignore_patterns("data", "__pycache__"))
        if package == "botocore":
            for one in (here / "data").iterdir():
                if one.is_file():
                    shutil.copy(one, made(folder / DATA) / one.name)
            for service in (*OPERATIONS, UNCALLED):
                shutil.copytree(here / "data" / service, folder / DATA / service)
    return folder


@pytest.fixture
def installed(store: Path, tmp_path: Path) -> Path:
    """As an installer lays packages that it has: by links."""
    return shutil.copytree(store, tmp_path / "python", copy_function=os.link)


def made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def contents(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rewrite(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.unlink()  # it is a link
    path.write_text(text.replace(old, new, 1))


def model(installed: Path, service: str) -> Mapping[str, Any]:
    (version,) = (installed / DATA / service).iterdir()
    content: Mapping[str, Any] = json.loads((version / "service-2.json").read_text())
    return content


def test_what_was_done_is_listed_and_the_installers_store_is_left_alone(store: Path, installed: Path) -> None:
    before = contents(store)
    listing = prune.pruned(installed, OPERATIONS)
    assert contents(store) == before
    after = contents(installed)
    gone = {name for name in before if any(name == one or name.startswith(one) for one in listing["removed"])}
    assert gone == before.keys() - after.keys()
    assert {*listing["made"]} == after.keys() - before.keys()
    assert listing["changed"] == sorted(name for name in before.keys() & after.keys() if before[name] != after[name])
    assert {*REMOVED} <= {one.removesuffix("/") for one in listing["removed"]}
    assert f"{DATA}/{UNCALLED}/" in listing["removed"]
    assert {*listing["changed"]} == {*MOVED, *REPLACED, HANDLERS, f"{DATA}/endpoints.json"} | {
        f"{DOCS}/{name}" for name in ("__init__.py", "docstring.py")
    }


def test_of_each_service_that_is_called_the_newest_model_is_left_as_plain_json(installed: Path) -> None:
    prune.pruned(installed, OPERATIONS)
    assert {name.removeprefix(f"{DATA}/") for name in contents(installed) if name.startswith(f"{DATA}/")} == {
        "_retry.json",
        "dynamodb/2012-08-10/endpoint-rule-set-1.json",
        "dynamodb/2012-08-10/service-2.json",
        "elbv2/2015-12-01/endpoint-rule-set-1.json",
        "elbv2/2015-12-01/service-2.json",
        "endpoints.json",
        "partitions.json",
        "sdk-default-configuration.json",
        "sts/2011-06-15/endpoint-rule-set-1.json",
        "sts/2011-06-15/service-2.json",
    }


def test_of_the_newest_model_the_operations_that_are_called_are_left(store: Path, installed: Path) -> None:
    prune.pruned(installed, OPERATIONS)
    for service, names in OPERATIONS.items():
        assert [*model(installed, service)["operations"]] == names
    cut = model(installed, "elbv2")
    assert [*cut["shapes"]] == [
        *("DescribeTagsInput", "DescribeTagsOutput", "ListenerNotFoundException", "LoadBalancerNotFoundException"),
        *("ResourceArn", "ResourceArns", "RuleNotFoundException", "Tag", "TagDescription", "TagDescriptions", "TagKey"),
        *("TagList", "TagValue", "TargetGroupNotFoundException", "TrustStoreNotFoundException"),
    ]
    whole = json.loads(gzip.decompress((store / DATA / "elbv2/2015-12-01/service-2.json.gz").read_bytes()))
    assert cut["metadata"] == whole["metadata"]
    rules = installed / DATA / "elbv2/2015-12-01/endpoint-rule-set-1.json"
    assert json.loads(rules.read_text()) == json.loads(
        gzip.decompress((store / DATA / "elbv2/2015-12-01/endpoint-rule-set-1.json.gz").read_bytes())
    )


def test_endpoints_are_left_of_the_services_that_are_called_in_all_partitions(store: Path, installed: Path) -> None:
    prune.pruned(installed, OPERATIONS)
    whole, cut = (json.loads((one / DATA / "endpoints.json").read_text())["partitions"] for one in (store, installed))
    called = {"dynamodb", "elasticloadbalancing", "sts"}
    assert cut == [
        {**one, "services": {name: places for name, places in one["services"].items() if name in called}}
        for one in whole
    ]
    assert all(one["services"].keys() == called for one in cut)


def test_aliases_are_left_of_the_services_that_are_called(installed: Path) -> None:
    prune.pruned(installed, OPERATIONS)
    text = (installed / ALIASES).read_text()
    assert (
        """
EVENT_ALIASES = {
    "elasticloadbalancing": "elastic-load-balancing",
    "elbv2": "elastic-load-balancing-v2",
}
"""
        in text
    )


def test_handlers_are_left_of_events_that_may_come(installed: Path) -> None:
    def handled() -> list[str]:
        text = (installed / HANDLERS).read_text()
        listed = text[text.index("\nBUILTIN_HANDLERS = [") : text.index("\n]\n", text.index("\nBUILTIN_HANDLERS = ["))]
        return re.findall(r"^(?:    \(|        )'([a-z.*A-Z0-9-]+)'", listed, re.MULTILINE)

    before = handled()
    assert {"before-call.s3", "docs.*.iam.*.complete-section", "before-call.ec2.CopySnapshot"} <= set(before)
    prune.pruned(installed, OPERATIONS)
    called = {"dynamodb", "elbv2", "elasticloadbalancing", "elastic-load-balancing-v2", "sts", "*"}
    parts = [one.split(".") for one in before]
    expected = [".".join(one) for one in parts if one[0] != "docs" and (len(one) == 1 or one[1] in called)]
    assert handled() == expected
    assert "choose-signer.sts.AssumeRoleWithSAML" in expected
    assert len(expected) < len(before) / 4


SHAPES = {
    "In": {"type": "structure", "members": {"documentation": {"shape": "Text", "documentation": "What it is."}}},
    "Out": {"type": "list", "member": {"shape": "Out", "documentation": "Itself."}},
    "Odd": {"type": "structure", "members": {"Why": {"shape": "Why"}}, "exception": True, "documentation": "Odd."},
    "Text": {"type": "string", "min": 1, "enum": ["documentation", "a"], "documentation": "A text."},
    "Why": {"type": "string"},
    "Other": {"type": "string"},
}
MODEL: Mapping[str, Any] = {
    "version": "2.0",
    "metadata": {"endpointPrefix": "own", "serviceId": "Own"},
    "documentation": "All about it.",
    "operations": {
        "Ask": {
            "name": "Ask",
            "input": {"shape": "In"},
            "output": {"shape": "Out"},
            "errors": [{"shape": "Odd", "documentation": "When it is odd."}],
            "documentation": "Asks.",
        },
        "Tell": {"name": "Tell", "input": {"shape": "Other"}},
    },
    "shapes": SHAPES,
}


def test_a_model_loses_what_no_call_reaches_and_its_documentation_but_no_member_of_that_name() -> None:
    assert cut_model(MODEL, ["Ask"]) == {
        "version": "2.0",
        "metadata": {"endpointPrefix": "own", "serviceId": "Own"},
        "operations": {
            "Ask": {
                "name": "Ask",
                "input": {"shape": "In"},
                "output": {"shape": "Out"},
                "errors": [{"shape": "Odd"}],
            }
        },
        "shapes": {
            "In": {"type": "structure", "members": {"documentation": {"shape": "Text"}}},
            "Out": {"type": "list", "member": {"shape": "Out"}},
            "Odd": {"type": "structure", "members": {"Why": {"shape": "Why"}}, "exception": True},
            "Text": {"type": "string", "min": 1, "enum": ["documentation", "a"]},
            "Why": {"type": "string"},
        },
    }
    assert [*cut_model(MODEL, ["Tell", "Ask"])["operations"]] == ["Ask", "Tell"]
    assert "Other" in cut_model(MODEL, ["Tell"])["shapes"]


def test_what_the_sdk_adds_to_a_model_when_it_reads_it_is_in_the_model_that_is_left(installed: Path) -> None:
    folder = made(installed / DATA / "own/2026-01-01")
    (folder / "service-2.json").write_text(json.dumps(MODEL))
    (folder / "endpoint-rule-set-1.json").write_text("{}")
    more = {"operations": {"Ask": {"http": {"method": "POST"}}}, "version": "2.1"}
    (folder / "service-2.sdk-extras.json").write_text(json.dumps({"version": 1.0, "merge": more}))
    prune.pruned(installed, {**OPERATIONS, "own": ["Ask"]})
    assert {path.name for path in folder.iterdir()} == {"service-2.json", "endpoint-rule-set-1.json"}
    cut = model(installed, "own")
    assert cut == {
        **cut_model(MODEL, ["Ask"]),
        "version": "2.1",
        "operations": {"Ask": {**cut_model(MODEL, ["Ask"])["operations"]["Ask"], "http": {"method": "POST"}}},
    }


def globals_of(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that a module's functions and classes look for at its top."""
    for child in table.get_children():
        yield from (one.get_name() for one in child.get_symbols() if one.is_global() and one.is_referenced())
        yield from globals_of(child)


@pytest.mark.parametrize("name", [*MOVED])
def test_nothing_looks_at_the_top_of_a_module_for_an_import_that_went_into_its_functions(
    name: str, installed: Path
) -> None:
    before = symtable.symtable((installed / name).read_text(), name, "exec")
    prune.pruned(installed, OPERATIONS)
    after = symtable.symtable((installed / name).read_text(), name, "exec")
    known, left = ({one.get_name() for one in table.get_symbols() if one.is_imported()} for table in (before, after))
    moved = known - left
    assert moved & {*globals_of(before)}
    assert moved & {*globals_of(after)} == set()
    assert not any(one.is_referenced() for one in after.get_symbols() if one.get_name() in moved)


def test_what_is_changed_says_so_at_its_beginning(installed: Path) -> None:
    for name in prune.pruned(installed, OPERATIONS)["changed"]:
        assert name.endswith(".json") or (installed / name).read_text().startswith(CHANGED)


type Change = Callable[[Path], object]


def without(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def changed(name: str, old: str, new: str) -> Change:
    return lambda folder: rewrite(folder / name, old, new)


def with_file(name: str) -> Change:
    return lambda folder: (folder / name).write_text("{}")


GETFULLARGSPEC = "    return inspect.getfullargspec(func)[2]\n"
OTHERWISE: Mapping[str, tuple[Change, str]] = {
    "a package that is not there": (
        lambda folder: shutil.rmtree(folder / POWERTOOLS / "event_handler"),
        f"there is no {POWERTOOLS}/event_handler to remove",
    ),
    "a module that is not there": (without("botocore/stub.py"), "there is no botocore/stub.py to remove"),
    "a module to change that is not there": (
        without("botocore/tokens.py"),
        "there is no botocore/tokens.py to change",
    ),
    "another use of an import": (
        changed("botocore/utils.py", "\nimport tempfile\n", "\nimport tempfile\n\nFOLDER = tempfile.gettempdir()\n"),
        "botocore/utils.py has tempfile 3 times, not 2",
    ),
    "an import of another form": (
        changed("botocore/configloader.py", "\nimport configparser\n", "\nimport configparser as configparser\n"),
        "botocore/configloader.py has configparser 4 times, not 3",
    ),
    "an import elsewhere": (
        changed("botocore/configloader.py", "\nimport configparser\n", "\nif True:\n    import configparser\n"),
        "botocore/configloader.py has 0 times 'import configparser'",
    ),
    "code that is not there": (
        changed("botocore/loaders.py", "object_pairs_hook=OrderedDict", "object_pairs_hook=dict"),
        "botocore/loaders.py has 0 times 'json.loads(payload, object_pairs_hook=OrderedDict)'",
    ),
    "code that is there twice": (
        changed("botocore/compat.py", GETFULLARGSPEC, GETFULLARGSPEC * 2),
        "botocore/compat.py has 2 times 'return inspect.getfullargspec(func)[2]'",
    ),
    "another docstring": (
        changed(f"{DOCS}/docstring.py", "class WaiterDocstring(", "class OtherDocstring("),
        f"{DOCS}/docstring.py has other classes than ClientMethodDocstring, PaginatorDocstring, WaiterDocstring",
    ),
    "another class of docstrings": (
        changed(
            f"{DOCS}/docstring.py", "\nclass WaiterDocstring(", "\nclass Other:\n    pass\n\n\nclass WaiterDocstring("
        ),
        f"{DOCS}/docstring.py has other classes than ClientMethodDocstring, PaginatorDocstring, WaiterDocstring",
    ),
    "more data for all services": (
        with_file(f"{DATA}/more.json"),
        f"{DATA}/more.json is new or gone: is it read for all services?",
    ),
    "less data for all services": (
        without(f"{DATA}/_retry.json"),
        f"{DATA}/_retry.json is new or gone: is it read for all services?",
    ),
    "a service without a model": (
        lambda folder: shutil.rmtree(folder / DATA / "sts"),
        "botocore has no model of sts",
    ),
    "a service without rules of its endpoints": (
        without(f"{DATA}/sts/2011-06-15/endpoint-rule-set-1.json.gz"),
        f"there is no endpoint-rule-set-1 in {DATA}/sts/2011-06-15",
    ),
    "aliases of another form": (
        changed(ALIASES, '    "elbv2": "elastic-load-balancing-v2",', "    **MORE,"),
        f"{ALIASES} has no EVENT_ALIASES of one alias a line",
    ),
    "no aliases": (
        changed(ALIASES, "\nEVENT_ALIASES = {\n", "\nOTHER_ALIASES = {\n"),
        f"{ALIASES} has no EVENT_ALIASES of one alias a line",
    ),
    "no list of handlers": (
        changed(HANDLERS, "BUILTIN_HANDLERS = [\n", "OTHER_HANDLERS = [\n"),
        f"{HANDLERS} has no list BUILTIN_HANDLERS",
    ),
    "handlers of another form": (
        changed(HANDLERS, "    ('choose-service-name', handle_service_name_alias),", "    *MORE,"),
        f"{HANDLERS} has a handler in another form, in line 1483",
    ),
    "an authority of another form": (
        lambda folder: rewrite(
            folder / AUTHORITIES, "-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----"
        ),
        f"{AUTHORITIES} has more than 125 certificates",
    ),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_package_that_is_not_as_it_was_stops_the_build(name: str, installed: Path) -> None:
    change, told = OTHERWISE[name]
    change(installed)
    with pytest.raises(Unexpected) as raised:
        prune.pruned(installed, OPERATIONS)
    assert str(raised.value) == told


def test_a_call_that_the_sdk_does_not_know_stops_the_build(installed: Path) -> None:
    with pytest.raises(Unexpected, match=r"^Elastic Load Balancing v2 has no operation DescribeTag$"):
        prune.pruned(installed, {"elbv2": ["DescribeTag"]})


@pytest.fixture
def to_build(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "operations.json"
    path.write_text(json.dumps(OPERATIONS))
    monkeypatch.setattr(prune, "OPERATIONS", path)
    return installed


def test_a_build_that_stops_says_why(to_build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (to_build / "botocore/stub.py").unlink()
    assert prune.main([str(to_build)]) == 1
    assert capsys.readouterr().err == "The layer cannot be pruned: there is no botocore/stub.py to remove.\n"


def test_without_a_python_like_lambdas_there_is_no_bytecode_and_it_is_said(
    to_build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(prune, "BYTECODE", "cpython-399")
    assert prune.main([str(to_build)]) == 0
    assert capsys.readouterr().err == "The layer ships no bytecode: no Python here writes it for cpython-399.\n"
    assert [*to_build.rglob("*.pyc")] == []
    assert {*json.loads((to_build / prune.LISTING).read_text())} == {"removed", "changed", "made"}


def test_with_one_everything_is_compiled(to_build: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert prune.main([str(to_build)]) == 0
    assert capfd.readouterr() == ("", "")
    sources: Sequence[Path] = [*to_build.rglob("*.py")]
    assert len(sources) > 100
    for one in sources:
        assert (one.parent / f"__pycache__/{one.stem}.{prune.BYTECODE}.pyc").exists()
