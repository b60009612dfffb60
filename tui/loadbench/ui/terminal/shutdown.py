"""Shut down the TUI after a signal, a lost terminal or an internal error."""

import asyncio
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from loadbench.engine.crash import describe_crash, save_traceback
from loadbench.printable import printable

GRACE_S = 3.0
"""Timeout of a regular shutdown, in seconds. The process is then forced to exit."""
POLL_INTERVAL_S = 1.0
"""Interval between two checks whether the terminal still exists, in seconds."""
END_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
"""Signals that start a regular shutdown."""
JOB_SIGNALS = (signal.SIGTSTP, signal.SIGCONT)
"""Signals that suspend and resume the program."""

Handler = Callable[[int, FrameType | None], object]


class ExitHandler:
    """Shut the app down after a signal or a lost terminal, and force an exit if that hangs.

    A write to a terminal that no longer accepts data blocks the event loop, so that its signal
    handlers and timers do not run. Textual does not handle signals:
    https://github.com/Textualize/textual/issues/5140. Can go when Textual shuts down on SIGHUP
    and SIGTERM, even while a write blocks.

    Args:
        leave: Starts the shutdown of the app. Called in its event loop.
        settings: Original `termios` attributes of the terminal.
    """

    def __init__(self, leave: Callable[[], None], settings: list[Any]) -> None:
        self._leave, self._settings = leave, settings
        self._loop = asyncio.get_running_loop()
        self._terminal = sys.__stdin__.fileno() if sys.__stdin__ else 0
        numbers = (*END_SIGNALS, *JOB_SIGNALS)
        self._former = {number: signal.getsignal(number) for number in numbers}
        self._is_ending = threading.Event()
        self._closed = threading.Event()

    def watch(self) -> None:
        """Install the signal handlers, and start watching the terminal."""
        for number in END_SIGNALS:
            signal.signal(number, self._on_signal)
        for number in JOB_SIGNALS:
            if callable(handler := self._former[number]):
                signal.signal(number, partial(self._call_in_loop, handler))
        threading.Thread(target=self._watch_terminal, daemon=True).start()

    def close(self) -> None:
        """Restore the former signal handlers after a regular shutdown."""
        self._closed.set()
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._end()

    def _call_in_loop(self, handler: Handler, number: int, frame: FrameType | None) -> None:
        """Call Textual's handler in the event loop, as it needs a lock that this thread may hold.

        Can go with https://github.com/Textualize/textual/issues/6298.
        """
        with suppress(RuntimeError):  # the event loop is already closed
            self._loop.call_soon_threadsafe(handler, number, frame)

    def _watch_terminal(self) -> None:
        while not self._closed.wait(POLL_INTERVAL_S):
            try:
                termios.tcgetattr(self._terminal)
            except termios.error:
                self._end()

    def _end(self) -> None:
        if self._is_ending.is_set():
            return
        self._is_ending.set()
        with suppress(RuntimeError):  # the event loop is already closed
            self._loop.call_soon_threadsafe(self._leave)
        # `close` does not cancel the timer, since a thread that reads a lost terminal may outlive
        # the app.
        timer = threading.Timer(GRACE_S, self._end_now)
        timer.daemon = True
        timer.start()

    def _end_now(self) -> None:
        with suppress(termios.error):
            termios.tcsetattr(self._terminal, termios.TCSANOW, self._settings)
        os._exit(0)


def write_crash() -> tuple[Path | None, str]:
    """Write the traceback of the current exception to a file.

    Returns:
        The file, or None if it could not be written; and a message for the user.
    """
    _, error, _ = sys.exc_info()
    assert error is not None
    file = save_traceback(error, "screen-error.txt")
    return file, printable(
        f"loadbench-tui: {describe_crash(error, file)} "
        "Runs are not affected; use `loadbench-tui attach` to show a live run."
    )
