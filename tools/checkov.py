"""Has checkov look at the templates, and fails where checkov by itself would not.

That is a template that it cannot read, and a suppression that gives no reason or that nothing needs. Nothing is
asked of the network. The templates are those of .cfnlintrc.yaml.

python -m tools.checkov
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / ".tools/checkov/bin/checkov"
SUPPRESSION = re.compile(r"# checkov:skip=(?P<check>\w+)(?P<reason>.*)")
# A word of explanation is none.
FEWEST_WORDS = 5


def templates(root: Path) -> list[str]:
    """The templates by their paths from the root."""
    patterns = yaml.safe_load((root / ".cfnlintrc.yaml").read_text(encoding="utf-8"))["templates"]
    return sorted({str(path.relative_to(root)) for pattern in patterns for path in root.glob(pattern)})


def report(root: Path, names: Sequence[str]) -> Mapping[str, Any]:
    """What checkov says of the templates, in its own JSON. Raises CalledProcessError if it does not get that far."""
    # What PYTHONPATH leads to is for another environment, and a key in the environment would have it call home.
    environment = {name: value for name, value in os.environ.items() if name in ("HOME", "LANG", "PATH", "TMPDIR")}
    command = [
        str(PROGRAM),
        "--framework",
        "cloudformation",
        "--skip-download",
        "--soft-fail",
        "-o",
        "json",
        "-f",
        *names,
    ]
    done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    parsed: Mapping[str, Any] = json.loads(done.stdout)
    return parsed


def findings(root: Path, names: Sequence[str], said: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the templates, one line each."""
    results: Mapping[str, Sequence[Mapping[str, Any]]] = said.get("results", {})
    for one in results.get("failed_checks", []):
        resource = one["resource"].rpartition(".")[2]
        yield f"{_file(one)}:{one['file_line_range'][0]}: {one['check_id']} {resource}: {one['check_name']}"
    checked = {_file(one) for kind in ("passed", "failed", "skipped") for one in results.get(f"{kind}_checks", [])}
    for name in names:
        if name not in checked:
            yield f"{name}: checkov could not read it, or found nothing in it to check"
        skipped = [one for one in results.get("skipped_checks", []) if _file(one) == name]
        lines = (root / name).read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            if found := SUPPRESSION.search(line):
                yield from (f"{name}:{number}: {found['check']} {wrong}" for wrong in _wrong(found, number, skipped))


def _file(one: Mapping[str, Any]) -> str:
    return str(one["file_path"]).removeprefix("/")


def _wrong(found: re.Match[str], line: int, skipped: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(found["reason"].removeprefix(":").split()) < FEWEST_WORDS:
        yield "is suppressed without a reason"
    ranges = [one["file_line_range"] for one in skipped if one["check_id"] == found["check"]]
    if not any(first <= line <= last for first, last in ranges):
        yield "is suppressed where nothing needs it"


def main(root: Path = ROOT) -> int:
    """Print what is wrong. The exit status."""
    names = templates(root)
    lines = list(findings(root, names, report(root, names)))
    print("\n".join(lines), end="\n" if lines else "")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
