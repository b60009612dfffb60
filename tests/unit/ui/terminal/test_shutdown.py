"""Signal handling of the TUI."""

import asyncio
import os
import pty
import signal
import sys
import termios
from collections.abc import Iterator

import pytest

from loadbench.ui.terminal.shutdown import ExitHandler


@pytest.fixture
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Replace standard input with a pseudo-terminal."""
    master, slave = pty.openpty()
    with os.fdopen(slave) as stdin:
        monkeypatch.setattr(sys, "__stdin__", stdin)
        yield slave
    os.close(master)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGCONT])
def test_job_signals_are_handled_in_the_event_loop(
    on_a_terminal: int, number: signal.Signals
) -> None:
    received: list[int] = []

    async def send_signal() -> None:
        handler = ExitHandler(lambda: None, termios.tcgetattr(on_a_terminal))
        handler.watch()
        try:
            signal.raise_signal(number)
            assert received == []
            await asyncio.sleep(0)
            assert received == [number]
        finally:
            handler.close()

    former = signal.signal(number, lambda number, _frame: received.append(number))
    try:
        asyncio.run(send_signal())
        signal.raise_signal(number)
    finally:
        signal.signal(number, former)
    assert received == [number, number]
