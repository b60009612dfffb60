"""The dialog that changes the label of a run."""

from typing import Any

from textual.binding import Binding
from textual.screen import Screen

from loadbench.engine.journal.label import read_label
from loadbench.engine.requests.labelling import set_label
from loadbench.engine.run_reader import Run
from loadbench.errors import LoadbenchError, UsageError
from loadbench.ui.background import in_background
from loadbench.ui.dialogs.name import NameDialog
from loadbench.ui.messages import RunsChanged

LABEL_KEY = Binding("L", "label", "label", tooltip="Set or remove the label of the run")


def ask_for_label(screen: Screen[Any], run: Run) -> None:
    """Ask for the label of a run, and change it in the background.

    Args:
        screen: The screen that shows the run.
        run: The run. It may be live.
    """
    app = screen.app

    async def change(text: str) -> None:
        try:
            labelled = await in_background(set_label, run.folder, text)
        except LoadbenchError as error:
            app.notify(str(error), severity="error")
            return
        if labelled.warning:
            app.notify(labelled.warning, severity="warning", timeout=15)
        app.post_message(RunsChanged())

    def answered(text: str | None) -> None:
        if text is not None and text != run.state.label:
            # The app owns the worker, because the screen may be closed before the runner answers.
            app.run_worker(change(text))

    title = f"Label of {run.name} (empty: no label)"
    dialog = NameDialog(title, run.state.label, verb="set label", validate=_error_of)
    app.push_screen(dialog, answered)


def _error_of(text: str) -> str:
    try:
        read_label(text)
    except UsageError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return ""
