"""Format request statistics as a table, and failures by error."""

from collections.abc import Sequence

from rich.cells import cell_len

from loadbench.engine.journal.events import CellFinished, ErrorCount
from loadbench.engine.journal.request_names import OTHER_REQUESTS
from loadbench.engine.measure.rules.early import MAX_NAME_CHARACTERS, early_text
from loadbench.engine.numbers import latency, number
from loadbench.engine.report.evidence.notes import note_text
from loadbench.engine.report.rows import PERCENTILE_NAMES
from loadbench.engine.report.statistics import CellStatistics, RequestStatistics, StatisticsWindow
from loadbench.ui.lines.text import Line, Piece, Tone, fit_middle, line, table, width, wrap
from loadbench.wording import ESTIMATE_LEGEND

LATENCY_NOTE = "latency in ms, successful requests"
NO_REQUESTS = "No requests completed yet"
_OTHER_LEGEND = f"{OTHER_REQUESTS}: too many names. Group them with name= in the locustfile"
_MAIN_LEGEND = "▸ main request"
_HEADER = ("name", "requests", "fails", "req/s", *PERCENTILE_NAMES.values())
_MIN_NAME_COLUMNS = 8
"""Minimum width of names beside all numbers."""
_SCROLLED_NAME_COLUMNS = 20
"""Maximum width of names if the numbers do not fit beside them and must be scrolled."""
_GAP = 2
"""Columns between the names and the numbers."""

_WINDOWS = {
    StatisticsWindow.BEFORE_MEASURING: "before the measurement window",
    StatisticsWindow.MEASURED_SO_FAR: "measurement window so far",
    StatisticsWindow.MEASURED: "measurement window",
}


def window_label(statistics: CellStatistics) -> str:
    """Return a label for the period of the statistics, such as `measurement window, 6 s`."""
    return f"{_WINDOWS[statistics.window]}, {statistics.seconds:g} s"


def stat_lines(statistics: CellStatistics, columns: int) -> list[Line]:
    """Return the statistics as a table. Latencies are in ms and cover successful requests.

    Args:
        statistics: The statistics.
        columns: Width of a line. The middle of longer names is cut, so that all numbers fit.
    """
    if not statistics.rows:
        return [line((NO_REQUESTS, Tone.DIM))]
    room = _room(statistics, columns)
    body = [
        (_marked(fit_middle(row.name, room), row, statistics), *_numbers(row))
        for row in statistics.rows
    ]
    lines = table(_HEADER, body)
    legends = [ESTIMATE_LEGEND] if has_estimates(statistics) else []
    if _has_main(statistics):
        legends.append(_MAIN_LEGEND)
    if legends:
        lines += wrap(line((" · ".join(legends), Tone.DIM)), columns)
    if any(row.name == OTHER_REQUESTS for row in statistics.rows):
        lines.append(line((_OTHER_LEGEND, Tone.DIM)))
    return lines


def long_name_lines(
    statistics: CellStatistics, columns: int, further: Sequence[str] = ()
) -> list[Line]:
    """Return the complete names of requests that `stat_lines` cuts, and further names, wrapped."""
    names = [row.name for row in statistics.rows if cell_len(row.name) > _room(statistics, columns)]
    names += further
    if not names:
        return []
    lines = [line(("Complete names:", Tone.DIM))]
    for name in names:
        lines += wrap(line(f"  {name}"), columns, indent=4)
    return lines


def early_failure_lines(
    finished: CellFinished | None, columns: int, max_name: int = MAX_NAME_CHARACTERS
) -> list[Line]:
    """Return the requests that failed before the measurement window, with their errors, wrapped.

    Args:
        finished: The result of a cell, or None.
        columns: Width of a line.
        max_name: Maximum length of a name. The middle of a longer name is cut.
    """
    if finished is None or not finished.early_failures:
        return []
    lines = [line(("Failed before the measurement window:", Tone.WARN))]
    for early in finished.early_failures:
        lines += wrap(line(("  ", Tone.PLAIN), early_text(early, max_name)), columns, indent=2)
        for error in early.errors:
            counted_error = line((f"{error.count:>7}  ", Tone.BAD), error.error)
            lines += wrap(counted_error, columns, indent=9)
    return lines


def note_lines(finished: CellFinished | None, columns: int) -> list[Line]:
    """Return the observations about the request events of a cell, wrapped."""
    notes = finished.notes if finished else ()
    return [
        part
        for note in notes
        for part in wrap(line(("Note: ", Tone.DIM), note_text(note)), columns, indent=2)
    ]


def failure_lines(errors: Sequence[ErrorCount], columns: int) -> list[Line]:
    """Return each error with its number of failed requests, most frequent first, wrapped."""
    lines: list[Line] = []
    for error in sorted(errors, key=lambda error: -error.count):
        counted_error = line((f"{error.count:>7}  ", Tone.BAD), error.error)
        lines += wrap(counted_error, columns, indent=9)
    return lines


def has_estimates(statistics: CellStatistics) -> bool:
    """Return whether too few samples back a percentile of the requests."""
    return any(
        percentile.value_ms is not None and not percentile.has_enough_samples
        for row in statistics.rows
        for percentile in row.percentiles
    )


def _has_main(statistics: CellStatistics) -> bool:
    return any(row.is_main for row in statistics.rows)


def _marked(name: str, row: RequestStatistics, statistics: CellStatistics) -> Piece:
    """Return the name of a row. If there are main requests, they have a mark."""
    if not _has_main(statistics):
        return Piece(name)
    return Piece(f"▸ {name}", Tone.STRONG) if row.is_main else Piece(f"  {name}")


def _room(statistics: CellStatistics, columns: int) -> int:
    """Return the maximum width of names, beside which all numbers fit if possible."""
    numbers = table(_HEADER[1:], [_numbers(row) for row in statistics.rows], left=0)
    room = columns - _GAP - max(map(width, numbers)) - 2 * _has_main(statistics)
    return room if room >= _MIN_NAME_COLUMNS else _SCROLLED_NAME_COLUMNS


def _numbers(row: RequestStatistics) -> list[str | Piece]:
    latencies = [
        latency(percentile.value_ms, backed=percentile.has_enough_samples)
        for percentile in row.percentiles
    ]
    fails = Piece(str(row.failures), Tone.BAD if row.failures else Tone.DIM)
    return [str(row.requests), fails, number(row.rps), *latencies]
