"""Comparisons as Markdown."""

from dataclasses import replace
from pathlib import Path

from loadbench.engine.comparison.model import METRICS, UnmatchedCell
from loadbench.page.compare_markdown import markdown_of_comparisons
from loadbench.page.markdown import MAX_BYTES
from tests.support.compared_runs import CELLS, add_compared_run, compared


def test_names_are_escaped_and_tables_have_all_columns(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "*old* | @team")
    found = compared(before, add_compared_run(tmp_path, "<new>", 0.8, batch_size=10))
    document = markdown_of_comparisons([found], ["lost <x>"], METRICS)

    assert document.startswith("**Mean improvement at the 90th percentile: 20 % (95 % interval")
    assert "@team" not in document
    assert "<new>" not in document
    assert "<x>" not in document
    rows = [line for line in document.splitlines() if line.startswith(f"| {CELLS[0]}")]
    assert len(rows) == len(METRICS)
    assert {row.count("|") for row in rows} == {7}


def test_the_document_is_cut_at_the_limit_of_github(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before")
    found = compared(before, add_compared_run(tmp_path, "after", 0.8))
    many = UnmatchedCell(cell="m" * 400, reason="r" * 400)
    long = replace(found, cells=found.cells * 50, unmatched=(many,) * 150)
    document = markdown_of_comparisons([long] * 3, (), METRICS)

    assert len(document.encode()) <= MAX_BYTES
    assert document.count("Mean improvement") == 3
    assert "100 more cells, see" in document


def test_runs_without_common_results_have_a_document(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before", models=[1])
    found = replace(compared(before, before), cells=(), means=(), is_same_run=False)
    assert markdown_of_comparisons([found], (), METRICS).startswith("**No cell has results in both")
