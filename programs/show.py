"""What programs tell people, line by line."""

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from apprunner_guardrails.alerts import safe

_LONGEST_LINE = 4000


def heading(console: Console, program: str, account: str, region: str, endpoint: str) -> None:
    place = f"  {account} {region}{f' at {safe(endpoint)}' if endpoint else ''}"
    console.print(Text.assemble((program, "bold"), place), soft_wrap=True)


def note(console: Console, said: str) -> None:
    console.print(Text(f"  {said}", "dim"), soft_wrap=True)


def bar(console: Console) -> Progress:
    """A bar on a terminal, nothing elsewhere."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def line(console: Console, what: str, style: str, said: str) -> None:
    console.print(Text.assemble((f"  {what:<14}", style), safe(said, _LONGEST_LINE)), soft_wrap=True)
