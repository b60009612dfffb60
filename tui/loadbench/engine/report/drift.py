"""Drift: the change between the first measurement of the first cell and its recheck."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.buckets import percentile, successes
from loadbench.engine.measure.limits import MAX_DRIFT
from loadbench.engine.measure.main_request import main_of, results_of_name
from loadbench.engine.measure.rules.machine import drift_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Figures of one of the two measurements that are compared."""

    rps: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Comparison of the first measurement of a run with its recheck at the end."""

    cell: str
    """Key of the first cell."""
    first: Figures
    again: Figures
    """The figures of the recheck."""

    @property
    def change(self) -> Figures:
        """Relative change of each figure: −0.067 is a decrease of 6.7 %."""
        return Figures(
            rps=_change(self.first.rps, self.again.rps),
            p50_ms=_change(self.first.p50_ms, self.again.p50_ms),
            p95_ms=_change(self.first.p95_ms, self.again.p95_ms),
        )

    @property
    def magnitude(self) -> float:
        """Absolute relative change of throughput or median, whichever is larger."""
        return max(abs(self.change.rps), abs(self.change.p50_ms))

    @property
    def reason(self) -> str | None:
        """Reason why cells are not comparable, or None if the drift is within the limit."""
        return drift_text(self.magnitude) if self.magnitude > MAX_DRIFT else None

    @property
    def sentence(self) -> str:
        """The comparison as text."""
        first, again, change = self.first, self.again, self.change
        text = (
            f"Recheck of {self.cell} at the end: "
            f"{_figure(first.rps)} → {_figure(again.rps)} req/s ({_percent(change.rps)}), "
            f"p50 {_figure(first.p50_ms)} → {_figure(again.p50_ms)} ms "
            f"({_percent(change.p50_ms)}), "
            f"p95 {_figure(first.p95_ms)} → {_figure(again.p95_ms)} ms ({_percent(change.p95_ms)})"
        )
        return f"{text}; {self.reason}" if self.reason else text

    def as_dict(self) -> dict[str, Any]:
        """Return the comparison as plain data."""
        return {
            **asdict(self),
            "change": asdict(self.change),
            "reason": self.reason,
            "sentence": self.sentence,
        }


def drift_of(state: RunState) -> Drift | None:
    """Return the drift of a run, or None if the two measurements cannot be compared.

    They cannot be compared if there is no recheck, if one of them is missing or invalid, or if the
    first cell was measured again after its recheck.
    """
    recheck, first = _recheck(state), _first(state)
    if recheck is None or first is None or first.finished_seq > recheck.finished_seq:
        return None
    main = main_of(state.profile)
    return _between(first, _figures(recheck, main), main)


def drift_to(state: RunState, again: CellFinished) -> float | None:
    """Return the relative change of the first cell's throughput or median, whichever is larger.

    Args:
        state: The state of the run before the recheck finished.
        again: The results of the recheck.

    Returns:
        The change, where 0.1 is 10 %, or None if there is nothing to compare.
    """
    main = main_of(state.profile)
    first, figures = _first(state), figures_of(again, main)
    drift = _between(first, figures, main) if first and figures else None
    return drift.magnitude if drift else None


def _recheck(state: RunState) -> CellState | None:
    return next((cell for cell in state.cells.values() if cell.cell.recheck), None)


def _first(state: RunState) -> CellState | None:
    """Return the first measurement of the rechecked cell, or None if there is no recheck."""
    recheck = _recheck(state)
    return state.cells.get(replace(recheck.cell, recheck=False).key) if recheck else None


def _between(first: CellState, again: Figures | None, main: str | None) -> Drift | None:
    figures = _figures(first, main)
    return Drift(cell=first.cell.key, first=figures, again=again) if figures and again else None


def figures_of(finished: CellFinished, main: str | None = None) -> Figures | None:
    """Return the figures of a finished cell, or None if no request succeeded.

    Args:
        finished: The results of the cell.
        main: Name of the main requests. None: all requests.
    """
    finished = results_of_name(finished, main)
    good = successes(finished.requests)
    p50, p95 = percentile(good, 0.5), percentile(good, 0.95)
    if not finished.completed or not p50 or not p95:
        return None
    rps = round(finished.completed / finished.measured_s, 6)
    return Figures(rps=rps, p50_ms=p50, p95_ms=p95)


def _figures(cell: CellState, main: str | None) -> Figures | None:
    finished = cell.finished if cell.status is CellStatus.FINISHED else None
    if finished is None or finished.verdict is Verdict.INVALID:
        return None
    return figures_of(finished, main)


def _change(first: float, again: float) -> float:
    return round(again / first - 1, 4)


def _figure(value: float) -> str:
    """Format a number with about three digits."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _percent(change: float) -> str:
    amount = 100 * abs(change)
    sign = "−" if change < 0 else "+"
    return f"{sign}{amount:.{1 if amount < 10 else 0}f} %"
