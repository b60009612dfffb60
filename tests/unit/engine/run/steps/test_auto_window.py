"""Measurement windows that last until the percentiles have enough samples."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import (
    Container,
    Phase,
    Result,
    StackProgress,
)
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.measure.sampling.backed import NameSamples
from loadbench.errors import StackError
from tests.support.sweeps import Sweep

KEY = "m1_u2_s2"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Sweep]]:
    made: list[Sweep] = []

    def build(*, rate: float = 40, **keys: Any) -> Sweep:
        run_times = {"run_time": "auto", "min_run_time": 2, "max_run_time": 600}
        sweep = Sweep(tmp_path, **{**run_times, **keys})
        sweep.load.window, sweep.load.rate = 600, rate
        made.append(sweep)
        return sweep

    yield build
    for one in made:
        one.journal.close()


def looks(sweep: Sweep) -> int:
    """Return the number of polls, each of one second, in the windows."""
    return sweep.calls.count("look")


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [(40, 5), (200, 2), (1000, 2), (39, 6)],
)
def test_a_window_ends_once_p95_has_enough_requests(
    make: Callable[..., Sweep], rate: float, seconds: int
) -> None:
    sweep = make(rate=rate)

    assert sweep.run() is Result.DONE

    assert looks(sweep) == seconds
    assert sweep.calls.count("end window") == 1
    assert sweep.status(KEY) is CellStatus.FINISHED


def test_goals_of_higher_percentiles_need_longer_windows(make: Callable[..., Sweep]) -> None:
    sweep = make(goals={"p99_ms": 50})

    sweep.run()

    assert looks(sweep) == 1000 / 40


def test_a_window_has_at_most_the_maximum_length(make: Callable[..., Sweep]) -> None:
    sweep = make(rate=1)
    sweep.load.window = 15

    assert sweep.run() is Result.DONE

    assert looks(sweep) == 15
    assert sweep.status(KEY) is CellStatus.FINISHED


def test_what_is_missing_is_reported_every_ten_seconds(make: Callable[..., Sweep]) -> None:
    sweep = make(rate=8)

    sweep.run()

    events = [entry.event for entry in JournalReader(sweep.folder).poll()]
    lines = [one.line for one in events if isinstance(one, StackProgress) and one.step == "measure"]
    assert lines == [f"Measuring: {number} of 200 requests for p95" for number in (80, 160)]


def test_measurements_of_the_window_are_counted(
    make: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = make(rate=100, goals={"measurements": {"first token": {"p99": 30}}})
    requests = sweep.load.samples

    def with_measurements() -> tuple[NameSamples, ...]:
        [one] = requests()
        values = NameSamples(
            kind="METRIC", name="first token", samples=one.samples // 2, is_measurement=True
        )
        return one, values

    monkeypatch.setattr(sweep.load, "samples", with_measurements)

    sweep.run()

    assert looks(sweep) == 2 * 1000 / 100


def test_load_that_does_not_respond_is_asked_again(
    make: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = make()
    answers = iter([None, None])
    samples = sweep.load.samples
    monkeypatch.setattr(sweep.load, "samples", lambda: next(answers, samples()))

    assert sweep.run() is Result.DONE

    assert looks(sweep) == 5


def test_only_seconds_of_the_window_count_for_its_conditions(make: Callable[..., Sweep]) -> None:
    sweep = make()
    sweep.stack.show = lambda: (
        Container(name="model-1", service="model", state="running", cpu_cores=sweep.load.second),
    )

    sweep.run()

    finished = sweep.state.cells[KEY].finished
    assert finished is not None
    assert finished.circumstances is not None
    (model,) = finished.circumstances.containers
    window = range(int(sweep.load.begin_s), int(sweep.load.begin_s) + 5)
    # The reading is made after the second.
    assert model.cpu_cores == sum(second + 1 for second in window) / len(window)


def test_a_stop_or_skip_ends_the_window_without_results(make: Callable[..., Sweep]) -> None:
    sweep = make(rate=0)
    sweep.load.traps["look"] = lambda: send_command(sweep.folder, "skip", cell=KEY)

    sweep.run()

    assert sweep.status(KEY) is CellStatus.SKIPPED
    assert "end window" not in sweep.calls


def test_a_fault_in_the_window_fails_the_cell(make: Callable[..., Sweep]) -> None:
    sweep = make(rate=0)

    def fail() -> None:
        sweep.stack.broken = StackError("model-1 exited", container="model-1", exit_code=3)

    sweep.load.traps["look"] = fail

    sweep.run()

    assert sweep.status(KEY) is CellStatus.FAILED


def test_a_stopped_run_measures_the_cell_again(make: Callable[..., Sweep]) -> None:
    sweep = make(rate=0)
    sweep.load.traps["look"] = lambda: sweep.stop.set("by signal")

    assert sweep.run() is Result.STOPPED
    assert sweep.state.cells[KEY].finished is None

    sweep.load.rate = 40
    assert sweep.resume() is Result.DONE
    finished = sweep.state.cells[KEY].finished
    assert finished is not None
    assert finished.attempt == 2
    assert sweep.state.cells[KEY].phase_s.keys() >= {Phase.MEASURING}
