"""Writes layers/guardrails/operations.json: the calls of AWS that our functions make, which is all that the layer's SDK
is left with. What a handler calls is what it can reach, by the names in the code.

A top-level function, class or value reaches those that it names, in its own module or by import. That is more than what
runs, as an annotation counts too, and never less: the code has no getattr and no plug-ins.

python -m tools.operations [--check]
"""

import ast
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).parent.parent
LAYER = ROOT / "layers/guardrails"
HANDLERS = tuple(sorted(ROOT.glob("functions/*/app.py")))
LIST = LAYER / "operations.json"

type Call = tuple[str, str]  # botocore's name of a service, and an operation: ("elbv2", "DescribeTags")
type Node = tuple[Path, str]  # a module's file and a name at its top level


@dataclass(frozen=True, kw_only=True)
class Module:
    """A module's statements by the names that they define, and what its imports mean: a file, perhaps a name in it."""

    defined: Mapping[str, ast.stmt]
    imported: Mapping[str, tuple[Path, str]]


def calls_asked_for(handler: Path) -> set[Call]:
    """Every call of AWS that the handler in this file can reach."""
    return {call for node in _reachable((handler, "handler")) for call in _calls(*node)}


def listed(calls: set[Call]) -> str:
    """The operations by service, as they are stored."""
    services = sorted({service for service, _ in calls})
    by_service = {one: sorted(operation for service, operation in calls if service == one) for one in services}
    return json.dumps(by_service, indent=2) + "\n"


def _reachable(start: Node) -> set[Node]:
    found: set[Node] = set()
    todo = [start]
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(_named(*node))
    return found


def _named(path: Path, name: str) -> Iterator[Node]:
    module = _module(path)
    if name not in module.defined:
        yield module.imported[name]  # passed on from where it is defined
        return
    for part in ast.walk(module.defined[name]):
        match part:
            case ast.Name(id=used) if used in module.defined:
                yield path, used
            case ast.Name(id=used) if used in module.imported and module.imported[used][1]:
                yield module.imported[used]
            case ast.Attribute(value=ast.Name(id=used), attr=attribute) if used in module.imported:
                file, inside = module.imported[used]
                if not inside:
                    yield file, attribute


def _calls(path: Path, name: str) -> Iterator[Call]:
    """`reads.ask("ec2", "DescribeSubnets", …)` and `client("sns").publish(…)`, in one step or in two."""
    module = _module(path)
    if name not in module.defined:
        return
    helpers, clients = _helpers(path), _clients(module.defined[name])
    for part in ast.walk(module.defined[name]):
        match part:
            case ast.Call(
                func=ast.Attribute(attr="ask"),
                args=[ast.Constant(value=str(service)), ast.Constant(value=str(operation)), *_],
            ):
                yield _known(service, operation)
            case ast.Call(func=ast.Name(id=helper), args=[_, ast.Constant(value=str(operation)), *_]) if (
                helper in helpers
            ):
                yield _known(helpers[helper], operation)
            case ast.Attribute(value=ast.Call(args=[ast.Constant(value=str(service))]), attr=method):
                yield from _of_method(service, method)
            case ast.Attribute(value=ast.Name(id=variable), attr=method) if variable in clients:
                yield from _of_method(clients[variable], method)


@cache
def _helpers(path: Path) -> Mapping[str, str]:
    """The functions of a module that ask for the operation that they are given after the reads, by service."""
    return {
        name: service
        for name, statement in _module(path).defined.items()
        for part in ast.walk(statement)
        for service in _service_of_helper(part)
    }


def _service_of_helper(part: ast.AST) -> Iterator[str]:
    match part:
        case ast.Call(func=ast.Attribute(attr="ask"), args=[ast.Constant(value=str(service)), ast.Name(), *_]):
            yield service


def _clients(statement: ast.stmt) -> Mapping[str, str]:
    """Which service a variable is a client of, as in `sns = client("sns")`."""
    found = {}
    for part in ast.walk(statement):
        match part:
            case ast.Assign(targets=[ast.Name(id=variable)], value=ast.Call(args=[ast.Constant(value=str(service))])):
                found[variable] = service
    return found


def _of_method(service: str, method: str) -> Iterator[Call]:
    if service in _session().get_available_services():
        yield from ((service, one) for one in _operations(service) if xform_name(one) == method)


def _known(service: str, operation: str) -> Call:
    if operation not in _operations(service):
        raise LookupError(f"{service} has no {operation}")
    return service, operation


@cache
def _operations(service: str) -> tuple[str, ...]:
    return tuple(_session().get_service_model(service).operation_names)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def _module(path: Path) -> Module:
    defined: dict[str, ast.stmt] = {}
    imported: dict[str, tuple[Path, str]] = {}
    tree = ast.parse(path.read_text())
    for statement in tree.body:
        parts = [*statement.body, *statement.orelse] if isinstance(statement, ast.If) else [statement]
        for inner in parts:
            defined |= dict.fromkeys(_names(inner), inner)
    for part in ast.walk(tree):
        if isinstance(part, ast.ImportFrom) and part.module:
            for one in part.names:
                target = _target(part.module, one.name)
                if target:
                    imported[one.asname or one.name] = target
    return Module(defined=defined, imported=imported)


def _names(statement: ast.stmt) -> Sequence[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.Assign(targets=[ast.Tuple(elts=names)]):
            return [one.id for one in names if isinstance(one, ast.Name)]
        case ast.TypeAlias(name=ast.Name(id=name)):
            return [name]
    return []


def _target(module: str, name: str) -> tuple[Path, str] | None:
    """What `from module import name` means: a module of the layer, a name in one, or something of somebody else's."""
    base = LAYER / module.replace(".", "/")
    for file, inside in ((base / f"{name}.py", ""), (base / name / "__init__.py", "")):
        if file.exists():
            return file, inside
    for file in (base.with_suffix(".py"), base / "__init__.py"):
        if file.exists():
            return file, name
    return None


def main(arguments: Sequence[str], path: Path = LIST) -> int:
    """Write the list, or with --check only say whether it is not what it should be. The exit status."""
    new = listed({call for handler in HANDLERS for call in calls_asked_for(handler)})
    if path.exists() and path.read_text(encoding="utf-8") == new:
        return 0
    if "--check" in arguments:
        print(f"{path.name} is out of date: run `make docs` and commit what it writes.")
        return 1
    path.write_text(new, encoding="utf-8")
    print(f"wrote {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
