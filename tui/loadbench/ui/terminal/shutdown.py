"""How the screens end: by a signal, when the terminal is gone, or by a mistake of the program."""

import asyncio
import os
import signal
import sys
import termios
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from loadbench.engine.locks import state_folder

GRACE_S = 3.0
"""How long an end in order may take."""
LOOK_S = 1.0
END_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
"""They end the screens in order."""
JOB_SIGNALS = (signal.SIGTSTP, signal.SIGCONT)
"""They stop the screens for a while, and continue them."""

Handler = Callable[[int, FrameType | None], object]


class ExitHandler:
    """Ends the program in order, and if that is stuck, all the same.

    What is written to a terminal that takes nothing any more is waited for by the whole program, so
    neither its own handlers of signals nor its timers can be relied on. Textual handles no signals:
    https://github.com/Textualize/textual/issues/5140. Can go when Textual ends in order on SIGHUP
    and SIGTERM, even while a write blocks.

    Args:
        leave: Asks the program to end; called within its event loop.
        settings: Of the terminal, as they were before the program changed them.
    """

    def __init__(self, leave: Callable[[], None], settings: list[Any]) -> None:
        self._leave, self._settings = leave, settings
        self._loop = asyncio.get_running_loop()
        self._terminal = sys.__stdin__.fileno() if sys.__stdin__ else 0
        numbers = (*END_SIGNALS, *JOB_SIGNALS)
        self._former = {number: signal.getsignal(number) for number in numbers}
        self._asked = threading.Event()
        self._closed = threading.Event()

    def watch(self) -> None:
        """Begin to look for signals and for the terminal."""
        for number in END_SIGNALS:
            signal.signal(number, self._on_signal)
        for number in JOB_SIGNALS:
            if callable(handler := self._former[number]):
                signal.signal(number, partial(self._in_loop, handler))
        threading.Thread(target=self._watch_terminal, daemon=True).start()

    def close(self) -> None:
        """Look no more: the program has ended in order."""
        self._closed.set()
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._end()

    def _in_loop(self, handler: Handler, number: int, frame: FrameType | None) -> None:
        """Call Textual's handler in the event loop: it locks what this thread may hold just now.

        Can go with https://github.com/Textualize/textual/issues/6298.
        """
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(handler, number, frame)

    def _watch_terminal(self) -> None:
        while not self._closed.wait(LOOK_S):
            try:
                termios.tcgetattr(self._terminal)
            except termios.error:
                self._end()

    def _end(self) -> None:
        if self._asked.is_set():
            return
        self._asked.set()
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._leave)
        # Not taken back by `close`: what reads a terminal that is gone may outlive the screens.
        timer = threading.Timer(GRACE_S, self._end_now)
        timer.daemon = True
        timer.start()

    def _end_now(self) -> None:
        with suppress(termios.error):
            termios.tcsetattr(self._terminal, termios.TCSANOW, self._settings)
        os._exit(0)


def write_crash() -> tuple[Path | None, str]:
    """Write the traceback of the exception that is being handled to a file.

    Returns:
        The file, None if it cannot be written; and a sentence for the user.
    """
    trace = traceback.format_exc()
    path = state_folder() / "screen-error.txt"
    written = None
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(trace, encoding="utf-8")
        written = path
    last = trace.strip().splitlines()[-1]
    where = f"; {path} says where" if written else ""
    return written, (
        f"loadbench-tui: a mistake of the program itself: {last}{where}. "
        "Runs are not touched by it: `loadbench-tui attach` shows a live one"
    )
