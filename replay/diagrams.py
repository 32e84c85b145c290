"""A path report as diagrams: Mermaid in Markdown, and SVG. Nothing in Lambda needs them. Pure.

Names come from outside. What could mean something to Mermaid, to Markdown or to HTML becomes its full-width twin, which
looks alike and means nothing; SVG has escapes that every reader of XML knows.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from apprunner_guardrails.alerts import safe
from apprunner_guardrails.paths.render import said, word
from apprunner_guardrails.paths.report import Chain, Hop, Kind, Report, State

LABEL_LIMIT = 60  # characters
TEXT_LIMIT = 500
RULES_NAMED = 2  # on a hop
_HARMLESS = " .,:-/()=+_?"
_TWINS = {code: code + 0xFEE0 for code in range(0x21, 0x7F) if not chr(code).isalnum() and chr(code) not in _HARMLESS}
_LOOSE_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_MARKS = {State.OK: "✓", State.FAILS: "✗", State.ABSENT: "∅", State.UNKNOWN: "?", State.EXEMPT: "~"}


def plain(text: str, limit: int = TEXT_LIMIT) -> str:
    """The text with nothing in it that makes markup, a link or a mention."""
    shown = _LOOSE_UNDERSCORE.sub("\uff3f", safe(text, limit).translate(_TWINS)).replace("://", "\uff1a//")
    return re.sub(r"(?i)\bwww\.", "www\u00b7", shown)


def _badge(hop: Hop) -> str:
    """The state by a mark and a word, with the rules that led to it: "✗ FAILS AR507"."""
    rules = sorted({answer.rule for answer in hop.answers})
    more = ("…",) if len(rules) > RULES_NAMED else ()
    return " ".join((_MARKS[hop.state], word(hop.state), *rules[:RULES_NAMED], *more))


def _links(chain: Chain) -> Iterator[tuple[Hop, Hop]]:
    """Which hop leads to which, each once, in the order of the ways."""
    ways = [*((*way, chain.service) for way in chain.ways_in), *((chain.service, *way) for way in chain.ways_out)]
    yield from dict.fromkeys(pair for way in ways for pair in pairwise(way))


# Mermaid -------------------------------------------------------------------------------------------------------------

# Dark text on light fills, both given: readable on a light page and on a dark one.
_CLASSES = {
    State.OK: "fill:#dafbe1,stroke:#1a7f37,color:#0b3d1b",
    State.FAILS: "fill:#ffd8d3,stroke:#b42318,color:#5f0f0a,stroke-width:3px",
    State.ABSENT: "fill:#ffffff,stroke:#b42318,color:#5f0f0a,stroke-dasharray:6 4",
    State.UNKNOWN: "fill:#fff3c4,stroke:#8a6100,color:#4a3400,stroke-dasharray:2 3",
    State.EXEMPT: "fill:#ddf4ff,stroke:#0969da,color:#0a3069",
}
_SHAPES = {State.FAILS: ("{{", "}}"), State.UNKNOWN: ("(", ")"), State.ABSENT: ("(", ")")}


def markdown(report: Report) -> str:
    """A page with a flowchart for each service, and below it what is to be looked at."""
    head = f"# Paths of App Runner services in {plain(report.account)} {plain(report.region)}, {plain(report.time)}"
    parts = [head, *(part for chain in report.chains for part in _page(chain))]
    if report.unread:
        parts += ["There may be more than this:", "\n".join(f"- {plain(why)}" for why in report.unread)]
    return "\n\n".join(parts) + "\n"


def _page(chain: Chain) -> Iterator[str]:
    yield f"## {plain(chain.service.name, LABEL_LIMIT)}"
    yield "\n".join(("```mermaid", *_flowchart(chain), "```"))
    notes = [f"- {hop.kind} {plain(hop.label, LABEL_LIMIT)}: {plain(one)}" for hop in chain.hops for one in _notes(hop)]
    if notes:
        yield "\n".join(notes)


def _notes(hop: Hop) -> Iterator[str]:
    yield from (f"not known: {why}" for why in hop.unread)
    yield from map(said, hop.answers)


def _flowchart(chain: Chain) -> Iterator[str]:
    names = {hop: f"hop{place}" for place, hop in enumerate(chain.hops)}
    yield "flowchart LR"
    yield f"    accTitle: Path of {plain(chain.service.name, LABEL_LIMIT)}"
    for hop, name in names.items():
        start, end = _SHAPES.get(hop.state, ("[", "]"))
        label = "<br/>".join((hop.kind, plain(hop.label, LABEL_LIMIT), _badge(hop)))
        yield f'    {name}{start}"{label}"{end}:::{hop.state}'
    yield from (f"    {names[one]} --> {names[other]}" for one, other in _links(chain))
    used = {hop.state for hop in chain.hops}
    yield from (f"    classDef {state} {style}" for state, style in _CLASSES.items() if state in used)


# SVG -----------------------------------------------------------------------------------------------------------------

_BOX, _BOX_HEIGHT, _GAP, _ROW, _MARGIN, _TITLE = 190, 78, 46, 96, 20, 44
_CHARACTERS = 26  # that a box has room for
# Boxes carry their own colours; what is beside them is of a grey that shows on white and on black.
_STYLE = """\
text { font-family: system-ui, sans-serif; font-size: 12px; fill: #1f2328; }
.title { font-size: 16px; font-weight: 600; fill: #767c84; }
.kind { font-size: 11px; fill: #4b5158; }
.badge { font-weight: 600; }
.way { fill: none; stroke: #767c84; stroke-width: 1.5; }
.tip { fill: #767c84; }
rect { stroke-width: 1.5; }
.ok rect { fill: #f0fdf4; stroke: #1a7f37; } .ok .badge { fill: #116329; }
.fails rect { fill: #fff0ee; stroke: #b42318; stroke-width: 3; } .fails .badge { fill: #a01c12; }
.absent rect { fill: #ffffff; stroke: #b42318; stroke-dasharray: 7 4; } .absent .badge { fill: #a01c12; }
.unknown rect { fill: #fff8dc; stroke: #8a6100; stroke-dasharray: 2 3; } .unknown .badge { fill: #6b4b00; }
.exempt rect { fill: #eef8ff; stroke: #0969da; } .exempt .badge { fill: #0a4a9c; }
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """Where each hop of a chain is: column and row, from 0. `bends` are where a line from one hop to another passes a
    column between them."""

    places: Mapping[Hop, tuple[int, int]]
    bends: Mapping[tuple[Hop, Hop], Sequence[tuple[int, int]]]
    columns: int
    rows: int


def svg(report: Report) -> str:
    """One picture of all services, each in a band of its own: hops from left to right."""
    layouts = [(chain, _laid_out(chain)) for chain in report.chains]
    columns = max((layout.columns for _, layout in layouts), default=1)
    width = 2 * _MARGIN + columns * (_BOX + _GAP) - _GAP
    top, bands = _MARGIN, list[str]()
    for number, (chain, layout) in enumerate(layouts):
        bands += _band(chain, layout, top, number)
        top += _TITLE + layout.rows * _ROW + _MARGIN
    height = top + _MARGIN
    title = f"Paths of App Runner services in {report.account} {report.region}"
    trouble = [f"{chain.service.name} ({word(chain.state)})" for chain in report.chains]
    described = f"At {report.time}. {', '.join(trouble) or 'No services'}."
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    parts = (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="title described" {size}>',
        f'<title id="title">{_xml(title)}</title>',
        f'<desc id="described">{_xml(described, 4 * TEXT_LIMIT)}</desc>',
        f"<style>\n{_STYLE}</style>",
        *bands,
        "</svg>",
    )
    return "\n".join(parts) + "\n"


def _laid_out(chain: Chain) -> _Layout:
    """Columns by how far from the service a hop is, at most; rows in the order in which ways come by."""
    distances = _distances(chain)
    first = min(distances.values())
    columns = {hop: distance - first for hop, distance in distances.items()}
    taken: dict[int, int] = defaultdict(int)
    places: dict[Hop, tuple[int, int]] = {}
    bends: dict[tuple[Hop, Hop], list[tuple[int, int]]] = {}

    def next_in(column: int) -> tuple[int, int]:
        taken[column] += 1
        return column, taken[column] - 1

    for one, other in _links(chain):
        for hop in (one, other):
            if hop not in places:
                places[hop] = next_in(columns[hop])
        bends[one, other] = [next_in(column) for column in range(columns[one] + 1, columns[other])]
    for hop in chain.hops:
        places.setdefault(hop, (columns[hop], 0))
    return _Layout(places=places, bends=bends, columns=max(columns.values()) + 1, rows=max(taken.values(), default=1))


def _distances(chain: Chain) -> dict[Hop, int]:
    """How far each hop is from the service by the longest way: below 0 in front of it, above behind it.

    Kinds come in one order on every way, so that no way leads back.
    """
    order = list(Kind)
    found = {chain.service: 0}
    behind, before = defaultdict[Hop, list[Hop]](list), defaultdict[Hop, list[Hop]](list)
    for one, other in _links(chain):
        behind[one].append(other)
        before[other].append(one)
    for hop in sorted(chain.hops, key=lambda hop: order.index(hop.kind)):
        if order.index(hop.kind) > order.index(Kind.SERVICE):
            found[hop] = 1 + max(found[one] for one in before[hop])
    for hop in sorted(chain.hops, key=lambda hop: -order.index(hop.kind)):
        if order.index(hop.kind) < order.index(Kind.SERVICE):
            found[hop] = min(found[one] for one in behind[hop]) - 1
    return found


def _band(chain: Chain, layout: _Layout, top: int, number: int) -> Iterator[str]:
    yield f'<g class="chain" aria-label="{_xml(chain.service.name, LABEL_LIMIT)}">'
    yield f'<text class="title" x="{_MARGIN}" y="{top + 20}">{_xml(chain.service.name, LABEL_LIMIT)}</text>'
    corner = top + _TITLE - 8
    for (one, other), bends in layout.bends.items():
        yield _line([layout.places[one], *bends, layout.places[other]], corner)
    for place, (hop, at) in enumerate(layout.places.items()):
        yield from _box(hop, at, corner, f"hop{number}-{place}")
    yield "</g>"


def _at(place: tuple[int, int], corner: int) -> tuple[int, int]:
    column, row = place
    return _MARGIN + column * (_BOX + _GAP), corner + row * _ROW


def _line(places: Sequence[tuple[int, int]], corner: int) -> str:
    """From the right side of the first box to the left side of the last, past the columns between them."""
    steps: list[str] = []
    for start, end in pairwise(places):
        x, y = _at(start, corner)
        to_x, to_y = _at(end, corner)
        from_x, middle, y, to_y = x + _BOX, (x + _BOX + to_x) // 2, y + _BOX_HEIGHT // 2, to_y + _BOX_HEIGHT // 2
        steps.append(f"{'L' if steps else 'M'}{from_x} {y} C{middle} {y} {middle} {to_y} {to_x} {to_y}")
    tip = f'<path class="tip" d="M{to_x} {to_y} l-8 -4 v8 z"/>'
    return f'<path class="way" d="{" ".join(steps)}"/>{tip}'


def _box(hop: Hop, place: tuple[int, int], corner: int, name: str) -> Iterator[str]:
    x, y = _at(place, corner)
    whole = "; ".join((f"{hop.kind} {hop.label}: {word(hop.state)}", *hop.facts, *_notes(hop)))
    corners = 24 if hop.state in (State.UNKNOWN, State.ABSENT) else 6
    rows = (("kind", hop.kind), ("name", hop.label), ("badge", _badge(hop)))
    yield f'<g id="{name}" class="{hop.state}"><title>{_xml(whole, 4 * TEXT_LIMIT)}</title>'
    yield f'<rect x="{x}" y="{y}" width="{_BOX}" height="{_BOX_HEIGHT}" rx="{corners}"/>'
    for number, (kind, text) in enumerate(rows):
        yield f'<text class="{kind}" x="{x + 12}" y="{y + 22 + 20 * number}">{_xml(text, _CHARACTERS)}</text>'
    yield "</g>"


def _xml(text: str, limit: int = TEXT_LIMIT) -> str:
    """On one line, and escaped for text and for attributes; what XML cannot hold is gone with what is not printable."""
    return escape(safe(text, limit))
