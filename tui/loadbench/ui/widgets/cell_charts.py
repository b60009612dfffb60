"""The two charts of a cell by the second, on whichever screen they are."""

from loadbench.engine.journal.state import CellStatus
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.series import latency_chart, throughput_chart
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.ui.widgets.chart import ChartView


class CellCharts:
    """Two charts over time of one cell.

    Args:
        terminal: How to draw.
    """

    def __init__(self, terminal: Terminal) -> None:
        signs, ascii_frame = terminal.signs, terminal.ascii
        self.latency = ChartView("latency ms", id="latency", signs=signs, ascii_frame=ascii_frame)
        self.throughput = ChartView(
            "throughput", id="throughput", signs=signs, ascii_frame=ascii_frame
        )

    def show(self, shown: CellView) -> None:
        """Show a cell, and its key at the first chart."""
        attempt, slices = shown.attempt, shown.slices
        phases = attempt.phases if attempt else ()
        live = shown.cell.status is CellStatus.RUNNING
        empty = "" if slices else shown.why_empty
        self.latency.show_chart(
            latency_chart(slices, phases, growing=live) if slices else None, empty=empty
        )
        self.throughput.show_chart(
            throughput_chart(slices, phases, growing=live) if slices else None, empty=empty
        )
        told = f"{shown.key}, each second; | measuring begins" if slices else shown.key
        self.latency.note(told)
