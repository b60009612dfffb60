"""How `--check` and JUnit judge a search, which measures loads that miss goals on purpose."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.cli.exit_codes import Exit
from loadbench.cli.report.exits import exit_for_run, missed_goals
from loadbench.engine.journal.events import CellEnd, Result, RunFinished, Verdict
from loadbench.engine.journal.state import RunState
from loadbench.engine.profile.plan import Cell
from loadbench.engine.report.export.junit import suite_of_run
from loadbench.engine.report.export.junit_xml import JUnitOutcome
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.search.strategy import out_of_budget
from tests.support.builders import cell_finished, requests
from tests.support.searches import (
    GOAL_MS,
    applied,
    ended,
    search_profile,
    search_started,
    searched,
    with_p95,
)


def up_to(users: int) -> Callable[[Cell], CellEnd]:
    """Return a service that meets the goal up to a number of users per model."""

    def measure(cell: Cell) -> CellEnd:
        return with_p95(cell, GOAL_MS * cell.level.amount / (users * cell.models))

    return measure


def too_few(cell: Cell) -> CellEnd:
    return cell_finished(cell.key, requests=requests(((10.0, 30),)))


def run_of(state: RunState) -> Run:
    state = applied(state, RunFinished(result=Result.DONE, reason="done"))
    return Run(Path("reports/demo/20261122-072100"), state, RunStatus.DONE)


def search(measure: Callable[[Cell], CellEnd]) -> Run:
    return run_of(searched(search_started(search_profile()), measure)[0])


def outcomes(run: Run) -> dict[str, JUnitOutcome]:
    cases = suite_of_run(run.state).cases
    return {case.name: case.outcome for case in cases if case.name.startswith("capacity")}


def test_loads_beyond_the_capacity_are_no_missed_goals() -> None:
    run = search(up_to(25))

    assert any(row.meets_goals == "no" for row in run.rows)
    assert exit_for_run(run, check=True) is Exit.DONE
    assert missed_goals(run) == []
    assert set(outcomes(run).values()) == {JUnitOutcome.PASSED}
    assert all(case.outcome is JUnitOutcome.PASSED for case in suite_of_run(run.state).cases)


def test_search_without_a_load_that_passes_misses_the_goals() -> None:
    run = search(up_to(4))

    assert exit_for_run(run, check=True) is Exit.GATE_FAILED
    assert "m1_u10_s50: p95 250 ms" in missed_goals(run)[0]
    assert set(outcomes(run).values()) == {JUnitOutcome.FAILURE}


def test_number_of_models_that_carries_nothing_is_a_result() -> None:
    def measure(cell: Cell) -> CellEnd:
        return with_p95(cell, 50.0 if cell.models == 2 else 200.0)

    run = search(measure)

    assert exit_for_run(run, check=True) is Exit.DONE
    assert list(outcomes(run).values()) == [JUnitOutcome.SKIPPED, JUnitOutcome.PASSED]


def test_throughput_that_no_load_reaches_is_a_missed_goal() -> None:
    profile = search_profile(goals={"p95_ms": GOAL_MS, "min_rps": 1000})
    run = run_of(searched(search_started(profile), lambda cell: with_p95(cell, 50.0))[0])

    assert exit_for_run(run, check=True) is Exit.GATE_FAILED
    assert set(outcomes(run).values()) == {JUnitOutcome.FAILURE}


def test_reason_of_a_later_version_is_not_valid() -> None:
    run = search(up_to(25))
    end = run.state.search_ended
    assert end is not None
    brackets = tuple(replace(one, reason="later") for one in end.brackets)
    later = run_of(replace(run.state, search_ended=replace(end, brackets=brackets)))

    assert exit_for_run(later, check=True) is Exit.NOT_VALID
    assert set(outcomes(later).values()) == {JUnitOutcome.SKIPPED}


def test_a_suspect_load_that_missed_is_a_result_and_a_suspect_capacity_is_none() -> None:
    def suspect(passed: bool) -> Run:
        def measure(cell: Cell) -> CellEnd:
            is_met = cell.level.amount <= 20
            end = with_p95(cell, 50.0 if is_met else 200.0)
            verdict = Verdict.SUSPECT if is_met is passed else Verdict.VALID
            return replace(end, verdict=verdict)

        return search(measure)

    assert exit_for_run(suspect(passed=False), check=True) is Exit.DONE
    assert exit_for_run(suspect(passed=True), check=True) is Exit.NOT_VALID


def test_search_without_usable_results_is_not_valid() -> None:
    run = search(too_few)

    assert exit_for_run(run, check=True) is Exit.NOT_VALID
    assert set(outcomes(run).values()) == {JUnitOutcome.SKIPPED}


@pytest.mark.parametrize("is_recorded", [False, True])
def test_search_that_did_not_finish_is_not_valid(is_recorded: bool) -> None:
    state = search_started(search_profile())
    run = run_of(applied(state, ended(out_of_budget(state))) if is_recorded else state)

    assert exit_for_run(run, check=True) is Exit.NOT_VALID
    assert set(outcomes(run).values()) == {JUnitOutcome.SKIPPED}
    assert exit_for_run(run, check=False) is Exit.DONE
