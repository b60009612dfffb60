"""Signals to a command that shows a run.

This module imports little, so that a command handles signals before it loads the rest.
"""

import signal
from enum import Enum, auto
from types import FrameType, TracebackType


class SignalAction(Enum):
    """The action requested by the signals received so far."""

    WATCH = auto()
    STOP = auto()
    KILL = auto()
    DETACH = auto()


class Signals:
    """Context manager that converts SIGINT, SIGTERM and SIGHUP to a `SignalAction`.

    It can be entered again before it exits, which does nothing. The first exit ends it.

    Args:
        first: Action of the first SIGINT or SIGTERM.
    """

    def __init__(self, first: SignalAction = SignalAction.STOP) -> None:
        self.action = SignalAction.WATCH
        self._first = first
        self._previous: dict[signal.Signals, object] = {}

    def __enter__(self) -> "Signals":
        for number in () if self._previous else (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        while self._previous:
            number, handler = self._previous.popitem()
            signal.signal(number, handler)  # type: ignore[arg-type]  # a result of signal()

    def ask_to_stop(self) -> None:
        """Request a stop, like the first SIGINT."""
        self.action = SignalAction.STOP

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # Only set a field, because the interrupted code may hold locks.
        match self.action:
            case SignalAction.WATCH:
                self.action = SignalAction.DETACH if number == signal.SIGHUP else self._first
            case SignalAction.STOP if number != signal.SIGHUP:
                self.action = SignalAction.KILL
