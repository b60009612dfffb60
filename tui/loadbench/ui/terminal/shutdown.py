"""What signals ask of the screens: to end, as when the terminal is gone, or to stop for a while."""

import asyncio
import os
import signal
import sys
import termios
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

GRACE_S = 3.0
"""How long an end in order may take."""
LOOK_S = 1.0
_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
_TO_STOP_AND_GO_ON = (signal.SIGTSTP, signal.SIGCONT)

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
        numbers = (*_SIGNALS, *_TO_STOP_AND_GO_ON)
        self._former = {number: signal.getsignal(number) for number in numbers}
        self._asked = threading.Event()
        self._closed = threading.Event()

    def watch(self) -> None:
        """Begin to look for signals and for the terminal."""
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)
        for number in _TO_STOP_AND_GO_ON:
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
