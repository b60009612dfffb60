"""Resource usage of the machine while a cell is measured."""

import os
import time
from collections.abc import Callable
from typing import NamedTuple

import psutil
import pytest

from loadbench.engine.journal.events import Machine
from loadbench.engine.run.machine import MachineMeter


class Times(NamedTuple):
    """CPU time counters in seconds."""

    user: float
    nice: float
    system: float
    steal: float


class Swap(NamedTuple):
    """Swapped bytes since boot."""

    sin: int
    sout: int


class Counters:
    """A machine whose counters the test advances."""

    def __init__(self) -> None:
        self.now, self.runner = 50.0, 3.0
        self.times, self.swap = Times(100.0, 5.0, 20.0, 1.0), Swap(4096, 0)

    def advance(self, seconds: float, *, busy: float, runner: float, stolen: float = 0.0) -> None:
        self.now += seconds
        self.runner += runner
        user, nice, system, steal = self.times
        self.times = Times(user + busy / 2, nice, system + busy / 2, steal + stolen)


@pytest.fixture
def counters(monkeypatch: pytest.MonkeyPatch) -> Counters:
    made = Counters()
    fakes: dict[str, Callable[[], object]] = {
        "cpu_times": lambda: made.times,
        "swap_memory": lambda: made.swap,
    }
    for name, fake in fakes.items():
        monkeypatch.setattr(psutil, name, fake)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    monkeypatch.setattr(time, "process_time", lambda: made.runner)
    return made


def test_cpu_used_by_other_processes_excludes_service_locust_and_runner(
    counters: Counters,
) -> None:
    meter = MachineMeter(lambda: counters.now)
    counters.advance(2.0, busy=3.0, runner=0.1, stolen=0.2)
    counters.swap = Swap(8192, 1000)

    assert meter.read(0.9) == Machine(
        cores=2, cpu_cores=1.5, others_cpu_cores=0.55, stolen_cpu_cores=0.1, swapped_bytes=5096
    )


def test_other_processes_are_unknown_for_an_external_service_and_never_negative(
    counters: Counters,
) -> None:
    meter = MachineMeter(lambda: counters.now)
    counters.advance(1.0, busy=1.0, runner=0.1)
    unknown = meter.read(None)
    counters.advance(1.0, busy=1.0, runner=0.1)
    negative = meter.read(1.2)

    assert unknown is not None
    assert unknown.others_cpu_cores is None
    assert negative is not None
    assert negative.others_cpu_cores == 0.0


def test_a_short_interval_is_included_in_the_next_reading(counters: Counters) -> None:
    meter = MachineMeter(lambda: counters.now)
    counters.advance(0.1, busy=0.1, runner=0.0)
    assert meter.read(0.0) is None
    counters.advance(0.9, busy=1.9, runner=0.0)
    machine = meter.read(0.0)

    assert machine is not None
    assert machine.cpu_cores == 2.0
