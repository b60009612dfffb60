"""Why two runs cannot be compared, and why a comparison may not hold."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from loadbench.engine.comparison.differences import differences_between
from loadbench.engine.comparison.matching import BASELINE, CANDIDATE
from loadbench.engine.comparison.model import Area, CellComparison, Loss
from loadbench.engine.hardware.description import hardware_line
from loadbench.engine.journal.codec import read_time
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.recommendation.doubts import MACHINE_KEYS
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.studies.doubts import machine_text

MAX_NAMED = 4
"""Maximum number of cells that a text names."""
MAX_APART = timedelta(days=1)
"""Time between the starts of two runs from which on it is a doubt: the machine may have changed,
and nothing in the runs shows it."""

_UNKNOWN = "unknown"
_HARMLESS_KEYS = ("load.start_timeout",)
"""Keys of the load without an effect on results."""


def obstacles(before: Run, after: Run) -> list[str]:
    """Return what differs in machine or load, and what is unknown, as clauses."""
    sides = ((BASELINE, before), (CANDIDATE, after))
    found = [f"{name} is live" for name, run in sides if run.status is RunStatus.LIVE]
    found += [
        f"the profile of {name} cannot be read" for name, run in sides if not run.state.profile
    ]
    machines = machine_text(before), machine_text(after)
    if machines[0] != machines[1] and _UNKNOWN not in machines:
        found.append(f"the machines differ: {machines[0]}; {machines[1]}")
    return [*found, *_load_differences(before, after)]


def not_comparable(
    obstacles: Sequence[str], losses: Sequence[Loss], *, has_cells: bool
) -> tuple[str, ...]:
    """Return the reasons why a gate must not decide, as clauses.

    Args:
        obstacles: The differences in machine and load.
        losses: What the candidate has no results of.
        has_cells: Whether any cell can be compared.
    """
    return (
        *([] if has_cells else ["no cell has results in both runs"]),
        *loss_texts(loss for loss in losses if loss.metric is None),
        *obstacles,
    )


def loss_texts(losses: Iterable[Loss]) -> list[str]:
    """Return what is missing, as one clause per metric and reason."""
    lost: dict[tuple[str, str], list[str]] = {}
    for loss in losses:
        what = loss.metric.label if loss.metric else "results"
        lost.setdefault((what, loss.reason), []).append(loss.cell)
    return [f"missing {what}: {named(cells)}, {reason}" for (what, reason), cells in lost.items()]


def doubts_about(
    before: Run, after: Run, cells: Sequence[CellComparison], obstacles: Sequence[str]
) -> tuple[str, ...]:
    """Return the reasons why a comparison may not hold, as sentences without a full stop."""
    sides = ((BASELINE, before), (CANDIDATE, after))
    texts = [capitalised(one) for one in obstacles]
    if before.folder != after.folder:
        texts += [
            f"The machine of {name} is unknown"
            for name, run in sides
            if machine_text(run) == _UNKNOWN
        ]
        texts += _apart(before, after)
    for name, run in sides:
        texts += _resumed_elsewhere(name, run)
        drift = drift_of(run.state)
        if drift and drift.reason:
            texts.append(f"The first cell of {name} changed between start and end: {drift.reason}")
    texts += _measured_once(cells)
    cells_of: dict[str, list[str]] = {}
    for cell in cells:
        for doubt in cell.doubts:
            cells_of.setdefault(doubt, []).append(cell.cell)
    return (*texts, *(f"{named(keys)}: {doubt}" for doubt, keys in cells_of.items()))


def _measured_once(cells: Sequence[CellComparison]) -> Iterable[str]:
    """Yield a doubt if only one of the runs has repeats."""
    metrics = [one for cell in cells for one in cell.metrics]
    before = max((one.num_before for one in metrics), default=0)
    after = max((one.num_after for one in metrics), default=0)
    if min(before, after) == 1 < max(before, after):
        once, other = (BASELINE, CANDIDATE) if before == 1 else (CANDIDATE, BASELINE)
        yield (
            f"Each cell of {once} was measured once, so its spread is assumed to be that of {other}"
        )


def _load_differences(before: Run, after: Run) -> list[str]:
    return [
        f"{one.name} differs: {one.before} and {one.after}"
        for one in differences_between(before, after)
        if one.area is Area.PROFILE and _is_of_load(one.name)
    ]


def _is_of_load(key: str) -> bool:
    is_of_section = key.startswith("load.") and key not in _HARMLESS_KEYS
    return is_of_section or key == "run_time"


def _apart(before: Run, after: Run) -> list[str]:
    times = read_time(before.state.started_at), read_time(after.state.started_at)
    if times[0] is None or times[1] is None:
        return []
    apart = abs(times[1] - times[0])
    if apart < MAX_APART:
        return []
    days = "1 day" if apart.days == 1 else f"{apart.days} days"
    return [f"The runs were started {days} apart, and the machine may have changed since"]


def _resumed_elsewhere(name: str, run: Run) -> Iterable[str]:
    started = run.state.started.hardware if run.state.started else {}
    for other in run.state.resumed_hardware:
        if any(other.get(key) != started.get(key) for key in MACHINE_KEYS):
            yield f"Part of {name} was measured on another machine: {hardware_line(other)}"


def named(keys: Sequence[str]) -> str:
    """Return the first keys, and how many more there are."""
    if len(keys) <= MAX_NAMED:
        return ", ".join(keys)
    return f"{', '.join(keys[:MAX_NAMED])} and {len(keys) - MAX_NAMED} more"


def capitalised(clause: str) -> str:
    """Return a clause as the start of a sentence. Keys such as `run_time` keep their letters."""
    word = clause.partition(" ")[0]
    return clause if "." in word or "_" in word else f"{clause[:1].upper()}{clause[1:]}"
