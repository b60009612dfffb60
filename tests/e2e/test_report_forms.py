"""The forms of the command `report`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.requests.pages import PAGE_NAME
from tests.support.builders import cell_started, run_started, write_journal
from tests.support.golden import JOURNALS
from tests.support.harness import Bench, until
from tests.support.ui_harness import held

RUN = "demo/20261122-111101"
LIVE = "fast/20261122-072100"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a workspace with a run that has ended."""
    made = Bench.make(tmp_path)
    folder = made.reports / RUN
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_bytes((JOURNALS / "demo.jsonl").read_bytes())
    yield made
    made.close()


@pytest.fixture
def folder(bench: Bench) -> Path:
    return bench.reports / RUN


@pytest.fixture
def live(bench: Bench) -> Iterator[Path]:
    """Add a run that is measuring a cell."""
    folder = write_journal(bench.reports / LIVE, run_started(), cell_started())
    with held(folder):
        yield folder


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the browser by a program that writes the path it opens into the returned file."""
    programs, opened = tmp_path / "programs", tmp_path / "opened"
    programs.mkdir()
    program = programs / "xdg-open"
    program.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {opened}.new\nmv {opened}.new {opened}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("DISPLAY", ":0")
    return opened


@pytest.fixture
def no_display(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def test_without_options_all_files_are_rebuilt(bench: Bench, folder: Path) -> None:
    result = bench.call("report", "demo")

    assert result.returncode == 0
    assert result.stderr == "Rebuilt summary.csv, summary.json, summary.html\n"
    assert (folder / PAGE_NAME).stat().st_size
    assert "m2_u8_s8" in result.stdout
    assert "Rebuilt" not in result.stdout


def test_results_are_printed_even_if_the_page_cannot_be_written(bench: Bench, folder: Path) -> None:
    (folder / PAGE_NAME).mkdir()

    result = bench.call("report", "demo")

    assert result.returncode == 0
    assert "m2_u8_s8" in result.stdout
    assert f"warning: {folder / PAGE_NAME}: " in result.stderr
    assert "Rebuilt summary.csv, summary.json\n" in result.stderr


@pytest.mark.parametrize("options", [[], ["--json"], ["--markdown"]])
def test_results_are_printed_even_if_no_file_can_be_written(
    bench: Bench, folder: Path, options: list[str]
) -> None:
    (folder / "summary.csv").mkdir()

    result = bench.call("report", "demo", *options)

    assert result.returncode == 0
    assert "carry at least 8 users" in result.stdout
    assert f"warning: {folder / 'summary.csv'}: " in result.stderr
    assert "Rebuilt" not in result.stderr


def test_an_empty_folder_for_charts_is_refused(bench: Bench, folder: Path) -> None:
    result = bench.call("report", "demo", "--charts", "")

    assert result.returncode == 2
    assert "the path of the folder is empty" in result.stderr


@pytest.mark.parametrize("form", ["--json", "--csv", "--markdown"])
def test_data_goes_to_stdout_and_the_page_is_not_rebuilt(
    bench: Bench, folder: Path, form: str
) -> None:
    result = bench.call("report", "demo", form)

    assert result.returncode == 0
    assert result.stderr == "Rebuilt summary.csv, summary.json\n"
    assert not (folder / PAGE_NAME).exists()
    match form:
        case "--json":
            assert json.loads(result.stdout) == json.loads((folder / "summary.json").read_text())
        case "--csv":
            assert result.stdout == (folder / "summary.csv").read_text()
        case _:
            assert result.stdout.startswith("**2 CPU model processes at batch 1 carry")
            assert f"\n- Run: {RUN}, done, 4 cells: 4 measured\n" in result.stdout


def test_series_rebuild_nothing(bench: Bench, folder: Path) -> None:
    result = bench.call("report", "demo", "--series")

    assert result.returncode == 0
    assert result.stderr == ""
    assert [file.name for file in folder.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("form", ["--json", "--csv", "--markdown", None])
def test_results_of_a_live_run_are_printed_without_rebuilding(
    bench: Bench, live: Path, form: str | None
) -> None:
    result = bench.call("report", "fast", *filter(None, [form]))

    assert result.returncode == 0
    assert result.stderr == f"{LIVE} is live; these are the results so far\n"
    assert "m1_u2_s2" in result.stdout
    assert [file.name for file in live.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--json", "--csv"], "--json and --csv cannot be combined. Use one of them"),
        (["--series", "--charts", "x"], "--series and --charts cannot be combined. Use one of"),
        (["--open", "--markdown"], "--open and --markdown cannot be combined. Use one of them"),
    ],
)
def test_only_one_form_can_be_used(bench: Bench, options: list[str], message: str) -> None:
    result = bench.call("report", "demo", *options)

    assert result.returncode == 2
    assert message in result.stderr
    assert result.stdout == ""


def test_the_page_is_written_and_opened(bench: Bench, folder: Path, browser: Path) -> None:
    result = bench.call("report", "demo", "--open")

    assert result.returncode == 0
    assert result.stdout == f"{folder / PAGE_NAME}\n"
    assert result.stderr.endswith("Opened in the browser\n")
    assert until(lambda: browser.is_file() and browser.read_text()) == str(folder / PAGE_NAME)


def test_a_current_page_is_opened_as_it_is(bench: Bench, folder: Path, browser: Path) -> None:
    page = folder / PAGE_NAME
    page.write_text("current")

    assert bench.call("report", "demo", "--open").returncode == 0
    assert page.read_text() == "current"

    os.utime(page, (0, 0))
    assert bench.call("report", "demo", "--open").returncode == 0
    assert page.read_text() != "current"


@pytest.mark.usefixtures("no_display")
def test_without_a_display_the_path_is_printed(bench: Bench, folder: Path) -> None:
    result = bench.call("report", "demo", "--open")

    assert result.returncode == 0
    assert result.stdout == f"{folder / PAGE_NAME}\n"
    assert result.stderr.endswith("No display available. Open the file in a browser\n")


def test_the_page_of_a_live_run_is_refused(bench: Bench, live: Path, browser: Path) -> None:
    result = bench.call("report", "fast", "--open")

    assert result.returncode == 2
    assert f"{LIVE} is live. Its page is written when it ends" in result.stderr
    assert f"loadbench-tui attach {LIVE}" in result.stderr
    assert not (live / PAGE_NAME).exists()
    assert not browser.exists()


def test_a_browser_that_cannot_be_started_is_a_failure(
    bench: Bench, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "xdg-open"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")

    result = bench.call("report", "demo", "--open")

    assert result.returncode == 3
    assert result.stdout == f"{folder / PAGE_NAME}\n"
    assert "cannot start xdg-open: Exec format error" in result.stderr


def test_charts_are_not_drawn_while_a_run_is_measuring(
    bench: Bench, live: Path, tmp_path: Path
) -> None:
    result = bench.call("report", "demo", "--charts", str(tmp_path / "charts"))

    assert result.returncode == 3
    assert f"charts are not drawn while {LIVE} is measuring" in result.stderr
    assert not (tmp_path / "charts").exists()
