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
