"""Request statistics as a table, and the kinds of failure. Pure."""

from collections.abc import Sequence

from loadbench.engine.journal.events import ErrorCount
from loadbench.engine.numbers import latency, number
from loadbench.engine.report.rows import PERCENTILE_NAMES
from loadbench.engine.report.statistics import CellStatistics, RequestStatistics, StatisticsWindow
from loadbench.ui.lines.text import Line, Piece, Tone, line, table, wrap
from loadbench.wording import FEW_SAMPLES

_WINDOWS = {
    StatisticsWindow.BEFORE_MEASURING: "before measuring",
    StatisticsWindow.MEASURED_SO_FAR: "measured so far",
    StatisticsWindow.MEASURED: "measured",
}


def window_words(statistics: CellStatistics) -> str:
    """Return which seconds the statistics cover, such as `measured, 6 s`."""
    return f"{_WINDOWS[statistics.window]}, {statistics.seconds:g} s"


def stat_lines(statistics: CellStatistics) -> list[Line]:
    """Return the statistics as a table; latencies in ms, of successes."""
    if not statistics.rows:
        return [line(("no request has been answered yet", Tone.DIM))]
    header = ("name", "requests", "fails", "req/s", *PERCENTILE_NAMES.values())
    lines = table(header, [_cells(row) for row in statistics.rows])
    if any(_has_estimate(row) for row in statistics.rows):
        lines.append(line((FEW_SAMPLES, Tone.DIM)))
    return lines


def failure_lines(errors: Sequence[ErrorCount], columns: int) -> list[Line]:
    """Return a line for every kind of failure, the most frequent first, wrapped."""
    lines: list[Line] = []
    for error in sorted(errors, key=lambda it: -it.count):
        one = line((f"{error.count:>7}  ", Tone.BAD), error.error)
        lines += wrap(one, columns, indent=9)
    return lines


def _has_estimate(row: RequestStatistics) -> bool:
    return any(it.value_ms is not None and not it.has_enough_samples for it in row.percentiles)


def _cells(row: RequestStatistics) -> list[str | Piece]:
    latencies = [latency(it.value_ms, backed=it.has_enough_samples) for it in row.percentiles]
    fails = Piece(str(row.failures), Tone.BAD if row.failures else Tone.DIM)
    return [row.name, str(row.requests), fails, number(row.rps), *latencies]
