"""The sweep: every outstanding cell, one after the other, whatever happens to it."""

import traceback
from collections.abc import Mapping

from loadbench.engine.journal.events import (
    CellFailed,
    CellSkipped,
    CellStarted,
    Note,
    Result,
    StackPrepared,
)
from loadbench.engine.journal.state import CellState
from loadbench.engine.profile.plan import Cell
from loadbench.engine.run.attempt import CellAttempt, Equipment
from loadbench.engine.run.control_loop import ControlLoop, SkipRequested, StopRequested
from loadbench.errors import (
    DiskFullError,
    EngineError,
    LoadbenchError,
    LoadError,
    LoadLostError,
    StackError,
)

LOAD_ATTEMPTS = 3
"""How often a cell is begun when Locust ends or hangs in the middle of it."""


class Runner:
    """Performs a run from the state that its journal is in.

    Args:
        equipment: What it is performed with; the runner closes it.
        control: Where its events go and commands come from.
    """

    def __init__(self, equipment: Equipment, control: ControlLoop) -> None:
        self._equipment = equipment
        self._control = control
        self._load_up = False
        control.watch(equipment.stack.containers)

    def run(self) -> Result:
        """Measure all outstanding cells, take everything down, and say how it ended."""
        left = None
        try:
            try:
                result, reason = self._sweep_or_reason()
            finally:
                left = self._take_down()
        except Exception as error:  # noqa: BLE001  # the outermost loop: a run ends in order
            traceback.print_exc()
            result = Result.ABORTED
            reason = f"a fault of loadbench-tui, see runner.log: {type(error).__name__}: {error}"
        self._control.finish(result, reason, left)
        return result

    def _take_down(self) -> str | None:
        """End everything; return what could not be ended."""
        load, stack = self._equipment.load, self._equipment.stack
        self._equipment.metrics.close()
        load.close()
        stack.close()
        self._control.background.shutdown()
        # Again, for what the background still started while it was being closed.
        left = stack.close()
        load.close()
        return left

    def _sweep_or_reason(self) -> tuple[Result, str]:
        try:
            self._sweep()
        except StopRequested as asked:
            return Result.STOPPED, str(asked)
        except DiskFullError as error:
            return Result.ABORTED, f"{error}; free some, then `run --resume` goes on"
        except EngineError as error:
            return Result.ABORTED, f"{error}; `run --resume` goes on once that is mended"
        except LoadbenchError as error:
            return Result.ABORTED, str(error)
        return Result.DONE, "every cell is over"

    def _sweep(self) -> None:
        self._start_first_load()
        stack, control = self._equipment.stack, self._control
        self._note_images(control.wait_for(control.background.submit(stack.prepare, control.say)))
        while control.state.outstanding or self._is_asked_for_more():
            if control.state.paused:
                control.look()
                continue
            self._measure(control.state.outstanding[0])
            control.save_summary()

    def _is_asked_for_more(self) -> bool:
        """Follow what was asked for up to the last moment; return whether a cell came of it."""
        self._control.look(at_most_s=0.0)
        return bool(self._control.state.outstanding)

    def _note_images(self, images: Mapping[str, str]) -> None:
        before = self._control.state.images
        changed = [name for name in images if name in before and images[name] != before[name]]
        if changed:
            names = ", ".join(changed)
            text = f"warning: the image of {names} has changed since the run began"
            self._control.emit(Note(text=text))
        if images:
            self._control.emit(StackPrepared(images=dict(images)))

    def _measure(self, cell_state: CellState) -> None:
        """Attempt a cell until it is over, with a new Locust each time that is lost."""
        first = cell_state.attempt + 1
        for attempt in range(first, first + LOAD_ATTEMPTS):
            lost = self._attempt(cell_state.cell, attempt)
            if lost is None:
                return
            if attempt < first + LOAD_ATTEMPTS - 1:
                again = f"{cell_state.cell.key} is measured again with a new one"
                self._control.emit(Note(text=f"{lost}; {again}"))
        self._fail(cell_state.cell, attempt, StackError(f"{lost}, {LOAD_ATTEMPTS} times"))

    def _attempt(self, cell: Cell, attempt: int) -> LoadLostError | None:
        """Return why the cell must be attempted again; None: its end is in the journal."""
        self._control.emit(CellStarted(cell=cell.key, attempt=attempt))
        try:
            self._start_load()
            CellAttempt(cell, attempt, self._equipment, self._control).perform()
        except SkipRequested:
            self._abandon_load()
            self._control.emit(CellSkipped(cell=cell.key, attempt=attempt, reason="asked for"))
        except (StackError, LoadError) as error:
            # Told first: Locust may take seconds to end.
            self._fail(cell, attempt, error)
            self._abandon_load()
        except LoadLostError as error:
            self._abandon_load()
            return error
        return None

    def _fail(self, cell: Cell, attempt: int, error: StackError | LoadError) -> None:
        stack = error if isinstance(error, StackError) else StackError(str(error))
        self._control.emit(
            CellFailed(
                cell=cell.key,
                attempt=attempt,
                reason=str(error),
                container=stack.container,
                exit_code=stack.exit_code,
                log_lines=stack.log_lines,
            )
        )

    def _start_load(self) -> None:
        if not self._load_up:
            self._control.wait_for(self._control.background.submit(self._equipment.load.start))
            self._load_up = True

    def _start_first_load(self) -> None:
        """Start Locust before anything else, since a mistake in the user file ends the run."""
        for attempt in range(1, LOAD_ATTEMPTS + 1):
            try:
                self._start_load()
            except LoadLostError as error:
                if attempt == LOAD_ATTEMPTS:
                    raise
                self._control.emit(Note(text=f"{error}; it is started again"))
            else:
                return

    def _abandon_load(self) -> None:
        # Its users would otherwise wait for answers that nobody needs any more.
        self._load_up = False
        self._equipment.load.close()
