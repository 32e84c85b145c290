"""A path report as text for people, as a line a service for the digest, and as JSON. Pure.

All that comes from outside was put on one line when the report was made.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from textwrap import wrap

from apprunner_guardrails.alerts import safe
from apprunner_guardrails.alerts.digest import PathLine
from apprunner_guardrails.findings import Status
from apprunner_guardrails.paths.report import Answer, Chain, Hop, Kind, Report, State, Way

WIDTH = 96  # columns: it may stand indented where there are 100
WAYS_SHOWN = 8  # of a service in one direction
NAME_LIMIT = 50  # characters; App Runner allows services 40
LINE_LIMIT, RULES_SHOWN = 400, 3
VERSION = "1"
TROUBLE = (State.FAILS, State.ABSENT, State.UNKNOWN)

type Line = tuple[tuple[str, State | None], ...]  # pieces, each with the state that it shows, if any

_KIND, _STATE = 20, 9  # columns
_SHORT = {Kind.LINK: "link", Kind.INGRESS: "ingress"}
_MANY = {Kind.WAY_OUT: "ways out"}


# Text ----------------------------------------------------------------------------------------------------------------


def text(report: Report) -> str:
    """The whole report, at most WIDTH columns wide; an empty text for a Region without services."""
    return "".join("".join(piece for piece, _ in line).rstrip() + "\n" for line in lines(report))


def lines(report: Report) -> Iterator[Line]:
    """The same in pieces, for terminals with colour."""
    for number, chain in enumerate(report.chains):
        if number:
            yield ()
        yield from _chain(chain)
    if report.unread:
        yield ()
        yield _plain("There may be more than this:")
        for why in report.unread:
            yield from map(_plain, _wrapped("  - ", why))


def _chain(chain: Chain) -> Iterator[Line]:
    name = safe(chain.service.name, NAME_LIMIT)
    where = _listed(dict.fromkeys(hop.kind for hop in chain.hops if hop.state in TROUBLE))
    said = "every hop is ok" if chain.state is State.OK else f"look at {where}" if where else "ok but for exemptions"
    first, *rest = _wrapped(f"{name}: ", said)
    yield (name, None), (first.removeprefix(name), chain.state)
    yield from (((line, chain.state),) for line in rest)
    shown: set[Hop] = set()
    yield from _ways(chain.ways_in, shown, "in")
    yield from _hop(chain.service, "  ", shown)
    yield from _ways(chain.ways_out, shown, "out")


def _ways(ways: Sequence[Way], shown: set[Hop], direction: str) -> Iterator[Line]:
    """What all have in common once; between that each by itself, what was shown before in short."""
    head = _shared(ways)
    tail = _shared([way[len(head) :][::-1] for way in ways])[::-1]
    for hop in head:
        yield from _hop(hop, "  ", shown)
    own = [way[len(head) : len(way) - len(tail)] for way in ways]
    for number, way in enumerate(own[:WAYS_SHOWN] if len(ways) > 1 else (), 1):
        yield _plain(f"  {number} of {len(ways)} ways {direction}{'' if way else ': directly'}")
        for hop in way:
            yield from _hop(hop, "    ", shown)
    if len(ways) > WAYS_SHOWN:
        yield _plain(f"  and {len(ways) - WAYS_SHOWN} more ways {direction}")
    if len(ways) > 1 and tail:
        yield _plain(f"  all ways {direction}")
    for hop in tail:
        yield from _hop(hop, "  ", shown)


def _shared(ways: Sequence[Way]) -> Way:
    """What all begin with."""
    together = zip(*ways, strict=False)
    return tuple(hops[0] for hops in takewhile(lambda hops: all(one == hops[0] for one in hops), together))


def _hop(hop: Hop, indent: str, shown: set[Hop]) -> Iterator[Line]:
    arrow = "  " if hop.kind is Kind.CLIENT else "→ "
    start = f"{arrow}{hop.kind:<{_KIND}}"
    again = hop in shown
    shown.add(hop)
    facts = ", ".join(("as above",) if again else hop.facts)
    label = f"{hop.label}: {facts}" if facts else hop.label
    first, *rest = _wrapped(indent + " " * _STATE + start, label)
    yield (indent, None), (f"{word(hop.state):<{_STATE}}", hop.state), (first[len(indent) + _STATE :], None)
    yield from map(_plain, rest)
    if not again:
        margin = indent + " " * (_STATE + 4)
        for why in hop.unread:
            yield from map(_plain, _wrapped(margin, f"not known: {why}"))
        for answer in hop.answers:
            for line in _wrapped(margin, said(answer)):
                yield ((line, hop.state),)


def said(answer: Answer) -> str:
    """An answer in a line: "AR507 CRITICAL: …"."""
    if answer.status in (Status.UNKNOWN, Status.ERROR):
        return f"{answer.rule} not judged: {answer.unread}"
    first = answer.messages[0] if answer.messages else answer.title
    more = f" (and {len(answer.messages) - 1} more)" if len(answer.messages) > 1 else ""
    how = "exempt" if answer.status is Status.EXEMPT else answer.severity
    rest = f"; not all could be judged: {answer.unread}" if answer.unread else ""
    return f"{answer.rule} {how}: {first}{more}{rest}"


def word(state: State) -> str:
    """A state as it stands out in text."""
    return state.upper() if state in TROUBLE else state.value


def _wrapped(start: str, said: str) -> list[str]:
    """The text after its start, and below it where it takes more than a line."""
    room = WIDTH - len(start)
    parts = wrap(said, room, break_on_hyphens=False) or [""]
    return [start + parts[0], *(" " * len(start) + part for part in parts[1:])]


def _plain(line: str) -> Line:
    return ((line, None),)


def _listed(words: Iterable[str]) -> str:
    *some, last = [*words] or [""]
    return f"{', '.join(some)} and {last}" if some else last


# The digest ----------------------------------------------------------------------------------------------------------


def digest_lines(report: Report) -> tuple[PathLine, ...]:
    """A line a service: what has trouble first, the worst first."""
    ranked = sorted(report.chains, key=lambda one: one.state.rank)
    return tuple(PathLine(line=safe(_in_short(one), LINE_LIMIT), sound=one.state not in TROUBLE) for one in ranked)


def _in_short(chain: Chain) -> str:
    """ "orders  client → API ok → … → target group FAILS AR507 → … → service → …"."""
    kinds: dict[Kind, list[Hop]] = {}
    for hop in chain.hops:
        kinds.setdefault(hop.kind, []).append(hop)
    parts = [_of_kind(kind, kinds[kind]) for kind in Kind if kind in kinds]
    return f"{safe(chain.service.name, NAME_LIMIT)}  {' → '.join(parts)}"


def _of_kind(kind: Kind, hops: Sequence[Hop]) -> str:
    state = min((hop.state for hop in hops), key=lambda state: state.rank)
    by_itself = kind in (Kind.CLIENT, Kind.DESTINATION)
    if by_itself and len(hops) == 1:
        name = hops[0].name
    else:
        one = _SHORT.get(kind, kind.value)
        name = one if len(hops) == 1 else f"{len(hops)} {_MANY.get(kind, f'{one}s')}"
    if state is State.OK:
        return name if by_itself or kind is Kind.SERVICE else f"{name} ok"
    alike = [hop for hop in hops if hop.state is state]
    part = f"{len(alike)} of " if 1 < len(hops) != len(alike) else ""
    rules = sorted({answer.rule for hop in alike for answer in hop.answers})
    more = f" +{len(rules) - RULES_SHOWN}" if len(rules) > RULES_SHOWN else ""
    return " ".join((f"{part}{name}", word(state), *rules[:RULES_SHOWN])) + more


# JSON ----------------------------------------------------------------------------------------------------------------


def as_json(report: Report) -> dict[str, object]:
    """The report as docs/schemas/path-report-1.json has it. Ways are lists of places in the chain's `hops`."""
    return {
        "version": VERSION,
        "account": report.account,
        "region": report.region,
        "time": report.time,
        "chains": [_chain_as_json(chain) for chain in report.chains],
        "unread": list(report.unread),
    }


def _chain_as_json(chain: Chain) -> dict[str, object]:
    places = {hop: place for place, hop in enumerate(chain.hops)}
    return {
        "service": {"name": chain.service.name, "arn": chain.service.arn},
        "state": chain.state.value,
        "hops": [_hop_as_json(hop) for hop in chain.hops],
        "ways_in": [[places[hop] for hop in (*way, chain.service)] for way in chain.ways_in],
        "ways_out": [[places[hop] for hop in (chain.service, *way)] for way in chain.ways_out],
    }


def _hop_as_json(hop: Hop) -> dict[str, object]:
    return {
        "kind": hop.kind.value,
        "name": hop.name,
        "id": hop.id,
        "arn": hop.arn,
        "state": hop.state.value,
        "facts": list(hop.facts),
        "unread": list(hop.unread),
        "rules": [
            {
                "rule": one.rule,
                "title": one.title,
                "severity": one.severity.value,
                "status": one.status.value,
                "messages": list(one.messages),
                "unread": one.unread,
            }
            for one in hop.answers
        ],
    }
