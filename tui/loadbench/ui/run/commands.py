"""The run screen's commands to the runner: pause, add, stop, kill, resume."""

import signal

from loadbench.engine.run_reader import signal_runner
from loadbench.ui.dialogs.label import ask_for_label
from loadbench.ui.dialogs.question import Question
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
            self.app.push_screen(dialog, lambda args: self.ask("add", args=args) if args else None)

    def action_stop(self) -> None:
        """Stop the run after a confirmation."""
        question = Question("Stop the run?", STOPPING, [("y", "Stop")], safe="Cancel")
        self.confirm(question, self.stop_run)

    def stop_run(self) -> None:
        """Send the stop command to the runner."""
        self.ask("stop")

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

    def action_resume(self) -> None:
        """Open the preview for resuming the run."""
        if self.run:
            self.request(ResumeRun(self.run))
