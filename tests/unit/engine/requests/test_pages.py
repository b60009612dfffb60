"""Writing the page of a run in a process of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Result, RunFinished
from loadbench.engine.requests import pages
from loadbench.engine.requests.page_process import PAGE_MODULE, PageProcess
from loadbench.engine.requests.pages import (
    PAGE_NAME,
    BuiltPage,
    PreparedPage,
    build_page,
    is_current,
)
from loadbench.errors import LoadbenchError
from tests.support.builders import cell_finished, cell_started, run_started, write_journal
from tests.support.harness import gone
from tests.support.study_runs import add_device_study

DONE = RunFinished(result=Result.DONE, reason="every cell has ended")

Program = Callable[[str], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Save a run that has ended."""
    return write_journal(
        tmp_path / "reports" / "demo" / "20261122-072100",
        run_started(),
        cell_started(),
        cell_finished(),
        DONE,
    )


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Replace the process that writes the page."""
    modules = tmp_path / "modules"
    modules.mkdir()
    path = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{modules}{os.pathsep}{path}" if path else str(modules))
    monkeypatch.setattr(pages, "PAGE_MODULE", "replaced_page")

    def write(code: str) -> None:
        (modules / "replaced_page.py").write_text(code, encoding="utf-8")

    return write


def test_the_page_is_written_by_a_process(folder: Path) -> None:
    assert not is_current(folder)
    assert build_page(folder).path == folder / PAGE_NAME
    assert (folder / PAGE_NAME).stat().st_size
    assert is_current(folder)


def test_a_page_that_is_older_than_the_journal_is_not_current(folder: Path) -> None:
    page, journal = folder / PAGE_NAME, folder / FILE_NAME
    page.touch()
    os.utime(page, ns=(0, journal.stat().st_mtime_ns))
    assert is_current(folder)
    os.utime(page, ns=(0, journal.stat().st_mtime_ns - 1))
    assert not is_current(folder)


def test_the_answer_is_the_last_line_of_the_output(folder: Path, program: Program) -> None:
    program('print("drawing"); print(\'{"page": "/reports/summary.html", "note": "no charts"}\')')
    assert build_page(folder) == BuiltPage(Path("/reports/summary.html"), "no charts")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ('print(\'{"error": "the disk is full"}\'); raise SystemExit(1)', "^the disk is full$"),
        ("import no_such_module", "exited with code 1: ModuleNotFoundError: No module named"),
        ("import os; os.kill(os.getpid(), 9)", "not written: its process was killed by signal 9$"),
        ("print('no answer')", "not written: its process exited with code 0$"),
        ("print('{')", "not written: its process exited with code 0$"),
        ("print('[1]')", "not written: its process exited with code 0$"),
    ],
)
def test_a_failure_is_one_message(folder: Path, program: Program, code: str, message: str) -> None:
    program(code)
    with pytest.raises(LoadbenchError, match=message):
        build_page(folder)


def test_page_is_written_without_charts_if_drawing_crashes(folder: Path, program: Program) -> None:
    program(
        "import os, sys\n"
        "from loadbench.page import write, __main__\n"
        "def crash(*_): os.kill(os.getpid(), 11)\n"
        "write.drawn = crash\n"
        "sys.exit(__main__.main())\n"
    )
    built = build_page(folder)

    assert built.note == "Without charts: its process was killed by signal 11"
    assert not is_current(folder)
    page = built.path.read_text(encoding="utf-8")
    assert "Without charts: " in page
    assert "<h2>Cells</h2>" in page


def test_page_of_a_study_is_current_until_a_journal_changes(tmp_path: Path) -> None:
    study = add_device_study(tmp_path)
    journals = [study.run_folder(entry) / FILE_NAME for entry in study.entries if entry.run]
    (study.folder / PAGE_NAME).touch()

    assert is_current(study.folder)
    later = (study.folder / PAGE_NAME).stat().st_mtime_ns + 1
    os.utime(journals[-1], ns=(0, later))
    assert not is_current(study.folder)
    build_page(study.folder)
    assert is_current(study.folder)
    journals[-1].unlink()
    assert not is_current(study.folder)


def prepared_page(module: str = PAGE_MODULE) -> PreparedPage:
    return PreparedPage(PageProcess(module=module))


def processes() -> list[psutil.Process]:
    """The processes that write pages, and their supervisors."""
    children = psutil.Process().children(recursive=True)
    return [child for child in children if "--when-asked" in " ".join(child.cmdline())]


def test_a_prepared_page_is_written_by_its_process(folder: Path) -> None:
    page = prepared_page()
    page.wait_until_ready()
    prepared = processes()

    assert prepared
    assert not (folder / PAGE_NAME).exists()
    assert page.build(folder) == BuiltPage(folder / PAGE_NAME)
    assert is_current(folder)
    assert gone(prepared)


def test_a_prepared_page_can_be_built_before_its_process_is_ready(folder: Path) -> None:
    assert prepared_page().build(folder) == BuiltPage(folder / PAGE_NAME)


def test_a_page_is_written_even_if_its_prepared_process_was_killed(folder: Path) -> None:
    page = prepared_page()
    page.wait_until_ready()
    for process in processes():
        process.kill()
        process.wait(60)

    assert page.build(folder) == BuiltPage(folder / PAGE_NAME)
    assert is_current(folder)


def test_a_process_that_is_not_ready_in_time_is_ended_and_replaced(
    folder: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(
        "import signal, sys\n"
        "if sys.argv[1].startswith('--when-asked'): signal.pause()\n"
        'print(\'{"page": "/page"}\')\n'
    )
    monkeypatch.setattr(pages, "MAX_PREPARING_S", 0.1)
    page = prepared_page("replaced_page")

    page.wait_until_ready()

    assert not processes()
    assert page.build(folder) == BuiltPage(Path("/page"))


def test_a_prepared_page_is_written_without_charts_if_drawing_crashes(
    folder: Path, program: Program
) -> None:
    program(
        "import os, sys\n"
        "from loadbench.page import write, __main__\n"
        "def crash(*_): os.kill(os.getpid(), 11)\n"
        "write.drawn = crash\n"
        "sys.exit(__main__.main())\n"
    )
    page = prepared_page("replaced_page")
    page.wait_until_ready()

    assert page.build(folder).note == "Without charts: its process was killed by signal 11"


def test_a_prepared_process_exits_if_no_page_is_wanted(folder: Path) -> None:
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [sys.executable, "-m", "loadbench.page", f"--when-asked={theirs.fileno()}"],
        pass_fds=[theirs.fileno()],
        stdout=subprocess.PIPE,
    )
    theirs.close()
    with ours:
        assert ours.recv(1)

    assert process.communicate(timeout=60)[0] == b""
    assert process.returncode == 0
    assert not (folder / PAGE_NAME).exists()


def test_a_process_that_takes_too_long_is_terminated(folder: Path, program: Program) -> None:
    program("import signal; signal.pause()")
    with pytest.raises(
        LoadbenchError, match=r"summary\.html: not written: its process took longer than 1 s$"
    ):
        build_page(folder, timeout_s=1)
    children = psutil.Process().children(recursive=True)
    assert not [child for child in children if "replaced_page" in child.cmdline()]
