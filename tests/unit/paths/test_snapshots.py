"""Every rendering of the examples as a whole, beside what is stored in snapshots/, and what docs/paths.md shows.

To renew them, and then read the difference: PYTHONPATH=layers/guardrails:. python -m tests.unit.paths.test_snapshots
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from apprunner_guardrails.alerts.digest import PathLine
from apprunner_guardrails.paths.render import as_json, digest_lines, text
from apprunner_guardrails.paths.report import Report
from replay.diagrams import markdown, svg
from tests.unit.alerts.shapes import faults, is_schema
from tests.unit.paths.examples import BROKEN, EXAMPLES

FOLDER = Path(__file__).parent / "snapshots"
DOCS = Path(__file__).parents[3] / "docs"
PAGE, PICTURE = DOCS / "paths.md", DOCS / "paths.svg"
SCHEMA = json.loads((DOCS / "schemas/path-report-1.json").read_text(encoding="utf-8"))
SHOWN = BROKEN  # what the documentation shows


def shown_json(report: Report) -> str:
    return json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n"


def shown_digest(report: Report) -> str:
    def line(one: PathLine) -> str:
        return f"{'ok  ' if one.sound else 'look'}  {one.line}\n"

    return "".join(map(line, digest_lines(report)))


FORMS: Mapping[str, Callable[[Report], str]] = {
    ".txt": text,
    ".json": shown_json,
    ".digest": shown_digest,
    ".md": markdown,
    ".svg": svg,
}


def renderings() -> Iterator[tuple[str, str]]:
    for name, account in EXAMPLES.items():
        for end, form in FORMS.items():
            yield f"{name}{end}", form(account.report())


RENDERINGS: Mapping[str, str] = dict(renderings())


@pytest.mark.parametrize("name", RENDERINGS)
def test_a_rendering_is_what_is_stored(name: str) -> None:
    assert RENDERINGS[name] == (FOLDER / name).read_text(encoding="utf-8")


def test_nothing_else_is_stored() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(RENDERINGS)


def test_the_schema_is_one() -> None:
    assert is_schema(SCHEMA)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_report_is_of_the_documented_schema(name: str) -> None:
    assert faults(json.loads(RENDERINGS[f"{name}.json"]), SCHEMA) == []


def test_a_report_of_another_form_is_not() -> None:
    """The twin of the test above."""
    report = json.loads(RENDERINGS["healthy.json"])
    report["chains"][0]["hops"][0]["state"] = "fine"
    del report["chains"][0]["ways_in"]
    assert faults(report, SCHEMA) == [
        "$.chains[0]: 'ways_in' is a required property",
        "$.chains[0].hops[0].state: 'fine' is not one of ['fails', 'absent', 'unknown', 'exempt', 'ok']",
    ]


# The documentation ---------------------------------------------------------------------------------------------------


def blocks() -> Mapping[str, str]:
    """What docs/paths.md shows of each form, by the language of the block; "" is the digest's."""
    report = SHOWN.report()
    found = re.search(r"^```mermaid\n(.*?)^```$", markdown(report), re.MULTILINE | re.DOTALL)
    assert found
    hop = next(one for one in json.loads(shown_json(report))["chains"][0]["hops"] if one["kind"] == "target group")
    return {
        "text": text(report),
        "json": json.dumps(hop, indent=2, ensure_ascii=False) + "\n",
        "mermaid": found[1],
        "": "".join(f"- {one.line}\n" for one in digest_lines(report)),
    }


def documented() -> str:
    """The page with each form's block as it should be."""
    wanted = blocks()

    def block(found: re.Match[str]) -> str:
        return f"```{found[1]}\n{wanted.get(found[1], found[2])}```"

    return re.sub(r"^```(\w*)\n(.*?)^```$", block, PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_the_documentation_shows_what_is_rendered() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == documented()
    assert PICTURE.read_text(encoding="utf-8") == svg(SHOWN.report())
    assert {one for one in re.findall(r"^```(\w*)$", page, re.MULTILINE) if one in blocks()} == set(blocks())


def renew() -> None:
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.iterdir():
        path.unlink()
    for name, rendering in RENDERINGS.items():
        (FOLDER / name).write_text(rendering, encoding="utf-8")
    PAGE.write_text(documented(), encoding="utf-8")
    PICTURE.write_text(svg(SHOWN.report()), encoding="utf-8")


if __name__ == "__main__":
    renew()
