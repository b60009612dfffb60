"""Signals to a command that shows a run."""

import signal

from loadbench.cli.signals import SignalAction, Signals


def test_signals_that_are_entered_again_end_with_the_first_exit() -> None:
    before = signal.getsignal(signal.SIGHUP)

    with Signals() as signals:
        with signals:
            signal.raise_signal(signal.SIGHUP)
            assert signals.action is SignalAction.DETACH
        assert signal.getsignal(signal.SIGHUP) is before

    assert signal.getsignal(signal.SIGHUP) is before


def test_signals_can_be_entered_once_more_after_their_exit() -> None:
    signals = Signals()
    with signals:
        pass

    with signals:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)

    assert signals.action is SignalAction.KILL
