"""Levels of load: the one that there is, and another one that nothing but its class knows."""

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
from loadbench.engine.profile.model import Goals
from loadbench.engine.profile.plan import Cell, sweep_cells, with_added
from loadbench.engine.report.by_level import rps_by_level
from loadbench.engine.report.export.summary import summary_csv, summary_json
from loadbench.engine.report.recommendation import best
from loadbench.engine.report.rows import rows
from loadbench.engine.report.sorting import SortKey, sort_rows
from loadbench.engine.report.verdicts import judge_in_run
from loadbench.engine.run_reader import read_run
from loadbench.ui.lines.glyphs import ASCII
from loadbench.ui.lines.matrix import grid_of, matrix_lines
from loadbench.ui.lines.text import plain
from loadbench.ui.preview.lines import Intention, preview_lines
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
    """A load of the tests alone: so many pulses an hour, whoever sends them."""

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


def begun(cells: tuple[Cell, ...] = GRID) -> RunStarted:
    return replace(run_started(), cells=cells)


def measured(*keys: str) -> RunState:
    """A run in which these cells were measured, each with more requests than the one before."""
    events: list[Any] = [begun()]
    for number, key in enumerate(keys, start=1):
        events += [cell_started(key), cell_finished(key, completed=100 * number)]
    return state_after(*events)


def test_another_level_passes_through_the_plan() -> None:
    assert [cell.key for cell in GRID] == ["m1_p2", "m1_p10", "m2_p2", "m2_p10", "m1_p2_recheck"]
    assert GRID[1].report_name == "1_10p.html"
    extra = Cell(models=1, level=Pulses(pulses=5))
    keys = [cell.key for cell in with_added(GRID, [extra], GRID)]
    assert keys == ["m1_p2", "m1_p10", "m1_p5", "m2_p2", "m2_p10", "m1_p2_recheck"]


def test_another_level_passes_through_the_fold_and_the_rows() -> None:
    state = measured("m1_p2", "m1_p10")

    first, second, third, *_ = rows(state)
    assert [it.cell.key for it in state.outstanding] == ["m2_p2", "m2_p10", "m1_p2_recheck"]
    assert (first.level, second.level, third.verdict) == (FEW, MANY, "pending")
    assert (first.rps, second.rps) == (10.0, 20.0)
    by_load = sort_rows(rows(state), SortKey.LEVEL, is_descending=True)
    assert by_load[0].level == MANY


def test_another_level_leaves_the_columns_of_the_first_one_empty() -> None:
    state = measured("m1_p2")

    _, first, *_ = summary_csv(state).splitlines()
    assert first.startswith("m1_p2,1,,,1,cpu,")
    assert json.loads(summary_json(state))["cells"][0]["users"] is None


def test_another_level_passes_through_the_matrix() -> None:
    grid = grid_of(GRID)
    lines = [plain(it) for it in matrix_lines(grid, measured("m1_p2"), ASCII, live=False)]

    assert lines[0].split() == ["pulses", "1", "model", "2", "models"]
    assert [it.split()[0] for it in lines[1:]] == ["2", "10", "2"]
    assert grid.row_names() == ["2", "10", "2 recheck"]


def test_another_level_passes_through_the_recommendation() -> None:
    found = best(rows(measured("m1_p2", "m1_p10", "m2_p2")), Goals())

    assert found is not None
    assert found.cell == "m2_p2"


def test_another_level_is_shown_before_it_is_measured() -> None:
    profile = make_profile()
    mixed = Intention(name="x", profile=profile, cells=(*GRID, make_cell()))
    told = [plain(it) for it in preview_lines(mixed, None, 200)]

    assert "pulses 2, 10" in told[0]
    assert "users 2" in told[0]
    assert set(proposal(GRID[0]).values()) == {"1", ""}


def test_another_level_is_judged_without_a_number_of_users() -> None:
    state = measured("m1_p2")
    finished = cell_finished("m1_p2", fewest_users=0)

    assert judge_in_run(state, GRID[0], finished)[1] == ()


def test_another_level_has_its_curve_over_load() -> None:
    (curve,) = rps_by_level(measured("m1_p2", "m1_p10"))

    assert curve.points == ((2.0, 10.0), (10.0, 20.0))


def test_another_level_is_read_from_a_journal_once_its_kind_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(levels, "KINDS", (Closed, Pulses))
    folder = write_journal(tmp_path / "reports" / "x", begun(), cell_started("m1_p10"))

    assert [it.cell for it in read_run(folder).state.cells.values()] == list(GRID)


@given(st.integers(1, 10**6), st.floats(0.001, 1000))
def test_a_closed_level_is_read_as_it_was_recorded(users: int, spawn_rate: float) -> None:
    level = Closed(users=users, spawn_rate=spawn_rate)

    assert level_of({"models": 1, **level.fields, "repeat": 1}) == level


def test_fields_of_no_known_level_are_refused() -> None:
    with pytest.raises(ValueError, match="no level has the fields pulses"):
        level_of({"pulses": 3})


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (Closed(users=1, spawn_rate=1), "1 user"),
        (Closed(users=50, spawn_rate=1), "50 users"),
        (FEW, "2 pulses"),
    ],
)
def test_a_level_is_said_in_words(level: Level, words: str) -> None:
    assert level.phrase == words


def test_a_closed_cell_keeps_the_names_that_reports_always_had() -> None:
    cell = make_cell(models=2, users=50, spawn_rate=2.5, repeat=2)

    assert (cell.key, cell.report_name) == ("m2_u50_s2.5_r2", "2_50_2.5_r2.html")
