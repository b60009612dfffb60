"""Measurements in the sweep and in charts over time."""

import pytest

from loadbench.engine.report.measurements.metric import MeasurementMetric
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.rows import rows
from loadbench.engine.report.slices import Slices
from loadbench.ui.lines.charts.by_level import chart_by_level
from loadbench.ui.lines.charts.series import goal_note, measurement_chart
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.matrix import CellLayout
from loadbench.ui.lines.metric import live_text, metric_text, sweep_legend
from tests.support.builders import measurement, sample, samples_of
from tests.support.chat_cells import (
    FIRST_TOKEN_GOAL_MS,
    MAIN,
    PROFILE,
    chat_requests,
    chat_run,
    chat_sample,
)

FIRST_TOKEN = MeasurementMetric(("TTFT", "first token", "ms"), "p95")
SPEED = MeasurementMetric(("METRIC", "speed", "tokens/s"), "p10")
ROWS = rows(chat_run())


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (123_456.0, "ms", "123s"),
        (123_456.0, "tokens", "123k"),
        (-1.23, "ms", "-1.2"),
        (-1.23, "tokens", "-1.2"),
    ],
)
def test_values_fit_the_cells_of_the_sweep(value: float, unit: str, text: str) -> None:
    second = sample(measurements=(measurement("a", "METRIC", unit, ((value, 1),)),))
    metric = MeasurementMetric(("METRIC", "a", unit), "p50")

    assert live_text(second, metric) == text


def test_sweep_shows_the_value_of_a_cell() -> None:
    assert [metric_text(row, FIRST_TOKEN) for row in ROWS[:2]] == ["78.0", "106"]
    assert metric_text(ROWS[0], MeasurementMetric(("", "other", ""), "p95")) == "-"


def test_a_second_without_values_has_no_text() -> None:
    assert live_text(sample(), FIRST_TOKEN) == ""


def test_live_values_are_those_of_the_main_requests() -> None:
    second = sample(requests=tuple(chat_requests(24, 100)))

    assert live_text(second, Metric.P50) == "2.00"
    assert (live_text(second, Metric.P50, MAIN), live_text(second, Metric.RPS, MAIN)) == (
        "100",
        "24.0",
    )


def test_the_legend_has_the_goal_of_the_measurement() -> None:
    assert sweep_legend(FIRST_TOKEN, PROFILE.goals, ROWS, UNICODE, 60).startswith(
        "first token p95 ≤ 90 ms"
    )
    assert sweep_legend(SPEED, PROFILE.goals, ROWS, UNICODE, 60).startswith(
        "speed p10 ≥ 20 tokens/s"
    )


def test_a_long_name_is_cut_in_the_legend() -> None:
    long = MeasurementMetric(("METRIC", "name " * 20, "ms"), "p95")

    assert len(sweep_legend(long, PROFILE.goals, ROWS, UNICODE, 40)) == 40


def test_the_head_of_a_value_is_the_name_of_the_measurement() -> None:
    layout = CellLayout(metric=FIRST_TOKEN, others=(Metric.P95,))

    assert (layout.head(FIRST_TOKEN), layout.head(Metric.P95)) == ("fi…en", "p95")


def test_titles_of_charts_over_users_have_the_name_of_the_main_request() -> None:
    state = chat_run()

    charts = [chart_by_level(state, metric) for metric in (Metric.P95, FIRST_TOKEN)]

    assert [chart.label for chart in charts if chart] == [
        "POST /v1/c…mpletions p95 (ms)",
        "first token p95 (ms)",
    ]


def test_the_chart_has_the_percentiles_and_the_goal() -> None:
    samples = samples_of([chat_sample("m1_u2_s2", second, 1, 2) for second in range(5)])
    slices = Slices().of(samples, MAIN)

    first = measurement_chart(slices, (), PROFILE.goals, FIRST_TOKEN, growing=True)
    speed = measurement_chart(slices, (), PROFILE.goals, SPEED, growing=False)

    assert (first.label, first.goal) == ("first token (ms)", FIRST_TOKEN_GOAL_MS)
    assert [(one.name, one.latest) for one in first.series] == [("p50", 58.0), ("p95", 78.0)]
    assert goal_note(first, FIRST_TOKEN) == "┈ p95 goal 90"
    assert [(one.name, one.latest) for one in speed.series] == [
        ("p10", None),
        ("p50", None),
        ("p95", None),
    ]


def test_negative_values_are_gaps_in_the_chart() -> None:
    values = (measurement(values=((-1.0, 1),)),)
    slices = Slices().of(samples_of([sample(measurements=values)]))

    chart = measurement_chart(slices, (), PROFILE.goals, FIRST_TOKEN, growing=False)

    assert not chart.has_points
