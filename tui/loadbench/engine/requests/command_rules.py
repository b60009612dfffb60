"""What the runner answers to a command. Pure."""

from dataclasses import dataclass

from loadbench.engine.journal.commands import NAMES, Command
from loadbench.engine.journal.state import OVER, CellStatus, RunState
from loadbench.engine.profile.driver_settings import settings_of
from loadbench.engine.profile.loading import read_point
from loadbench.engine.profile.plan import Cell, cells_at
from loadbench.errors import ProfileError


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a command is followed, and what people are told."""

    accepted: bool
    message: str
    cell: str | None = None
    """The cell that it is about, if it is about one."""
    added: tuple[Cell, ...] = ()
    """Cells that come into the plan."""


def answer_to(command: Command, state: RunState) -> Answer:
    """Return the answer to a command in a state of the run."""
    match command.command:
        case "stop":
            return Answer(True, "the run stops")
        case "pause" if state.paused:
            return Answer(False, "the run is paused already")
        case "pause":
            after = f" after {state.current}" if state.current else ""
            return Answer(True, f"the run pauses{after}")
        case "resume" if not state.paused:
            return Answer(False, "the run is not paused")
        case "resume":
            return Answer(True, "the run goes on")
        case "skip":
            return _judge_skip(command.cell or state.current, state)
        case "again":
            return _judge_again(command.cell, state)
        case "add":
            return judge_add(command.args, state)
        case unknown:
            return Answer(False, f"no command {unknown!r}; there are: {', '.join(NAMES)}")


def judge_add(args: object, state: RunState) -> Answer:
    """Return the answer to who asks for one more point of the grid.

    Args:
        args: The fields of a `Point`: numbers, or texts of them.
        state: The run.
    """
    if state.started is None:
        return Answer(False, "no run has begun")
    if state.stopping:
        return Answer(False, "the run is being stopped")
    profile = state.profile
    if profile is None:
        return Answer(False, state.profile_problem)
    try:
        point = read_point(args)
    except ProfileError as error:
        return Answer(False, str(error))
    settings = settings_of(profile.stack.driver)
    if settings and not settings.is_scalable and point.models not in profile.models:
        return Answer(False, f"models: {settings.one_label()}")
    cells = cells_at(profile, point)
    key = cells[0].key
    if known := state.cells.get(key):
        more = "; `again` measures it once more" if known.status in OVER else ""
        return Answer(False, f"{key} is in the plan already{more}", key)
    times = f", {len(cells)} times" if len(cells) > 1 else ""
    return Answer(True, f"{key} is added{times}", key, cells)


def _judge_skip(key: str | None, state: RunState) -> Answer:
    if key is None:
        return Answer(False, "no cell is being measured")
    if key not in state.cells:
        return Answer(False, f"no cell {key}", key)
    if state.cells[key].status in OVER:
        return Answer(False, f"{key} is over already", key)
    return Answer(True, f"{key} is skipped", key)


def _judge_again(key: str | None, state: RunState) -> Answer:
    if key is None or key not in state.cells:
        return Answer(False, f"no cell {key}", key)
    if state.cells[key].status is CellStatus.RUNNING:
        return Answer(False, f"{key} is being measured", key)
    if state.cells[key].status is CellStatus.PENDING:
        return Answer(False, f"{key} is still to be measured", key)
    return Answer(True, f"{key} is measured again", key)
