"""How long a cell settles, with the rate of its requests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellPhase, Phase, StackProgress
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.measure.steady import Steadiness
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run.steps.settling import Settling
from tests.support.builders import cell_started, requests, sample
from tests.support.sweeps import Sweep

PLAIN = "3 windows with 30 each"


class Cell:
    """A cell whose seconds pass when the test asks for them."""

    def __init__(self, folder: Path, settle: dict[str, float]) -> None:
        self.folder, self.now_s = folder, 0.0
        sweep = Sweep(folder, settle=settle)
        self.control: ControlLoop = sweep.control
        self.control.emit(cell_started())
        self.control.emit(CellPhase(cell="m1_u2_s2", phase=Phase.SETTLING))
        self.close = sweep.journal.close
        self._settling = Settling(sweep.profile, self.control, clock=lambda: self.now_s)

    def settle(self, successes: Callable[[int], int], failures: int = 0) -> Steadiness:
        """Let seconds pass with these numbers of requests, until the phase ends."""
        while True:
            found = self._settling.result()
            if found:
                return found
            second = int(self.now_s)
            made = requests(((10.0, successes(second)),), ((5.0, failures),))
            self.control.emit(sample(second=second, requests=made))
            self.now_s += 1
            self.control.poll()

    @property
    def progress(self) -> list[str]:
        events = [entry.event for entry in JournalReader(self.folder).poll()]
        return [event.line for event in events if isinstance(event, StackProgress)]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Cell]]:
    made: list[Cell] = []

    def build(**settle: float) -> Cell:
        made.append(Cell(tmp_path, {"max": 30, "window": 5, **settle}))
        return made[-1]

    yield build
    for one in made:
        one.close()


def test_a_fast_load_settles_in_windows_of_the_usual_length(make: Callable[..., Cell]) -> None:
    cell = make()

    assert cell.settle(lambda _: 40).is_steady
    assert cell.now_s == 16
    assert cell.progress == []


def test_a_slow_load_settles_in_longer_windows(make: Callable[..., Cell]) -> None:
    cell = make()

    assert cell.settle(lambda _: 1).is_steady
    assert cell.now_s == 91
    assert cell.progress == ["Settling: windows of 30 s, because there is only 1.00 req/s"]


def test_a_slow_load_that_is_unsteady_ends_later(make: Callable[..., Cell]) -> None:
    cell = make()

    found = cell.settle(lambda second: int(1.03**second))

    assert "unsteady throughput" in found.reason
    assert 33 < cell.now_s < 100


@pytest.mark.parametrize("failures", [0, 50])
def test_without_any_success_it_ends_after_the_maximum(
    make: Callable[..., Cell], failures: int
) -> None:
    cell = make()

    found = cell.settle(lambda _: 0, failures)

    assert found == Steadiness(False, f"0 completions in 32 s, minimum {PLAIN}")
    assert cell.now_s == 33
    assert cell.progress == []


def test_a_fast_load_that_is_unsteady_ends_after_the_maximum(make: Callable[..., Cell]) -> None:
    cell = make()

    assert "unsteady" in cell.settle(lambda second: 20 + 20 * second).reason
    assert cell.now_s == 33


@pytest.mark.parametrize(
    ("settle", "every_s", "advice"),
    [
        # Three windows of 150 s, but at most ten times 15 s.
        ({"max": 15}, 5, "use more users, or set settle.max: "),
        # Three windows of 300 s, but only 600 s are kept.
        ({"max": 100}, 10, "use more users, or set settle.window: "),
    ],
)
def test_a_load_that_is_too_slow_ends_after_the_maximum_with_advice_that_fits(
    make: Callable[..., Cell], settle: dict[str, float], every_s: int, advice: str
) -> None:
    cell = make(**settle)

    found = cell.settle(lambda second: second % every_s == 0)

    assert advice in found.reason
    assert cell.now_s == settle["max"] + 3
