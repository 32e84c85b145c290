"""The commands that the Markdown has, and who understands each: the program's own parser wherever it has one."""

import argparse
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
from samcli.cli.context import Context  # type: ignore[import-untyped]  # SAM ships no types
from samcli.cli.main import cli as sam_cli  # type: ignore[import-untyped]  # SAM ships no types
from samtranslator.yaml_helper import yaml_parse

from emulator.worlds import WORLDS
from tests.docs.aws_cli import SUBSTITUTED, NotACommand, parse
from tests.docs.pages import PAGES, ROOT, SHELL, Block, blocks, spans

# Words in capitals are for the reader to fill in. What stands for those that no program takes as they are.
STANDS_FOR: Mapping[str, str] = {
    "UUID": "0f4c6f0e-6b1d-4a55-9d0a-3b1f5a1c2d3e",
    "START": "1795251600",
    "END": "1795255200",
    "NUMBER": "2000",
    "PORT": "443",
}
_OUR_PROGRAMS = ("backfill", "benchmarks", "emulator", "local_stack", "redrive", "replay")
_GIT = ("add", "checkout", "clone", "commit", "diff", "pull", "push", "switch")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*=")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """`whole` is False for what stands in the text: that may be the beginning of a command."""

    where: str
    words: tuple[str, ...]
    whole: bool = True

    def __str__(self) -> str:
        return f"{self.where} {shlex.join(self.words)}"


def commands() -> tuple[Command, ...]:
    """Those of every page, each once a page."""
    found = dict[tuple[Path, tuple[str, ...], bool], Command]()
    for page in PAGES:
        for block in blocks(page, *SHELL):
            for words in _in_block(block):
                found.setdefault((page, words, True), Command(where=str(block), words=words))
        for span in spans(page):
            if re.match(rf"({'|'.join(UNDERSTOOD_BY)})( |$)", span):
                words = tuple(shlex.split(span))
                found.setdefault((page, words, False), Command(where=page.name, words=words, whole=False))
    return tuple(found.values())


def _in_block(block: Block) -> Iterator[tuple[str, ...]]:
    for line in block.body.replace("\\\n", " ").splitlines():
        inner = [] if line.lstrip().startswith("#") else _SUBSTITUTION.findall(line)
        for text in (*inner, _SUBSTITUTION.sub(SUBSTITUTED, line)):
            words = shlex.split(text, comments=True)
            while words and _VARIABLE.match(words[0]):
                del words[0]
            if words:
                yield tuple(words)


def understood(command: Command) -> None:
    """Raises NotACommand where the command's program would refuse it, and where nobody knows the program."""
    program = command.words[0].rpartition("/")[2]
    if program not in UNDERSTOOD_BY:
        raise NotACommand(f"no runner knows {program}: see UNDERSTOOD_BY")
    UNDERSTOOD_BY[program](command)


def filled_in(words: Sequence[str], values: Mapping[str, str] = STANDS_FOR) -> list[str]:
    """With values in the place of the words that are for the reader to fill in."""
    names = re.compile(rf"(?<![A-Za-z0-9_-])({'|'.join(sorted(values, key=len, reverse=True))})(?![A-Za-z0-9_-])")
    filled = [names.sub(lambda name: values[name[0]], word) for word in words]
    return [old if before == "--query" else new for before, old, new in zip(("", *words), words, filled, strict=False)]


def _aws(command: Command) -> None:
    if len(command.words) > 1 or command.whole:
        parse(filled_in(command.words), whole=command.whole)


# make -----------------------------------------------------------------------------------------------------------------


