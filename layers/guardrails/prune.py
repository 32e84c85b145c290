"""Cuts the packages that the layer ships down to what our functions use, and compiles them.

python3 prune.py FOLDER     FOLDER holds the installed packages; operations.json, beside this file, says what is called

What a cold start waits for is reading: modules that nothing needs, descriptions of calls that nobody makes. What is
removed and what is changed is written down here, and as it was done in FOLDER/pruned.json. Each change is checked
against what is installed: another version of a package stops the build, and is never cut wrongly.

This runs where SAM builds, in whatever Python from 3.9 on that machine has, with the standard library alone.
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import authorities

OPERATIONS = Path(__file__).with_name("operations.json")
LISTING = "pruned.json"
CHANGED = "# Changed by prune.py of App Runner Guardrails: "

# What no function of ours imports: files, and folders with all that is in them.
POWERTOOLS = "aws_lambda_powertools"
UTILITIES = (
    "auth_alpha batch circuit_breaker data_classes data_masking feature_flags idempotency kafka metadata parameters "
    "parser serialization.py streaming typing validation"
)
REMOVED = (
    f"{POWERTOOLS}/event_handler",
    f"{POWERTOOLS}/py.typed",
    *(f"{POWERTOOLS}/utilities/{one}" for one in UTILITIES.split()),
    "botocore/stub.py",
    "urllib3/contrib/emscripten",
    "urllib3/py.typed",
)


class Moved(NamedTuple):
    """An import that goes from the top of a module into the functions that need it, before these lines of theirs.

    `mentions` is how often the module has the name, which another use of it would change.
    """

    statement: str
    name: str
    mentions: int
    before: Sequence[str]


# Imports that cost milliseconds at each start, for what few or none of our calls come to.
MOVED: Mapping[str, Sequence[Moved]] = {
    # h2 is not shipped: nobody asks for its version.
    "urllib3/http2/__init__.py": (
        Moved("from importlib.metadata import version", "version", 4, ('    h2_version = version("h2")',)),
    ),
    "botocore/configloader.py": (
        Moved("import configparser", "configparser", 3, ("        cp = configparser.RawConfigParser()",)),
    ),
    "botocore/credentials.py": (
        Moved("import subprocess", "subprocess", 4, ("        p = self._popen(",)),
        Moved("import dateutil.parser", "dateutil.parser", 3, ("            expiration = dateutil.parser.parse(",)),
        Moved(
            "from dateutil.parser import parse",
            "parse",
            6,
            (
                "    return parse(value)",
                "        return parse(time_str)",
                "        self._staged_expiry_time = parse(",
                "                expiry_time = parse(",
            ),
        ),
    ),
    "botocore/tokens.py": (
        Moved(
            "import dateutil.parser",
            "dateutil.parser",
            3,
            ("        expiry = dateutil.parser.parse(", "        expiration = dateutil.parser.parse("),
        ),
    ),
    "botocore/utils.py": (
        Moved("import tempfile", "tempfile", 2, ("        temp_fd, temp_path = tempfile.mkstemp(",)),
        Moved("import dateutil.parser", "dateutil.parser", 2, ("        return dateutil.parser.parse(",)),
    ),
}

# Other code that takes milliseconds: what is there, and what comes in its place.
REPLACED: Mapping[str, Sequence[tuple[str, str]]] = {
    # Python itself has it since 3.13.
    f"{POWERTOOLS}/utilities/jmespath_utils/__init__.py": (
        ("from typing_extensions import deprecated", "from warnings import deprecated"),
    ),
    "botocore/credentials.py": (
        ("popen=subprocess.Popen", "popen=None"),
        ("p = self._popen(", "p = (self._popen or subprocess.Popen)("),
    ),
    # A dict has kept its order since Python 3.7.
    "botocore/loaders.py": (("json.loads(payload, object_pairs_hook=OrderedDict)", "json.loads(payload)"),),
    # Whether a handler of events takes any keyword, asked of 150 handlers: the code knows, without its whole signature.
    "botocore/compat.py": (
        (
            "    return inspect.getfullargspec(func)[2]",
            """\
    code = getattr(getattr(func, '__func__', func), '__code__', None)
    if code is not None:
        return bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return inspect.getfullargspec(func)[2]""",
        ),
    ),
}

# botocore makes docstrings of clients from the models' documentation, which is cut too. `utils` serves other modules.
DOCS = "botocore/docs"
DOCS_KEPT = {"__init__.py", "docstring.py", "utils.py"}
DOCSTRINGS = ("ClientMethodDocstring", "PaginatorDocstring", "WaiterDocstring")
NO_DOCSTRINGS = """\
class LazyLoadedDocstring(str):
    def __new__(cls, *args, **kwargs):
        return super().__new__(cls)

    def __init__(self, *args, **kwargs):
        super().__init__()
