"""The page of a run, which its runner writes when the run has ended."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from loadbench.engine.disk import free_space
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Result
from loadbench.engine.requests.pages import PAGE_NAME, build_page, is_current
from loadbench.errors import LoadbenchError
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    write_journal,
)
from tests.support.golden import JOURNALS
from tests.support.harness import Bench, child_named, gone, until
from tests.support.small_disk import small_disk

END_OF_RUN = """
import sys
from pathlib import Path
from loadbench.engine.requests import pages
from loadbench.engine.run import __main__ as runner

pages.PAGE_MODULE = "replaced_page"
runner._write_page(Path(sys.argv[1]))
print("the locks are released")
"""
"""The last step of a runner, with a replaced process for the page."""

Runner = Callable[[str], "subprocess.Popen[str]"]


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """Return a function that starts the last step of a runner with the code of a page process."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    started = []

    def start(code: str) -> "subprocess.Popen[str]":
        (tmp_path / "replaced_page.py").write_text(code, encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-c", END_OF_RUN, str(tmp_path / "run")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_finishing_a_killed_run_writes_its_page(tmp_path: Path) -> None:
    bench = Bench.make(tmp_path)
    started = run_started(make_profile(), workspace=str(bench.root))
    folder = write_journal(
        bench.reports / "fast" / started.run, started, cell_started(), cell_finished()
    )

    done = bench.call("run", "--resume", "fast", "--plain")

    assert done.returncode == 0, done.stderr
    assert is_current(folder)


def test_a_failure_is_logged_and_the_runner_ends_in_order(runner: Runner) -> None:
    process = runner('print(\'{"error": "the page cannot be written"}\'); raise SystemExit(1)')

    stdout, stderr = process.communicate(timeout=60)

    assert (stdout, stderr) == ("the locks are released\n", "the page cannot be written\n")
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_while_the_page_is_written_leaves_no_process(
    runner: Runner, number: signal.Signals
) -> None:
    process = runner("import signal; signal.pause()")
    page = child_named(psutil.Process(process.pid), "replaced_page")
    supervisor = page.parent()
    assert supervisor is not None

    process.send_signal(number)
    process.communicate(timeout=60)

    assert process.returncode == -number
    psutil.wait_procs([page, supervisor], timeout=60)
    assert gone([page, supervisor])


def test_a_full_disk_leaves_no_part_of_a_page(tmp_path: Path) -> None:
    with small_disk(tmp_path / "reports", size=2_000_000) as disk:
        folder = disk / "demo" / "20261122-111101"
        folder.mkdir(parents=True)
        journal = folder / FILE_NAME
        journal.write_bytes((JOURNALS / "demo.jsonl").read_bytes())
        before = journal.read_bytes()
        (disk / "filler").write_bytes(b"x" * (free_space(disk).num_bytes - 4096))

        with pytest.raises(LoadbenchError, match="no space left"):
            build_page(folder)

        assert [file.name for file in folder.iterdir()] == [FILE_NAME]
        assert journal.read_bytes() == before


def test_the_page_of_a_stopped_run_is_written(tmp_path: Path) -> None:
    bench = Bench.make(tmp_path)
    viewer = bench.start("run", "fast", "--set", "run_time=60s", "--plain")
    bench.when("m1_u2_s10")

    viewer.send_signal(signal.SIGINT)
    viewer.communicate(timeout=60)

    finished = bench.state().finished
    assert finished is not None
    assert finished.result is Result.STOPPED
    assert is_current(bench.folder())
    assert (bench.folder() / PAGE_NAME).stat().st_size
    bench.close()


def test_the_page_is_prepared_for_a_short_run_only_and_not_while_another_run_is_live(
    tmp_path: Path,
) -> None:
    bench = Bench.make(tmp_path)
    bench.start("run", "fast", "--set", "run_time=60s", "--plain")
    bench.when("m1_u2_s10")
    short = pages_of(bench.runner())
    bench.start("run", "fast", "--wait", "--plain", "--label", "waits")
    until(lambda: len(list(bench.reports.glob("fast/2*"))) == 2, what="the run that waits")
    waiting = pages_of(bench.runner())
    bench.close()
    long = Bench.make(tmp_path / "long")
    long.start("run", "fast", "--set", "run_time=15m", "--plain")
    long.when("m1_u2_s10")

    assert len(short) == 1
    assert waiting == []
    assert pages_of(long.runner()) == []
    long.close()


def pages_of(runner: psutil.Process) -> list[psutil.Process]:
    """Return the processes of pages that wait for a folder, without their supervisors."""
    children = runner.children(recursive=True)
    return [one for one in children if one.cmdline()[2:4] == ["-m", "loadbench.page"]]
