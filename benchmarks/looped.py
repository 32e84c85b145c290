"""The bare script's loop over every connector, in the Regions that benchmarks.scale makes up for our audit."""

import json
from collections.abc import Callable, Sequence

from benchmarks.large import Answers, Region
from benchmarks.measure import Bench, programs
from benchmarks.scale import Row
from benchmarks.standin import Answer, Question, StandIn

SIZES = (10, 100)  # it is a loop: a thousand connectors are a minute more, and nothing new
_SCHEDULED = {"detail-type": "Scheduled Event"}
_WRITTEN = Answer(status=200, headers={"Content-Type": "application/x-amz-json-1.0"}, body=b"{}")


def looped(place: Bench, *, say: Callable[[str], None]) -> Sequence[Row]:
    """A process for each size, answered at once."""
    return [_run(place, size, say) for size in SIZES]


def _run(place: Bench, size: int, say: Callable[[str], None]) -> Row:
    say(f"the bare script looks at {size:,} connectors")
    region = Region(connectors=size)
    made_up = Answers(region=region)

    def answer(question: Question, body: bytes) -> Answer | None:
        return _WRITTEN if question.action == "dynamodb:PutItem" else made_up(question, body)

    event = place.folder / "loop.json"
    event.write_text(json.dumps(_SCHEDULED))
    stand_in = StandIn(answers=answer, delay=0)
    _, script = programs("AuditRegionFunction")
    run = place.alone(script, event, stand_in)
    return Row(
        size=size,
        resources=region.audited,
        calls=len(stand_in.calls),
        cpu_ms=run.cpu * 1000,
        wall_ms=run.first.whole * 1000,
        delayed_ms=None,
        peak_mb=None if run.peak_bytes is None else run.peak_bytes / 1e6,
    )
