"""The entry point of the TUI for the command line."""

import atexit
import signal
from pathlib import Path

from textual.scrollbar import ScrollBar

from loadbench.engine.run_reader import Run
from loadbench.errors import LoadbenchError
from loadbench.ui.app import LoadbenchApp
from loadbench.ui.terminal.capabilities import TerminalOptions, detect_terminal, use_utf8
from loadbench.ui.widgets.scrollbar import PlainScrollBar
from loadbench.workspace import Workspace


def show(
    workspace: Workspace,
    folder: Path | None = None,
    *,
    options: TerminalOptions,
    study: str = "",
    quit_at_end: bool = False,
) -> Run | None:
    """Run the TUI until the user quits.

    Args:
        workspace: The workspace.
        folder: The folder of a run to open first, or None to start with the profiles.
        options: The display options of the command line.
        study: Name of a study to open first, such as `studies/devices`. Empty for none.
        quit_at_end: Quit when that run ends.

    Returns:
        The live run that was on the screen at exit or, with `quit_at_end`, the run that has ended.
        None if there is no such run.

    Raises:
        UsageError: This terminal cannot show the TUI.
        LoadbenchError: The TUI stopped with an internal error; live runs continue.
    """
    terminal = detect_terminal(options)
    use_utf8()
    if terminal.ascii:
        ScrollBar.renderer = PlainScrollBar
    app = LoadbenchApp(workspace, terminal, folder=folder, study=study, quit_at_end=quit_at_end)
    try:
        run = app.run()
    finally:
        if app.ending:
            app.ending.close()
        # A second Ctrl+C during interpreter shutdown would print a traceback. Python prints it,
        # not Textual. Can go when no atexit handler is left to interrupt.
        atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)
    if app.return_code:
        raise LoadbenchError("the TUI stopped with an internal error")
    return run
