"""Run with changes on a pseudo-terminal: a real runner, and the number of keys that it takes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.run_reader import RunStatus
from tests.support.harness import FAST, Bench, until
from tests.support.ui_harness import Open

MAX_KEYS = 12
"""Maximum key presses besides digits, from the first screen to a started run (issue tracker)."""
GPU = f"device: gpu\n{FAST.replace('run_time: 1s', 'run_time: 60s')}"
RIGHT, DOWN, ENTER = "\x1b[C", "\x1b[B", "\r"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench.make(tmp_path, GPU)
    yield made
    made.close()


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=["120x40", "80x24"])
def test_a_run_with_another_device_batch_size_and_users_takes_few_keys(
    bench: Bench, opened: Open, size: tuple[int, int]
) -> None:
    keys = [ENTER, RIGHT, DOWN, "4", DOWN, DOWN, "3", " ", "5", ENTER]
    terminal = opened(folder=bench.root, size=size, HOME=str(bench.home))
    terminal.wait_for("a fast one for tests")

    for key in keys:
        terminal.press(key)
    terminal.until(lambda: (bench.reports / "fast" / "latest").exists(), what="the run")

    started = bench.state().started
    assert started
    assert started.overrides == ("device=cpu", "batch_size=4", "users=3,5")
    assert len([key for key in keys if not key.isdigit()]) <= MAX_KEYS
    assert (bench.root / "profiles" / "fast.yaml").read_text() == GPU
    bench.call("stop")
    until(lambda: bench.run().status is RunStatus.STOPPED, what="the end of the run")
