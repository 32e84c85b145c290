"""The version is said in one place; wherever else it is written by hand, it is the same."""

import re
import tomllib
from datetime import date
from pathlib import Path

from apprunner_guardrails import __version__

ROOT = Path(__file__).parents[2]
# semver.org has the form.
SEMANTIC = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?"


def releases() -> list[tuple[str, str]]:
    """Versions with their dates, the newest first."""
    return re.findall(r"^## \[([^\]]+)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_version_is_a_semantic_one() -> None:
    assert re.fullmatch(SEMANTIC, __version__)


def test_the_newest_version_of_the_changelog_is_this_one() -> None:
    assert releases()[0][0] == __version__


def test_versions_of_the_changelog_go_down_with_their_days() -> None:
    numbers = [tuple(int(part) for part in name.split(".")) for name, _ in releases()]
    days = [date.fromisoformat(day) for _, day in releases()]
    assert numbers == sorted(set(numbers), reverse=True)
    assert days == sorted(days, reverse=True)


def test_the_changelog_has_no_other_sections_than_its_form_has() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    assert text.index("## [Unreleased]") < text.index(f"## [{__version__}]")
    found = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert found <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_stack_says_which_version_it_is() -> None:
    template = (ROOT / "template.yaml").read_text()
    outputs = template[template.index("\nOutputs:\n") :]
    assert re.findall(r"^  Version:\n(?:    .*\n)*?    Value: (.+)$", outputs, re.MULTILINE) == [__version__]


def test_no_other_place_says_a_version() -> None:
    """The settings of the tools build nothing that would have one."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "project" not in settings
    code = (ROOT / "layers/guardrails/apprunner_guardrails").rglob("*.py")
    said = [path.name for path in code if re.search(rf'"{re.escape(__version__)}"', path.read_text())]
    assert said == ["__init__.py"]
