"""A plain Textual dashboard for comparison, written in the style of the Textual tutorial.

    python bench/ui_plain.py RUN [--refresh 2]

It updates every table cell at each refresh, and has plotext charts in a Static widget, a log, a
header with a clock, and a footer. It reads the same journal and shows the same data as the run
screen. bench/ui.py compares the two.
"""

import argparse
from pathlib import Path
from typing import ClassVar

import plotext
from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import DataTable, Footer, Header, Log, Static

from loadbench import wording
from loadbench.engine.journal.events import Buckets, Container, Phase, Sample
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import EMPTY
from loadbench.engine.measure.buckets import count, failures, merge, percentile, successes

FRACTIONS = {"p50": 0.5, "p90": 0.9, "p99": 0.99}
COLOURS = ("green", "orange", "red")
STATS = ("name", "requests", "fails", "req/s", "p50", "p90", "p95", "p99", "max")
STATS_FRACTIONS = (0.5, 0.9, 0.95, 0.99, 1.0)
CONTAINERS = ("container", "state", "health", "cpu", "memory")


class PlainDashboard(App[None]):
    """Dashboard of one run.

    Args:
        folder: Folder of the run.
        refresh_hz: Refresh rate in Hz.
    """

    CSS = """
    #upper { height: 1fr; } #left { width: 48; } #containers { height: 11; } #log { height: 1fr; }
    .chart { height: 1fr; } #stats { height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [("q", "quit", "Quit")]

    def __init__(self, folder: Path, refresh_hz: float) -> None:
        super().__init__()
        self._reader, self._state = JournalReader(folder), EMPTY
        self._interval_s = 1 / refresh_hz
        self._latencies: list[tuple[float, ...]] = []
        self._throughput: list[tuple[float, int]] = []
        self._requests: Buckets = ()
        self._failed = self._measured_s = 0

    def compose(self) -> ComposeResult:
        """Create the widgets."""
        yield Header(show_clock=True)
        with Horizontal(id="upper"):
            with Vertical(id="left"):
                yield DataTable[str](id="containers", cursor_type="row")
                yield Log(id="log")
            with Vertical():
                yield Static(id="latency", classes="chart")
                yield Static(id="throughput", classes="chart")
        yield DataTable[str](id="stats", cursor_type="none")
        yield Footer()

    def on_mount(self) -> None:
        """Create the table columns and start the refresh timer."""
        for name in CONTAINERS:
            self.query_one("#containers", DataTable).add_column(name, key=name)
        for name in STATS:
            self.query_one("#stats", DataTable).add_column(name, key=name, width=9)
        self.query_one("#stats", DataTable).add_row(*[""] * len(STATS), key="all")
        self.set_interval(self._interval_s, self.show)
        self.call_after_refresh(self.show)

    def show(self) -> None:
        """Read new journal entries and update all widgets."""
        for entry in self._reader.poll():
            self._state = self._state.apply(entry)
            if isinstance(entry.event, Sample):
                self._add(entry.event)
            if line := wording.event_line(entry, self._state):
                self.query_one(Log).write_line(f"{entry.at[11:19]} {line}")
        state = self._state
        started = state.started.run if state.started else ""
        spent = divmod(int(state.elapsed_s - state.phase_since_s), 60)
        self.title = started
        self.sub_title = f"{state.current} {state.phase} {spent[0]:02}:{spent[1]:02}"
        self._update("containers", [_cells(each) for each in state.containers], CONTAINERS)
        self._update("stats", [self._stats()], STATS)
        self._draw()

    def _add(self, sample: Sample) -> None:
        good = successes(sample.requests)
        figures = tuple(percentile(good, fraction) or 0.0 for fraction in FRACTIONS.values())
        self._latencies.append(figures)
        self._throughput.append((float(count(good)), sample.users))
        if self._state.phase is Phase.MEASURING:
            self._requests = merge([self._requests, good])
            self._failed += count(failures(sample.requests))
            self._measured_s += 1

    def _stats(self) -> tuple[str, ...]:
        good = count(self._requests)
        latencies = [
            f"{percentile(self._requests, fraction) or 0:.1f}" for fraction in STATS_FRACTIONS
        ]
        rps = good / max(1, self._measured_s)
        return ("POST /predict", str(good), str(self._failed), f"{rps:.1f}", *latencies)

    def _update(self, name: str, rows: list[tuple[str, ...]], columns: tuple[str, ...]) -> None:
        table = self.query_one(f"#{name}", DataTable)
        for row in rows:
            key = "all" if name == "stats" else row[0]
            if key not in {row_key.value for row_key in table.rows}:
                table.add_row(*row, key=key)
            for column, value in zip(columns, row, strict=True):
                table.update_cell(key, column, value)

    def _draw(self) -> None:
        latency = list(zip(*self._latencies, strict=True))
        throughput = list(zip(*self._throughput, strict=True))
        self._chart("latency", "Latency (ms): p50, p90, p99", latency)
        self._chart("throughput", "Throughput (req/s), users", throughput)

    def _chart(self, name: str, title: str, series: list[tuple[float, ...]]) -> None:
        chart = self.query_one(f"#{name}", Static)
        columns, rows = chart.size
        if not series or columns < 20 or rows < 4:
            return
        plotext.terminal.limit(False, False)
        figure = plotext.figure
        figure.clear()
        figure.plot_size(columns, rows)
        figure.theme("simple")
        figure.title(title)
        for values, colour in zip(series, COLOURS, strict=False):
            marker = plotext.marker("braille", pixel=colour)
            figure.draw(figure.signal(list(range(len(values))), values, marker=marker).lines())
        chart.update(Text.from_ansi(str(figure.build().string())))


def _cells(container: Container) -> tuple[str, ...]:
    cpu = f"{100 * (container.cpu_cores or 0):.1f}%"
    memory = f"{(container.memory_bytes or 0) / 2**20:.1f}M"
    return (container.name, container.state, container.health or "", cpu, memory)


def main() -> None:
    """Show a run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--refresh", type=float, default=2.0, help="refresh rate in Hz")
    options = parser.parse_args()
    PlainDashboard(options.run, options.refresh).run()


if __name__ == "__main__":
    main()
