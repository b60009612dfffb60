"""The text of the dialog that adds a cell to a run."""

from collections.abc import Mapping
from dataclasses import dataclass

from loadbench.engine.journal.state import RunState
from loadbench.engine.journal.timing.progress import added_s
from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Point
from loadbench.engine.profile.plan import Cell
from loadbench.engine.requests.command_rules import Answer, answer_to_add
from loadbench.engine.requests.resumption import resumed_state
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.text import Line, Tone, line, wrap

FIELDS = tuple(Point.model_fields)
_LABELS = {"spawn_rate": "Spawn rate (users/s)"}
_MIN_TEXT_LINES = 2
"""Lines reserved for the text, so that the dialog keeps its height while the user types."""


@dataclass(frozen=True, slots=True)
class Addition:
    """The input of the dialog, with the answer that the runner would give."""

    answer: Answer
    text: Line
    """The cell, its duration and its place in the plan, or why it cannot be added."""

    @property
    def args(self) -> dict[str, float] | None:
        """The arguments of the command, or None if the runner would reject it."""
        return _point_of(self.answer.added[0]) if self.answer.accepted else None


def field_label(name: str) -> str:
    """Return the label of a field."""
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def proposal(beside: Cell) -> dict[str, str]:
    """Return the initial values of the fields, taken from a cell."""
    numbers = _point_of(beside)
    return {name: f"{numbers[name]:.10g}" if name in numbers else "" for name in FIELDS}


def addition(run: Run, typed: Mapping[str, str]) -> Addition:
    """Return the cell that the input describes, or why it cannot be added.

    Args:
        run: The run in its current state.
        typed: The text in each of `FIELDS`.
    """
    # A run that is not live is resumed with the added cell.
    state = run.state if run.status is RunStatus.LIVE else resumed_state(run.state)
    answer = answer_to_add(typed, state)
    if answer.accepted:
        return Addition(answer, _offer(answer, state))
    # A duplicate cell is not an input error, so the message is shown as a warning.
    return Addition(answer, line((answer.message, Tone.WARN if answer.cell else Tone.BAD)))


def addition_lines(entered: Addition, columns: int) -> list[Line]:
    """Return the text below the fields, wrapped to a number of columns."""
    text = wrap(entered.text, columns)
    keys = line(("Enter", Tone.ACCENT), " add · ", ("Esc", Tone.ACCENT), " cancel")
    gap = [()] * max(1, _MIN_TEXT_LINES + 1 - len(text))
    return [*text, *gap, *wrap(keys, columns)]


def _point_of(cell: Cell) -> dict[str, float]:
    numbers = {"models": cell.models, **cell.level.fields}
    return {name: numbers[name] for name in FIELDS if name in numbers}


def _offer(answer: Answer, state: RunState) -> Line:
    profile = state.profile
    assert profile is not None
    first, *others = answer.added
    repeats = f"{1 + len(others)} repeats, " if others else ""
    duration = readable_duration(added_s(profile, state, answer.added))
    pending = [one.cell.key for one in state.with_cells(answer.added).outstanding]
    position = pending.index(first.key)
    place = f"after {pending[position - 1]}" if position else "next"
    return line((first.key, Tone.STRONG), f": {repeats}about {duration}, measured {place}")