""" + "".join(f"\n\nclass {name}(LazyLoadedDocstring):\n    pass\n" for name in DOCSTRINGS)

ALIASES = "botocore/utils.py"
HANDLERS = "botocore/handlers.py"
AUTHORITIES = "botocore/cacert.pem"

DATA = "botocore/data"
FOR_ALL_SERVICES = {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}
MODEL, EXTRAS, RULES = "service-2", "service-2.sdk-extras", "endpoint-rule-set-1"

BYTECODE = "cpython-313"  # of the Python that the functions run in, which takes no other
UNPACKED = "/opt/python"  # where Lambda lays the files of a layer


class Unexpected(Exception):
    """What is installed is not what this was written for; the text says where."""


def main(arguments: Sequence[str]) -> int:
    """Prune the folder, list what was done, and compile what is left. The exit status."""
    folder = Path(arguments[0])
    try:
        listing = pruned(folder, json.loads(OPERATIONS.read_text(encoding="utf-8")))
    except Unexpected as odd:
        sys.stderr.write(f"The layer cannot be pruned: {odd}.\n")
        return 1
    _write(folder / LISTING, json.dumps(listing, indent=1) + "\n")
    python = compiler()
    if python is None:
        sys.stderr.write(f"The layer ships no bytecode: no Python here writes it for {BYTECODE}.\n")
        return 0
    return compiled(python, folder)


def pruned(folder: Path, operations: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """Remove and change what is in the folder; which files, or folders where nothing is left. Raises Unexpected."""
    before = _digests(folder)
    remove(folder)
    change(folder)
    drop_docstrings(folder)
    names = cut_data(folder / DATA, operations)
    cut_aliases(folder / ALIASES, names)
    cut_handlers(folder / HANDLERS, names)
    lay_out_authorities(folder)
    after = _digests(folder)
    return {
        "removed": sorted({_gone(folder, name) for name in before.keys() - after.keys()}),
        "changed": sorted(name for name in before.keys() & after.keys() if before[name] != after[name]),
        "made": sorted(after.keys() - before.keys()),
    }


def remove(folder: Path) -> None:
    """Raises Unexpected where something is not there."""
    for name in REMOVED:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        else:
            raise Unexpected(f"there is no {name} to remove")


def change(folder: Path) -> None:
    """Move imports and replace code. Raises Unexpected where a text is not there as often as it should be."""
    for name in sorted({*MOVED, *REPLACED}):
        text = _read(folder / name)
        for one in MOVED.get(name, ()):
            text = _moved(name, text, one)
        for old, new in REPLACED.get(name, ()):
            text = _replaced(name, text, old, new)
        _write(folder / name, f"{CHANGED}it does less at its start.\n{text}")


def _moved(name: str, text: str, one: Moved) -> str:
    mentions = len(re.findall(rf"\b{re.escape(one.name)}\b", text))
    if mentions != one.mentions:
        raise Unexpected(f"{name} has {one.name} {mentions} times, not {one.mentions}")
    text = _replaced(name, text, f"\n{one.statement}\n", "\n")
    for line in one.before:
        indent = line[: -len(line.lstrip())]
        text = _replaced(name, text, f"\n{line}", f"\n{indent}{one.statement}\n\n{line}")
    return text


def _replaced(name: str, text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise Unexpected(f"{name} has {text.count(old)} times {old.strip()!r}")
    return text.replace(old, new)


def drop_docstrings(folder: Path) -> None:
    """Raises Unexpected where botocore makes other docstrings."""
    text = _read(folder / DOCS / "docstring.py")
    made = re.findall(r"^class (\w+)\(LazyLoadedDocstring\):$", text, re.MULTILINE)
    if sorted(made) != [*DOCSTRINGS] or text.count("\nclass ") != len(made) + 1:
        raise Unexpected(f"{DOCS}/docstring.py has other classes than {', '.join(DOCSTRINGS)}")
    for one in (folder / DOCS).iterdir():
        if one.is_dir():
            shutil.rmtree(one)
        elif one.name not in DOCS_KEPT:
            one.unlink()
    for name, code in (("__init__.py", ""), ("docstring.py", NO_DOCSTRINGS)):
        _write(folder / DOCS / name, f"{CHANGED}it documents nothing.\n{code}")


def cut_data(data: Path, operations: Mapping[str, Sequence[str]]) -> set[str]:
    """Keep the newest model of each service that is called, cut to the operations. Every name that botocore has for the
    services. Raises Unexpected.

    As plain JSON: what is left takes less time to read than to unpack.
    """
    for name in sorted({one.name for one in data.iterdir() if one.is_file()} ^ FOR_ALL_SERVICES):
        raise Unexpected(f"{DATA}/{name} is new or gone: is it read for all services?")
    for folder in [one for one in data.iterdir() if one.is_dir() and one.name not in operations]:
        shutil.rmtree(folder)
    names = set(operations)
    for service, wanted in operations.items():
        versions = [one for one in sorted(data.glob(f"{service}/*")) if _stored(one, MODEL)]
        if not versions:
            raise Unexpected(f"botocore has no model of {service}")
        model, rules = cut_model(_model(versions[-1]), wanted), _json(versions[-1], RULES)
        shutil.rmtree(data / service)
        versions[-1].mkdir(parents=True)
        _write_json(versions[-1] / f"{MODEL}.json", model)
        _write_json(versions[-1] / f"{RULES}.json", rules)
        names |= {model["metadata"]["endpointPrefix"], model["metadata"]["serviceId"].lower().replace(" ", "-")}
    endpoints = _json(data, "endpoints")
    for partition in endpoints["partitions"]:
        partition["services"] = {name: one for name, one in partition["services"].items() if name in names}
    _write_json(data / "endpoints.json", endpoints)
    return names


def cut_aliases(path: Path, names: set[str]) -> None:
    """Keep those of these services: each is tried for each event of each client. Raises Unexpected."""
    text = _read(path)
    start, end = text.find("\nEVENT_ALIASES = {\n"), text.find("\n}\n", text.find("\nEVENT_ALIASES = {\n"))
    lines = text[start:end].splitlines()[2:]
    aliases = [re.fullmatch(r'    "([a-z0-9.-]+)": "([a-z0-9.-]+)",', line) for line in lines]
    if start < 0 or not aliases or None in aliases:
        raise Unexpected(f"{ALIASES} has no EVENT_ALIASES of one alias a line")
    kept = [one[0] for one in aliases if one and names & {one[1], one[2]}]
    _write(path, text[:start] + "\n".join(("\nEVENT_ALIASES = {", *kept)) + text[end:])


def cut_handlers(path: Path, names: set[str]) -> None:
    """Keep handlers of these services' events and of all services': each client has its own copy of the list, and each
    is looked into when it is made. Raises Unexpected."""
    text = _read(path)
    listed = [one for one in ast.parse(text).body if isinstance(one, ast.Assign) and _name(one) == "BUILTIN_HANDLERS"]
    if len(listed) != 1 or not isinstance(listed[0].value, ast.List):
        raise Unexpected(f"{HANDLERS} has no list BUILTIN_HANDLERS")
    lines = text.splitlines()
    for entry in listed[0].value.elts:
        event = entry.elts[0] if isinstance(entry, ast.Tuple) else entry
        if not isinstance(event, ast.Constant) or lines[entry.lineno - 1][: entry.col_offset].strip():
            raise Unexpected(f"{HANDLERS} has a handler in another form, in line {entry.lineno}")
        about, _, of = str(event.value).partition(".")
        if about == "docs" or (of and of.split(".")[0] not in {*names, "*"}):
            lines[entry.lineno - 1 : entry.end_lineno] = [""] * ((entry.end_lineno or 0) - entry.lineno + 1)
    _write(path, f"{CHANGED}it handles events of the services that are called.\n" + "\n".join(lines) + "\n")


def _name(assigned: ast.Assign) -> str:
    return assigned.targets[0].id if isinstance(assigned.targets[0], ast.Name) else ""


def lay_out_authorities(folder: Path) -> None:
    """Raises Unexpected where not all of botocore's certificates are understood."""
    bundle = _read(folder / AUTHORITIES)
    files = authorities.by_subject(bundle)
    if not files or len(files) != bundle.count("-----BEGIN "):
        raise Unexpected(f"{AUTHORITIES} has more than {len(files)} certificates")
    laid = (folder / AUTHORITIES).with_suffix("")
    laid.mkdir()
    for name, certificate in files.items():
        _write(laid / name, certificate)


