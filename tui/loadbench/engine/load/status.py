"""Reads what the Locust process reports about its status over a pipe."""

import os
import threading
import time
from contextlib import suppress

from loadbench.engine.bounds.lines import bounded_lines
from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.bounds.texts import one_line
from loadbench.engine.load.answers import StatusReport, parse_report
from loadbench.engine.load.wire import IMPORT, INIT, TEST_START, TEST_STOP

MAX_REPORT_LINE_BYTES = 1_000_000
MAX_PROBLEM_CHARACTERS = 1_000
_POLL_S = 0.1
MAX_NOTES = 100
"""Maximum number of notes that are kept until they are read."""

_PHASES = {
    IMPORT: "the import of the locustfile",
    INIT: "the init listeners of the locustfile",
    TEST_START: "the test_start listeners of the locustfile",
    TEST_STOP: "the test_stop listeners of the locustfile",
}


class LocustStatus:
    """The newest status of a Locust process, read by a thread.

    Args:
        fd: Read end of the pipe. It is closed when Locust has exited.
    """

    def __init__(self, fd: int) -> None:
        self.port = 0
        """Port of the web API. 0 until it is ready."""
        self.error = ""
        """Why Locust does not start: a mistake in the locustfile."""
        self.failure = ("", "")
        """Tag of the last cell that cannot be measured, and the mistake in the locustfile."""
        self.problem = ""
        """Why a message of Locust is not usable."""
        self.hosts: dict[str, str] = {}
        """Hosts that user classes set, but do not keep."""
        self.phase = ""
        """What the locustfile does outside of users, as in `wire`. Empty: nothing."""
        self.place = ""
        """Line of the locustfile that was executed last in this phase."""
        self.cell = ""
        """Tag of the cell whose test_start listeners have been executed."""
        self.since_s = time.monotonic()
        """Monotonic time at which the phase has changed."""
        self.is_closed = False
        """Whether there will be no further message."""
        self._notes: list[str] = []
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(fd,), daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Wait until something has changed, at most a number of seconds."""
        self._changed.wait(seconds)
        self._changed.clear()

    def wait_until_closed(self, seconds: float) -> None:
        """Wait until all messages of an exited process have been read, at most some seconds."""
        self._thread.join(seconds)

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until the locustfile does nothing outside of users, at most a number of seconds."""
        deadline = time.monotonic() + seconds
        while self.phase and not self.is_closed and time.monotonic() < deadline:
            self.wait(_POLL_S)

    def take_notes(self) -> list[str]:
        """Return the messages for the user that are new since the last call."""
        with self._lock:
            notes, self._notes = self._notes, []
        return notes

    def overdue_s(self, limit_s: float) -> float:
        """Return by how many seconds the phase exceeds a limit. At most 0 if it does not."""
        return time.monotonic() - self.since_s - limit_s

    def awaited(self, limit_s: float, doing: str) -> str:
        """Return what Locust is waited for, such as `the import of the locustfile, at most 60 s`.

        Args:
            limit_s: Maximum length of a phase in seconds.
            doing: `computing` or `waiting`. Empty if unknown.
        """
        if not self.phase:
            return ""
        text = f"{_PHASES.get(self.phase, self.phase)}, at most {limit_s:g} s"
        return f"{text}: {self._where(doing)}" if self.place else text

    def exceeded(self, limit_s: float, doing: str) -> str:
        """Return that the phase exceeds its limit. See `awaited`."""
        place = f" It is {self._where(doing)}." if self.place else ""
        return (
            f"{_PHASES.get(self.phase, self.phase)} took longer than load.start_timeout "
            f"({limit_s:g} s).{place} Increase load.start_timeout"
        )

    def _where(self, doing: str) -> str:
        return f"{doing} at {self.place}" if doing else f"at {self.place}"

    def _read(self, fd: int) -> None:
        with suppress(OSError), os.fdopen(fd, "rb") as pipe:
            for line, _ in bounded_lines(pipe, MAX_REPORT_LINE_BYTES):
                self._take(line)
                self._changed.set()
        self.is_closed = True
        self._changed.set()

    def _take(self, line: bytes) -> None:
        try:
            report = parse(line, parse_report, max_bytes=MAX_REPORT_LINE_BYTES)
        except BadInputError as error:
            self.problem = one_line(str(error), MAX_PROBLEM_CHARACTERS)
            return
        with self._lock:
            self._notes = [*self._notes, *(report.notes or ())][:MAX_NOTES]
        self.error = report.error or self.error
        if report.failure:
            self.failure = report.cell, report.failure
        if report.phase is not None:
            self._enter(report, report.phase)
        if report.port:
            # Last, because it ends the wait for a start.
            self.hosts = report.hosts
            self.port = report.port

    def _enter(self, report: StatusReport, phase: str) -> None:
        if phase != self.phase:
            if self.phase == TEST_START:
                self.cell = report.cell
            self.since_s, self.place = time.monotonic(), ""
        self.phase = phase
        self.place = report.place or self.place
