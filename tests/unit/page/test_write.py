"""Tests of writing pages: with and without charts, twice, and while another run measures."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.requests.pages import is_current
from loadbench.engine.run_reader import Run
from loadbench.errors import JournalError
from loadbench.page import write
from loadbench.page.charts.chart import PageChart
from loadbench.page.charts.draw import drawn
from loadbench.page.write import write_page
from tests.support.builders import cell_started, entries, run_started, write_entries
from tests.support.goal_cells import add_goal_run
from tests.support.hundred_cells import add_hundred_cells
from tests.support.page_runs import without_date
from tests.support.study_runs import add_device_study

MAX_PAGE_BYTES = 600_000


@pytest.fixture
def measuring(tmp_path: Path) -> Iterator[str]:
    """A live run in the same workspace, which measures a cell."""
    folder = tmp_path / "reports" / "other" / "20261122-072100"
    write_entries(folder, entries([run_started(), cell_started()]))
    writer = JournalWriter(folder)
    yield "other/20261122-072100"
    writer.close()


def test_rebuilt_page_differs_only_in_its_date(tmp_path: Path) -> None:
    for folder in (add_goal_run(tmp_path), add_device_study(tmp_path / "reports").folder):
        first = without_date(write_page(folder).path)

        assert "<svg" in first
        assert without_date(write_page(folder).path) == first


def test_page_of_100_cells_is_small(tmp_path: Path) -> None:
    written = write_page(add_hundred_cells(tmp_path))

    assert written.note == ""
    assert written.path.stat().st_size < MAX_PAGE_BYTES


def test_without_the_drawing_library_only_charts_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = add_goal_run(tmp_path)
    complete = write_page(folder).path.read_text(encoding="utf-8")
    monkeypatch.setitem(sys.modules, "vl_convert", None)

    written = write_page(folder)
    page = written.path.read_text(encoding="utf-8")

    how = "To install it: pip install"
    assert how in written.note
    assert how in page
    assert "<svg" not in page
    headings = re.compile(r"<h[123].*?>(.*?)<")
    assert headings.findall(page) == headings.findall(complete)


def test_an_error_in_a_chart_costs_only_the_charts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_run: Run) -> tuple[PageChart, ...]:
        raise ZeroDivisionError("no cells")

    monkeypatch.setattr(write, "run_charts", broken)
    folder = add_goal_run(tmp_path)
    written = write_page(folder)

    assert written.note.startswith("Without charts: internal error: ZeroDivisionError: no cells")
    page = written.path.read_text(encoding="utf-8")
    assert written.note in page
    assert str(tmp_path) not in page
    assert "<h2>Cells</h2>" in page
    assert not is_current(folder)


def test_a_run_that_changes_while_its_page_is_written_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = add_goal_run(tmp_path)

    def draw_late(charts: Iterable[PageChart]) -> dict[str, str]:
        svg = drawn(charts)
        os.utime(folder / "journal.jsonl")
        return svg

    monkeypatch.setattr(write, "drawn", draw_late)
    assert write_page(folder).note == ""
    assert not is_current(folder)


def test_nothing_is_drawn_while_another_run_measures(tmp_path: Path, measuring: str) -> None:
    folder = add_goal_run(tmp_path)
    written = write_page(folder)

    page = written.path.read_text(encoding="utf-8")
    assert f"because {measuring} is measuring" in written.note
    assert f"because {measuring} is measuring" in page
    assert "<svg" not in page


def test_current_page_is_kept_while_another_run_measures(tmp_path: Path) -> None:
    folder = add_goal_run(tmp_path)
    page = write_page(folder).path
    before = page.read_text(encoding="utf-8")
    other = tmp_path / "reports" / "other" / "20261122-072100"
    write_entries(other, entries([run_started(), cell_started()]))
    writer = JournalWriter(other)
    try:
        note = write_page(folder).note
    finally:
        writer.close()

    assert note.startswith("summary.html was kept. Charts were not drawn, because other/")
    assert page.read_text(encoding="utf-8") == before


def test_missing_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=re.escape(str(tmp_path / "none" / "journal.jsonl"))):
        write_page(tmp_path / "none")
