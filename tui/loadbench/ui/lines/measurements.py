"""Format measurements as a table below the request statistics."""

from collections.abc import Sequence

from rich.cells import cell_len

from loadbench.engine.numbers import number
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.measurements.statistics import (
    MeasurementStatistics,
    shown_percentiles,
)
from loadbench.engine.report.statistics import CellStatistics
from loadbench.ui.lines.stats import has_estimates
from loadbench.ui.lines.text import Line, Piece, Tone, fit_middle, line, table, width
from loadbench.wording.measurements import ESTIMATE_LEGEND, HEADING

_MAX_NAME_COLUMNS = 24
"""Width of names up to which further columns are omitted before a name is cut."""
_MIN_NAME_COLUMNS = 8
_OPTIONAL = ("p90", "type", "max", "sum/s", "unit", "fails")
"""Columns that are omitted if there is too little room, the first one first."""


def measurement_lines(statistics: CellStatistics, goals: Goals, columns: int) -> list[Line]:
    """Return the measurements of a cell as a heading and a table. Empty without measurements.

    Args:
        statistics: The statistics of the cell.
        goals: The goals of the profile. The table shows low percentiles only if they have a goal.
        columns: Width of a line. Columns are omitted and names are cut until all lines fit.
    """
    found = statistics.measurements
    if not found:
        return []
    kept, room = _layout(found, goals, columns)
    lines = _table(kept, found, room)
    # The table of requests already explains estimates if it has any.
    if any(one.few_samples for one in found) and not has_estimates(statistics):
        lines.append(line((ESTIMATE_LEGEND, Tone.DIM)))
    return [line((HEADING, Tone.STRONG)), *lines]


def cut_names(statistics: CellStatistics, goals: Goals, columns: int) -> list[str]:
    """Return the names of measurements that `measurement_lines` cuts."""
    if not statistics.measurements:
        return []
    _, room = _layout(statistics.measurements, goals, columns)
    return [one.name for one in statistics.measurements if cell_len(one.name) > room]


def _layout(
    found: Sequence[MeasurementStatistics], goals: Goals, columns: int
) -> tuple[list[str], int]:
    """Return the columns beside the names for which there is room, and the width of the names."""
    shown = _columns(found, goals)
    longest = min(_MAX_NAME_COLUMNS, max(cell_len(one.name) for one in found))
    for omitted in range(len(_OPTIONAL) + 1):
        kept = [name for name in shown if name not in _OPTIONAL[:omitted]]
        room = columns - width(_table(kept, found, 0)[0])
        if room >= longest:
            break
    return kept, max(room, _MIN_NAME_COLUMNS)


def _columns(found: Sequence[MeasurementStatistics], goals: Goals) -> list[str]:
    shown = ["type", "unit", "values"]
    if any(one.failures for one in found):
        shown.append("fails")
    shown += shown_percentiles(goals)
    if any(one.per_s is not None for one in found):
        shown.append("sum/s")
    return shown


def _table(
    kept: Sequence[str], found: Sequence[MeasurementStatistics], name_columns: int
) -> list[Line]:
    body = [
        (fit_middle(one.name, name_columns), *(_value(one, name) for name in kept)) for one in found
    ]
    left = 1 + len({"type", "unit"}.intersection(kept))
    return table(("", *kept), body, left=left)


def _value(one: MeasurementStatistics, column: str) -> str | Piece:
    match column:
        case "type":
            return one.kind
        case "unit":
            return one.unit
        case "values":
            return f"{one.count:,}"
        case "fails":
            return Piece(str(one.failures), Tone.BAD if one.failures else Tone.DIM)
        case "sum/s":
            return number(one.per_s)
    return one.percentile(column).text
