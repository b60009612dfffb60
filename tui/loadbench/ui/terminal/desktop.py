"""Open files in the user's editor or browser, and copy to the clipboard."""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path
from types import FrameType
from typing import Any

from textual.app import App, SuspendNotSupported

from loadbench.engine.process import describe_exit
from loadbench.errors import LoadbenchError
from loadbench.printable import REPLACEMENT, printable
from loadbench.ui.terminal.opener import open_in_browser
from loadbench.ui.terminal.shutdown import END_SIGNALS, JOB_SIGNALS

_LINE_OPTION_EDITORS = ("vi", "vim", "nvim", "nano", "emacs", "micro", "joe")
"""Editors that accept `+LINE` before the file."""
_DEFAULT_EDITORS = ("sensible-editor", "nano", "vim", "vi")


def edit(app: App[Any], file: Path, at_line: int | None) -> None:
    """Open a file in the user's editor, suspending the app until the editor exits.

    Args:
        app: The app that owns the terminal.
        file: The file to edit.
        at_line: Line to place the cursor on, counted from 1. None for the editor's default.
    """
    command = _editor_command()
    if command is None:
        app.notify("No editor found. Set EDITOR, for example EDITOR=nano.", severity="error")
        return
    accepts_line = at_line and Path(command[0]).name in _LINE_OPTION_EDITORS
    line_option = [f"+{at_line}"] if accepts_line else []
    try:
        with app.suspend():
            problem = _run_editor([*command, *line_option, str(file)])
    except SuspendNotSupported:
        problem = "Cannot open an editor in this environment"
    if problem:
        app.notify(problem, severity="warning")
    app.refresh(layout=True)


def copy_path(app: App[Any], path: Path) -> None:
    """Copy a path to the clipboard through the terminal (OSC 52)."""
    app.copy_to_clipboard(_pasted(path))
    app.notify(str(path), title="Path copied, if the terminal supports it")


def open_file(app: App[Any], path: Path) -> None:
    """Open a file in the browser. If there is no display, copy its path instead."""
    try:
        is_open = open_in_browser(path)
    except LoadbenchError as error:
        message = str(error)
        app.notify(f"{message[:1].upper()}{message[1:]}", severity="warning")
        return
    if is_open:
        app.notify(str(path), title="Opened in the browser")
        return
    app.copy_to_clipboard(_pasted(path))
    app.notify(str(path), title="No display available: path copied", timeout=10)


def _pasted(path: Path) -> str:
    """Return a path without newlines and control characters, which a shell would execute."""
    return printable(str(path)).replace("\n", REPLACEMENT)


def _run_editor(command: list[str]) -> str:
    """Run an editor until it exits. Return an error message, or an empty string on success.

    The editor handles Ctrl+C. Any other signal that terminates this program is first forwarded to
    the editor. Can go when `App.suspend` does so. Textual does not handle signals, see `shutdown`.
    """
    received: list[int] = []
    former = {number: signal.getsignal(number) for number in (*END_SIGNALS, *JOB_SIGNALS)}
    try:
        for number in JOB_SIGNALS:
            signal.signal(number, signal.SIG_DFL)  # suspend the app together with its editor
        editor = subprocess.Popen(command)

        def forward(number: int, _frame: FrameType | None) -> None:
            if number != signal.SIGINT:
                received.append(number)
                editor.send_signal(number)

        for number in END_SIGNALS:
            signal.signal(number, forward)
        code = editor.wait()
    except OSError as error:
        return f"Cannot start {command[0]}: {error.strerror}. Set EDITOR to an installed editor."
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for pending in received:
            signal.raise_signal(pending)
    return f"{command[0]} {describe_exit(code)}" if code else ""


def _editor_command() -> list[str] | None:
    for name in ("VISUAL", "EDITOR"):
        value = os.environ.get(name, "")
        try:
            command = shlex.split(value)
        except ValueError:
            # The quotes are unbalanced, so treat the whole value as the name of a program.
            command = [value]
        if command:
            return command
    found = next((name for name in _DEFAULT_EDITORS if shutil.which(name)), None)
    return [found] if found else None
