"""A whole sweep with fake components, without processes and waiting."""

import time
from pathlib import Path
from typing import Any

from loadbench.engine.journal.events import (
    CellFailed,
    Result,
    RunResumed,
    StackProgress,
)
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import CellStatus, RunState, fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, first_cells
from loadbench.engine.run.attempt import Equipment
from loadbench.engine.run.control_loop import QUIET_S, ControlLoop
from loadbench.engine.run.steps.stop_flag import StopFlag
from loadbench.engine.run.sweep import Runner
from tests.support.builders import make_profile, run_started
from tests.support.fakes import Calls, FakeLoad, FakeStack, Trap


class Sweep:
    """A runner with a fake stack and load, and its results."""

    def __init__(self, folder: Path, **keys: Any) -> None:
        self.folder = folder
        self.calls: Calls = []
        self.stack = FakeStack(self.calls)
        self.load = FakeLoad(self.calls)
        self.profile: Profile = make_profile(**{"settle": {"max": 0}, "run_time": 1, **keys})
        self.journal = JournalWriter(folder)
        self.clock = time.monotonic
        self.journal.append(run_started(self.profile, cells=first_cells(self.profile)))
        self.control = self.new_control_loop()

    def new_control_loop(self, *, quiet_s: float = QUIET_S) -> ControlLoop:
        state = fold(JournalReader(self.folder).poll())
        self.stop = StopFlag()
        return ControlLoop(
            self.folder, self.journal, state, stop=self.stop, tick_s=0.001, quiet_s=quiet_s
        )

    def run(self) -> Result:
        equipment = Equipment(profile=self.profile, stack=self.stack, load=self.load)
        return Runner(equipment, self.control, clock=self.clock).run()

    def resume(self, *retry: str, added: tuple[Cell, ...] = ()) -> Result:
        event = RunResumed(pid=1, retry=retry, hardware={}, versions={}, added=added)
        self.journal.append(event)
        self.control = self.new_control_loop()
        self.control.reject_stale_commands()
        return self.run()

    @property
    def state(self) -> RunState:
        """The fold of the journal on disk."""
        return fold(JournalReader(self.folder).poll())

    def status(self, key: str) -> CellStatus:
        return self.state.cells[key].status

    def reason(self, key: str) -> str | None:
        """Return why a cell failed, or None if it has not failed."""
        failed = self.state.cells[key].failed
        return failed.reason if failed else None

    @property
    def progress(self) -> list[str]:
        """The progress lines in the journal on disk."""
        events = [entry.event for entry in JournalReader(self.folder).poll()]
        return [event.line for event in events if isinstance(event, StackProgress)]

    @property
    def failed(self) -> list[str]:
        """The keys of all failed attempts, in order."""
        events = [entry.event for entry in JournalReader(self.folder).poll()]
        return [event.cell for event in events if isinstance(event, CellFailed)]


def trap_raising(error: Exception) -> Trap:
    """Return a trap that raises."""

    def trap() -> None:
        raise error

    return trap