@cache
def targets() -> Mapping[str, frozenset[str]]:
    """The variables that each target is documented with."""
    told = re.findall(r"^([a-z0-9-]+):.*?## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return {name: frozenset(re.findall(r"\b([A-Z_]+)=", text)) for name, text in told}


def _make(command: Command) -> None:
    words = command.words[1:]
    names = [word for word in words if "=" not in word]
    if unknown := sorted(set(names) - targets().keys()):
        raise NotACommand(f"make has no target {', '.join(unknown)}")
    given = {word.partition("=")[0] for word in words if "=" in word}
    if odd := sorted(given - {one for name in names for one in targets()[name]}):
        raise NotACommand(f"the Makefile does not say that {' '.join(names)} takes {', '.join(odd)}")
    if command.whole:
        for line in _would_run(words):
            if "python" in line and "-m" in line:
                _python(line[line.index("-m") :])


def _would_run(words: Sequence[str]) -> Iterator[list[str]]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    told = subprocess.run(
        [shutil.which("make") or "make", "-n", *words],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if told.returncode:
        raise NotACommand(told.stderr)
    for line in told.stdout.replace("\\\n", " ").splitlines():
        if "python -m" in line:
            yield ["python", *shlex.split(line[line.index("python -m") :])[1:]]


# Our own programs -------------------------------------------------------------------------------------------------


class _Understood(BaseException):
    """Nobody's handler of errors stops it."""


def _python(words: Sequence[str]) -> None:
    if words[:1] != ["-m"] and words[:1] != ("-m",):
        raise NotACommand(f"python runs modules here (-m), not {' '.join(words)}")
    module, *arguments = words[1:]
    if module in _OUR_PROGRAMS:
        _parsed(module, arguments)
    elif module == "pytest":
        _pytest(arguments)
    elif find_spec(module) is None:
        raise NotACommand(f"there is no module {module}")
    elif odd := [one for one in arguments if one not in ("--check", "--write")]:
        raise NotACommand(f"{module} does not take {' '.join(odd)}")


def _parsed(module: str, arguments: Sequence[str]) -> None:
    """Start the program, and stop it as soon as its parser has read the command line."""
    read = argparse.ArgumentParser.parse_args

    def read_and_stop(parser: argparse.ArgumentParser, args: Sequence[str] | None = None) -> argparse.Namespace:
        raise _Understood(read(parser, args))

    with (
        patch.object(argparse.ArgumentParser, "parse_args", read_and_stop),
        patch.object(sys, "argv", [module, *arguments]),
        warnings.catch_warnings(),
    ):
        # Another test may have imported what is run here as a program.
        warnings.filterwarnings("ignore", "'.*' found in sys.modules after import of package", RuntimeWarning)
        try:
            runpy.run_module(module, run_name="__main__")
        except _Understood as stopped:
            _check_values(vars(stopped.args[0]))
        except SystemExit as ended:  # of --help, or of a usage error
            if ended.code:
                raise NotACommand(f"{module} refuses {' '.join(arguments)}") from ended


def _check_values(given: Mapping[str, Any]) -> None:
    worlds = given.get("world") or ()
    for world in (worlds,) if isinstance(worlds, str) else worlds:
        if world not in WORLDS:
            raise NotACommand(f"there is no world {world}")
    if given.get("event") and "benchmark" not in given and "/" in given["event"]:
        _exists(given["event"])


def _exists(path: str) -> None:
    if not (ROOT / path).exists():
        raise NotACommand(f"there is no {path}")


def _pytest(arguments: Sequence[str]) -> None:
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word in ("-k", "-n") and rest:
            del rest[0]
        elif word.startswith("-") and word not in ("-x", "-q"):
            raise NotACommand(f"pytest's option {word} is not known here")
        elif not word.startswith("-"):
            _exists(word.partition("::")[0])


# sam ------------------------------------------------------------------------------------------------------------------


def _sam(command: Command) -> None:
    found: Any = sam_cli
    context, rest = click.Context(sam_cli, info_name="sam", obj=Context()), list(command.words[1:])
    name: str | None = "sam"
    try:
        while isinstance(found, click.Group) and rest:
            name, found, rest = found.resolve_command(context, rest)
            if isinstance(found, click.Group):
                context = click.Context(found, parent=context, info_name=name)
        if isinstance(found, click.Group):
            if command.whole:
                raise NotACommand(f"sam {name} needs a command")
            return
        given = found.make_context(name, rest, parent=context).params
    except click.UsageError as error:
        raise NotACommand(error.format_message()) from error
    _check_parameters(given)
    if event := given.get("event"):
        _exists(event)
    if function := given.get("function_logical_id"):
        if _template("template.yaml")["Resources"].get(function, {}).get("Type") != "AWS::Serverless::Function":
            raise NotACommand(f"template.yaml has no function {function}")
        environment = given["config_env"]
        if f"[{environment}." not in (ROOT / "samconfig.toml").read_text():
            raise NotACommand(f"samconfig.toml has nothing for --config-env {environment}")


@cache
def _template(name: str) -> Mapping[str, Any]:
    read: Mapping[str, Any] = yaml_parse((ROOT / name).read_text())  # type: ignore[no-untyped-call]  # not annotated
    return read


def _check_parameters(given: Mapping[str, Any]) -> None:
    file = Path(given.get("template_file") or "template.yaml").name
    parameters = _template(file)["Parameters"]
    for name, value in (given.get("parameter_overrides") or {}).items():
        if name not in parameters:
            raise NotACommand(f"{file} has no parameter {name}")
        check_parameter(name, value, parameters[name])


def check_parameter(name: str, value: str, rule: Mapping[str, Any]) -> None:
    """As CloudFormation does."""
    if "AllowedValues" in rule:
        fits = value in map(str, rule["AllowedValues"])
    elif rule["Type"] == "Number":
        fits = value.isdigit() and rule.get("MinValue", 0) <= int(value) <= rule.get("MaxValue", int(value))
    else:
        fits = re.fullmatch(rule.get("AllowedPattern", ".*"), value) is not None
    if not fits:
        raise NotACommand(f"{name} does not take {value!r}: {rule['ConstraintDescription']}")


def _git(command: Command) -> None:
    if len(command.words) > 1 and command.words[1] not in _GIT:
        raise NotACommand(f"git {command.words[1]} is not known here")


UNDERSTOOD_BY = {
    "aws": _aws,
    "git": _git,
    "make": _make,
    "python": lambda command: _python(command.words[1:]),
    "sam": _sam,
}
