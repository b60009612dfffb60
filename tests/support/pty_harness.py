"""A real terminal for a program: a pty, what a terminal answers, and the screen that it shows."""

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
_HALF = re.compile(rb"\x1b(?:\[[0-9;?<>=]*|\][^\x07\x1b]*)?$")


def _seen(cell: Any) -> tuple[Any, ...]:
    if cell.data == " " and not (cell.reverse or cell.underscore or cell.strikethrough):
        return cell.data, cell.bg
    how = cell.bold, cell.italics, cell.underscore, cell.strikethrough, cell.reverse
    return cell.data, cell.fg, cell.bg, *how


class _Stream(pyte.ByteStream):
    """Ignores a sequence with surplus numbers, as terminals do: a part may have been dropped."""

    def _send_to_parser(self, data: str) -> bool | None:
        try:
            return super()._send_to_parser(data)
        except TypeError:
            return True


class Emulator:
    """What a terminal shows of what is written to it."""

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = pyte.Screen(columns, rows)
        self._stream = _Stream(self.screen)
        self._pending = b""

    @property
    def text(self) -> str:
        """What is on the screen, a line a row."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    @property
    def cells(self) -> list[list[tuple[Any, ...]]]:
        """What can be seen of every cell: of a blank it is what is behind it."""
        rows = range(self.screen.lines)
        columns = range(self.screen.columns)
        return [[_seen(self.screen.buffer[row][column]) for column in columns] for row in rows]

    def feed(self, data: bytes) -> None:
        """Take in what is written; the rest of a sequence may come with the next call."""
        whole = self._pending + data
        half = _HALF.search(whole)
        cut = half.start() if half else len(whole)
        self._pending = whole[cut:]
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", whole[:cut]))


@dataclass
class Terminal:
    """A program on a terminal.

    Args:
        command: The program and its arguments.
        folder: Where it is started.
        size: Columns and rows.
        environment: Variables beside those of this process.
    """

    command: list[str]
    folder: Path
    size: tuple[int, int] = (120, 40)
    environment: dict[str, str] = field(default_factory=dict)
    said: bytearray = field(default_factory=bytearray)
    """Everything that it has written."""

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

    # What it shows

    @property
    def text(self) -> str:
        """What is on the screen, a line a row."""
        return self._emulator.text

    @property
    def cells(self) -> list[list[tuple[Any, ...]]]:
        """What stands in every cell, and how."""
        return self._emulator.cells

    def read(self, *, within_s: float = 0.05) -> bytes:
        """Take in what it writes for so long, or until it writes no more."""
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
            self._take_in(data)
            if time.monotonic() > deadline:
                return new
        return new

    def wait_for(self, *texts: str, within_s: float = 30.0) -> str:
        """Wait until all of these are on the screen; fail when they do not come."""
        self.until(
            lambda: all(text in self.text for text in texts), what=str(texts), within_s=within_s
        )
        return self.text

    def until(
        self, condition: Callable[[], object], *, what: str = "", within_s: float = 30.0
    ) -> None:
        """Take in what it writes until a condition holds; fail when it does not come to that."""
        deadline = time.monotonic() + within_s
        while not condition():
            over = self.ended or time.monotonic() > deadline
            self.read()
            if over and not condition():
                state = f"ended with {self._status}" if self.ended else "it runs"
                pytest.fail(f"not within {within_s:g} s: {what}; {state}\n{self.text}")

    def until_quiet(self) -> None:
        """Take in what it writes until it writes no more."""
        self.until(lambda: not self.read(within_s=0.5), what="quiet")

    # What is done to it

    def press(self, keys: str) -> None:
        """Send keys, as a terminal would."""
        assert self._master is not None
        os.write(self._master, keys.encode())

    def fill(self, key: str) -> None:
        """Press a key that has much written until there is no room for more, since nobody reads."""
        deadline = time.monotonic() + 30
        while select.select([], [self._slave], [], 0.0)[1]:
            assert time.monotonic() < deadline
            self.press(key)
            select.select([], [], [], 0.01)

    def resize(self, columns: int, rows: int) -> None:
        """Give it another size."""
        assert self._master is not None
        self.screen.resize(rows, columns)
        self._set_size(self._master, (columns, rows))

    def hang_up(self) -> None:
        """Take the terminal away."""
        assert self._master is not None
        os.close(self._slave)
        os.close(self._master)
        self._master = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        os.kill(self.pid, number)

    # Its end

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        if self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
        return self._status is not None

    def wait(self, *, within_s: float = 60.0) -> int:
        """Wait for its end, and return its exit code."""
        self.until(lambda: self.ended, what="its end", within_s=within_s)
        self.read()
        assert self._status is not None
        return self._status

    @property
    def settings_now(self) -> list[Any]:
        """The terminal's settings, to compare with those before."""
        return termios.tcgetattr(self._slave)

    def close(self) -> None:
        """End it, whatever it does."""
        if not self.ended:
            with_children = [psutil.Process(self.pid)]
            for process in with_children:
                process.kill()
            self.until_ended()
        if self._master is not None:
            self.hang_up()

    def until_ended(self) -> None:
        """Wait for the end of a program that was killed."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def _answer(self, data: bytes) -> None:
        if b"\x1b[6n" in data:
            self.press("\x1b[1;1R")

    def _take_in(self, data: bytes) -> None:
        self.said += data
        self._emulator.feed(data)

    @staticmethod
    def _set_size(fd: int, size: tuple[int, int]) -> None:
        columns, rows = size
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
