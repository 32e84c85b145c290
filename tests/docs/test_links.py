"""What pages point at is there: pages, headings, pictures, folders and files of the repository."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, anchors, for_files, links, spans

PACKAGE = ROOT / "layers/guardrails/apprunner_guardrails"
HOMES = (ROOT, PACKAGE, ROOT / "docs", ROOT / "tests")


def test_a_link_leads_somewhere() -> None:
    lost = []
    for page in PAGES:
        for link in links(page):
            if re.match(r"[a-z]+:", link.target):
                continue
            file, _, anchor = link.target.partition("#")
            path = page.parent / file if file else page
            if not path.exists() or (anchor and anchor not in anchors(path)):
                lost.append(f"{page.relative_to(ROOT)}: {link.target}")
    assert lost == []


def test_links_and_headings_are_found() -> None:
    """The twin of the test above, which would hold where none is found."""
    alerts = ROOT / "docs/alerts.md"
    assert "tags.md" in {link.target for link in links(alerts)}
    assert {"who-hears-what", "the-digest", "switching-rules-off-and-other-severities"} <= anchors(alerts)


def test_a_picture_is_told_to_those_who_cannot_see_it() -> None:
    pictures = [link for page in PAGES for link in links(page) if link.picture]
    plots = {f"plots/{name}.png" for name in ("cold", "memory", "scale", "warm")}
    assert {link.target for link in pictures} == {"docs/flow.svg", "paths.svg", *plots}
    assert [link for link in pictures if len(link.text.split()) < 5] == []


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    index = {(ROOT / link.target.partition("#")[0]).resolve() for link in links(ROOT / "README.md")}
    assert [page.name for page in PAGES if page.parent.name == "docs" and page not in index] == []
    assert {ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "LICENSE"} <= index


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_file_that_is_named_is_there(page: Path) -> None:
    """Of paths that begin with a folder of ours, whether from the root, the package, docs/ or tests/.

    NAME is for any, and what people are told to write is not there yet.
    """
    new = {path for path, _ in for_files(page)}
    named = [span for span in spans(page) if re.fullmatch(r"[\w.-]+/[\w./-]*", span)]
    named = [span for span in named if span not in new and "NAME" not in span]
    ours = [span for span in named if any((home / span.partition("/")[0]).is_dir() for home in HOMES)]
    assert [span for span in ours if not any((home / span).exists() for home in HOMES)] == []
