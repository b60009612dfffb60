"""Sort the rows of a run's cells."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from loadbench.engine.report.metrics import goal_state, state_order
from loadbench.engine.report.rows import Row


class SortKey(StrEnum):
    """Sort key of a table of rows."""

    MODELS = "models"
    LEVEL = "level"
    """Sorts by `Level.amount`."""
    SPAWN_RATE = "spawn_rate"
    REPEAT = "repeat"
    """The recheck of the first cell sorts after its repeats."""
    RPS = "rps"
    P50_MS = "p50_ms"
    P90_MS = "p90_ms"
    P95_MS = "p95_ms"
    P99_MS = "p99_ms"
    P999_MS = "p999_ms"
    MAX_MS = "max_ms"
    FAILURES = "failures"
    GOAL = "goal"
    """Sorts from passed to missed."""
    VERDICT = "verdict"


def sort_rows(rows: Sequence[Row], key: SortKey, *, is_descending: bool) -> list[Row]:
    """Return the rows sorted by a key. The sort is stable, and rows without a value come last."""
    valued = [row for row in rows if _value(row, key) is not None]
    unvalued = [row for row in rows if _value(row, key) is None]
    return [*sorted(valued, key=lambda row: _value(row, key), reverse=is_descending), *unvalued]


def has_repeats(rows: Sequence[Row]) -> bool:
    """Return whether any of the cells is a repeat or a recheck."""
    return any(row.repeat > 1 or row.is_recheck for row in rows)


def _value(row: Row, key: SortKey) -> Any:
    match key:
        case SortKey.REPEAT:
            return row.is_recheck, row.repeat
        case SortKey.LEVEL:
            return row.level.amount
        case SortKey.GOAL:
            state = goal_state(row)
            return None if state is None else state_order(state)
        case SortKey.SPAWN_RATE:
            return row.level.fields.get(key.value)
        case _:
            return getattr(row, key.value)
