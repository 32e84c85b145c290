"""CONTRIBUTING.md's rule is added to a copy of the tree just as the page says, and is a rule like all others there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks, for_files

PAGE = ROOT / "CONTRIBUTING.md"
NEEDED = ("docs", "emulator", "events", "functions", "layers", "replay", "tests", "tools")


def apply(tree: Path, path: str, block: Block) -> None:
    """A new file, or lines before or after one that is there, and there once."""
    file = tree / path
    if block.language == "python":
        assert not file.exists(), f"{path} is there already"
        file.write_text(block.body)
        return
    lines = block.body.splitlines()
    (there,) = [line[1:] for line in lines if not line.startswith("+")]
    text = file.read_text()
    assert text.splitlines().count(there) == 1, f"{block}: {path} should have one line {there!r}"
    changed = "\n".join(line[1:] for line in lines)
    file.write_text(re.sub(rf"^{re.escape(there)}$", lambda _: changed, text, flags=re.MULTILINE))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tree with the rule in it."""
    copy = tmp_path_factory.mktemp("tree")
    for name in NEEDED:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "snapshots"))
    for file in (*ROOT.glob("*.yaml"), *ROOT.glob("*.toml"), *ROOT.glob("*.md"), ROOT / "Makefile"):
        shutil.copy(file, copy)
    for path, block in for_files(PAGE):
        apply(copy, path, block)
    return copy


def run(tree: Path, *arguments: str) -> str:
    """What a module prints that runs in the tree; its end has to be a good one."""
    environment = {**os.environ, "PYTHONPATH": "layers/guardrails:.", "PYTHONDONTWRITEBYTECODE": ""}
    ended = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_page_has_the_steps_that_a_rule_takes() -> None:
    assert [(path, block.language) for path, block in for_files(PAGE)] == [
        ("layers/guardrails/apprunner_guardrails/rules/connector_small_subnet.py", "python"),
        ("layers/guardrails/apprunner_guardrails/rules/__init__.py", "diff"),
        ("layers/guardrails/apprunner_guardrails/rules/__init__.py", "diff"),
        ("tests/cases/connector_small_subnet.py", "python"),
        ("tests/replay/test_rules_in_worlds.py", "diff"),
    ]
    assert len(blocks(PAGE, "python", "diff")) == len([*for_files(PAGE)])


def test_what_the_page_has_people_write_is_formatted_and_typed_as_all_is(tree: Path) -> None:
    files = sorted({path for path, _ in for_files(PAGE)})
    run(tree, "ruff", "format", "--check", *files)
    run(tree, "ruff", "check", "--no-cache", *files)


def test_the_rule_gives_the_answers_of_its_cases_and_fails_in_the_world(tree: Path) -> None:
    told = run(
        tree,
        *("pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"),
        *(
            "tests/unit/rules/test_cases.py",
            "tests/unit/rules/test_registry.py",
            "tests/replay/test_rules_in_worlds.py",
        ),
        *("-k", "AR190 or connector_small_subnet or every_rule or ids_are_unique or (a_world_tells and network-wrong)"),
    )
    assert re.search(r"\b\d+ passed", told)


def test_the_documentation_follows_from_the_rule(tree: Path) -> None:
    assert "wrote docs/rules.md" in run(tree, "tools.docs").splitlines()
    page = (tree / "docs/rules.md").read_text()
    assert "| [AR190](#ar190) | `connector_small_subnet` | LOW | VPC connector uses a small subnet |" in page
    assert "- fail: a subnet of 16 addresses" in page
    assert run(tree, "tools.docs", "--check") == ""
