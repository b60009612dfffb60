"""What is outside of the screens: the user's editor, the browser, the clipboard."""

import os
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from textual.app import App, SuspendNotSupported

_TAKE_A_LINE = ("vi", "vim", "nvim", "nano", "emacs", "micro", "joe")
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
        app.notify(problem, severity="warning", markup=False)
    app.refresh(layout=True)


def copy_path(app: App[Any], path: Path) -> None:
    """Put a path into the clipboard of the user's own terminal, by OSC 52."""
    app.copy_to_clipboard(str(path))
    app.notify(str(path), title="copied, if the terminal allows it", markup=False)


def open_file(app: App[Any], path: Path) -> None:
    """Open a file in the browser; where there is no display, copy its path instead."""
    opener = _opener()
    if opener is None:
        app.copy_to_clipboard(str(path))
        title = "no display here; the path was copied"
        app.notify(str(path), title=title, timeout=10, markup=False)
        return
    process = subprocess.Popen(
        [*opener, str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Somebody must take note of its end, or it stays in the table of processes.
    threading.Thread(target=process.wait, daemon=True).start()
    app.notify(str(path), title="opened", markup=False)


def _edited(command: list[str]) -> str:
    """Run an editor to its end; return what went wrong, empty: nothing."""
    try:
        ended = subprocess.run(command, check=False)
    except OSError as error:
        return f"{command[0]}: {error.strerror}; set EDITOR"
    return f"{command[0]} ended with {ended.returncode}" if ended.returncode else ""


def _editor() -> list[str] | None:
    for name in ("VISUAL", "EDITOR"):
        if command := shlex.split(os.environ.get(name, "")):
            return command
    found = next((it for it in _EDITORS if shutil.which(it)), None)
    return [found] if found else None


def _opener() -> list[str] | None:
    if sys.platform == "darwin":
        return ["open"]
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return ["xdg-open"] if display and shutil.which("xdg-open") else None
