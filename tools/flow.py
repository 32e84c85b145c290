"""docs/flow.svg: from what happens in an account to who hears of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

TITLE = "How the guardrails work"
DESCRIPTION = (
    "Calls, operations, schedules and what people create reach EventBridge; its rules and queues invoke four functions."
    " ValidateNetwork and AuditRegion ask the rules; the ledger of findings tells each one once, to people and to"
    " programs. SyncTargets keeps the targets of tagged target groups, and tells what is wrong with them."
    " TagResources adds the ownership tags that are missing."
)

BOX, ROW, GAP_X, GAP_Y, MARGIN = 170, 64, 36, 20, 10  # pixels
NAME_LIMIT, DETAIL_LIMIT = 20, 25  # characters that a box has room for

# Boxes carry their own colours; the ways between them are of a grey that shows on white and on black.
COLOURS: Mapping[str, tuple[str, str]] = {  # by kind: fill, stroke
    "outside": ("#f6f8fa", "#6e7781"),
    "function": ("#ddf4ff", "#0969da"),
    "told": ("#dafbe1", "#1a7f37"),
    "changed": ("#fff3c4", "#8a6100"),
}
INK, DETAIL, WAY = "#1f2328", "#4b5158", "#767c84"


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """`column` and `row` count from 0, `rows` is how many it is high. `details` are a line each."""

    kind: str
    column: int
    row: int
    name: str
    details: tuple[str, ...]
    rows: int = 1

    @property
    def left(self) -> int:
        return MARGIN + self.column * (BOX + GAP_X)

    @property
    def top(self) -> int:
        return MARGIN + self.row * (ROW + GAP_Y)

    @property
    def height(self) -> int:
        return self.rows * (ROW + GAP_Y) - GAP_Y


BOXES: Mapping[str, Box] = {
    "calls": Box(kind="outside", column=0, row=0, name="App Runner", details=("calls, operations",)),
    "network": Box(kind="outside", column=0, row=1, name="EC2, ELB, API GW", details=("calls that change a way",)),
    "clock": Box(kind="outside", column=0, row=2, name="Schedules", details=("for what no event told",)),
    "created": Box(kind="outside", column=0, row=3, name="Something new", details=("connector, service, …",)),
    "bridge": Box(
        kind="outside", column=1, row=0, rows=4, name="EventBridge", details=("rules; queues that", "try again")
    ),
    "validate": Box(
        kind="function", column=2, row=0, name="ValidateNetwork", details=("reads again what an", "event is about")
    ),
    "audit": Box(kind="function", column=2, row=1, name="AuditRegion", details=("reads the whole Region",)),
    "sync": Box(kind="function", column=2, row=2, name="SyncTargets", details=("reads endpoints, targets",)),
    "tag": Box(kind="function", column=2, row=3, name="TagResources", details=("reads the tags",)),
    "rules": Box(
        kind="told",
        column=3,
        row=0,
        rows=2,
        name="Rules and ledger",
        details=("pass, fail, unknown;", "each finding is told", "once, and when over"),
    ),
    "targets": Box(kind="changed", column=3, row=2, name="Targets of NLBs", details=("of tagged groups only",)),
    "tags": Box(kind="changed", column=3, row=3, name="Ownership tags", details=("those that are missing",)),
    "people": Box(kind="told", column=4, row=0, name="People", details=("e-mail, Slack, Teams",)),
    "programs": Box(kind="told", column=4, row=1, name="Programs", details=("event bus, Security Hub",)),
}

WAYS: Sequence[tuple[str, str]] = (
    *((cause, "bridge") for cause in ("calls", "network", "clock", "created")),
    *(("bridge", function) for function in ("validate", "audit", "sync", "tag")),
    ("validate", "rules"),
    ("audit", "rules"),
    ("sync", "rules"),
    ("sync", "targets"),
    ("tag", "tags"),
    ("rules", "people"),
    ("rules", "programs"),
)


def picture() -> Iterator[str]:
    """The lines of the SVG."""
    width = max(box.left for box in BOXES.values()) + BOX + MARGIN
    height = max(box.top + box.height for box in BOXES.values()) + MARGIN
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title described" {size}>'
    yield "<!-- Written by `make docs` from tools/flow.py. -->"
    yield f'<title id="title">{escape(TITLE)}</title>'
    yield f'<desc id="described">{escape(DESCRIPTION)}</desc>'
    yield "<style>"
    yield f"text {{ font-family: system-ui, sans-serif; font-size: 12px; fill: {DETAIL}; }}"
    yield f".name {{ font-size: 14px; font-weight: 600; fill: {INK}; }}"
    yield f".way {{ fill: none; stroke: {WAY}; stroke-width: 1.5; }} .tip {{ fill: {WAY}; }}"
    for kind, (fill, stroke) in COLOURS.items():
        yield f".{kind} {{ fill: {fill}; stroke: {stroke}; stroke-width: 1.5; }}"
    yield "</style>"
    for start, end in WAYS:
        yield _way(BOXES[start], BOXES[end])
    for box in BOXES.values():
        yield from _drawn(box)
    yield "</svg>"


def _way(start: Box, end: Box) -> str:
    """From side to side, level where the two stand beside each other."""
    from_x, to_x = start.left + BOX, end.left
    from_y, to_y = _middle(start, end), _middle(end, start)
    half = (from_x + to_x) // 2
    tip = f'<path class="tip" d="M{to_x} {to_y} l-8 -4 v8 z"/>'
    return f'<path class="way" d="M{from_x} {from_y} C{half} {from_y} {half} {to_y} {to_x} {to_y}"/>{tip}'


def _middle(box: Box, other: Box) -> int:
    """Of the row of the other box that this one reaches to, or of its own row nearest to it."""
    row = min(max(other.row, box.row), box.row + box.rows - 1)
    return MARGIN + row * (ROW + GAP_Y) + ROW // 2


def _drawn(box: Box) -> Iterator[str]:
    yield f'<rect class="{box.kind}" x="{box.left}" y="{box.top}" width="{BOX}" height="{box.height}" rx="6"/>'
    lines = (("name", box.name), *(("detail", one) for one in box.details))
    first = box.top + (box.height - 17 * (len(lines) - 1)) // 2 + 4
    for number, (kind, text) in enumerate(lines):
        yield f'<text class="{kind}" x="{box.left + 12}" y="{first + 17 * number}">{escape(text)}</text>'
