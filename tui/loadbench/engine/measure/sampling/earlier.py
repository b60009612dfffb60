"""Rates of requests and measurements, measured by an earlier run of a profile."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.journal.request_names import is_named
from loadbench.engine.journal.state import RunState
from loadbench.engine.measure.buckets import count, successes
from loadbench.engine.measure.main_request import of_name
from loadbench.engine.measure.sampling.backed import SampleNeed
from loadbench.engine.measure.sampling.users import RateEstimate
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell
from loadbench.engine.profile.values.secrets import masked_data

_SETTINGS = ("device", "batch_size", "host", "stack", "load")


@dataclass(frozen=True, slots=True)
class EarlierRates:
    """The rates that a run has measured."""

    run: str
    """Id of the run."""
    cells: Sequence[tuple[Cell, CellFinished]]
    """Its measured cells."""

    def rate(self, need: SampleNeed, cell: Cell) -> RateEstimate | None:
        """Return the samples per second for a percentile in a cell.

        This is the mean of the measured cells with the most similar load, in proportion to it. If
        that load is smaller, the rate may be lower, because the service may be saturated.

        Returns:
            The rate, or None if no cell has such samples.
        """
        rates: dict[tuple[float, int], list[tuple[float, float]]] = {}
        for measured, finished in self.cells:
            if samples := _samples(finished, need):
                ratio = cell.level.amount / measured.level.amount
                distance = abs(math.log(ratio)), abs(cell.models - measured.models)
                rate = ratio * samples / finished.measured_s
                rates.setdefault(distance, []).append((rate, ratio))
        if not rates:
            return None
        nearest = rates[min(rates)]
        is_maximum = any(ratio > 1 for _, ratio in nearest)
        return RateEstimate(rate=fmean(rate for rate, _ in nearest), is_maximum=is_maximum)


def earlier_rates(profile: Profile, states: Iterable[RunState]) -> EarlierRates | None:
    """Return the rates of the newest run with the same service and load, or None.

    Args:
        profile: The profile.
        states: The states of its runs, newest first. Consumed only as far as needed.
    """
    settings = _settings(profile)
    for state in states:
        if state.started is None or state.profile is None or _settings(state.profile) != settings:
            continue
        if found := list(_usable(state)):
            return EarlierRates(state.started.run, found)
    return None


def _usable(state: RunState) -> Iterator[tuple[Cell, CellFinished]]:
    for one in state.cells.values():
        if one.finished and one.finished.verdict is not Verdict.INVALID and not one.cell.recheck:
            yield one.cell, one.finished


def _settings(profile: Profile) -> list[object]:
    """Return the settings that the rates depend on. Secrets are masked, as in recorded profiles."""
    data = masked_data(profile.resolved())
    load = {key: value for key, value in data["load"].items() if key != "main"}
    return [load if name == "load" else data[name] for name in _SETTINGS]


def _samples(finished: CellFinished, need: SampleNeed) -> int:
    if need.is_measurement:
        return sum(
            count(one.values)
            for one in finished.measurements
            if is_named(one.kind, one.name, need.name)
        )
    return count(successes(of_name(finished.requests, need.name)))
