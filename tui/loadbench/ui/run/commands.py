"""The run screen's commands to the runner: pause, add, stop, kill, resume."""

import signal

from loadbench.engine.requests.stopping import signal_runner, stop_run
from loadbench.engine.run_reader import RunStatus
from loadbench.ui.dialogs.label import ask_for_label
from loadbench.ui.dialogs.question import Question
from loadbench.ui.dialogs.resume import is_kind, resume_run
from loadbench.ui.lines.actions import KILLING, STOPPING
from loadbench.ui.messages import ResumeRun, StopRun
from loadbench.ui.run.add_cell import AddDialog
from loadbench.ui.run_base import TabbedRunScreen


class CommandScreen(TabbedRunScreen):
    """Base class of the run screen, with the commands that apply to the whole run."""

    def on_stop_run(self, message: StopRun) -> None:
        """Stop the run if the message is about it."""
        if message.folder == self.folder:
            self.stop_run()

    def action_pause(self) -> None:
        """Pause the run after the current cell."""
        self.ask("pause")

    def action_continue(self) -> None:
        """Resume the paused run."""
        self.ask("resume")

    def action_add(self) -> None:
        """Open the dialog that adds a cell to the run."""
        run, key = self.run, self.shown
        if run and key:
            dialog = AddDialog(lambda: self.run or run, run.state.cells[key].cell)
            self.app.push_screen(dialog, self._add)

    def _add(self, args: dict[str, float] | None) -> None:
        """Add a cell to the live run, or open the preview for resuming the run with that cell."""
        if not args or not self.run:
            return
        if self.run.status is RunStatus.LIVE:
            self.ask("add", args=args)
        else:
            self.request(ResumeRun(self.run, added=(args,)))

    def action_stop(self) -> None:
        """Stop the run after a confirmation."""
        question = Question("Stop the run?", STOPPING, [("y", "Stop")], safe="Cancel")
        self.confirm(question, self.stop_run)

    def stop_run(self) -> None:
        """Ask the runner to stop."""
        if self.run:
            self.enqueue(stop_run, self.run, identity=self.expect_answer())

    def action_kill(self) -> None:
        """Kill a runner that does not stop, after a confirmation."""
        question = Question("Kill the runner?", KILLING, [("y", "Kill")], safe="Wait")
        self.confirm(question, self._kill)

    def _kill(self) -> None:
        if self.run:
            self.enqueue(signal_runner, self.run, signal.SIGKILL)

    def action_label(self) -> None:
        """Change the label of the run."""
        if self.run:
            ask_for_label(self, self.run)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable the actions that the state of the run allows."""
        if action == "resume":
            return self._allows(action) and self.run is not None and is_kind(self.run, parameters)
        return super().check_action(action, parameters)

    def action_resume(self, kind: str) -> None:
        """Open the preview for resuming the run."""
        if self.run:
            resume_run(self, self.run, kind)
