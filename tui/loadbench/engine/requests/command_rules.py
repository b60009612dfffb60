"""Rules for accepting or rejecting commands, shared by the runner and the views."""

from collections.abc import Mapping
from dataclasses import dataclass

from loadbench.engine.journal.commands import NAMES, Command
from loadbench.engine.journal.label import read_label
from loadbench.engine.journal.state import ENDED_STATUSES, CellStatus, RunState
from loadbench.engine.profile.driver_settings import settings_of
from loadbench.engine.profile.loading import read_point
from loadbench.engine.profile.plan import Cell, cells_at
from loadbench.errors import ProfileError, UsageError


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a command is accepted, and the message for the user."""

    accepted: bool
    message: str
    cell: str | None = None
    """Key of the cell that the command refers to. None if it refers to no cell."""
    added: tuple[Cell, ...] = ()
    """Cells to add to the plan."""
    label: str = ""
    """The new label of the run, for an accepted `label`. Empty to remove the label."""


def answer_to(command: Command, state: RunState) -> Answer:
    """Return the answer to a command in a state of the run."""
    match command.command:
        case "stop":
            return Answer(True, "Stopping the run")
        case "pause" if state.paused:
            return Answer(False, "The run is already paused")
        case "pause":
            after = f" after {state.current}" if state.current else ""
            return Answer(True, f"Pausing the run{after}")
        case "resume" if not state.paused:
            return Answer(False, "The run is not paused")
        case "resume":
            return Answer(True, "Resuming the run")
        case "skip":
            return _judge_skip(command.cell or state.current, state)
        case "again":
            return answer_to_again(command.cell, state)
        case "add":
            return answer_to_add(command.args, state)
        case "label":
            return _judge_label(command.args)
        case unknown:
            return Answer(False, f"Unknown command {unknown!r}. Commands: {', '.join(NAMES)}")


def answer_to_add(args: object, state: RunState) -> Answer:
    """Return the answer to a request for another grid point.

    Args:
        args: The fields of a `Point` as numbers or as text.
        state: The state of the run.
    """
    if state.started is None:
        return Answer(False, "The run has not started")
    if state.stopping:
        return Answer(False, "The run is stopping")
    profile = state.profile
    if profile is None:
        return Answer(False, state.profile_problem)
    try:
        point = read_point(args)
    except ProfileError as error:
        return Answer(False, str(error))
    settings = settings_of(profile.stack.driver)
    if settings and not settings.is_scalable and point.models not in profile.models:
        return Answer(False, f"models: {settings.single_models_value()}")
    count = len(state.cells) + profile.repeats
    if count > profile.max_cells:
        return Answer(
            False,
            f"{count} cells would exceed the limit of {profile.max_cells} of this run. For more, "
            "start a new run with a larger max_cells",
        )
    cells = cells_at(profile, point)
    key = cells[0].key
    if known := state.cells.get(key):
        hint = " and has ended. Remeasure it instead" if known.status in ENDED_STATUSES else ""
        return Answer(False, f"{key} is already in the plan{hint}", key)
    repeats = f" with {len(cells)} repeats" if len(cells) > 1 else ""
    return Answer(True, f"Added {key}{repeats}", key, cells)


def _judge_skip(key: str | None, state: RunState) -> Answer:
    if key is None:
        return Answer(False, "No cell is being measured")
    if key not in state.cells:
        return Answer(False, f"No such cell: {key}", key)
    if state.cells[key].status in ENDED_STATUSES:
        return Answer(False, f"{key} has already ended", key)
    return Answer(True, f"Skipping {key}", key)


def _judge_label(args: object) -> Answer:
    text = args.get("text") if isinstance(args, Mapping) else None
    if not isinstance(text, str):
        return Answer(False, "No label: args must be an object with a text")
    try:
        label = read_label(text)
    except UsageError as error:
        return Answer(False, str(error))
    return Answer(True, f"Label: {label}" if label else "Label removed", label=label)


def answer_to_again(key: str | None, state: RunState) -> Answer:
    """Return the answer to a request to measure a cell again.

    Args:
        key: Key of the cell.
        state: The state of the run.
    """
    if key is None or key not in state.cells:
        return Answer(False, f"No such cell: {key}", key)
    if state.cells[key].status is CellStatus.RUNNING:
        return Answer(False, f"{key} is being measured", key)
    if state.cells[key].status is CellStatus.PENDING:
        return Answer(False, f"{key} is already scheduled", key)
    return Answer(True, f"Scheduled {key} to be measured again", key)
