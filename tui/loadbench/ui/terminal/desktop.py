"""What is outside of the screens: the user's editor, the browser, the clipboard."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from textual.app import App, SuspendNotSupported

_TAKE_A_LINE = ("vi", "vim", "nvim", "nano", "emacs", "micro", "joe")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TO_STOP_AND_GO_ON = (signal.SIGTSTP, signal.SIGCONT)
_EDITORS = ("sensible-editor", "nano", "vim", "vi")


def edit(app: App[Any], file: Path, at_line: int | None) -> None:
    """Open a file in the user's editor, which has the terminal until it ends.

    Args:
        app: The program that lends its terminal.
        file: The file.
        at_line: The line to begin at, from 1; None: wherever the editor likes.
    """
    command = _editor()
    if command is None:
        app.notify("no editor was found; set EDITOR, for example EDITOR=nano", severity="error")
        return
    takes_line = at_line and Path(command[0]).name in _TAKE_A_LINE
    place = [f"+{at_line}"] if takes_line else []
    try:
        with app.suspend():
            problem = _edited([*command, *place, str(file)])
    except SuspendNotSupported:
        problem = "an editor cannot be opened from here"
    if problem:
        app.notify(problem, severity="warning")
    app.refresh(layout=True)


def copy_path(app: App[Any], path: Path) -> None:
    """Put a path into the clipboard of the user's own terminal, by OSC 52."""
    app.copy_to_clipboard(str(path))
    app.notify(str(path), title="copied, if the terminal allows it")


def open_file(app: App[Any], path: Path) -> None:
    """Open a file in the browser; where there is no display, copy its path instead."""
    opener = _opener()
    if opener is None:
        app.copy_to_clipboard(str(path))
        title = "no display here; the path was copied"
        app.notify(str(path), title=title, timeout=10)
        return
    try:
        process = subprocess.Popen(
            [*opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        app.notify(f"{opener[0]}: {error.strerror}", severity="warning")
        return
    # Somebody must take note of its end, or it stays in the table of processes.
    threading.Thread(target=process.wait, daemon=True).start()
    app.notify(str(path), title="opened")


def _edited(command: list[str]) -> str:
    """Run an editor to its end; return what went wrong, empty: nothing.

    Ctrl-C is meant for the editor. What would end this program ends the editor first. Can go when
    `App.suspend` does so; Textual handles no signals yet, see `ending`.
    """
    came: list[int] = []
    former = {number: signal.getsignal(number) for number in (*_SIGNALS, *_TO_STOP_AND_GO_ON)}
    try:
        for number in _TO_STOP_AND_GO_ON:
            signal.signal(number, signal.SIG_DFL)  # this program stops with its editor, at once
        editor = subprocess.Popen(command)

        def pass_on(number: int, _frame: FrameType | None) -> None:
            if number != signal.SIGINT:
                came.append(number)
                editor.send_signal(number)

        for number in _SIGNALS:
            signal.signal(number, pass_on)
        code = editor.wait()
    except OSError as error:
        return f"{command[0]}: {error.strerror}; set EDITOR"
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        for late in came:
            signal.raise_signal(late)
    return f"{command[0]} ended with {code}" if code else ""


def _editor() -> list[str] | None:
    for name in ("VISUAL", "EDITOR"):
        value = os.environ.get(name, "")
        try:
            command = shlex.split(value)
        except ValueError:
            # A quote without its other half: a program by the whole name, if there is one.
            command = [value]
        if command:
            return command
    found = next((it for it in _EDITORS if shutil.which(it)), None)
    return [found] if found else None


def _opener() -> list[str] | None:
    if sys.platform == "darwin":
        return ["open"]
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return ["xdg-open"] if display and shutil.which("xdg-open") else None
