"""Reports to the runner what the locustfile is doing outside of users.

While a phase lasts, a thread of the operating system reports the line that is executed: greenlets
would not run if the user's code does not yield.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
from gevent.monkey import get_original

from loadbench.in_locust.clean import clean_message
from loadbench.in_locust.scenario.places import UserCode

_INTERVAL_S = 0.5

_start_thread: Callable[..., int] = get_original("_thread", "start_new_thread")
_thread_id: Callable[[], int] = get_original("_thread", "get_ident")
_new_lock: Callable[[], Any] = get_original("_thread", "allocate_lock")
_sleep: Callable[[float], None] = get_original("time", "sleep")


class Status:
    """The pipe to the runner.

    Args:
        fd: Its write end.
        code: The user's code, to name lines of it.
    """

    def __init__(self, fd: int, code: UserCode) -> None:
        self._fd, self._code = fd, code
        self._phase: object = None
        # Of the operating system: the thread that reports lines must not report an old phase.
        self._lock = _new_lock()
        self._failed: set[str] = set()
        self.cell = ""
        """Tag of the current cell."""
        self.has_error = False
        """Whether it has been reported why Locust cannot start."""
        self.is_ready = False
        """Whether the web API has started."""
        # Child processes of the locustfile must not keep the pipe open.
        os.set_inheritable(fd, False)

    def send(self, **message: Any) -> None:
        """Send a message, with the texts in it cleaned.

        A runner that has exited does not matter: this process ends, too.
        """
        with suppress(OSError):
            os.write(self._fd, json.dumps(clean_message(message)).encode() + b"\n")

    def fail_cell(self, cell: str, reason: str) -> None:
        """Report that a cell cannot be measured, unless it has been reported.

        Args:
            cell: Tag of the cell.
            reason: The mistake in the locustfile.
        """
        if cell not in self._failed:
            self._failed = {cell}
            self.send(failure=reason, cell=cell)

    def enter(self, phase: str, cell: str = "") -> None:
        """Report the start of a phase.

        Args:
            phase: Its name, as in `wire`.
            cell: Tag of the cell that is started.
        """
        current = object()
        self.cell = cell
        with self._lock:
            self._phase = current
            self.send(phase=phase, cell=cell)
        # Originals of the standard library, because gevent's versions switch between greenlets.
        _start_thread(self._report, (current, phase, cell, _thread_id(), gevent.getcurrent()))

    def leave(self, cell: str = "") -> None:
        """Report the end of the current phase."""
        with self._lock:
            self._phase = None
            self.send(phase="", cell=cell)

    @contextmanager
    def during(self, phase: str, cell: str = "") -> Iterator[None]:
        """Report the start and the end of a phase."""
        self.enter(phase, cell)
        try:
            yield
        finally:
            self.leave(cell)

    def _report(self, current: object, phase: str, cell: str, thread: int, greenlet: Any) -> None:
        """Report the line that is executed until the phase ends. Runs in a thread of its own."""
        _sleep(_INTERVAL_S)
        while self._phase is current:
            # A greenlet that waits has a frame; one that runs has that of its thread.
            frame = greenlet.gr_frame or sys._current_frames().get(thread)  # noqa: SLF001
            place = self._code.place_in_stack(frame)
            del frame
            with self._lock:
                if self._phase is current:
                    self.send(phase=phase, cell=cell, place=place)
            _sleep(_INTERVAL_S)
