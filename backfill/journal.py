"""What a run has read and done so far, in a file, so that the next one continues there.

.backfill/123456789012-us-east-1.jsonl, a JSON object a line, added to only:

    {"version": 1, "account": …, "region": …, "begun": "2026-11-21T09:00:00+00:00"}
    {"page": {"call": "CreateService", "ids": […], "to": …, "is_last": false, "created": […], …}}
    {"done": "arn:aws:apprunner:…", "tags": "3f9c…"}       it was given what it lacked of the tags of these settings

It tells what was made and by whom, not which tags that leads to: settings may change between runs. It names people, so
nobody else may read it.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any

from apprunner_guardrails.callers import Who
from apprunner_guardrails.settings import Settings
from apprunner_guardrails.tags.created import Created, Kind
from backfill.history import Page
from programs.aws import Unusable

_VERSION = 1
_KEPT = timedelta(days=1)


class Unreadable(Exception):
    """What a file holds cannot be continued; the text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What a file holds, in its first so many bytes: what follows was cut off while it was written."""

    begun: datetime
    size: int
    pages: tuple[Page, ...] = ()
    done: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # ARN, key of the settings


class Journal:
    """`pages` is what was read since `begun`, by this run and those that it continues."""

    def __init__(self, path: Path, file: IO[bytes], kept: Kept) -> None:
        self.path, self.begun, self.pages = path, kept.begun, list(kept.pages)
        self._file, self._done = file, set(kept.done)
        self._is_over = False

    def of(self, call: str) -> list[Page]:
        return [page for page in self.pages if page.call == call]

    def has_all(self, call: str) -> bool:
        return any(page.is_last for page in self.of(call))

    def add(self, page: Page) -> None:
        self._write({"page": asdict(page)})
        self.pages.append(page)

    def is_done(self, arn: str, settings: Settings) -> bool:
        return (arn, _key(settings)) in self._done

    def done(self, arn: str, settings: Settings) -> None:
        self._write({"done": arn, "tags": _key(settings)})
        self._done.add((arn, _key(settings)))

    def remove(self) -> None:
        """There is nothing left to continue."""
        self.path.unlink(missing_ok=True)
        with suppress(OSError):  # those of other accounts and Regions are in it
            self.path.parent.rmdir()

    def _write(self, entry: Mapping[str, object]) -> None:
        _append(self.path, self._file, entry)


@contextmanager
def opened(folder: Path, account: str, region: str, now: datetime, *, fresh: bool) -> Iterator[tuple[Journal, str]]:
    """The journal of an account and Region, for this process alone; and why it begins anew, where there was one.

    Raises Unusable.
    """
    path, why = folder / f"{account}-{region}.jsonl", ""
    head = {"version": _VERSION, "account": account, "region": region}
    with _private(path) as file:
        _lock(path, file)
        content = file.read()
        try:
            kept = None if fresh or not content else read(content, head, now)
        except Unreadable as error:
            kept, why = None, str(error)
        file.truncate(kept.size if kept else 0)
        if kept is None:
            kept = Kept(begun=now, size=0)
            _append(path, file, {**head, "begun": now.isoformat()})
        yield Journal(path, file, kept), why


def read(content: bytes, head: Mapping[str, object], now: datetime) -> Kept:
    """What a file holds that begins with this head. Pure. Raises Unreadable."""
    *lines, torn = content.split(b"\n")
    try:
        first, *entries = map(json.loads, lines)
        begun = datetime.fromisoformat(first.pop("begun"))
        pages = tuple(_page(entry["page"]) for entry in entries if "page" in entry)
        done = frozenset((entry["done"], entry["tags"]) for entry in entries if "page" not in entry)
        age = now - begun
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise Unreadable("it is damaged") from error
    if first != head:
        raise Unreadable("it is of another account or Region, or another version of this program")
    if not timedelta() <= age <= _KEPT:
        raise Unreadable(f"it is not of the last 24 hours, but of {begun:%Y-%m-%d %H:%M} UTC")
    return Kept(begun=begun, size=len(content) - len(torn), pages=pages, done=done)


def _page(said: Mapping[str, Any]) -> Page:
    made = tuple(Created(**{**one, "kind": Kind(one["kind"]), "by": Who(**one["by"])}) for one in said["created"])
    return Page(**{**said, "ids": tuple(said["ids"]), "created": made})


def _key(settings: Settings) -> str:
    """Of all that the tags hang on."""
    tags = (
        settings.created_by_tag,
        settings.created_at_tag,
        settings.created_with_tag,
        sorted(settings.default_tags.items()),
        settings.emails_in_tags,
    )
    return hashlib.sha256(json.dumps(tags).encode()).hexdigest()[:16]


def _private(path: Path) -> IO[bytes]:
    try:
        with suppress(FileExistsError):
            path.parent.mkdir(mode=0o700, parents=True)
        folder = _opened_folder(path.parent)
        try:
            number = os.open(path.name, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        finally:
            os.close(folder)
        os.fchmod(number, 0o600)
    except OSError as error:
        raise _useless(path, error) from error
    return os.fdopen(number, "r+b")


def _opened_folder(folder: Path) -> int:
    """It, opened; a folder of somebody else's keeps its mode. Raises Unusable for what is none, or elsewhere."""
    try:
        number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except NotADirectoryError as error:  # a link is told like this as well
        raise Unusable(
            f"{folder} is to be a folder for what was read, and is a link or a file: nothing is written there; move it"
            " out of the way"
        ) from error
    if os.fstat(number).st_uid == os.geteuid():
        os.fchmod(number, 0o700)
    return number


def _lock(path: Path, file: IO[bytes]) -> None:
    """Until the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise Unusable(f"another run is under way: {path} is its progress file") from error
    except OSError as error:
        raise _useless(path, error) from error


def _append(path: Path, file: IO[bytes], entry: Mapping[str, object]) -> None:
    try:
        file.write(json.dumps(entry).encode() + b"\n")
        file.flush()
    except OSError as error:
        raise _useless(path, error) from error


def _useless(path: Path, error: OSError) -> Unusable:
    return Unusable(f"the progress file {path} cannot be used: {error.strerror or error}")
