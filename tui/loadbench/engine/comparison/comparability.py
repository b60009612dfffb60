"""Why two runs cannot be compared, and why a comparison may not hold."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from loadbench.engine.bounds.texts import one_line
from loadbench.engine.comparison.matching import BASELINE, CANDIDATE
from loadbench.engine.comparison.model import CellComparison, Loss
from loadbench.engine.hardware.description import hardware_line
from loadbench.engine.journal.codec import read_time
from loadbench.engine.profile.sections.load import LoadSection
from loadbench.engine.report.drift import drift_of
from loadbench.engine.report.recommendation.doubts import MACHINE_KEYS
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.studies.doubts import machine_text

MAX_NAMED = 4
"""Maximum number of cells that a text names."""
MAX_VALUE_CHARACTERS = 60
MAX_APART = timedelta(days=1)
"""Time between the starts of two runs from which on it is a doubt: the machine may have changed,
and nothing in the runs shows it."""

_UNKNOWN = "unknown"
_HARMLESS_SETTINGS = ("start_timeout",)
"""Keys of `load` without an effect on results."""


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
    texts = [f"{one[0].upper()}{one[1:]}" for one in obstacles]
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
    risen = [cell.cell for cell in cells if cell.have_failures_risen]
    texts += [f"Failures have risen: {named(risen)}"] if risen else []
    cells_of: dict[str, list[str]] = {}
    for cell in cells:
        for doubt in cell.doubts:
            cells_of.setdefault(doubt, []).append(cell.cell)
    return (*texts, *(f"{named(keys)}: {doubt}" for doubt, keys in cells_of.items()))


def _load_differences(before: Run, after: Run) -> list[str]:
    old, new = before.state.profile, after.state.profile
    if old is None or new is None:
        return []
    keys = [key for key in LoadSection.model_fields if key not in _HARMLESS_SETTINGS]
    settings = [(f"load.{key}", getattr(old.load, key), getattr(new.load, key)) for key in keys]
    settings.append(("run_time", old.run_time, new.run_time))
    return [
        f"{key} differs: {_value_text(was)} and {_value_text(now)}"
        for key, was, now in settings
        if was != now
    ]


def _value_text(value: object) -> str:
    match value:
        case None:
            return "none"
        case tuple():
            text = ", ".join(map(str, value)) or "none"
        case float():
            text = f"{value:g}"
        case _:
            text = str(value)
    return one_line(text, MAX_VALUE_CHARACTERS)


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
