"""Wait until no other run uses the service, as part of a run that is already live."""

import traceback
from pathlib import Path

from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.journal.events import Result, StackProgress
from loadbench.engine.locks import StackLock
from loadbench.engine.requests.holder import run_name
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run.ending import resume_command
from loadbench.engine.run.prepare import Prepared
from loadbench.engine.run.steps.stop_flag import StopRequested
from loadbench.engine.run.waiting_list import WaitingList
from loadbench.errors import LoadbenchError


def open_when_free(prepared: Prepared, control: ControlLoop) -> Stack | None:
    """Wait for the lock of a run, then open its stack.

    Returns:
        The stack, or None if the run ended meanwhile. Its end is then recorded.
    """
    try:
        if not prepared.lock.is_held:
            _wait_for(prepared.lock, control)
        task = control.background.submit(prepared.open_stack)
        return control.wait_for(task, lambda: "the checks before the start")
    except StopRequested as request:
        result, reason = Result.STOPPED, str(request)
    except LoadbenchError as error:
        command = resume_command(control.folder, control.state)
        result, reason = Result.ABORTED, f"{error}; fix this, then resume with {command}"
    except Exception as error:  # noqa: BLE001  # outermost handler: always record the end
        traceback.print_exc()
        result = Result.ABORTED
        reason = f"internal error, see runner.log: {type(error).__name__}: {error}"
    control.background.shutdown()
    control.finish(result, reason)
    return None


def _wait_for(lock: StackLock, control: ControlLoop) -> None:
    """Acquire a lock as soon as the runs before this one have released it.

    Raises:
        StopRequested: A command or a signal asks the run to stop.
    """
    place = WaitingList(lock.name, control.folder)
    place.join()
    shown = ""
    try:
        while control.state.paused or not (place.is_first() and lock.acquire()):
            if control.state.paused:
                _stand_aside(place, control)
                continue
            text = f"Waiting for {_holder_name(lock, control.folder)} to end"
            if text != shown:
                control.report_progress(StackProgress.WAITING, text)
                shown = text
            control.poll()
        lock.record_holder(control.folder)
    finally:
        place.leave()
    control.report_progress("start", "The service is free; starting the run")


def _stand_aside(place: WaitingList, control: ControlLoop) -> None:
    """Let other runs start first until the paused run is resumed.

    Raises:
        StopRequested: A command or a signal asks the run to stop.
    """
    place.leave()
    while control.state.paused:
        control.poll()
    place.join()


def _holder_name(lock: StackLock, folder: Path) -> str:
    """Return the run that holds a lock: its name, or its folder if it is in another workspace."""
    holder = lock.holder
    if holder is None:
        return "another run"
    is_local = holder.parent.parent == folder.parent.parent
    return run_name(holder) if is_local else str(holder)
