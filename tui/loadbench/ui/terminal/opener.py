"""Open files in the browser. Used by the terminal UI and by commands, without Textual."""

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

from loadbench.errors import LoadbenchError


def open_in_browser(path: Path) -> bool:
    """Open a file in the browser, without waiting for it.

    Returns:
        Whether there is a display. Otherwise, nothing was opened.

    Raises:
        LoadbenchError: The program that opens files cannot be started.
    """
    opener = _opener()
    if opener is None:
        return False
    try:
        process = subprocess.Popen(
            [*opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise LoadbenchError(f"cannot start {opener[0]}: {error.strerror}") from error
    # Wait for the process, since it would otherwise become a zombie when it exits.
    threading.Thread(target=process.wait, daemon=True).start()
    return True


def _opener() -> list[str] | None:
    if sys.platform == "darwin":
        return ["open"]
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return ["xdg-open"] if display and shutil.which("xdg-open") else None