def cut_model(model: Mapping[str, Any], operations: Sequence[str]) -> dict[str, Any]:
    """A service's model with these operations, the shapes that they reach, and no documentation. Raises Unexpected.

    An error that no operation has among its own comes as ClientError with its code, as those do that no model has.
    """
    for name in operations:
        if name not in model["operations"]:
            raise Unexpected(f"{model['metadata'].get('serviceId')} has no operation {name}")
    kept = {name: model["operations"][name] for name in model["operations"] if name in set(operations)}
    reached: set[str] = set()
    todo: list[str] = [*_shapes(kept)]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo.extend(_shapes(model["shapes"][name]))
    shapes = {name: one for name, one in model["shapes"].items() if name in reached}
    cut: dict[str, Any] = _undocumented({**model, "operations": kept, "shapes": shapes})
    return cut


def _shapes(part: Any) -> Iterator[str]:
    """The shapes that a part of a model names."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "shape" and isinstance(value, str):
                yield value
            yield from _shapes(value)
    elif isinstance(part, list):
        for one in part:
            yield from _shapes(one)


def _undocumented(part: Any) -> Any:
    """Without texts called documentation: a member of that name is no text."""
    if isinstance(part, dict):
        return {
            key: _undocumented(value)
            for key, value in part.items()
            if not (key == "documentation" and isinstance(value, str))
        }
    return [_undocumented(one) for one in part] if isinstance(part, list) else part


def _model(folder: Path) -> Mapping[str, Any]:
    """A service's model, with what the SDK adds to it when it reads it."""
    model: dict[str, Any] = _json(folder, MODEL)
    if _stored(folder, EXTRAS):
        _merge(model, _json(folder, EXTRAS)["merge"])
    return model


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def _stored(folder: Path, kind: str) -> Path | None:
    return next((one for one in (folder / f"{kind}.json", folder / f"{kind}.json.gz") if one.exists()), None)


