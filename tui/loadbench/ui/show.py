"""From the command line to the screens and back."""

import atexit
import signal
from pathlib import Path

from textual.scrollbar import ScrollBar

from loadbench.engine.run_reader import Run
from loadbench.errors import LoadbenchError
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.terminal.capabilities import TerminalOptions, examine, speak_utf8
from loadbench.ui.widgets.scrollbar import PlainScrollBar
from loadbench.workspace import Workspace


def show(
    workspace: Workspace,
    folder: Path | None = None,
    *,
    options: TerminalOptions,
    leave_at_end: bool = False,
) -> Run | None:
    """Show the screens until the user leaves them.

    Args:
        workspace: Where everything is.
        folder: A run to show at once; None: begin with the profiles.
        options: What the user asks of the screens.
        leave_at_end: Come back when that run has ended.

    Returns:
        The run that was looked at: ended, if it was to be left at its end, or live still. None:
        there is none to speak of.

    Raises:
        UsageError: No screen can be shown on this terminal.
        LoadbenchError: The screens have ended by a mistake of the program; every run goes on.
    """
    terminal = examine(options)
    speak_utf8()
    if terminal.ascii:
        ScrollBar.renderer = PlainScrollBar
    app = LoadbenchApp(workspace, terminal, folder=folder, leave_at_end=leave_at_end)
    try:
        left = app.run()
    finally:
        if app.ending:
            app.ending.close()
        # Whoever presses it too often when they leave sees no traceback of the very end.
        # Not Textual's: Python prints it. Can go when nothing is left to interrupt there.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    if app.return_code:
        raise LoadbenchError("the screens have ended by a mistake of the program")
    return left
