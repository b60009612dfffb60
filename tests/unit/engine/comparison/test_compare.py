"""Comparisons of whole runs."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.comparison.comparability import capitalised
from loadbench.engine.comparison.compare import compare_runs
from loadbench.engine.comparison.model import METRICS, Change, Loss
from loadbench.engine.comparison.sentences import result_sentences
from loadbench.engine.comparison.sides import side_pair
from loadbench.engine.journal.events import Event, Result, RunFinished, Verdict
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.run_reader import Run, RunStatus, read_run
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_skipped,
    entries,
    make_profile,
    requests,
    run_started,
    state_after,
    write_entries,
)
from tests.support.compared_runs import (
    CELLS,
    HARDWARE,
    add_compared_run,
    compared,
    spread_latencies,
)


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    return add_compared_run(tmp_path, "before")


def test_all_metrics_of_all_cells_are_compared(tmp_path: Path, baseline: Path) -> None:
    found = compared(baseline, add_compared_run(tmp_path, "after", 0.8))

    assert [cell.cell for cell in found.cells] == list(CELLS)
    assert [mean.metric for mean in found.means] == list(METRICS)
    assert {one.metric.key for cell in found.cells for one in cell.metrics} == {
        metric.key for metric in METRICS
    }
    assert {mean.estimate.change for mean in found.means} == {Change.BETTER}
    latency, rate = found.means[1], found.means[-1]
    assert latency.estimate.ratio == pytest.approx(0.8, rel=0.005)
    assert rate.estimate.ratio == pytest.approx(1.25, rel=0.005)
    assert (latency.num_cells, latency.degrees_of_freedom) == (4, 16)
    one = found.cells[0].metrics[0]
    assert (one.num_before, one.num_after) == (3, 3)
    assert (found.doubts, found.not_comparable, found.unmatched) == ((), (), ())
    assert found.is_tested


def test_one_worse_cell_is_found_alone(tmp_path: Path, baseline: Path) -> None:
    found = compared(baseline, add_compared_run(tmp_path, "after", {CELLS[2]: 1.3}))
    shown = {cell.cell: one.estimate.change for cell, one in found.metric_of("p90_ms")}
    assert shown == {**dict.fromkeys(CELLS, Change.NOT_SHOWN), CELLS[2]: Change.WORSE}


def test_a_run_compared_with_itself_has_the_ratio_1_and_no_test(baseline: Path) -> None:
    found = compared(baseline, baseline)
    estimates = [mean.estimate for mean in found.means]
    estimates += [one.estimate for cell in found.cells for one in cell.metrics]
    assert found.is_same_run
    assert {(one.ratio, one.change) for one in estimates} == {(1.0, Change.NOT_TESTED)}
    assert (found.differences, found.doubts, found.not_comparable) == ((), (), ())


def test_one_measurement_of_each_cell_is_not_tested(tmp_path: Path) -> None:
    single = [add_compared_run(tmp_path, name, repeats=(1.0,)) for name in ("before", "after")]
    found = compared(*single)
    assert not found.is_tested
    assert found.not_comparable == ()


def test_repeats_of_one_run_are_enough_for_a_test(tmp_path: Path, baseline: Path) -> None:
    found = compared(baseline, add_compared_run(tmp_path, "after", 1.5, repeats=(1.0,)))
    assert {mean.estimate.change for mean in found.means} == {Change.WORSE}
    assert found.means[0].degrees_of_freedom == 8
    (doubt,) = found.doubts
    assert doubt.startswith(
        "Each cell of the candidate was measured once, so its spread is assumed"
    )


def test_the_threshold_is_an_option(tmp_path: Path, baseline: Path) -> None:
    after = add_compared_run(tmp_path, "after", 1.1)
    words = {
        compared(baseline, after, material=material).means[1].estimate.change
        for material in (0.05, 0.2)
    }
    assert words == {Change.WORSE, Change.TOO_SMALL}


def test_cells_without_results_are_lost_if_the_candidate_planned_them(
    tmp_path: Path, baseline: Path
) -> None:
    missing = [f"{CELLS[0]}{suffix}" for suffix in ("", "_r2", "_r3")]
    found = compared(baseline, add_compared_run(tmp_path, "after", missing=missing))

    (cell,) = found.unmatched
    assert (cell.cell, cell.reason) == (CELLS[0], "not measured in the candidate")
    assert found.losses == (Loss(cell=CELLS[0], reason="not measured in the candidate"),)
    expected = f"missing results: {CELLS[0]}, not measured in the candidate"
    assert found.not_comparable == (expected,)


def test_cells_that_the_candidate_did_not_plan_are_not_lost(tmp_path: Path, baseline: Path) -> None:
    after = add_compared_run(tmp_path, "after", models=[1])
    found = compared(baseline, after)
    assert [cell.cell for cell in found.cells] == list(CELLS[:2])
    assert [cell.reason for cell in found.unmatched] == ["not planned in the candidate"] * 2
    assert (found.losses, found.not_comparable) == ((), ())


@pytest.mark.parametrize(("suffixes", "is_lost"), [(("",), False), (("", "_r3"), True)])
def test_a_cell_is_lost_if_most_repeats_of_the_candidate_are(
    tmp_path: Path, baseline: Path, suffixes: tuple[str, ...], is_lost: bool
) -> None:
    invalid = {f"{CELLS[0]}{suffix}": {"verdict": Verdict.INVALID} for suffix in suffixes}
    after = add_compared_run(tmp_path, "after", results=invalid)
    found = compared(baseline, after)
    reason = f"missing results: {CELLS[0]}, 1 of 3 repeats have results in the candidate"
    assert found.not_comparable == ((reason,) if is_lost else ())
    assert compared(after, baseline).losses == ()


def test_a_cell_that_the_baseline_lost_itself_is_not_lost(tmp_path: Path) -> None:
    invalid = {f"{CELLS[0]}{suffix}": {"verdict": Verdict.INVALID} for suffix in ("", "_r2")}
    runs = [add_compared_run(tmp_path, name, results=invalid) for name in ("before", "after")]
    assert compared(*runs).losses == ()


def test_a_percentile_with_too_few_requests_in_most_repeats_of_the_candidate_is_lost(
    tmp_path: Path, baseline: Path
) -> None:
    few = {"requests": requests(spread_latencies(1000, number=985))}
    results = {f"{CELLS[0]}{suffix}": few for suffix in ("", "_r2", "_r3")}
    results |= {f"{CELLS[1]}{suffix}": few for suffix in ("", "_r2")}
    results[CELLS[2]] = few
    after = add_compared_run(tmp_path, "after", results=results)

    found = compared(baseline, after)
    assert [(one.cell, one.metric and one.metric.label, one.reason) for one in found.losses] == [
        (CELLS[0], "p99", "too few requests in the candidate"),
        (CELLS[1], "p99", "too few requests in 2 of 3 repeats of the candidate"),
    ]
    assert found.not_comparable == ()
    assert compared(after, baseline).losses == ()


def test_negative_and_missing_latencies_are_left_out(tmp_path: Path, baseline: Path) -> None:
    absurd = {"requests": requests(((-5.0, 1500), (10.0, 500)))}
    results = {f"{CELLS[0]}{suffix}": absurd for suffix in ("", "_r2", "_r3")}
    found = compared(baseline, add_compared_run(tmp_path, "after", results=results))
    assert [one.metric.label for one in found.cells[0].metrics] == ["p90", "p95", "p99", "req/s"]


def test_invalid_cells_and_cells_without_successes_are_not_compared(
    tmp_path: Path, baseline: Path
) -> None:
    results: dict[str, dict[str, Any]] = {}
    for suffix in ("", "_r2", "_r3"):
        results[f"{CELLS[0]}{suffix}"] = {"verdict": Verdict.INVALID}
        failed = requests((), ((10.0, 50),))
        results[f"{CELLS[1]}{suffix}"] = {"requests": failed, "completed": 0}
    found = compared(baseline, add_compared_run(tmp_path, "after", results=results))
    assert {cell.cell: cell.reason for cell in found.unmatched} == {
        CELLS[0]: "invalid in the candidate",
        CELLS[1]: "without successful requests in the candidate",
    }


def test_without_a_common_cell_nothing_is_compared(tmp_path: Path, baseline: Path) -> None:
    profile = make_profile(models=[1, 2], users=[7], spawn_rates=[10])
    failed: list[Event] = [cell_failed("m1_u7_s10"), cell_skipped("m2_u7_s10")]
    events = [run_started(profile), *failed, RunFinished(result=Result.DONE, reason="done")]
    after = write_entries(tmp_path / "other" / "20261122-072100", entries(events))

    found = compared(baseline, after)
    assert (found.cells, found.means, found.is_tested) == ((), (), False)
    assert found.not_comparable[0] == "no cell has results in both runs"
    assert "not planned in the baseline, failed in the candidate" in {
        cell.reason for cell in found.unmatched
    }


def test_percentiles_with_too_few_samples_are_left_out_with_a_doubt(
    tmp_path: Path, baseline: Path
) -> None:
    few = {"requests": requests(spread_latencies(100, number=300))}
    results = {f"{CELLS[0]}{suffix}": few for suffix in ("", "_r2", "_r3")}
    results[f"{CELLS[1]}_r2"] = few
    found = compared(baseline, add_compared_run(tmp_path, "after", results=results))

    first, second, *_ = found.cells
    assert [one.metric.label for one in first.metrics] == ["p50", "p90", "p95", "req/s"]
    assert first.doubts == ("p99 left out, because too few requests were measured",)
    assert {one.metric.label: one.num_after for one in second.metrics}["p99"] == 2
    assert [mean.num_cells for mean in found.means] == [4, 4, 4, 3, 4]
    assert f"{CELLS[0]}: {first.doubts[0]}" in found.doubts


def test_one_request_leaves_only_the_rate(tmp_path: Path, baseline: Path) -> None:
    one = {"requests": requests(((10.0, 1),)), "completed": 1}
    results = {f"{cell}{suffix}": one for cell in CELLS for suffix in ("", "_r2", "_r3")}
    found = compared(baseline, add_compared_run(tmp_path, "after", results=results))
    assert [mean.metric.label for mean in found.means] == ["req/s"]


def test_suspect_and_missing_repeats_are_doubts(tmp_path: Path, baseline: Path) -> None:
    after = add_compared_run(
        tmp_path,
        "after",
        results={CELLS[0]: {"verdict": Verdict.SUSPECT, "reasons": ("busy",)}},
        missing=[f"{CELLS[1]}_r3"],
    )
    doubts = compared(baseline, after).doubts
    assert f"{CELLS[0]}: 1 of 3 repeats suspect in the candidate" in doubts
    assert f"{CELLS[1]}: 2 of 3 repeats have results in the candidate" in doubts


@pytest.mark.parametrize(("failures", "have_risen"), [(20, False), (21, True)])
def test_failures_have_risen_if_they_rose_by_more_than_one_percentage_point(
    tmp_path: Path, baseline: Path, failures: int, have_risen: bool
) -> None:
    number = 2000 - failures
    failing = {"requests": requests(((100.0, number),), ((100.0, failures),))}
    results = {f"{CELLS[0]}{suffix}": failing for suffix in ("", "_r2", "_r3")}
    found = compared(baseline, add_compared_run(tmp_path, "after", results=results))
    assert [cell.have_failures_risen for cell in found.cells] == [have_risen, False, False, False]
    sentence = f"Failures in {CELLS[0]} have risen from 0.0 % to"
    assert any(text.startswith(sentence) for text in result_sentences(found)) is have_risen


@pytest.mark.parametrize(("suffixes", "have_risen"), [(("",), False), (("", "_r2"), True)])
def test_failures_have_risen_if_half_of_the_repeats_are_above_all_of_the_baseline(
    tmp_path: Path, baseline: Path, suffixes: tuple[str, ...], have_risen: bool
) -> None:
    failing = {"requests": requests(((100.0, 1900),), ((100.0, 100),))}
    results = {f"{CELLS[0]}{suffix}": failing for suffix in suffixes}
    after = add_compared_run(tmp_path, "after", results=results)
    assert compared(baseline, after).cells[0].have_failures_risen is have_risen
    assert not compared(after, after).cells[0].have_failures_risen
    assert not compared(after, baseline).cells[0].have_failures_risen


def test_failures_that_the_baseline_has_had_once_have_not_risen(
    tmp_path: Path, baseline: Path
) -> None:
    failing = {"requests": requests(((100.0, 1900),), ((100.0, 100),))}
    once = add_compared_run(tmp_path, "once", results={CELLS[0]: failing})
    results = {f"{CELLS[0]}{suffix}": failing for suffix in ("", "_r2", "_r3")}
    after = add_compared_run(tmp_path, "after", results=results)
    assert not compared(once, after).cells[0].have_failures_risen


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"started": {"hardware": {**HARDWARE, "cores": 4}}}, "the machines differ: AMD EPYC, 2"),
        ({"started": {"hardware": {**HARDWARE, "gpus": [{"name": "T4"}]}}}, "the machines differ"),
        ({"load": {"timeout": "5s"}}, "load.timeout differs: 30s and 5s"),
        ({"load": {"locustfile": "a.py"}}, "load.locustfile differs: locustfile.py and a.py"),
        ({"load": {"main": "POST /predict"}}, "load.main differs: none and POST /predict"),
        ({"run_time": "20s"}, "run_time differs: 30s and 20s"),
    ],
)
def test_another_machine_or_load_is_not_comparable(
    tmp_path: Path, baseline: Path, changes: dict[str, Any], reason: str
) -> None:
    found = compared(baseline, add_compared_run(tmp_path, "after", **changes))
    (text,) = found.not_comparable
    assert text.startswith(reason)
    assert any(doubt.startswith(capitalised(reason)) for doubt in found.doubts)


def test_another_configuration_is_what_is_compared(tmp_path: Path, baseline: Path) -> None:
    after = add_compared_run(tmp_path, "after", device="gpu", batch_size=10)
    found = compared(baseline, after)
    assert found.not_comparable == ()
    assert [(one.name, one.before, one.after) for one in found.differences] == [
        ("device", "cpu", "gpu"),
        ("batch_size", "1", "10"),
    ]


def test_runs_on_other_days_are_a_doubt(tmp_path: Path, baseline: Path) -> None:
    run = read_run(add_compared_run(tmp_path, "after"))
    later = replace(run, state=replace(run.state, started_at="2026-11-25T07:21:00.000Z"))
    pair = side_pair(read_run(baseline), later)
    (doubt,) = compare_runs(pair.before, pair.after).doubts
    assert doubt.startswith("The runs were started 2 days apart")


def test_a_live_run_and_an_unreadable_profile_are_not_comparable(
    tmp_path: Path, baseline: Path
) -> None:
    run = read_run(add_compared_run(tmp_path, "after"))
    live = replace(run, status=RunStatus.LIVE)
    unreadable = replace(run, state=replace(run.state, profile=None, profile_problem="too new"))
    pair = side_pair(unreadable, live)
    found = compare_runs(pair.before, pair.after)
    assert found.is_same_run  # the folder is the same
    assert found.not_comparable == (
        "the candidate is live",
        "the profile of the baseline cannot be read",
    )
    assert "The candidate is live" in found.doubts


def test_a_journal_without_hardware_is_a_doubt(tmp_path: Path, baseline: Path) -> None:
    after = add_compared_run(tmp_path, "after", started={"hardware": {}, "versions": {}})
    found = compared(baseline, after)
    assert found.not_comparable == ()
    assert found.doubts == ("The machine of the candidate is unknown",)


def test_the_recheck_is_not_a_repeat(tmp_path: Path, baseline: Path) -> None:
    after = add_compared_run(tmp_path, "after", recheck_first=True)
    found = compared(baseline, after)
    assert {one.num_after for cell in found.cells for one in cell.metrics} == {3}


def test_huge_grids_are_compared_within_seconds() -> None:
    profile = make_profile(models=list(range(1, 51)), users=list(range(1, 101)), spawn_rates=[1, 2])
    events = [cell_finished(cell.key) for cell in plan_cells(profile)]
    state = state_after(run_started(profile), *events)
    runs = [Run(Path(name) / "20261122-072100", state, RunStatus.DONE) for name in "ab"]
    for run in runs:
        run.results.compute()
    pair = side_pair(*runs)
    start = time.process_time()
    found = compare_runs(pair.before, pair.after)
    assert len(found.cells) == 10_000
    assert time.process_time() - start < 10
