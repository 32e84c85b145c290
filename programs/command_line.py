"""What the command lines of programs have in common: switches, where the output goes, and how they end."""

import argparse
import io
import os
import sys
from collections.abc import Callable

from rich.console import Console

from programs.aws import Unusable
from programs.start import INTERRUPTED

FAILED, UNUSABLE = 1, 2
_PLAIN_WIDTH = 1000


def ended(name: str, work: Callable[[], int], interrupted: str) -> int:
    """The exit status of `work`, or of what ended it, which is told in one clear line."""
    try:
        return work()
    except Unusable as error:
        print(f"{name}: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print(f"{name}: {interrupted}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough
        return _unheard()
    except OSError as error:  # such as of a full disk; of a file it has the name
        what = f"{error.filename} cannot be used" if error.filename else "the output cannot be written"
        print(f"{name}: {what}: {error.strerror or error}", file=sys.stderr)
        return _unheard()


def _unheard() -> int:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more when it ends
    return FAILED


def spell_out() -> None:
    """Let no name end the program that the output has no letters for; stderr is like this anyway."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def console(form: str) -> Console:
    """Where people read. A terminal wraps tables to its width; a file or pipe gets each thing on one line."""
    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    return Console(highlight=False, width=width, quiet=form == "json")


def parser(name: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """With --format, which every program has."""
    made = argparse.ArgumentParser(
        prog=f"make {name}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--format", choices=("text", "json"), default="text", help="json tells programs (FORMAT=json)")
    return made


def add_switch(parser: argparse.ArgumentParser, name: str, said: str) -> None:
    """--apply, --apply 1: what `make … APPLY=1` gives; anything else than 1 and nothing is refused."""

    def parse(value: str) -> bool:
        if value not in ("", "1"):
            raise argparse.ArgumentTypeError(f"{name} takes 1, or nothing: {value!r} is neither")
        return value == "1"

    parser.add_argument(
        f"--{name.lower()}", nargs="?", type=parse, const=True, default=False, metavar="1", help=f"{said} ({name}=1)"
    )
