"""How far the first cell's numbers have moved when it is measured again at the end. Pure."""

from dataclasses import asdict, dataclass, replace
from typing import Any

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.state import CellState, CellStatus, RunState
from loadbench.engine.measure.buckets import percentile, successes
from loadbench.engine.measure.limits import MAX_DRIFT
from loadbench.engine.measure.rules import DRIFTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The numbers of a cell that are compared."""

    rps: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A run's first cell, at first and at the end."""

    cell: str
    first: Figures
    again: Figures

    @property
    def change(self) -> Figures:
        """How much each number has moved, relative to the first: −0.067 is 6.7 % less."""
        return Figures(
            rps=_change(self.first.rps, self.again.rps),
            p50_ms=_change(self.first.p50_ms, self.again.p50_ms),
            p95_ms=_change(self.first.p95_ms, self.again.p95_ms),
        )

    @property
    def moved(self) -> float:
        """How far the rate or the median has moved, whichever is more, relative to the first."""
        return max(abs(self.change.rps), abs(self.change.p50_ms))

    @property
    def reason(self) -> str | None:
        """Why cells of this run are not comparable; None: the numbers agree well enough."""
        return DRIFTED if self.moved > MAX_DRIFT else None

    @property
    def sentence(self) -> str:
        """The comparison in words."""
        first, again, change = self.first, self.again, self.change
        told = (
            f"{self.cell} measured again at the end: "
            f"{_figure(first.rps)} → {_figure(again.rps)} req/s ({_percent(change.rps)}), "
            f"p50 {_figure(first.p50_ms)} → {_figure(again.p50_ms)} ms "
            f"({_percent(change.p50_ms)}), "
            f"p95 {_figure(first.p95_ms)} → {_figure(again.p95_ms)} ms ({_percent(change.p95_ms)})"
        )
        return f"{told}: {self.reason}" if self.reason else told

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        return {
            **asdict(self),
            "change": asdict(self.change),
            "reason": self.reason,
            "sentence": self.sentence,
        }


def drift_of(state: RunState) -> Drift | None:
    """Return how the first cell's numbers have moved.

    None: it was not measured again, or one of the two has no numbers or invalid ones, or the first
    cell's are the newer ones, since it was asked for again after the end.
    """
    recheck, first = _recheck(state), _first(state)
    if recheck is None or first is None or first.finished_seq > recheck.finished_seq:
        return None
    return _between(first, _figures(recheck))


def drift_to(state: RunState, again: CellFinished) -> float | None:
    """Return how far the first cell's rate or median has moved, whichever is more.

    Args:
        state: The run, in which that cell is not measured for the second time yet.
        again: What came of it the second time.

    Returns:
        Relative to the first time. None: there is nothing to compare.
    """
    first, figures = _first(state), figures_of(again)
    drift = _between(first, figures) if first and figures else None
    return drift.moved if drift else None


def _recheck(state: RunState) -> CellState | None:
    return next((it for it in state.cells.values() if it.cell.recheck), None)


def _first(state: RunState) -> CellState | None:
    """Return the cell that is measured again at the end; None: none is."""
    recheck = _recheck(state)
    return state.cells.get(replace(recheck.cell, recheck=False).key) if recheck else None


def _between(first: CellState, again: Figures | None) -> Drift | None:
    before = _figures(first)
    return Drift(cell=first.cell.key, first=before, again=again) if before and again else None


def figures_of(finished: CellFinished) -> Figures | None:
    """Return the figures of what was measured; None: there is no success in it."""
    good = successes(finished.requests)
    p50, p95 = percentile(good, 0.5), percentile(good, 0.95)
    if not finished.completed or not p50 or not p95:
        return None
    rps = round(finished.completed / finished.measured_s, 6)
    return Figures(rps=rps, p50_ms=p50, p95_ms=p95)


def _figures(cell: CellState) -> Figures | None:
    it = cell.finished if cell.status is CellStatus.FINISHED else None
    return None if it is None or it.verdict is Verdict.INVALID else figures_of(it)


def _change(first: float, again: float) -> float:
    return round(again / first - 1, 4)


def _figure(value: float) -> str:
    """Return a number with about three digits."""
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}"


def _percent(change: float) -> str:
    amount = 100 * abs(change)
    sign = "−" if change < 0 else "+"
    return f"{sign}{amount:.{1 if amount < 10 else 0}f} %"
