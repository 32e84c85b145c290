"""docs/performance.md has what was recorded, in tables and plots."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import plots
from benchmarks.measure import Measure, Spread
from benchmarks.page import DOCUMENT, TABLES, Table, markdown, named, tables, written
from benchmarks.results import Results, record, recorded

PAGE = DOCUMENT.read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[([^\]]*)\]\(plots/([^)]+)\)", PAGE)


def test_the_tables_of_the_document_are_what_was_recorded() -> None:
    assert written(PAGE, recorded()) == PAGE


def test_the_document_has_every_table_once() -> None:
    assert sorted(named(PAGE)) == sorted(TABLES)


def test_all_that_is_in_the_document_was_measured() -> None:
    assert sorted(tables(recorded())) == sorted(TABLES)


def test_a_table_is_put_between_its_markers_and_one_of_a_part_that_was_not_measured_stays() -> None:
    page = (
        "before\n<!-- benchmarks: cold -->\nstale\n<!-- benchmarks: end -->\n"
        "between\n<!-- benchmarks: targets -->\nkept\n<!-- benchmarks: end -->\nafter\n"
    )
    results = replace(recorded(), targets=None)
    assert written(page, results) == page.replace("stale", markdown(tables(results)["cold"]))


def test_a_table_that_nobody_makes_is_refused() -> None:
    with pytest.raises(KeyError, match="colder"):
        written("<!-- benchmarks: colder -->\n<!-- benchmarks: end -->", Results())


def test_a_table_says_below_how_it_was_measured() -> None:
    table = Table(head=("a", "b"), rows=[["1", "2"]], below="How.")
    assert markdown(table) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n\nHow."


def test_every_plot_is_in_the_document_with_words_for_who_cannot_see_it() -> None:
    assert sorted(name for _, name in PICTURES) == sorted(plots.PLOTS)
    assert [name for text, name in PICTURES if len(text.split()) < 10] == []
    assert [name for _, name in PICTURES if not (plots.FOLDER / name).read_bytes().startswith(b"\x89PNG\r\n")] == []


def test_the_plots_are_drawn_from_what_was_recorded(tmp_path: Path) -> None:
    results = recorded()
    drawn = {name: (tmp_path / name).read_bytes() for name in plots.draw(results, tmp_path)}
    assert sorted(drawn) == sorted(plots.PLOTS)
    assert results.events is not None
    halved = [_halved(one) for one in results.events.warm]
    plots.draw(replace(results, events=replace(results.events, warm=halved)), tmp_path)
    assert [name for name, was in drawn.items() if (tmp_path / name).read_bytes() != was] == ["warm.png"]


def _halved(one: Measure) -> Measure:
    ours = Spread(median=one.ours.median / 2, low=one.ours.low / 2, high=one.ours.high / 2, count=one.ours.count)
    return replace(one, ours=ours)


def test_a_part_that_is_recorded_leaves_the_others_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    whole = recorded()
    record(replace(whole, events=None), path)
    kept = record(Results(events=whole.events), path)
    assert kept == recorded(path) == whole
