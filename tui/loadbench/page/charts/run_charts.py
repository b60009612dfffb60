"""The charts of a run, one per question."""

from collections.abc import Iterator

from loadbench.engine.report.measurements.metric import measurement_metrics
from loadbench.engine.report.metrics import Metric, default_metric, goal_of, goals_of
from loadbench.engine.run_reader import Run
from loadbench.page.charts.against_load import against_load
from loadbench.page.charts.chart import PageChart
from loadbench.page.charts.heatmap import heatmap_chart
from loadbench.page.charts.points import text_of
from loadbench.page.charts.speedup import speedup_chart
from loadbench.page.charts.stage_bars import stages_chart

MAX_MEASUREMENTS = 4
"""Maximum number of measurements with a chart, those with a goal first."""


def run_charts(run: Run) -> tuple[PageChart, ...]:
    """Return the charts of a run for which there are results, in the order of the page."""
    return tuple(chart for chart in _charts(run) if chart)


def _charts(run: Run) -> Iterator[PageChart | None]:
    state, recommendation = run.state, run.recommendation
    goals = goals_of(state)
    latency = default_metric(goals)
    yield against_load("latency", "Latency against load", state, latency)
    yield against_load("throughput", "Throughput against load", state, Metric.RPS)
    if recommendation:
        yield speedup_chart(recommendation.scaling)
    yield stages_chart(state)
    yield heatmap_chart(run)
    metrics = sorted(measurement_metrics(state), key=lambda one: goal_of(goals, one) is None)
    for index, metric in enumerate(metrics[:MAX_MEASUREMENTS], start=1):
        title = f"{text_of(metric.name)} against load"
        yield against_load(f"measurement-{index}", title, state, metric)
