"""The plots of docs/performance.md, drawn from what was recorded: what is plotted stands in the tables beside them.

matplotlib is imported when something is drawn, for it is slow to import.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import custodian
from benchmarks.measure import CPU, PEAK, TO_ALERT, WARM_PUBLISHED, Measure, Spread, found
from benchmarks.page import MOST_CPU, MOST_MEMORY, MOST_WALL
from benchmarks.results import BARE, OURS, Results
from benchmarks.scale import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent.parent / "docs" / "plots"
_COLORS = {OURS: "#1b6ca8", BARE: "#c7782b", custodian.NAME: "#6f8f3f"}
_LIMIT = "#a11d33"
_STYLE: Any = {
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "font.size": 11,
}


def draw(results: Results, folder: Path = FOLDER) -> Sequence[str]:
    """Draw what can be, each into a file of its own; their names."""
    import matplotlib as mpl  # noqa: PLC0415  # see above
    from matplotlib.figure import Figure  # noqa: PLC0415

    folder.mkdir(exist_ok=True)
    drawn = []
    with mpl.rc_context(_STYLE):
        for name, plot in PLOTS.items():
            figure = Figure(figsize=(8, 3.6), dpi=120, layout="constrained")
            if plot(results, figure):
                # Without the date and the version, so that the same numbers make the same file.
                figure.savefig(folder / name, metadata={"Software": None})
                drawn.append(name)
    return drawn


def _cold(results: Results, figure: "Figure") -> bool:
    if not (events := results.events):
        return False
    left, right = figure.subplots(1, 2)
    cpu, wall = (found(events.cold, one) for one in (CPU, TO_ALERT))
    _bars(left, "CPU of a cold start", "ms", _spreads(cpu))
    _bars(right, "Process start to the alert", "ms", _spreads(wall))
    peers = [cpu.bare.median, *([cpu.custodian.median] if cpu.custodian else [])]
    for axes, most, goal in ((left, min(peers), MOST_CPU), (right, wall.bare.median, MOST_WALL)):
        _limit(axes, most * goal, f"{goal} of the {'script' if axes is right else 'lesser peer'}'s")
    return True


def _warm(results: Results, figure: "Figure") -> bool:
    if not (events := results.events):
        return False
    axes = figure.subplots()
    published = found(events.warm, WARM_PUBLISHED)
    _bars(axes, f"A warm event until its alert is published, {events.delay_ms} ms a call", "ms", _spreads(published))
    _limit(axes, events.bound_ms, f"{events.of(OURS).to_alert} rounds and a half")
    return True


def _memory(results: Results, figure: "Figure") -> bool:
    if not (events := results.events):
        return False
    peak = found(events.cold, PEAK)
    axes = figure.subplots()
    _bars(axes, "Most memory that one event held", "MB", _spreads(peak))
    _limit(axes, MOST_MEMORY, f"at most {MOST_MEMORY:.0f} MB")
    return True


def _scale(results: Results, figure: "Figure") -> bool:
    if not (scale := results.scale):
        return False
    audit, sync = scale.scaled.audit.rows, scale.scaled.sync.rows
    cpu, calls, memory = figure.subplots(1, 3)
    _line(cpu, audit, lambda row: row.cpu_ms / 1000, "our audit, by connectors")
    _line(cpu, sync, lambda row: row.cpu_ms / 1000, "our sync, by groups")
    _line(cpu, scale.looped, lambda row: row.cpu_ms / 1000, "the script's loop, by connectors")
    _line(calls, audit, lambda row: row.calls, "our audit, by connectors")
    _line(calls, sync, lambda row: row.calls, "our sync, by groups")
    _line(calls, scale.looped, lambda row: row.calls, "the script's loop, by connectors")
    _line(memory, audit, lambda row: row.peak_mb, "our audit, by connectors")
    _line(memory, sync, lambda row: row.peak_mb, "our sync, by groups")
    _line(memory, scale.looped, lambda row: row.peak_mb, "the script's loop, by connectors")
    for axes, title, unit in ((cpu, "CPU", "s"), (calls, "Calls", "calls"), (memory, "Most memory", "MB")):
        axes.set(xscale="log", title=title, ylabel=unit, xlabel="connectors or groups")
        axes.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
    for axes, top in ((cpu, audit[-1].cpu_ms / 1000), (calls, audit[-1].calls)):
        sizes = audit[0].size, audit[-1].size
        label = "in proportion"
        axes.plot(sizes, (top * sizes[0] / sizes[1], top), color="#888888", linestyle=":", zorder=0, label=label)
        axes.set_yscale("log")
    memory.set_ylim(0)
    figure.legend(*calls.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return True


def _line(axes: "Axes", rows: Sequence[Row], number: Callable[[Row], float | None], label: str) -> None:
    points = [(row.size, there) for row in rows if (there := number(row)) is not None]
    color, marker = _LINES[label]
    axes.plot([x for x, _ in points], [y for _, y in points], color=color, marker=marker, label=label)


_LINES: Mapping[str, tuple[str, str]] = {
    "our audit, by connectors": (_COLORS[OURS], "o"),
    "our sync, by groups": ("#7fb3dc", "s"),
    "the script's loop, by connectors": (_COLORS[BARE], "o"),
}
PLOTS: Mapping[str, Callable[[Results, "Figure"], bool]] = {
    "cold.png": _cold,
    "warm.png": _warm,
    "memory.png": _memory,
    "scale.png": _scale,
}


def _spreads(one: Measure) -> dict[str, Spread]:
    third = {custodian.NAME: one.custodian} if one.custodian else {}
    return {OURS: one.ours, BARE: one.bare, **third}


def _bars(axes: "Axes", title: str, unit: str, spreads: Mapping[str, Spread]) -> None:
    """Medians with the middle half of the runs."""
    names = [*spreads][::-1]
    medians = [spreads[name].median for name in names]
    around = [
        [spreads[name].median - spreads[name].low for name in names],
        [spreads[name].high - spreads[name].median for name in names],
    ]
    axes.barh(names, medians, xerr=around, color=[_COLORS[name] for name in names], height=0.6, capsize=3)
    for place, name in enumerate(names):
        axes.annotate(
            f"{spreads[name].median:.0f} {unit}",
            (0, place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color="white",
            weight="bold",
        )
    axes.set_title(title)
    axes.set_xlabel(unit)
    axes.set_xlim(0)


def _limit(axes: "Axes", at: float, text: str) -> None:
    axes.axvline(at, color=_LIMIT, linestyle="--", linewidth=1.3, label=text)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), frameon=False, fontsize=10)
