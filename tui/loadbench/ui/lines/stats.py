"""Format request statistics as a table, and failures by error."""

from collections.abc import Sequence

from loadbench.engine.journal.events import ErrorCount
from loadbench.engine.numbers import latency, number
from loadbench.engine.report.rows import PERCENTILE_NAMES
from loadbench.engine.report.statistics import CellStatistics, RequestStatistics, StatisticsWindow
from loadbench.ui.lines.text import Line, Piece, Tone, line, table, wrap
from loadbench.wording import ESTIMATE_LEGEND

LATENCY_NOTE = "latency in ms, successful requests"
NO_REQUESTS = "No requests completed yet"

_WINDOWS = {
    StatisticsWindow.BEFORE_MEASURING: "before the measurement window",
    StatisticsWindow.MEASURED_SO_FAR: "measurement window so far",
    StatisticsWindow.MEASURED: "measurement window",
}


def window_label(statistics: CellStatistics) -> str:
    """Return a label for the period of the statistics, such as `measurement window, 6 s`."""
    return f"{_WINDOWS[statistics.window]}, {statistics.seconds:g} s"


def stat_lines(statistics: CellStatistics) -> list[Line]:
    """Return the statistics as a table. Latencies are in ms and cover successful requests."""
    if not statistics.rows:
        return [line((NO_REQUESTS, Tone.DIM))]
    header = ("name", "requests", "fails", "req/s", *PERCENTILE_NAMES.values())
    lines = table(header, [_cells(row) for row in statistics.rows])
    if any(_has_estimate(row) for row in statistics.rows):
        lines.append(line((ESTIMATE_LEGEND, Tone.DIM)))
    return lines


def failure_lines(errors: Sequence[ErrorCount], columns: int) -> list[Line]:
    """Return each error with its number of failed requests, most frequent first, wrapped."""
    lines: list[Line] = []
    for error in sorted(errors, key=lambda error: -error.count):
        counted_error = line((f"{error.count:>7}  ", Tone.BAD), error.error)
        lines += wrap(counted_error, columns, indent=9)
    return lines


def _has_estimate(row: RequestStatistics) -> bool:
    return any(
        percentile.value_ms is not None and not percentile.has_enough_samples
        for percentile in row.percentiles
    )


def _cells(row: RequestStatistics) -> list[str | Piece]:
    latencies = [
        latency(percentile.value_ms, backed=percentile.has_enough_samples)
        for percentile in row.percentiles
    ]
    fails = Piece(str(row.failures), Tone.BAD if row.failures else Tone.DIM)
    return [row.name, str(row.requests), fails, number(row.rps), *latencies]
