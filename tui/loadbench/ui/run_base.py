"""What all screens of a run have: the run, and commands to it and to the cell that is shown."""

from collections.abc import Callable, Sequence
from pathlib import Path

from textual.binding import Binding

from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.run_reader import Run, report_of
from loadbench.errors import JournalError
from loadbench.ui.dialogs.question import Question
from loadbench.ui.following.watched import Watched
from loadbench.ui.lines.actions import AGAIN, DEPEND_ON_STATE, allows, skipping
from loadbench.ui.terminal import desktop as outside
from loadbench.ui.widgets.panel_screen import Panelled

SKIP_KEY = Binding("s", "skip", "skip", tooltip="skip the cell that is shown")
AGAIN_KEY = Binding("a", "again", "again", tooltip="measure the cell that is shown again")
OPEN_KEY = Binding("o", "open", "report", tooltip="open Locust's report of the cell that is shown")
COPY_KEY = Binding("y", "copy", "copy path", show=False, tooltip="copy the path of that report")


class OfRun(Panelled):
    """One of the screens of a run."""

    watched: Watched
    """The same for all screens of one run."""
    _allowed: Sequence[str] = ()

    @property
    def folder(self) -> Path:
        """The run's folder."""
        return self.watched.folder

    @property
    def run(self) -> Run | None:
        """The run, as it was last read."""
        return self.watched.run

    @property
    def is_to_be_seen(self) -> bool:
        """Whether there is a reason to paint."""
        return self.app.shows(self)

    @property
    def shown(self) -> str | None:
        """The key of the cell that commands are about; None: there is none."""
        raise NotImplementedError

    @property
    def chosen(self) -> bool:
        """Whether somebody chose that cell; else it is the current one, or the last."""
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer what the state of the run, and of the cell, allows."""
        if action in DEPEND_ON_STATE:
            return self._allows(action)
        return super().check_action(action, parameters)

    def note_allowed(self) -> None:
        """Offer other keys where the state allows others than before."""
        allowed = [name for name in DEPEND_ON_STATE if self._allows(name)]
        if allowed != self._allowed:
            self._allowed = allowed
            self.refresh_bindings()

    def _allows(self, action: str) -> bool:
        run = self.run
        if run is None or self.watched.problem:
            return False
        return allows(run, action, cell=self.shown, chosen=self.chosen)

    def action_skip(self) -> None:
        """Skip the cell; if it is being measured, once that was confirmed."""
        key, run = self.shown, self.run
        if key is None or run is None or key != run.state.current:
            self.ask("skip", cell=key)
            return
        question = Question(f"skip {key}", skipping(key), [("y", "skip it")], safe="measure it")
        self.ask_if(question, lambda: self.ask("skip", cell=key))

    def action_again(self) -> None:
        """Measure the cell again; if it has numbers, once that was confirmed."""
        key, run = self.shown, self.run
        if key is None or run is None:
            return
        if run.state.cells[key].status is not CellStatus.FINISHED:
            self.ask("again", cell=key)
            return
        question = Question(f"measure {key} again", AGAIN, [("y", "again")], safe="keep them")
        self.ask_if(question, lambda: self.ask("again", cell=key))

    def action_open(self) -> None:
        """Open Locust's report of the cell."""
        if path := self._report():
            outside.open_file(self.app, path)

    def action_copy(self) -> None:
        """Copy the path of that report."""
        if path := self._report():
            outside.copy_path(self.app, path)

    def ask(
        self, command: str, *, cell: str | None = None, args: dict[str, float] | None = None
    ) -> None:
        """Send a command to the runner; its answer is told when it comes."""
        try:
            self.watched.asked.add(send_command(self.folder, command, cell=cell, args=args))
        except JournalError as error:
            self.app.notify(str(error), severity="error")

    def ask_if(self, question: Question, then: Callable[[], None]) -> None:
        """Do something once a question was answered with yes."""
        self.app.push_screen(question, lambda answer: then() if answer else None)

    def _report(self) -> Path | None:
        run = self.run
        return report_of(run, self.shown) if run and self.shown else None
