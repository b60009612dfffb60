"""What one more point of the grid would mean for a live run, as it is typed. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from loadbench.engine.journal.progress import added_s
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Point
from loadbench.engine.profile.plan import Cell
from loadbench.engine.requests.command_rules import Answer, judge_add
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.text import Line, Tone, line, wrap
from loadbench.wording import IN_BATCHES

FIELDS = tuple(Point.model_fields)
_TOLD_LINES = 2
"""Room for what is told, so that a window does not change its height with every key."""


@dataclass(frozen=True, slots=True)
class Addition:
    """What was typed, judged as the runner will judge it."""

    answer: Answer
    told: Line
    """The cell, the time that it takes and when it is measured; or why it cannot be added."""

    @property
    def args(self) -> dict[str, float] | None:
        """What the runner is asked for; None: it would refuse."""
        return _point_of(self.answer.added[0]) if self.answer.accepted else None


def proposal(beside: Cell) -> dict[str, str]:
    """Return what stands in each field at first: the numbers of a cell."""
    numbers = _point_of(beside)
    return {name: f"{numbers[name]:.10g}" if name in numbers else "" for name in FIELDS}


def addition(run: Run, typed: Mapping[str, str]) -> Addition:
    """Return what somebody who typed this into the fields asks for.

    Args:
        run: The run, as it is now.
        typed: A text for each of `FIELDS`.
    """
    if run.status is not RunStatus.LIVE:
        answer = Answer(False, "the run is not live any more")
    else:
        answer = judge_add(typed, run.state)
    if answer.accepted:
        return Addition(answer, _offer(answer, run.state))
    # Numbers that there are already are no mistake, only nothing new yet.
    return Addition(answer, line((answer.message, Tone.WARN if answer.cell else Tone.BAD)))


def addition_lines(of: Addition, columns: int) -> list[Line]:
    """Return what stands below the fields, broken to so many columns."""
    told = wrap(of.told, columns)
    rate = line((f"spawn rate: users started per second, {IN_BATCHES}", Tone.DIM))
    keys = line(("enter", Tone.ACCENT), " adds it, ", ("escape", Tone.ACCENT), " does not")
    gap = [()] * max(1, _TOLD_LINES + 1 - len(told))
    return [*told, *gap, *wrap(rate, columns), *wrap(keys, columns)]


def _point_of(cell: Cell) -> dict[str, float]:
    numbers = {"models": cell.models, **cell.level.fields}
    return {name: numbers[name] for name in FIELDS if name in numbers}


def _offer(answer: Answer, state: RunState) -> Line:
    profile = state.profile
    assert profile is not None
    first, *others = answer.added
    times = f", {1 + len(others)} times" if others else ""
    more = readable_duration(added_s(profile, state, answer.added))
    waiting = [it.cell.key for it in state.with_cells(answer.added).outstanding]
    at = waiting.index(first.key)
    when = f"after {waiting[at - 1]}" if at else "next"
    return line((first.key, Tone.STRONG), f"{times}, about {more} more; it is measured {when}")
