"""The charts of a run's measured cells over load, beside the charts over time."""

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.measurements.metric import MeasurementMetric
from loadbench.engine.report.metrics import AnyMetric, Metric, goals_of, latency_metric
from loadbench.ui.lines.charts.by_level import chart_by_level
from loadbench.ui.lines.charts.plot import Chart
from loadbench.ui.lines.charts.series import goal_note
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.widgets.chart import ChartView, show_charts

NO_CELLS = "No cells measured yet"


class LevelCharts:
    """Charts of latency and throughput over load, with one line per number of models.

    Args:
        terminal: Capabilities of the terminal, which select braille or ASCII signs.
    """

    def __init__(self, terminal: Terminal) -> None:
        signs, ascii_frame = terminal.signs, terminal.ascii
        self.latency = ChartView(
            "Latency (ms)", id="level-latency", signs=signs, ascii_frame=ascii_frame
        )
        self.throughput = ChartView(
            "req/s", id="level-throughput", signs=signs, ascii_frame=ascii_frame
        )
        self._source: tuple[AnyMetric, tuple[CellFinished | None, ...]] | None = None
        self._charts: tuple[Chart | None, Chart | None] = (None, None)

    def show(self, state: RunState, chosen: AnyMetric | None = None) -> None:
        """Draw the charts if the panels are visible.

        Args:
            state: The state of the run.
            chosen: The metric that the user chose. A percentile of latency or of a measurement is
                shown.
        """
        if not (self.latency.region.width or self.throughput.region.width):
            return
        metric: AnyMetric = latency_metric(chosen, goals_of(state))
        if isinstance(chosen, MeasurementMetric):
            metric = chosen
        # Merging the histograms of all cells is slow, and they change only when a cell ends.
        source = (metric, tuple(cell.finished for cell in state.cells.values()))
        if source != self._source:
            self._source = source
            self._charts = chart_by_level(state, metric), chart_by_level(state, Metric.RPS)
        latency, throughput = self._charts
        show_charts([(self.latency, latency), (self.throughput, throughput)], empty=NO_CELLS)
        self.latency.note(goal_note(latency))
