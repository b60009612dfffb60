"""Cells that a cell is compared with: usable results of the same number of models."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.measure.buckets import percentile, successes
from loadbench.engine.measure.stages import stage_means
from loadbench.engine.profile.levels import Level
from loadbench.engine.profile.plan import Cell

MIN_LOAD_FACTOR = 1.5
"""Minimum ratio between two loads that are different enough to compare."""


@dataclass(frozen=True)  # no slots: cached properties need a __dict__
class Peer:
    """A cell with usable results."""

    level: Level
    finished: CellFinished

    @property
    def rps(self) -> float:
        """Successful requests per second."""
        return self.finished.completed / self.finished.measured_s

    @cached_property
    def p50_ms(self) -> float | None:
        """Median latency. None if no request succeeded."""
        return percentile(successes(self.finished.requests), 0.5)

    @cached_property
    def means(self) -> Mapping[str, float]:
        """Mean time per stage in ms. Empty if the service does not report stages."""
        return stage_means(self.finished.stages)


class Peers:
    """The peers with one number of models, by load.

    Args:
        cells: The cells, in plan order.
    """

    def __init__(self, cells: Iterable[tuple[Cell, CellFinished]] = ()) -> None:
        self._at: dict[float, list[Peer]] = {}
        for cell, finished in cells:
            self._at.setdefault(cell.level.amount, []).append(Peer(cell.level, finished))
        self._amounts = sorted(self._at)

    def different_from(self, cell: Cell) -> Iterator[Peer]:
        """Yield the peers with a clearly different load, the most different first."""
        amount = cell.level.amount

        def factor(other: float) -> float:
            return max(amount, other) / min(amount, other)

        # The most different load is always the smallest or the largest, so sorting all loads by
        # their factor, which would take long in a run with many cells, is not necessary.
        low, high = 0, len(self._amounts) - 1
        while low <= high:
            smallest, largest = self._amounts[low], self._amounts[high]
            is_low = factor(smallest) >= factor(largest)
            other = smallest if is_low else largest
            if factor(other) < MIN_LOAD_FACTOR:
                return
            yield from self._at[other]
            low, high = (low + 1, high) if is_low else (low, high - 1)
