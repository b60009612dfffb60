"""The comparison of two runs as lines."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.comparison.model import METRICS, Comparison
from loadbench.engine.comparison.sentences import sentences
from loadbench.engine.comparison.table import cells_table
from loadbench.engine.report.metrics import Metric
from loadbench.ui.compare.lines import cell_entries, header_line, problem_lines, summary_lines
from loadbench.ui.lines.charts.by_level import chart_of_both
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.text import SERIES, Tone, plain, width
from tests.support.compared_runs import CELLS, add_compared_run, compared

P90 = METRICS[1]


@pytest.fixture
def found(tmp_path: Path) -> Comparison:
    """The comparison of two runs: two cells are better, one is worse, one has been skipped."""
    before = add_compared_run(tmp_path, "with_cpu")
    factors = {CELLS[0]: 0.5, CELLS[1]: 0.5, CELLS[2]: 1.5}
    last = CELLS[3]
    missing = (last, f"{last}_r2", f"{last}_r3")
    after = add_compared_run(tmp_path, "with_gpu", factors, missing=missing, device="gpu")
    return compared(before, after)


@pytest.mark.parametrize("columns", [30, 56, 76, 140])
def test_the_summary_has_the_sentences_of_the_command_and_fits(
    found: Comparison, columns: int
) -> None:
    lines = summary_lines(found, columns)
    text = " ".join(" ".join(map(plain, lines)).split())

    for sentence in sentences(found):
        assert sentence in text
    assert "Differs: device" in text
    assert "device: cpu → gpu" in text
    assert f"{CELLS[3]}: not measured in the candidate" in text
    assert max(width(line) for line in lines if "result" not in plain(line)) <= max(columns, 42)


def test_doubts_are_marked(found: Comparison) -> None:
    doubtful = replace(found, doubts=("The machines differ", "p99 left out"))
    lines = map(plain, summary_lines(doubtful, 200))

    assert [text for text in lines if text.startswith("! ")] == [
        "! The machines differ",
        "! p99 left out",
    ]


def test_entries_are_the_cells_with_the_colours_of_their_changes(found: Comparison) -> None:
    heading, *entries = cell_entries(found, P90, 100)

    assert heading.key == ""
    assert [entry.key for entry in entries] == list(CELLS[:3])
    assert [entry.lines[0][-1].tone for entry in entries] == [Tone.GOOD, Tone.GOOD, Tone.BAD]
    _, rows = cells_table(found, P90)
    assert [plain(entry.lines[0]).split() for entry in entries] == [
        " ".join(row).split() for row in rows
    ]


@pytest.mark.parametrize(
    ("columns", "missing"),
    [(100, []), (59, ["before"]), (51, ["before", "after"]), (20, ["before", "after", "interval"])],
)
def test_a_narrow_table_omits_columns(found: Comparison, columns: int, missing: list[str]) -> None:
    heading, *entries = cell_entries(found, P90, columns)
    names = ["p90 (ms)", "before", "after", "change", "interval", "result"]

    shown = plain(heading.lines[0])
    assert [name for name in names if name not in shown] == missing
    assert all(plain(entry.lines[0]).rstrip().endswith(("better", "worse")) for entry in entries)


def test_a_metric_without_values_has_no_entries(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before", missing=CELLS, repeats=(1.0,))
    after = add_compared_run(tmp_path, "after", repeats=(1.0,))

    assert cell_entries(compared(before, after), P90, 80) == []


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize("names", [("a/1", "b/2"), ("a/1", "b" * 90), ("a" * 90, "b" * 90)])
def test_the_header_fits(names: tuple[str, str], columns: int) -> None:
    header = header_line(*names, UNICODE, columns)

    assert width(header) <= columns
    assert plain(header).startswith(" compare ▸ A a")
    assert " → B b" in plain(header)


def test_missing_runs_are_named() -> None:
    assert [plain(line) for line in problem_lines(["demo/1"], complete=True)] == [
        "demo/1 was deleted or cannot be read."
    ]
    assert [plain(line) for line in problem_lines(["demo/1"], complete=False)] == ["Loading…"]


def test_the_runs_in_a_chart_differ_without_colour(found: Comparison) -> None:
    before, after = found.before.run.state, found.after.run.state
    chart = chart_of_both(before, after, Metric.P90)

    assert chart is not None
    assert [one.name for one in chart.series] == ["1", "2 A", "1", "2 B"]
    assert "".join(one.point for one in chart.series) == "●■○□"
    assert "".join(one.sign for one in chart.series) == "abAB"
    assert [one.tone for one in chart.series] == [SERIES[0]] * 2 + [SERIES[1]] * 2
    assert chart.x_limits == (0.0, 50.0)
