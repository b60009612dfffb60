"""The curves of both runs for charts."""

from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.comparison.curves import MAX_MODELS, BothCurves, both_curves
from loadbench.engine.journal.state import RunState
from loadbench.engine.report.metrics import Metric
from loadbench.engine.run_reader import read_run
from tests.support.study_runs import add_run


def curves(
    reports: Path, before: dict[str, Any], after: dict[str, Any], *, is_measured: bool = True
) -> BothCurves | None:
    """Return the curves of two runs that have measured all cells of their grids, or none."""
    states: list[RunState] = []
    for name, keys in (("before", before), ("after", after)):
        grid = {"spawn_rates": [10], "users": [10], **keys}
        models = grid["models"] if is_measured else []
        latencies = {f"m{n}_u{users}_s10": 100.0 for n in models for users in grid["users"]}
        entry = add_run(reports, name, latencies, **grid)
        states.append(read_run(reports / name / entry.run).state)
    return both_curves(states[0], states[1], Metric.P90)


def test_all_numbers_of_models_are_shown_if_they_are_few(tmp_path: Path) -> None:
    found = curves(tmp_path, {"models": [1, 2]}, {"models": [2, 4]})

    assert found is not None
    assert found.models == (1, 2, 4)
    assert [curve.models for curve in found.before] == [1, 2]
    assert [curve.models for curve in found.after] == [2, 4]
    assert found.unit == "users"
    assert found.note == ""


@pytest.mark.parametrize(
    ("after", "models"),
    [([2, 4, 6, 8], (2, 4, 6, 8)), ([3, 5], (1, 3, 5, 8)), (list(range(1, 9)), (1, 3, 6, 8))],
)
def test_common_numbers_of_models_are_preferred_if_there_are_many(
    tmp_path: Path, after: list[int], models: tuple[int, ...]
) -> None:
    found = curves(tmp_path, {"models": list(range(1, 9))}, {"models": after})

    assert found is not None
    assert len(found.models) <= MAX_MODELS
    assert found.models == models
    assert {curve.models for curve in (*found.before, *found.after)} == set(models)
    assert found.note == f"{len(models)} of 8 numbers of models"


def test_without_common_numbers_all_of_both_runs_are_candidates(tmp_path: Path) -> None:
    found = curves(tmp_path, {"models": [1, 2, 3]}, {"models": [4, 5, 6]})

    assert found is not None
    assert found.models == (1, 3, 4, 6)


def test_runs_without_results_have_no_curves(tmp_path: Path) -> None:
    assert curves(tmp_path, {"models": [1]}, {"models": [1]}, is_measured=False) is None
