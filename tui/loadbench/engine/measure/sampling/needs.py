"""How long the cells of a profile must last, so that their percentiles have enough samples."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from loadbench.engine.measure.sampling.backed import SampleNeed
from loadbench.engine.measure.sampling.users import RateEstimate
from loadbench.engine.profile.duration import format_duration, readable_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell

_Z = 2.33
"""Quantile of the standard normal distribution for 99 %."""
_ROUND_S = 5
_MAX_S = 86_400

RateOf = Callable[[SampleNeed, Cell], RateEstimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class CellSampling:
    """How long a cell must last."""

    needed_s: float | None = None
    """Seconds that are enough with a probability of 99 %. None if unknown."""
    expected_s: float | None = None
    """Mean seconds until there are enough samples. None if unknown."""
    percentile: str = ""
    """The percentile that takes longest, such as `p95`, with the name of its requests."""
    is_minimum: bool = False
    """Whether it may take longer, because a latency is unknown."""
    unknown: str = ""
    """Why the time is unknown. Empty if it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingPlan:
    """How long each cell of a profile must last."""

    cells: Mapping[str, CellSampling] = field(default_factory=dict)
    """By cell key."""
    source: str = ""
    """Where the rates come from, such as `from run 20261202-101010`. Empty if all are unknown."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why times are unknown, without repetitions."""
        return tuple(dict.fromkeys(one.unknown for one in self.cells.values() if one.unknown))

    @property
    def expected_of(self) -> dict[str, float]:
        """The mean seconds until there are enough samples by cell, as far as they are known."""
        return {
            key: round(one.expected_s, 1)
            for key, one in self.cells.items()
            if one.expected_s is not None
        }


def samples_with_margin(samples: int) -> float:
    """Return the mean number of samples with which a minimum is reached in 99 % of windows.

    Solves m - 2.33 · √m = n, for a Poisson count with mean m and its normal approximation. Counts
    of users whose pauses vary less than exponential ones vary less, so this is an upper bound.
    """
    root = (_Z + math.sqrt(_Z * _Z + 4 * samples)) / 2
    return root * root


def cell_sampling(needs: Iterable[SampleNeed], cell: Cell, rate_of: RateOf) -> CellSampling:
    """Return how long a cell must last.

    Args:
        needs: The needed samples.
        cell: The cell.
        rate_of: Estimates the samples per second for a percentile in a cell.
    """
    found = []
    for need in needs:
        estimate = rate_of(need, cell)
        if not estimate.rate:
            return CellSampling(unknown=estimate.unknown)
        name = f" of {need.name}" if need.name else ""
        found.append(
            CellSampling(
                needed_s=samples_with_margin(need.samples) / estimate.rate,
                expected_s=need.samples / estimate.rate,
                percentile=need.percentile + name,
                is_minimum=estimate.is_maximum,
            )
        )
    return max(found, key=lambda one: one.needed_s or 0.0)


def is_too_short(profile: Profile, sampling: CellSampling) -> bool:
    """Return whether the run time of a profile is too short for a cell."""
    return sampling.needed_s is not None and sampling.needed_s > profile.max_window_s


def needs_text(profile: Profile, sampling: CellSampling) -> str:
    """Return how long a cell must last, or is expected to last with `run_time: auto`."""
    if sampling.needed_s is None:
        return "?"
    return ("≥ " if sampling.is_minimum else "") + _time(profile, sampling)


def needs_mark(profile: Profile, sampling: CellSampling) -> str:
    """Return how long a cell must last, marked if its run time is too short."""
    mark = "! " if is_too_short(profile, sampling) else ""
    return mark + needs_text(profile, sampling)


def sampling_text(profile: Profile, plan: SamplingPlan) -> str:
    """Return how long the cells must last at most and why that is known, as one line."""
    known = [one for one in plan.cells.values() if one.needed_s is not None]
    if not known:
        return f"unknown: {plan.unknown[0]}" if plan.unknown else ""
    longest = max(known, key=lambda one: one.needed_s or 0.0)
    bound = "at least" if longest.is_minimum else "up to"
    time = _time(profile, longest)
    return f"{bound} {time} per cell for {longest.percentile}, {plan.source}"


def sampling_advice(profile: Profile, cells: Sequence[Cell], plan: SamplingPlan) -> str:
    """Return which cells are too short and what to set, as one text. Empty if none is.

    Args:
        profile: The profile.
        cells: Its cells.
        plan: How long each must last.
    """
    short = [cell for cell in cells if is_too_short(profile, plan.cells[cell.key])]
    if not short:
        return ""
    worst = max(short, key=lambda cell: plan.cells[cell.key].needed_s or 0.0)
    sampling = plan.cells[worst.key]
    seconds = _ROUND_S * math.ceil((sampling.needed_s or 0.0) / _ROUND_S)
    key = "max_run_time" if profile.is_run_time_auto else "run_time"
    ways = [f"{key}: {seconds}s"]
    if not profile.is_run_time_auto:
        is_enough = seconds <= profile.max_run_time
        ways.insert(0, "run_time: auto" + ("" if is_enough else f" and max_run_time: {seconds}s"))
    advice = f"Set {', or '.join(ways)}" if seconds <= _MAX_S else "Use more users"
    more = f" (and {len(short) - 1} more)" if len(short) > 1 else ""
    return (
        f"{key}: {format_duration(profile.max_window_s)} is too short for {sampling.percentile} "
        f"with {worst.level.phrase}{more}: {readable_duration(seconds)} needed. {advice}"
    )


def _time(profile: Profile, sampling: CellSampling) -> str:
    seconds = sampling.needed_s or 0.0
    if profile.is_run_time_auto and not is_too_short(profile, sampling):
        seconds = max(profile.min_run_time, sampling.expected_s or 0.0)
    return readable_duration(math.ceil(seconds))
