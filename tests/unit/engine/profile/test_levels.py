"""Load levels: closed load, and a kind of load that is defined only in this test."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import RunStarted
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile import levels
from loadbench.engine.profile.levels import Closed, Level, level_of
from loadbench.engine.profile.plan import Cell, insert_cells, sweep_cells
from loadbench.engine.report.by_level import metric_by_level
from loadbench.engine.report.export.summary import summary_csv, summary_json
from loadbench.engine.report.metrics import Metric
from loadbench.engine.report.recommendation.recommend import recommendation_of
from loadbench.engine.report.recommendation.sentences import answer
from loadbench.engine.report.rows import rows
from loadbench.engine.report.sorting import SortKey, sort_rows
from loadbench.engine.report.verdicts import judge_in_run
from loadbench.engine.run_reader import read_run
from loadbench.ui.lines.glyphs import ASCII
from loadbench.ui.lines.matrix import CellLayout, grid_of, matrix_lines
from loadbench.ui.lines.text import plain
from loadbench.ui.preview.lines import PreviewedRun, preview_lines
from loadbench.ui.run.addition import proposal
from tests.support.builders import (
    cell_finished,
    cell_started,
    make_cell,
    make_profile,
    run_started,
    state_after,
    write_journal,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulses:
    """A kind of load for tests: pulses per hour, not sent by users."""

    unit: ClassVar[str] = "pulses"
    pulses: int

    @property
    def label(self) -> str:
        return str(self.pulses)

    @property
    def phrase(self) -> str:
        return f"{self.pulses} pulses"

    @property
    def detail(self) -> str:
        return ""

    @property
    def amount(self) -> float:
        return float(self.pulses)

    @property
    def order(self) -> tuple[float, ...]:
        return (self.pulses,)

    @property
    def key(self) -> str:
        return f"p{self.pulses}"

    @property
    def report_name(self) -> str:
        return f"{self.pulses}p"

    @property
    def fields(self) -> Mapping[str, float]:
        return asdict(self)

    @property
    def users(self) -> int | None:
        return None

    @property
    def ramp_s(self) -> float:
        return 0.0


FEW, MANY = Pulses(pulses=2), Pulses(pulses=10)
GRID = sweep_cells([1, 2], [FEW, MANY], repeats=1, recheck_first=True)


def started(cells: tuple[Cell, ...] = GRID) -> RunStarted:
    return replace(run_started(), cells=cells)


def measured(*keys: str) -> RunState:
    """Return a run with these cells measured, each with more requests than the one before."""
    events: list[Any] = [started()]
    for number, key in enumerate(keys, start=1):
        events += [cell_started(key), cell_finished(key, completed=100 * number)]
    return state_after(*events)


def test_new_kind_of_level_works_in_the_plan() -> None:
    assert [cell.key for cell in GRID] == ["m1_p2", "m1_p10", "m2_p2", "m2_p10", "m1_p2_recheck"]
    assert GRID[1].report_name == "1_10p.html"
    extra = Cell(models=1, level=Pulses(pulses=5))
    keys = [cell.key for cell in insert_cells(GRID, [extra], GRID)]
    assert keys == ["m1_p2", "m1_p10", "m1_p5", "m2_p2", "m2_p10", "m1_p2_recheck"]


def test_new_kind_of_level_works_in_the_state_and_the_rows() -> None:
    state = measured("m1_p2", "m1_p10")

    first, second, third, *_ = rows(state)
    assert [cell.cell.key for cell in state.outstanding] == ["m2_p2", "m2_p10", "m1_p2_recheck"]
    assert (first.level, second.level, third.verdict) == (FEW, MANY, "pending")
    assert (first.rps, second.rps) == (10.0, 20.0)
    by_load = sort_rows(rows(state), SortKey.LEVEL, is_descending=True)
    assert by_load[0].level == MANY


def test_new_kind_of_level_leaves_the_columns_of_closed_load_empty() -> None:
    state = measured("m1_p2")

    _, first, *_ = summary_csv(state).splitlines()
    assert first.startswith("m1_p2,1,,,1,cpu,")
    assert json.loads(summary_json(state))["cells"][0]["users"] is None


def test_new_kind_of_level_works_in_the_matrix() -> None:
    grid, state, layout = grid_of(GRID), measured("m1_p2"), CellLayout(metric=Metric.P90)
    matrix = matrix_lines(grid, state, rows(state), ASCII, layout=layout, live=False)
    lines = [plain(text) for text in matrix]

    assert lines[0].split() == ["pulses", "1", "model", "2", "models"]
    assert [text.split()[0] for text in lines[1:]] == ["2", "10", "2"]
    assert grid.row_names() == ["2", "10", "2 recheck"]


def test_new_kind_of_level_works_in_the_recommendation() -> None:
    found = recommendation_of(measured("m1_p2", "m1_p10", "m2_p2"))

    assert found is not None
    assert "pulses" in answer(found)


def test_new_kind_of_level_works_in_the_preview() -> None:
    profile = make_profile()
    mixed = PreviewedRun(name="x", profile=profile, cells=(*GRID, make_cell()))
    lines = [plain(text) for text in preview_lines(mixed, None, 200)]

    assert "Pulses      2, 10" in lines
    assert "Users       2" in lines
    assert set(proposal(GRID[0]).values()) == {"1", ""}


def test_new_kind_of_level_gets_a_verdict_without_a_number_of_users() -> None:
    state = measured("m1_p2")
    finished = cell_finished("m1_p2", fewest_users=0)

    assert judge_in_run(state, GRID[0], finished)[1] == ()


def test_new_kind_of_level_has_a_curve_over_load() -> None:
    (curve,) = metric_by_level(measured("m1_p2", "m1_p10"), Metric.RPS)

    assert curve.points == ((2.0, 10.0), (10.0, 20.0))


def test_new_kind_of_level_is_read_from_a_journal_once_registered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levels, "KINDS", (Closed, Pulses))
    folder = write_journal(tmp_path / "reports" / "x", started(), cell_started("m1_p10"))

    assert [cell.cell for cell in read_run(folder).state.cells.values()] == list(GRID)


@given(st.integers(1, 10**6), st.floats(0.001, 1000))
def test_closed_level_round_trips_through_its_fields(users: int, spawn_rate: float) -> None:
    level = Closed(users=users, spawn_rate=spawn_rate)

    assert level_of({"models": 1, **level.fields, "repeat": 1}) == level


def test_unknown_level_fields_are_rejected() -> None:
    with pytest.raises(ValueError, match="no kind of load has the fields pulses"):
        level_of({"pulses": 3})


@pytest.mark.parametrize(
    ("level", "phrase"),
    [
        (Closed(users=1, spawn_rate=1), "1 user"),
        (Closed(users=50, spawn_rate=1), "50 users"),
        (FEW, "2 pulses"),
    ],
)
def test_phrase_contains_amount_and_unit(level: Level, phrase: str) -> None:
    assert level.phrase == phrase


def test_closed_cell_has_stable_key_and_report_name() -> None:
    cell = make_cell(models=2, users=50, spawn_rate=2.5, repeat=2)

    assert (cell.key, cell.report_name) == ("m2_u50_s2.5_r2", "2_50_2.5_r2.html")
