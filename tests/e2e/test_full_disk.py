"""Runs on a disk that others fill: they end in order before it is full, and can be resumed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from loadbench.engine.disk import free_space
from loadbench.engine.journal.events import Result
from loadbench.engine.journal.state import CellStatus
from tests.support.harness import Bench
from tests.support.small_disk import small_disk


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench.make(tmp_path)
    with small_disk(bench.reports, size=40_000_000, inodes=80):
        yield bench
        bench.close()


def fill_bytes(disk: Path) -> list[Path]:
    """Leave 4 MB free."""
    file = disk / "filler"
    file.write_bytes(b"x" * (free_space(disk).num_bytes - 4_000_000))
    return [file]


def fill_inodes(disk: Path) -> list[Path]:
    """Leave room for five files."""
    files = [disk / f"filler-{number}" for number in range((free_space(disk).inodes or 0) - 5)]
    for file in files:
        file.touch()
    return files


@pytest.mark.parametrize(
    ("fill", "lack"), [(fill_bytes, "MB free, about"), (fill_inodes, "more files (free inodes)")]
)
def test_a_run_ends_before_the_disk_is_full_and_its_resume_measures_the_rest(
    bench: Bench, fill: Callable[[Path], list[Path]], lack: str
) -> None:
    viewer = bench.start("run", "fast", "--set", "users=1,2", "--set", "run_time=5s")
    bench.when("m1_u2_s10")
    fillers = fill(bench.reports)
    _, stderr = viewer.communicate(timeout=60)

    assert viewer.returncode == 3
    assert "Traceback" not in stderr
    state = bench.state()
    assert state.finished is not None
    assert state.finished.result is Result.ABORTED
    assert lack in state.finished.reason
    assert "needed to finish m1_u2_s10" in state.finished.reason
    run = f"{bench.folder().parent.name}/{bench.folder().name}"
    assert state.finished.reason.endswith(f"then resume with `run --resume {run}`")
    assert [cell.status for cell in state.cells.values()] == [
        CellStatus.FINISHED,
        CellStatus.RUNNING,
    ]
    free = free_space(bench.reports)
    assert free.num_bytes > 1_000_000
    assert free.inodes

    refused = bench.call("run", "--resume", "fast")
    assert lack in refused.stderr
    assert refused.returncode == 3

    for file in fillers:
        file.unlink()
    resumed = bench.call("run", "--resume", "fast")

    assert resumed.returncode == 0, resumed.stderr
    assert [cell.status for cell in bench.state().cells.values()] == 2 * [CellStatus.FINISHED]
