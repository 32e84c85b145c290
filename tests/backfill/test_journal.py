"""The progress file: what it keeps, what it survives, and when it is of no use."""

import json
import stat
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import Mock, patch

import pytest

from apprunner_guardrails.settings import Settings
from backfill.history import Page, page_of
from backfill.journal import Kept, Unreadable, opened, read
from programs.aws import Unusable
from tests.backfill.test_history import row
from tests.samples import ACCOUNT, REGION

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
HEAD = {"version": 1, "account": ACCOUNT, "region": REGION}
SETTINGS = Settings(alert_topic_arn="", findings_table="")
ODD = {**row(3), "CloudTrailEvent": "{"}
PAGES = [
    page_of([row(2), ODD], ACCOUNT, REGION, call="CreateVpcConnector", to="2026-11-02T09:00:02+00:00", is_last=False),
    page_of([row(1, errorCode="X"), row(0)], ACCOUNT, REGION, call="CreateVpcConnector", to="2026", is_last=True),
    Page(call="CreateService", is_last=True),
]


def written(folder: Path, pages: Sequence[Page] = PAGES, done: Sequence[str] = ("arn:one",)) -> Path:
    with opened(folder, ACCOUNT, REGION, NOW, fresh=True) as (journal, _):
        for page in pages:
            journal.add(page)
        for arn in done:
            journal.done(arn, SETTINGS)
        return journal.path


def test_the_next_run_has_what_was_read_and_done(tmp_path: Path) -> None:
    path = written(tmp_path / "kept")
    assert path == tmp_path / "kept" / f"{ACCOUNT}-{REGION}.jsonl"
    with opened(path.parent, ACCOUNT, REGION, NOW + timedelta(hours=1), fresh=False) as (journal, anew):
        assert (journal.pages, journal.begun, anew) == (PAGES, NOW, "")
        assert (journal.has_all("CreateVpcConnector"), journal.has_all("CreateVpcEndpoint")) == (True, False)
        assert journal.of("CreateService") == PAGES[2:]
        assert (journal.is_done("arn:one", SETTINGS), journal.is_done("arn:two", SETTINGS)) == (True, False)


@pytest.mark.parametrize(
    "other",
    [
        replace(SETTINGS, created_by_tag="owner"),
        replace(SETTINGS, created_at_tag=""),
        replace(SETTINGS, created_with_tag="tool"),
        replace(SETTINGS, default_tags={"team": "platform"}),
        replace(SETTINGS, emails_in_tags=True),
    ],
    ids=["by", "at", "with", "default", "emails"],
)
def test_what_was_done_with_other_tags_is_not_done_with_these(tmp_path: Path, other: Settings) -> None:
    written(tmp_path)
    with opened(tmp_path, ACCOUNT, REGION, NOW, fresh=False) as (journal, _):
        assert (journal.is_done("arn:one", other), journal.pages) == (False, PAGES)
        journal.done("arn:one", other)
        assert (journal.is_done("arn:one", other), journal.is_done("arn:one", SETTINGS)) == (True, True)


def test_settings_that_lead_to_no_other_tags_are_the_same(tmp_path: Path) -> None:
    written(tmp_path)
    with opened(tmp_path, ACCOUNT, REGION, NOW, fresh=False) as (journal, _):
        assert journal.is_done("arn:one", replace(SETTINGS, min_connector_zones=1))


def test_cut_off_anywhere_it_has_what_was_whole_by_then(tmp_path: Path) -> None:
    content = written(tmp_path).read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == ord("\n")]
    with pytest.raises(Unreadable, match="damaged"):
        read(content[: ends[0] - 1], HEAD, NOW)
    for size in range(ends[0], len(content) + 1):
        lines = sum(end <= size for end in ends)
        kept = read(content[:size], HEAD, NOW)
        assert (list(kept.pages), kept.size, len(kept.done)) == (PAGES[: lines - 1], ends[lines - 1], max(0, lines - 4))


def test_what_comes_after_a_torn_line_begins_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, PAGES[:1], ())
    path.write_bytes(path.read_bytes() + b'{"page": {"call": "Crea')
    with opened(tmp_path, ACCOUNT, REGION, NOW, fresh=False) as (journal, _):
        journal.add(PAGES[1])
    with opened(tmp_path, ACCOUNT, REGION, NOW, fresh=False) as (journal, _):
        assert journal.pages == PAGES[:2]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda head, lines: [head | {"version": 2}, *lines], "it is of another account or Region, or another version"),
        (lambda head, lines: [head | {"account": "210987654321"}, *lines], "it is of another account or Region"),
        (lambda head, lines: [head | {"region": "eu-west-1"}, *lines], "it is of another account or Region"),
        (lambda head, lines: [head | {"begun": "2026-11-01T08:59:59+00:00"}, *lines], "it is not of the last 24 hours"),
        (lambda head, lines: [head | {"begun": "2026-11-02T09:00:01+00:00"}, *lines], "it is not of the last 24 hours"),
        (lambda head, lines: [head | {"begun": "2026-11-02T09:00:00"}, *lines], "it is damaged"),
        (lambda head, lines: [head | {"begun": 5}, *lines], "it is damaged"),
        (lambda head, lines: lines, "it is damaged"),
        (lambda head, lines: [head, 5, *lines], "it is damaged"),
        (lambda head, lines: [head, {}, *lines], "it is damaged"),
        (lambda head, lines: [head, {"page": {"call": "CreateService"}}], "it is damaged"),
        (lambda head, lines: [head, {"page": lines[0]["page"] | {"created": [{"kind": "?"}]}}], "it is damaged"),
        (lambda head, lines: [head, {"page": lines[0]["page"] | {"more": 1}}], "it is damaged"),
    ],
    ids=[
        *("version", "account", "region", "old", "of-tomorrow", "no-zone", "no-time", "headless"),
        *("number", "empty", "half-a-page", "no-creation", "more"),
    ],
)
def test_what_cannot_be_continued_is_begun_anew_and_it_says_why(
    tmp_path: Path, change: Callable[..., list[object]], why: str
) -> None:
    path = written(tmp_path)
    head, *lines = map(json.loads, path.read_text().splitlines())
    path.write_text("".join(json.dumps(line) + "\n" for line in change(head, lines)))
    with opened(tmp_path, ACCOUNT, REGION, NOW, fresh=False) as (journal, anew):
        assert (journal.pages, journal.begun) == ([], NOW)
        assert anew.startswith(why)
    assert read(path.read_bytes(), HEAD, NOW) == Kept(begun=NOW, size=path.stat().st_size)


