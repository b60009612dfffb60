"""The sentences, tables and records of comparisons."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.comparison.by_recommendation import capacity_ratio, recommendation_sentences
from loadbench.engine.comparison.model import METRICS, Change, Comparison, Estimate, MeanChange
from loadbench.engine.comparison.record import record_of_comparisons
from loadbench.engine.comparison.sentences import (
    mean_sentence,
    result_sentences,
    sentences,
    signed_change,
)
from loadbench.engine.comparison.table import (
    cells_table,
    differences_table,
    means_table,
    unmatched_table,
)
from tests.support.builders import requests
from tests.support.compared_runs import CELLS, add_compared_run, compared, spread_latencies
from tests.support.study_runs import add_run

P90, RATE = METRICS[1], METRICS[4]
GRID: dict[str, Any] = {"models": [1], "users": [50, 100, 200, 400], "spawn_rates": [10]}


def mean(ratio: float, low: float, high: float, change: Change, *, rate: bool = False) -> str:
    estimate = Estimate(ratio=ratio, change=change, low=low, high=high, level=0.95, smallest=0.0312)
    return mean_sentence(MeanChange(metric=RATE if rate else P90, num_cells=8, estimate=estimate))


def test_the_mean_improvement_is_the_sentence_of_the_original() -> None:
    expected = "Mean improvement at the 90th percentile: 45 % (95 % interval 43 to 47 %, 8 cells)."
    assert mean(0.55, 0.53, 0.57, Change.BETTER) == expected


def test_a_lower_throughput_is_a_regression() -> None:
    expected = "Mean regression in throughput: 20 % (95 % interval 18 to 22 %, 8 cells)."
    assert mean(0.8, 0.78, 0.82, Change.WORSE, rate=True) == expected
    assert mean(1.2, 1.18, 1.22, Change.BETTER, rate=True).startswith("Mean improvement")


def test_no_difference_and_too_small_are_distinguished() -> None:
    assert mean(1.01, 0.98, 1.04, Change.NOT_SHOWN) == (
        "No difference shown at the 90th percentile: +1.0 % (95 % interval −2.0 to +4.0 %, "
        "8 cells). The smallest difference that would have been shown: 3.1 %."
    )
    assert mean(1.02, 1.005, 1.035, Change.TOO_SMALL) == (
        "Mean regression at the 90th percentile: 2.0 % (95 % interval 0.5 to 3.5 %, 8 cells), "
        "too small to matter."
    )


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0, "0.0 %"), (0.5, "−50.0 %"), (1.0004, "0.0 %"), (0.99996, "0.0 %"), (3.5, "+250 %")],
)
def test_changes_have_signs(ratio: float, text: str) -> None:
    assert signed_change(ratio) == text


def test_one_measurement_each_is_stated_with_the_drift(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before", repeats=(1.0,))
    after = add_compared_run(tmp_path, "after", 0.9, repeats=(1.0,))
    unknown = result_sentences(compared(before, after))
    assert unknown[0] == "Mean change at the 90th percentile: −10.0 % (4 cells, not tested)."
    assert unknown[1] == (
        "One measurement of each cell: any difference may be chance. To test it, measure with "
        "`--set repeats=3`."
    )
    results = {cell: {"requests": requests(spread_latencies(100))} for cell in CELLS}
    results[f"{CELLS[0]}_recheck"] = {"requests": requests(spread_latencies(107))}
    add_run(
        tmp_path,
        "again",
        dict.fromkeys(results, 100.0),
        results=results,
        models=[1, 2],
        users=[10, 50],
        spawn_rates=[10],
        recheck_first=True,
    )
    known = result_sentences(compared(before, tmp_path / "again" / "20261122-072100"))
    assert known[1] == (
        "One measurement of each cell: differences below 7.0 % may be chance, judging by the "
        "recheck of the first cell. To test them, measure with `--set repeats=3`."
    )


def test_cells_that_differ_and_lost_cells_are_named(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before")
    missing = [f"{CELLS[3]}{suffix}" for suffix in ("", "_r2", "_r3")]
    after = add_compared_run(tmp_path, "after", {CELLS[0]: 1.5, CELLS[1]: 0.6}, missing=missing)
    texts = result_sentences(compared(before, after))
    assert f"By cell, p90 is worse in {CELLS[0]} and better in {CELLS[1]}." in texts
    assert f"Missing results: {CELLS[3]}, not measured in the candidate." in texts


def by_capacity(
    tmp_path: Path, before: int, after: int, goals: tuple[float, float] = (500, 500)
) -> Comparison:
    """Return the comparison of runs whose cells with more users than a number miss the goal."""
    folders = []
    for name, capacity, goal in (("old", before, goals[0]), ("new", after, goals[1])):
        latencies = {
            f"m1_u{users}_s10": 100.0 if users <= capacity else 900.0 for users in GRID["users"]
        }
        add_run(tmp_path, name, latencies, goals={"p95_ms": goal}, **GRID)
        folders.append(tmp_path / name / "20261122-072100")
    return compared(*folders)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (50, 200, "4.0 times as measured, between 2.0 and 8.0 times within the brackets"),
        (100, 100, "equal as measured, between 0.50 and 2.0 times within the brackets"),
        (100, 400, "4.0 times as measured, at least 2.0 times, because no load failed in the can"),
        (400, 100, "0.25 times as measured, at most 0.50 times, because no load failed in the ba"),
        (400, 400, "equal as measured, without limits, because no load failed in either run"),
    ],
)
def test_capacities_are_compared_within_their_brackets(
    tmp_path: Path, before: int, after: int, text: str
) -> None:
    (sentence,) = recommendation_sentences(by_capacity(tmp_path, before, after))
    assert text in sentence


def test_the_capacity_of_both_is_named(tmp_path: Path) -> None:
    found = by_capacity(tmp_path, 50, 400)
    assert recommendation_sentences(found)[0].startswith(
        "new carries at least 400 users with 1 container, old carries 50 users with 1 container "
        "and fails at 100: 8.0 times"
    )
    ratio = capacity_ratio(found)
    assert ratio is not None
    assert (ratio.measured, ratio.low, ratio.high) == (8.0, 4.0, None)


def test_other_goals_and_missing_capacities_have_no_ratio(tmp_path: Path) -> None:
    other = by_capacity(tmp_path, 50, 100, goals=(500, 600))
    assert capacity_ratio(other) is None
    assert recommendation_sentences(other)[0].startswith("The goals differ, so the capacities")
    none = by_capacity(tmp_path, 50, 0)
    assert capacity_ratio(none) is None
    assert "goals not met" in recommendation_sentences(none)[0]


def test_runs_without_a_common_cell_are_compared_by_recommendation(tmp_path: Path) -> None:
    old = add_run(tmp_path, "old", {"m1_u10_s10": 100.0}, users=[10], spawn_rates=[10])
    new = add_run(tmp_path, "new", {"m1_u20_s10": 100.0}, users=[20], spawn_rates=[10])
    found = compared(*(tmp_path / one.profile / one.run for one in (old, new)))
    subject, first, second = sentences(found)
    assert subject.startswith("new (20261122-072100) compared with the baseline old (2026")
    assert first == "No cell has results in both runs."
    assert second == "new: 1 container reaches 40.0 req/s; old: 1 container reaches 40.0 req/s."


def test_tables_have_one_text_per_column(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before")
    after = add_compared_run(tmp_path, "after", 0.9, models=[1], batch_size=4)
    found = compared(before, after)
    tables = [
        means_table(found),
        differences_table(found),
        unmatched_table(found),
        *(cells_table(found, metric) for metric in METRICS),
    ]
    for header, body in tables:
        assert body
        assert {len(row) for row in body} == {len(header)}
    assert cells_table(found, P90)[1][0][0] == CELLS[0]


def test_the_record_is_json_with_all_parts(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before")
    found = compared(before, add_compared_run(tmp_path, "after", 0.8))
    record = json.loads(json.dumps(record_of_comparisons([found], ["x"]), allow_nan=False))
    (one,) = record["comparisons"]
    assert record["missing"] == ["x"]
    assert one["is_tested"] is True
    assert one["sentences"] == list(sentences(found))
    assert one["cells"][0]["metrics"]["p90_ms"]["change"] == "better"
    assert one["means"][1]["ratio"] == pytest.approx(0.8, rel=0.005)
    assert one["before"]["run"] == "before/20261122-072100"


def test_labels_are_beside_the_names(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before")
    after = add_compared_run(tmp_path, "after", started={"label": "one core"})
    subject = sentences(compared(before, after))[0]
    assert subject.startswith(
        "after (20261122-072100, one core) compared with the baseline before ("
    )


def test_failures_of_many_cells_are_counted(tmp_path: Path) -> None:
    before = add_compared_run(tmp_path, "before", models=[1, 2, 3])
    found = compared(before, before)
    risen = replace(found.cells[0], have_failures_risen=True)
    texts = result_sentences(replace(found, is_same_run=False, cells=(risen,) * 6))
    assert texts[-1] == "Failures have risen in 2 more cells."
