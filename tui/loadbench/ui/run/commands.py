"""The commands of the run screen to its runner: pause, add, stop, kill, resume."""

import signal

from loadbench.engine.run_reader import signal_runner
from loadbench.ui.dialogs.question import Question
from loadbench.ui.lines.actions import KILLING, STOPPING
from loadbench.ui.messages import ResumeRun, StopRun
from loadbench.ui.run.add_cell import AddDialog
from loadbench.ui.run_base import TabbedRunScreen


class CommandScreen(TabbedRunScreen):
    """A screen of a run that sends commands about all of it."""

    def on_stop_run(self, news: StopRun) -> None:
        """Stop the run, if the news is about it."""
        if news.folder == self.folder:
            self.stop_run()

    def action_pause(self) -> None:
        """Ask for a pause after the current cell."""
        self.ask("pause")

    def action_continue(self) -> None:
        """Ask a paused run to go on."""
        self.ask("resume")

    def action_add(self) -> None:
        """Have the run measure one more point of the grid, once that was named."""
        run, key = self.run, self.shown
        if run and key:
            dialog = AddDialog(lambda: self.run or run, run.state.cells[key].cell)
            self.app.push_screen(dialog, lambda args: self.ask("add", args=args) if args else None)

    def action_stop(self) -> None:
        """Stop the run, once that was confirmed."""
        question = Question("stop the run", STOPPING, [("y", "stop it")], safe="let it run")
        self.ask_if(question, self.stop_run)

    def stop_run(self) -> None:
        """Ask the runner to stop."""
        self.ask("stop")

    def action_kill(self) -> None:
        """Kill a runner that does not stop, once that was confirmed."""
        question = Question("kill the runner", KILLING, [("y", "kill it")], safe="wait")
        self.ask_if(question, self._kill)

    def _kill(self) -> None:
        if self.run:
            self.in_order(signal_runner, self.run, signal.SIGKILL)

    def action_resume(self) -> None:
        """Go on with what is left of the run, once that was confirmed."""
        if self.run:
            self.request(ResumeRun(self.run))
