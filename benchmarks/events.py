"""What one event costs, ours beside the bare script and Cloud Custodian: calls, a cold start, a warm process, sizes."""

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks import custodian
from benchmarks.measure import (
    CPU,
    CPU_TO_ALERT,
    CPU_TO_HANDLER,
    MODULES,
    PEAK,
    TO_ALERT,
    TO_END,
    TRIGGERS,
    WARM_CPU,
    WARM_PUBLISHED,
    WARM_ROUNDS,
    WARM_TO_ALERT,
    WARM_TO_END,
    Bench,
    Measured,
    Recording,
    Subject,
    Unmeasurable,
    compare,
    in_turns,
    programs,
)
from benchmarks.results import BARE, OURS, Counted, Events, counted, taken

COLD = (CPU, TO_ALERT, CPU_TO_HANDLER, CPU_TO_ALERT, TO_END, PEAK, MODULES)
WARM: tuple[Measured, ...] = (TO_ALERT, WARM_TO_ALERT, WARM_PUBLISHED, WARM_ROUNDS, WARM_TO_END, WARM_CPU)


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """Ours and the script with what they ask for the event that is timed; what ours asks for every event."""

    ours: Subject
    bare: Subject
    counted: tuple[Counted, ...]


def subjects(place: Bench, event: str, *, say: Callable[[str], None]) -> Subjects:
    """Record what the programs ask. Raises Unmeasurable if the script does not read what ours reads."""
    ours, bare = programs()
    recordings: dict[str, Recording] = {}
    for name, trigger in TRIGGERS.items():
        say(f"recording {name}")
        recordings[name] = place.record(ours, trigger)
    say(f"recording {event} for the script")
    of_bare = place.record(bare, TRIGGERS[event])
    if different := recordings[event].reads ^ of_bare.reads:
        actions = ", ".join(sorted({one.action for one in different}))
        raise Unmeasurable(f"the bare script does not ask what our handler asks: see {actions}")
    path = TRIGGERS[event].event
    return Subjects(
        ours=Subject(program=ours, event=path, recording=recordings[event]),
        bare=Subject(program=bare, event=path, recording=of_bare),
        counted=(
            *(counted(name, OURS, recording) for name, recording in recordings.items()),
            counted(event, BARE, of_bare),
        ),
    )


def measured(place: Bench, event: str, *, runs: int, again: int, delay: float, say: Callable[[str], None]) -> Events:
    """All of it. The bench has to be a built one."""
    if place.built is None:
        raise Unmeasurable("the layer was not built, so it is not what would be deployed")
    both = subjects(place, event, say=say)
    say(f"recording {custodian.NAME}")
    third = custodian.custodian(place)
    at_once = partial(in_turns, place, (both.ours, both.bare, third), runs=runs, delay=0)
    cold = at_once(say=lambda what: say(f"cold: {what}"))
    plain = at_once(tls=False, say=lambda what: say(f"cold, without TLS: {what}"))
    warm = in_turns(
        place,
        (both.ours, both.bare),
        runs=runs,
        delay=delay,
        times=1 + again,
        say=lambda what: say(f"warm: {what}"),
    )
    return Events(
        taken=taken(),
        event=event,
        runs=runs,
        again=again,
        delay_ms=round(delay * 1000),
        sdk=importlib.metadata.version("boto3"),
        custodian=custodian.version(),
        counted=(*both.counted, counted("CreateSubnet", custodian.NAME, third.recording)),
        cold=compare(COLD, *cold),
        plain=compare(COLD, *plain),
        warm=compare(WARM, *warm),
        sizes=place.built.sizes,
    )
