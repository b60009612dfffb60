"""Run a program on a pseudo-terminal, reply to its queries, and emulate its screen."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyte
import pytest

_UNKNOWN_TO_PYTE = re.compile(
    rb"\x1b\[[<>=][0-9;]*[a-zA-Z]|\x1b\[\?[0-9;]*\$p|\x1bP.*?\x1b\\|\x1b_.*?\x1b\\"
    rb"|\x1b\[\?[0-9;]*[uS]|\x1b\][0-9]+;[^\x07\x1b]*(?:\x07|\x1b\\)",
    re.DOTALL,
)
_INCOMPLETE = re.compile(rb"\x1b(?:\[[0-9;?<>=]*|\][^\x07\x1b]*)?$")


def _visible(cell: Any) -> tuple[Any, ...]:
    if cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough):
        return cell.data, cell.bg
    attributes = cell.bold, cell.italics, cell.underscore, cell.strikethrough, cell.reverse
    return cell.data, cell.fg, cell.bg, *attributes


class _Stream(pyte.ByteStream):
    """Ignore sequences with too many parameters, as terminals do.

    They occur if output was dropped between two sequences.
    """

    def _send_to_parser(self, data: str) -> bool | None:
        try:
            return super()._send_to_parser(data)
        except TypeError:
            return True


class Emulator:
    """An emulated terminal screen."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = _Stream(self.screen)
        self._pending = b""

    @property
    def text(self) -> str:
        """Text on the screen, one line per row."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def cells(self) -> list[list[tuple[Any, ...]]]:
        """Visible text and style of every cell. The style of a blank is only its background."""
        rows = range(self.screen.lines)
        columns = range(self.screen.columns)
        return [[_visible(self.screen.buffer[row][column]) for column in columns] for row in rows]

    def feed(self, data: bytes) -> None:
        """Process output. The next call may continue an incomplete sequence."""
        pending = self._pending + data
        incomplete = _INCOMPLETE.search(pending)
        end = incomplete.start() if incomplete else len(pending)
        self._pending = pending[end:]
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", pending[:end]))


@dataclass
class Terminal:
    """A program on a pseudo-terminal.

    Args:
        command: Program and arguments.
        folder: Working folder.
        size: Columns and rows.
        environment: Environment variables in addition to those of this process.
    """

    command: list[str]
    folder: Path
    size: tuple[int, int] = (120, 40)
    environment: dict[str, str] = field(default_factory=dict)
    output: bytearray = field(default_factory=bytearray)
    """All output of the program so far."""

    def __post_init__(self) -> None:
        columns, rows = self.size
        self._emulator = Emulator(columns, rows)
        self.screen = self._emulator.screen
        self._status: int | None = None
        master, slave = pty.openpty()
        self._master: int | None = master
        self.settings = termios.tcgetattr(slave)
        self._set_size(slave, self.size)
        self.started_at = time.monotonic()
        self.pid = os.fork()
        if not self.pid:
            self._become_program(master, slave)
        self._slave = slave

    def _become_program(self, master: int, slave: int) -> None:
        os.close(master)
        os.setsid()
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        for fd in (0, 1, 2):
            os.dup2(slave, fd)
        os.close(slave)
        os.chdir(self.folder)
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        for name in ("COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "TMUX"):
            environment.pop(name, None)
        environment.update(self.environment)
        os.execvpe(self.command[0], self.command, environment)

    # Output

    @property
    def text(self) -> str:
        """Text on the screen, one line per row."""
        return self._emulator.text

    @property
    def cells(self) -> list[list[tuple[Any, ...]]]:
        """Visible text and style of every cell."""
        return self._emulator.cells

    def read(self, *, within_s: float = 0.05) -> bytes:
        """Read output for up to `within_s` seconds, and return it."""
        deadline, new = time.monotonic() + within_s, b""
        while self._master is not None:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._master], [], [], max(0.0, left))
            if not ready:
                return new
            try:
                data = os.read(self._master, 65536)
            except OSError:
                return new
            if not data:
                return new
            new += data
            self._answer(data)
            self._feed(data)
            if time.monotonic() > deadline:
                return new
        return new

    def wait_for(self, *texts: str, within_s: float = 30.0) -> str:
        """Wait until all of these texts are on the screen. Fail on a timeout."""
        self.until(
            lambda: all(text in self.text for text in texts), what=str(texts), within_s=within_s
        )
        return self.text

    def until(
        self, condition: Callable[[], object], *, what: str = "", within_s: float = 30.0
    ) -> None:
        """Read output until a condition is true. Fail on a timeout."""
        deadline = time.monotonic() + within_s
        while not condition():
            is_over = self.ended or time.monotonic() > deadline
            self.read()
            if is_over and not condition():
                state = f"exited with {self._status}" if self.ended else "still running"
                pytest.fail(f"Timed out after {within_s:g} s: {what}; {state}\n{self.text}")

    def until_quiet(self) -> None:
        """Read output until the program has written nothing for half a second."""
        self.until(lambda: not self.read(within_s=0.5), what="no output")

    # Input

    def press(self, keys: str) -> None:
        """Send keys to the program."""
        assert self._master is not None
        os.write(self._master, keys.encode())

    def fill(self, key: str) -> None:
        """Fill the output buffer by pressing a key that causes much output, without reading it."""
        deadline = time.monotonic() + 30
        while select.select([], [self._slave], [], 0.0)[1]:
            assert time.monotonic() < deadline
            self.press(key)
            select.select([], [], [], 0.01)

    def resize(self, columns: int, rows: int) -> None:
        """Change the size of the terminal."""
        assert self._master is not None
        self.screen.resize(rows, columns)
        self._set_size(self._master, (columns, rows))

    def hang_up(self) -> None:
        """Close the terminal."""
        assert self._master is not None
        os.close(self._slave)
        os.close(self._master)
        self._master = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    # Exit

    @property
    def ended(self) -> bool:
        """Whether the program has exited."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status is not None

    def wait(self, *, within_s: float = 60.0) -> int:
        """Wait for the program to exit, and return its exit code."""
        self.until(lambda: self.ended, what="exit", within_s=within_s)
        self.read()
        assert self._status is not None
        return self._status

    @property
    def settings_now(self) -> list[Any]:
        """Current `termios` attributes of the terminal."""
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        """Kill the program and close the terminal."""
        if not self.ended:
            psutil.Process(self.pid).kill()
            self.until_ended()
        if self._master is not None:
            self.hang_up()

    def until_ended(self) -> None:
        """Wait for a killed program to exit."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _answer(self, data: bytes) -> None:
        if b"\x1b[6n" in data:
            self.press("\x1b[1;1R")

    def _feed(self, data: bytes) -> None:
        self.output += data
        self._emulator.feed(data)

    @staticmethod
    def _set_size(fd: int, size: tuple[int, int]) -> None:
        columns, rows = size
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
