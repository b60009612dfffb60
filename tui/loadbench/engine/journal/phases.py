"""Phases of an attempt: when they started, and how long they took."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from loadbench.engine.journal.events import Phase


@dataclass(frozen=True, slots=True)
class PhaseStart:
    """Start of a phase of an attempt."""

    phase: Phase
    second: int
    """First second of the phase, as in `Sample.second`."""
    elapsed_s: float = 0.0
    """`RunState.elapsed_s` at the start of the phase."""


def phase_lengths(starts: Sequence[PhaseStart], end_s: float) -> Mapping[Phase, float]:
    """Return the length in seconds of each phase of an attempt.

    Args:
        starts: The phases, in order.
        end_s: `RunState.elapsed_s` at the end of the attempt. It is monotonic, so that changes of
            the wall clock have no effect.
    """
    ends = [*(start.elapsed_s for start in starts[1:]), end_s]
    return MappingProxyType(
        {start.phase: end - start.elapsed_s for start, end in zip(starts, ends, strict=False)}
    )


def indices_of(phase: Phase, starts: Sequence[PhaseStart], seconds: range) -> range:
    """Return the indices of the samples of a phase; empty if it has not started.

    Args:
        phase: The phase.
        starts: The phases of the attempt, in order.
        seconds: The seconds of the samples of the attempt.
    """
    phases = [start.phase for start in starts]
    if phase not in phases or not seconds:
        return range(0)
    indices = [start.second - seconds.start for start in starts[phases.index(phase) :]]
    length = len(seconds)
    begin, end, *_ = (min(max(0, index), length) for index in (*indices, length))
    return range(begin, end)