def test_a_day_is_kept_to_its_end(tmp_path: Path) -> None:
    written(tmp_path)
    with opened(tmp_path, ACCOUNT, REGION, NOW + timedelta(days=1), fresh=False) as (journal, anew):
        assert (journal.pages, anew) == (PAGES, "")


def test_fresh_begins_anew_without_a_word(tmp_path: Path) -> None:
    written(tmp_path)
    with opened(tmp_path, ACCOUNT, REGION, NOW, fresh=True) as (journal, anew):
        assert (journal.pages, journal.is_done("arn:one", SETTINGS), anew) == ([], False, "")


def test_nobody_else_may_read_it_whoever_made_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o755)
    path = folder / f"{ACCOUNT}-{REGION}.jsonl"
    path.touch(mode=0o644)
    assert written(folder) == path
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(path.stat().st_mode)) == (0o700, 0o600)


def test_two_runs_at_once_are_refused(tmp_path: Path) -> None:
    with (
        opened(tmp_path, ACCOUNT, REGION, NOW, fresh=False) as (journal, _),
        pytest.raises(Unusable, match=rf"^another run is under way: {journal.path} is its progress file$"),
        opened(tmp_path, ACCOUNT, REGION, NOW, fresh=True),
    ):
        pytest.fail("both run")
    assert read((tmp_path / f"{ACCOUNT}-{REGION}.jsonl").read_bytes(), HEAD, NOW).begun == NOW


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.write_text("precious")
    (tmp_path / f"{ACCOUNT}-{REGION}.jsonl").symlink_to(other)
    with pytest.raises(Unusable, match=r"^the progress file .* cannot be used: "):
        written(tmp_path)
    assert other.read_text() == "precious"


@pytest.mark.parametrize("make", [Path.touch, lambda path: path.symlink_to(path.parent / "nowhere")])
def test_what_is_no_folder_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    folder = tmp_path / "kept"
    make(folder)
    with pytest.raises(Unusable, match=rf"^{folder} is to be a folder for what was read, and is a link or a file: "):
        written(folder)
    assert list(tmp_path.iterdir()) == [folder]


def test_a_link_to_a_folder_is_refused_and_its_target_left_as_it_is(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir(mode=0o755)
    (tmp_path / "kept").symlink_to(precious)
    with pytest.raises(Unusable, match=r"is a link or a file: nothing is written there; move it out of the way$"):
        written(tmp_path / "kept")
    assert (stat.S_IMODE(precious.stat().st_mode), list(precious.iterdir())) == (0o755, [])


def test_a_folder_of_somebody_else_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o755)
    with patch("os.geteuid", return_value=folder.stat().st_uid + 1):
        path = written(folder)
    assert (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(path.stat().st_mode)) == (0o755, 0o600)


def test_with_the_last_file_goes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with (
        opened(folder, ACCOUNT, REGION, NOW, fresh=False) as (one, _),
        opened(folder, ACCOUNT, "eu-west-1", NOW, fresh=False) as (other, _),
    ):
        one.remove()
        assert list(folder.iterdir()) == [other.path]
        other.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    full = OSError(28, "No space left on device")
    with (
        opened(tmp_path, ACCOUNT, REGION, NOW, fresh=False) as (journal, _),
        patch.object(journal, "_file", Mock(write=Mock(side_effect=full))),
        pytest.raises(Unusable, match=r"cannot be used: No space left on device$"),
    ):
        journal.add(PAGES[0])
    assert journal.pages == []


def test_it_tells_what_was_made_and_by_whom_but_no_tags(tmp_path: Path) -> None:
    head, page, *_ = map(json.loads, written(tmp_path).read_text().splitlines())
    assert head == {**HEAD, "begun": "2026-11-02T09:00:00+00:00"}
    [made] = page["page"]["created"]
    assert made["by"]["name"] == "mara.lind"
    assert made.keys() == {"id", "what", "kind", "arn", "given", "by", "tool", "time"}
