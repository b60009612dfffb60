"""What is told of the machine while a cell is measured."""

import os
import time
from collections.abc import Callable
from typing import NamedTuple

import psutil
import pytest

from loadbench.engine.journal.events import Machine
from loadbench.engine.run.machine import MachineMeter


class Times(NamedTuple):
    """The machine's counters, in seconds."""

    user: float
    nice: float
    system: float
    steal: float


class Swap(NamedTuple):
    """Bytes since the machine was started."""

    sin: int
    sout: int


class Counters:
    """A machine whose counters the test moves."""

    def __init__(self) -> None:
        self.now, self.runner = 50.0, 3.0
        self.times, self.swap = Times(100.0, 5.0, 20.0, 1.0), Swap(4096, 0)

    def pass_by(self, seconds: float, *, busy: float, runner: float, stolen: float = 0.0) -> None:
        self.now += seconds
        self.runner += runner
        user, nice, system, steal = self.times
        self.times = Times(user + busy / 2, nice, system + busy / 2, steal + stolen)


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> Counters:
    made = Counters()
    of: dict[str, Callable[[], object]] = {
        "cpu_times": lambda: made.times,
        "swap_memory": lambda: made.swap,
    }
    for name, read in of.items():
        monkeypatch.setattr(psutil, name, read)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(time, "process_time", lambda: made.runner)
    return made


def test_what_neither_the_service_nor_locust_nor_the_runner_used_is_others(
    counters: Counters,
) -> None:
    meter = MachineMeter(lambda: counters.now)
    counters.pass_by(2.0, busy=3.0, runner=0.1, stolen=0.2)
    counters.swap = Swap(8192, 1000)

    assert meter.read(0.9) == Machine(
        cores=2, cpu_cores=1.5, others_cpu_cores=0.55, stolen_cpu_cores=0.1, swapped_bytes=5096
    )


def test_others_are_unknown_where_the_service_is_and_never_less_than_nothing(
    counters: Counters,
) -> None:
    meter = MachineMeter(lambda: counters.now)
    counters.pass_by(1.0, busy=1.0, runner=0.1)
    unknown = meter.read(None)
    counters.pass_by(1.0, busy=1.0, runner=0.1)
    less = meter.read(1.2)

    assert unknown is not None
    assert unknown.others_cpu_cores is None
    assert less is not None
    assert less.others_cpu_cores == 0.0


def test_a_moment_is_too_short_and_its_time_is_told_with_the_next(counters: Counters) -> None:
    meter = MachineMeter(lambda: counters.now)
    counters.pass_by(0.1, busy=0.1, runner=0.0)
    assert meter.read(0.0) is None
    counters.pass_by(0.9, busy=1.9, runner=0.0)
    told = meter.read(0.0)

    assert told is not None
    assert told.cpu_cores == 2.0
