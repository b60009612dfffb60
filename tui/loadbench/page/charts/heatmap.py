"""The heat map: a metric and the state of the goals at each load and number of models."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.numbers import number
from loadbench.engine.report.metrics import (
    GoalState,
    Metric,
    default_metric,
    goals_of,
    state_order,
)
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.goals import Outcome
from loadbench.engine.report.recommendation.loads import LoadOutcome
from loadbench.engine.report.rows import Row
from loadbench.engine.run_reader import Run
from loadbench.page.charts.against_load import load_unit
from loadbench.page.charts.chart import PageChart, Spec
from loadbench.page.charts.palette import ChartPalette
from loadbench.page.charts.parts import FONT_SIZE, WIDTH, specification, text_mark, values
from loadbench.page.charts.points import (
    LoadPoint,
    Place,
    Selection,
    axis_label,
    load_phrases,
    models_phrase,
    points_of,
    reading,
    select,
)

FAILED = CellStatus.FAILED.value
MAX_OPACITY = 0.45
"""Opacity of a tile with the largest value. Text on it must be readable."""
_MIN_OPACITY = 0.06
_TILE_OPACITY = 0.28
_ROW_PX = 22
_AXES_PX = 60
_MAX_COLUMNS = 8
"""Maximum number of columns. With more, texts would overlap."""
_WIDE_COLUMNS = 6
"""Number of columns up to which texts have the usual size."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """All cells with the same load and number of models."""

    models: int
    amount: float
    value: float | None
    """The metric. None without usable results."""
    state: GoalState | None
    """The state of the goals as in the recommendation. None if there is nothing to check."""
    status: str
    """`failed`, `invalid` or `skipped` if there are no usable results. Otherwise empty."""
    is_suspect: bool
    text: str
    """Description for people."""


def heatmap_chart(run: Run) -> PageChart | None:
    """Return the heat map, or None if no cell has ended."""
    state = run.state
    metric, goals = default_metric(goals_of(state)), goals_of(state)
    tiles = tiles_of(run, metric)
    if not tiles:
        return None
    has_goals = bool(all_goals(goals))
    selection = _selection(tiles)
    shown = [tile for tile in tiles if selection.has(tile.models, tile.amount)]
    parts = [f"The numbers are {axis_label(state, metric)}."]
    if len(all_goals(goals)) > 1:
        parts.append("The signs are of all goals.")
    if any(row.repeat > 1 for row in run.rows):
        parts.append("Of repeats, the median counts.")
    if any(tile.is_suspect for tile in shown):
        parts.append("! marks suspect results.")
    if selection.note:
        parts.append(selection.note)
    return PageChart(
        key="heatmap",
        title="Goals by load and models" if has_goals else "Latency by load and models",
        caption=" ".join(parts),
        spec=lambda palette: _spec(
            palette, shown, selection, load_unit(state), has_goals=has_goals
        ),
    )


def _selection(tiles: Sequence[Tile]) -> Selection:
    """Return what the heat map shows. The longer side goes down, where there is room."""
    places = [(tile.models, tile.amount) for tile in tiles]
    if _is_upright(select(places)):
        return select(places, max_models=_MAX_COLUMNS)
    return select(places, max_loads=_MAX_COLUMNS)


def _is_upright(selection: Selection) -> bool:
    """Return whether the loads go down and the numbers of models across."""
    return len(selection.amounts) >= len(selection.models)


def tiles_of(run: Run, metric: Metric) -> tuple[Tile, ...]:
    """Return the tiles of all places of the grid where a cell has ended.

    Repeats and spawn rates are merged as in the recommendation.

    Args:
        run: The run.
        metric: The metric that the tiles show.
    """
    state, found = run.state, run.recommendation
    loads = {
        (one.models, load.amount): load
        for one in (found.configurations if found else ())
        for load in one.loads
    }
    points = {(point.models, point.amount): point for point in points_of(state, metric)}
    grouped: dict[Place, list[Row]] = {}
    for row in run.rows:
        has_ended = row.verdict in {*Verdict, FAILED, CellStatus.SKIPPED}
        if has_ended and not row.is_recheck:
            grouped.setdefault((row.models, row.level.amount), []).append(row)
    phrases = load_phrases(state)
    return tuple(
        _tile(place, of_place, points.get(place), loads.get(place), phrases[place[1]], metric)
        for place, of_place in sorted(grouped.items())
    )


def _tile(
    place: Place,
    rows: Sequence[Row],
    point: LoadPoint | None,
    load: LoadOutcome | None,
    phrase: str,
    metric: Metric,
) -> Tile:
    verdicts = [row.verdict for row in rows]
    has_failed = FAILED in verdicts
    state = _state(load) if load else None
    status = "" if point else next((one for one in _STATUSES if one in verdicts), "")
    place_text = f"{models_phrase(place[0])}, {phrase}"
    value = _value(load, metric, point)
    parts = [status or reading(metric, value)]
    if state and not status:
        parts.append(_STATE_TEXTS[state])
    if point and point.is_suspect:
        parts.append("suspect")
    if point and has_failed:
        parts.append(f"{verdicts.count(FAILED)} of {len(verdicts)} cells failed")
    return Tile(
        models=place[0],
        amount=place[1],
        value=value,
        state=state,
        status=status,
        is_suspect=bool(point and point.is_suspect),
        text=f"{place_text}: {', '.join(parts)}",
    )


def _state(load: LoadOutcome) -> GoalState | None:
    """Return the state of all goals at a load. None without goals, unless a replica exited."""
    checks = load.worst.checks
    if not (checks or load.failure):
        return None
    match load.outcome:
        case Outcome.MISSED:
            return GoalState.MISSED
        case Outcome.UNDECIDED:
            return GoalState.UNDECIDED
        case Outcome.PASSED:
            return GoalState.NEAR if any(one.is_near for one in checks) else GoalState.PASSED


def _value(load: LoadOutcome | None, metric: Metric, point: LoadPoint | None) -> float | None:
    """Return the value that is checked at a load or, without a goal, that of all its cells."""
    checks = load.worst.checks if load else ()
    values = (check.value for check in checks if metric.limits(check.goal))
    value = next(values, None)
    if point and (value is None or not isfinite(value)):
        return point.value
    return value


_STATUSES = (FAILED, Verdict.INVALID.value, CellStatus.SKIPPED.value)
_STATE_TEXTS = {
    GoalState.PASSED: "meets the goals",
    GoalState.NEAR: "meets the goals, near the limit",
    GoalState.UNDECIDED: "too few requests to decide",
    GoalState.MISSED: "misses a goal",
}


def _spec(
    palette: ChartPalette,
    tiles: Sequence[Tile],
    selection: Selection,
    unit: str,
    *,
    has_goals: bool,
) -> Spec:
    models = [str(number) for number in selection.models]
    amounts = [f"{amount:g}" for amount in selection.amounts]
    is_upright = _is_upright(selection)
    across, down = (models, amounts) if is_upright else (amounts, models)
    titles = ("models", unit) if is_upright else (unit, "models")
    highest = max((tile.value or 0.0 for tile in tiles), default=0.0)
    signs = _signs(palette)
    records = [
        {
            "x": str(tile.models) if is_upright else f"{tile.amount:g}",
            "y": f"{tile.amount:g}" if is_upright else str(tile.models),
            "state": _legend(signs, tile.state),
            "status": tile.status,
            "share": (tile.value or 0.0) / highest if highest else 0.0,
            "label": _label(tile, signs),
            "text": tile.text,
        }
        for tile in tiles
    ]
    mark = {"type": "rect", "stroke": palette.grid, "fillOpacity": _TILE_OPACITY}
    is_wide = len(across) > _WIDE_COLUMNS
    return specification(
        palette,
        width=WIDTH - _AXES_PX,
        height=_ROW_PX * len(down),
        data=values(records),
        encoding={"x": _axis("x", titles[0], across), "y": _axis("y", titles[1], down)},
        layer=[
            {
                "mark": mark,
                "encoding": {
                    **(_by_state(palette, signs, tiles) if has_goals else _by_value(palette)),
                    "description": {"field": "text"},
                },
            },
            {
                "mark": text_mark(palette, fontSize=FONT_SIZE - 2 if is_wide else FONT_SIZE),
                "encoding": {"text": {"field": "label"}},
            },
        ],
    )


def _signs(palette: ChartPalette) -> dict[GoalState, str]:
    return {
        GoalState.PASSED: palette.passed,
        GoalState.NEAR: "~",
        GoalState.UNDECIDED: "?",
        GoalState.MISSED: palette.missed,
    }


def _legend(signs: dict[GoalState, str], state: GoalState | None) -> str:
    if state is None:
        return "no result"
    return f"{signs[state]} {_LEGEND_TEXTS[state]}"


_LEGEND_TEXTS = {
    GoalState.PASSED: "pass",
    GoalState.NEAR: "near",
    GoalState.UNDECIDED: "undecided",
    GoalState.MISSED: "miss",
}


def _label(tile: Tile, signs: dict[GoalState, str]) -> str:
    sign = signs[tile.state] if tile.state else ""
    if tile.status:
        return f"{sign} {tile.status}".lstrip()
    return f"{number(tile.value)} {sign}{'!' if tile.is_suspect else ''}".rstrip()


def _axis(channel: str, title: str, domain: Sequence[str]) -> dict[str, Any]:
    return {
        "field": channel,
        "type": "nominal",
        "title": title,
        "scale": {"domain": list(domain)},
        "axis": {"labelAngle": 0, "ticks": False, "domain": False, "labelOverlap": "greedy"},
    }


def _by_state(
    palette: ChartPalette, signs: dict[GoalState, str], tiles: Sequence[Tile]
) -> dict[str, Any]:
    """Return the encoding of tiles by the colour of their goals."""
    colours = {
        GoalState.PASSED: palette.good,
        GoalState.NEAR: palette.near,
        GoalState.UNDECIDED: palette.grid,
        GoalState.MISSED: palette.bad,
    }
    found: list[GoalState] = sorted({tile.state for tile in tiles if tile.state}, key=state_order)
    domain = [_legend(signs, state) for state in found]
    others = ["no result"] if any(tile.state is None for tile in tiles) else []
    return {
        "fill": {
            "field": "state",
            "type": "nominal",
            "title": None,
            "scale": {
                "domain": [*domain, *others],
                "range": [*(colours[state] for state in found), *(palette.surface for _ in others)],
            },
            "legend": {"symbolType": "square", "values": domain},
        },
    }


def _by_value(palette: ChartPalette) -> dict[str, Any]:
    """Return the encoding of tiles by the opacity of one colour."""
    is_failed = f"datum.status === '{FAILED}'"
    return {
        "fill": {
            "value": palette.series[0],
            "condition": [
                {"test": is_failed, "value": palette.bad},
                {"test": "datum.status !== ''", "value": palette.surface},
            ],
        },
        "fillOpacity": {
            "field": "share",
            "type": "quantitative",
            "legend": None,
            "scale": {"domain": [0, 1], "range": [_MIN_OPACITY, MAX_OPACITY]},
            "condition": {"test": is_failed, "value": _TILE_OPACITY},
        },
    }