def _json(folder: Path, kind: str) -> Any:
    path = _stored(folder, kind)
    if path is None:
        raise Unexpected(f"there is no {kind} in {DATA}/{folder.parent.name}/{folder.name}")
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def _write_json(path: Path, content: Any) -> None:
    _write(path, json.dumps(content, separators=(",", ":"), ensure_ascii=False))


def _read(path: Path) -> str:
    if not path.exists():
        raise Unexpected(f"there is no {path.parent.name}/{path.name} to change")
    return path.read_bytes().decode("utf-8")


def _write(path: Path, text: str) -> None:
    """As a new file: an installer may have laid a link there, and what it links to is its own store."""
    if path.exists():
        path.unlink()
    path.write_bytes(text.encode("utf-8"))


def _digests(folder: Path) -> Mapping[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).digest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _gone(folder: Path, name: str) -> str:
    """The file, or the outermost folder that went with it."""
    parents = [one for one in Path(name).parents if not (folder / one).exists()]
    return f"{parents[-1].as_posix()}/" if parents else name


def compiler() -> str | None:
    """A Python whose bytecode the functions' Python takes: this one, one on the path, or one that uv knows."""
    found = [sys.executable, shutil.which("python3.13")]
    uv = shutil.which("uv")
    if uv:
        asked = subprocess.run([uv, "python", "find", "3.13"], capture_output=True, text=True, check=False)
        found.append(asked.stdout.strip())
    return next((one for one in found if one and _tag(one) == BYTECODE), None)


def _tag(python: str) -> str:
    asked = [python, "-c", "import sys; print(sys.implementation.cache_tag)"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def compiled(python: str, folder: Path) -> int:
    """Compile everything, to be taken without a look at the files' times: those are the build's. The exit status.

    The paths in it are those in Lambda, and the order of sets is always the same: what is built twice is the same.
    """
    work = ["-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", UNPACKED]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.run([python, *work, str(folder)], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
