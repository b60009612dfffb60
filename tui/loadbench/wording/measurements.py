"""Format the measurements of cells, which are kept apart from the requests."""

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.journal.state import RunState
from loadbench.engine.numbers import number
from loadbench.engine.report.measurements.statistics import (
    MeasurementStatistics,
    cell_measurements,
    shown_percentiles,
)
from loadbench.engine.report.metrics import goals_of
from loadbench.wording.tables import AS_SPACES, table

ESTIMATE_LEGEND = "~ estimate: fewer than 10 samples beyond it"
"""Legend of the mark on percentiles with few samples."""

HEADING = "Measurements (not counted as requests)"
MAX_LINES = 8
"""Maximum number of measurements in the lines of one cell."""


def measurement_lines(finished: CellFinished) -> list[str]:
    """Return a heading and one line per measurement of a cell. Empty without measurements."""
    found = cell_measurements(finished)
    if not found:
        return []
    lines = [measurement_text(one).translate(AS_SPACES) for one in found[:MAX_LINES]]
    if (more := len(found) - MAX_LINES) > 0:
        lines.append(f"and {more} more")
    return [f"{HEADING}:", *(f"  {one}" for one in lines)]


def measurement_text(statistics: MeasurementStatistics) -> str:
    """Return the main statistics, such as `first token (TTFT): p50 44.3 ms, …, 2,304 values`."""
    unit = f" {statistics.unit}" if statistics.unit else ""
    names = ("p50", "p95", "p99") if statistics.count else ()
    parts = [f"{name} {statistics.percentile(name).text}{unit}" for name in names]
    if statistics.per_s is not None:
        parts.append(f"{number(statistics.per_s)} {statistics.unit}/s")
    parts.append(_counted(statistics.count, "value"))
    if statistics.failures:
        parts.append(_counted(statistics.failures, "failure"))
    return f"{statistics.label}: {', '.join(parts)}"


def measurements_table(state: RunState) -> list[str]:
    """Return the measurements of all cells as a table with its legend. Empty if there are none."""
    header, body, legend = measurements_header_and_rows(state)
    return [f"{HEADING}:", *table(header, body, left=3), *legend] if body else []


def measurements_header_and_rows(
    state: RunState,
) -> tuple[tuple[str, ...], list[tuple[str, ...]], list[str]]:
    """Return the header, the rows and the legend of the measurements of all cells."""
    percentiles = shown_percentiles(goals_of(state))
    body: list[tuple[str, ...]] = []
    has_estimates = False
    for cell in state.cells.values():
        for one in cell_measurements(cell.finished) if cell.finished else ():
            shown = [one.percentile(name).text for name in percentiles]
            has_estimates |= any(text.startswith("~") for text in shown)
            counts = (f"{one.count:,}", str(one.failures))
            body.append((cell.cell.key, one.label, one.unit, *counts, *shown, number(one.per_s)))
    header = ("cell", "measurement", "unit", "values", "fails", *percentiles, "sum/s")
    legend = [ESTIMATE_LEGEND] if has_estimates else []
    return header, body, legend


def _counted(amount: int, thing: str) -> str:
    return f"{amount:,} {thing}{'' if amount == 1 else 's'}"
