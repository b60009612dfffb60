"""The latency and throughput charts of one cell, shared by several screens."""

from dataclasses import replace

from loadbench.engine.journal.state import CellStatus
from loadbench.engine.report.measurements.metric import MeasurementMetric
from loadbench.engine.report.metrics import AnyMetric, default_metric
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.charts.series import (
    goal_note,
    latency_chart,
    measurement_chart,
    throughput_chart,
)
from loadbench.ui.lines.text import short_name
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.widgets.chart import ChartView, show_charts


class CellCharts:
    """Charts of one cell's latency and throughput over time.

    Args:
        terminal: Capabilities of the terminal, which select braille or ASCII signs.
    """

    def __init__(self, terminal: Terminal) -> None:
        signs, ascii_frame = terminal.signs, terminal.ascii
        self.latency = ChartView("Latency (ms)", id="latency", signs=signs, ascii_frame=ascii_frame)
        self.throughput = ChartView(
            "Throughput", id="throughput", signs=signs, ascii_frame=ascii_frame
        )

    def show(self, shown: CellView, chosen: AnyMetric | None = None) -> None:
        """Draw both charts of a cell, with its key and goal below the latency chart.

        Args:
            shown: The cell.
            chosen: The metric that the user chose. A percentile is shown. A measurement with values
                replaces the latency.
        """
        attempt, slices = shown.attempt, shown.slices
        phases = attempt.phases if attempt else ()
        live = shown.cell.status is CellStatus.RUNNING
        empty = "" if slices else shown.why_empty
        latency = None
        limited: AnyMetric = default_metric(shown.goals)
        if slices:
            latency = latency_chart(slices, phases, shown.goals, growing=live, chosen=chosen)
            if shown.main:
                latency = replace(latency, label=f"{short_name(shown.main)} (ms)")
        if isinstance(chosen, MeasurementMetric):
            measured = measurement_chart(slices, phases, shown.goals, chosen, growing=live)
            if measured.has_points:
                latency, limited = measured, chosen
        throughput = throughput_chart(slices, phases, growing=live) if slices else None
        if throughput and shown.main:
            throughput = replace(throughput, label=short_name(shown.main))
        show_charts([(self.latency, latency), (self.throughput, throughput)], empty=empty)
        goal = goal_note(latency, limited)
        self.latency.note(
            _legend(shown.key, goal, self.latency.size.width) if slices else shown.key
        )


def _legend(key: str, goal: str, columns: int) -> str:
    """Return the legend of the latency chart. If it is too long, it has fewer explanations."""
    start = "| start of measurement"
    parts = ((f"{key}, per second", start), (key, start), (key,))
    legends = [" · ".join((*part, goal) if goal else part) for part in parts]
    # The panel has no width before the first layout.
    fitting = (legend for legend in legends if len(legend) < columns or not columns)
    return next(fitting, legends[-1])
