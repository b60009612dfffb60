"""Signals to runners."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.requests import stopping
from loadbench.engine.requests.stopping import signal_runner
from loadbench.engine.run_reader import read_run
from tests.support.builders import run_started


@pytest.mark.parametrize("is_runner", [True, False])
def test_only_a_runner_gets_the_signal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_runner: bool
) -> None:
    received: list[int] = []
    previous = signal.signal(signal.SIGUSR1, lambda number, _: received.append(number))
    if is_runner:
        argument = Path("/proc/self/cmdline").read_bytes().split(b"\0")[1].decode()
        monkeypatch.setattr(stopping, "RUNNER_MODULE", argument)
    writer = JournalWriter(tmp_path)
    try:
        writer.append(replace(run_started(), pid=os.getpid()))
        run = read_run(tmp_path)
        assert run.is_held
        signal_runner(run, signal.SIGUSR1)
    finally:
        writer.close()
        signal.signal(signal.SIGUSR1, previous)
    assert received == ([signal.SIGUSR1] if is_runner else [])
