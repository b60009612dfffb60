"""The table of measurements, and the mark of the main request."""

import pytest

from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.rows import rows
from loadbench.engine.report.statistics import CellStatistics, cell_statistics
from loadbench.ui.cell.lines import verdict_lines
from loadbench.ui.lines.cell import CellView, stage_bar
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.measurements import cut_names, measurement_lines
from loadbench.ui.lines.stats import stat_lines
from loadbench.ui.lines.text import Line, plain, width
from loadbench.ui.reports.lines import table_legend
from loadbench.ui.run.lines import figures_line
from loadbench.wording.measurements import HEADING
from tests.support.builders import cell_finished, make_profile, measurement, swept
from tests.support.chat_cells import MAIN, PROFILE, chat_measurements, chat_requests, chat_run

CHAT = cell_finished(
    requests=tuple(chat_requests(240, 100)), measurements=chat_measurements(240, 40.0)
)


def texts(lines: list[Line]) -> list[str]:
    return [plain(line).rstrip() for line in lines]


def statistics(*names: str) -> CellStatistics:
    found = tuple(measurement(name, values=((40.0, 4_000),)) for name in names)
    return cell_statistics(cell_finished(measurements=found))


def test_table_states_that_measurements_are_not_counted_as_requests() -> None:
    lines = texts(measurement_lines(cell_statistics(CHAT), Goals(), 116))

    assert lines == [
        HEADING,
        "               type    unit      values  fails   p50   p90   p95    p99   max  sum/s",
        "first token    TTFT    ms           240      0  40.0  60.0  60.0  ~60.0  60.0      -",
        "output tokens  METRIC  tokens       240      0  64.0  64.0  64.0  ~64.0  64.0   1440",
        "speed          METRIC  tokens/s     240      1  50.0  50.0  50.0  ~50.0  50.0      -",
    ]


def test_table_has_the_low_percentiles_with_a_goal() -> None:
    _, header, *_ = texts(measurement_lines(cell_statistics(CHAT), PROFILE.goals, 116))

    assert header.split()[4:6] == ["p10", "p50"]


@pytest.mark.parametrize("columns", [30, 36, 56, 76, 116])
def test_columns_are_omitted_until_the_table_fits(columns: int) -> None:
    lines = measurement_lines(cell_statistics(CHAT), PROFILE.goals, columns)

    header = plain(lines[1]).split()
    assert {"values", "p50", "p95", "p99"} <= set(header)
    assert max(map(width, lines[1:])) <= max(columns, 46)
    assert ("p90" in header) is (columns >= 116)


def test_long_names_are_cut_only_without_optional_columns() -> None:
    long = "tokens per second of the whole answer"
    shown = statistics(long)

    assert cut_names(shown, Goals(), 116) == []
    assert cut_names(shown, Goals(), 56) == [long]
    assert "…" in plain(measurement_lines(shown, Goals(), 56)[2])


def test_estimates_are_explained_if_the_requests_have_none() -> None:
    finished = cell_finished(measurements=(measurement(),))
    requests = cell_statistics(finished)

    lines = measurement_lines(requests, Goals(), 116)

    assert "~50.0" in plain(lines[2])
    assert sum("~ estimate" in text for text in texts([*stat_lines(requests, 116), *lines])) == 1


def test_a_cell_without_measurements_has_no_table() -> None:
    assert measurement_lines(statistics(), Goals(), 116) == []


def test_the_main_figures_and_stages_are_those_of_the_main_request() -> None:
    state = chat_run()
    shown = CellView(state.cells["m1_u2_s2"], None, main=MAIN)
    every = CellView(state.cells["m1_u2_s2"], None)

    full, short, shortest = (
        plain(figures_line(shown, Metric.P95, columns)) for columns in (100, 85, 60)
    )
    assert short == (
        " m1_u2_s2 · POST /v1/c…mpletions · 23.6 req/s · p95 220 ms · 0 failures · valid"
    )
    assert full == f"{short} · 10 s measured"
    assert shortest == " m1_u2_s2 · 23.6 req/s · p95 220 ms · 0 failures · valid"
    assert "47.2 req/s" in plain(figures_line(every, Metric.P95, 100))
    assert "api 198" in plain(stage_bar(shown, UNICODE, 80)[1])
    assert "header" in plain(stage_bar(every, UNICODE, 80)[0])


def test_results_of_repeats_are_those_of_the_main_request() -> None:
    cell = chat_run().cells["m1_u2_s2"]

    lines = verdict_lines(
        CellView(cell, None, main=MAIN), [cell], [(1, cell.finished)], UNICODE, 80
    )

    assert texts(lines)[-2:] == [
        "Repeat m1_u2_s2: p90 220 ms, 23.6 req/s, valid",
        "Attempt 1: p90 220 ms, 23.6 req/s, valid",
    ]


def test_the_legend_of_the_table_of_cells_has_the_name_of_the_main_request() -> None:
    found = rows(chat_run())

    assert table_legend(found, (), 60) == f"results of {MAIN}; latency: ms"
    assert table_legend(found, (), 45) == "results of POST /v1/c…mpletions; latency: ms"
    assert table_legend(rows(swept(make_profile())), (), 60) == "latency: ms"


def test_the_main_request_has_a_mark() -> None:
    lines = texts(stat_lines(cell_statistics(CHAT, MAIN), 116))

    assert [line[:2] for line in lines[1:4]] == ["  ", "▸ ", "  "]
    assert lines[-1].endswith("▸ main request")
    assert not any("▸" in line for line in texts(stat_lines(cell_statistics(CHAT), 116)))
