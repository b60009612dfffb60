"""What a search for the capacity decides."""

from dataclasses import dataclass

from loadbench.engine.journal.search import Bracket, ProbeReason, StopReason
from loadbench.engine.profile.plan import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The next cell to measure, and why."""

    cell: Cell
    why: ProbeReason
    bracket: Bracket
    """What is known about its number of models."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The search has ended."""

    reason: StopReason
    brackets: tuple[Bracket, ...]
    """The result for each number of models, in the order of the profile."""
    grid: int
    """Number of cells of the whole grid, with repeats."""
