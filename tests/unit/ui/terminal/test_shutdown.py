"""What signals ask of the screens."""

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
    """A terminal in place of what pytest has for its input."""
    master, slave = pty.openpty()
    with os.fdopen(slave) as stdin:
        monkeypatch.setattr(sys, "__stdin__", stdin)
        yield slave
    os.close(master)


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGCONT])
def test_it_stops_and_goes_on_in_its_event_loop(on_a_terminal: int, number: signal.Signals) -> None:
    came: list[int] = []

    async def asked() -> None:
        handler = ExitHandler(lambda: None, termios.tcgetattr(on_a_terminal))
        handler.watch()
        try:
            signal.raise_signal(number)
            assert came == []
            await asyncio.sleep(0)
            assert came == [number]
        finally:
            handler.close()

    former = signal.signal(number, lambda number, _frame: came.append(number))
    try:
        asyncio.run(asked())
        signal.raise_signal(number)
    finally:
        signal.signal(number, former)
    assert came == [number, number]
