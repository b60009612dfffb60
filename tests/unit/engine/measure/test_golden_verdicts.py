"""Journals of real runs in which one thing was wrong: each has the mark of that, and no other."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellFinished, Conditions, Verdict
from loadbench.engine.journal.reader import read_attempt
from loadbench.engine.journal.state import CellState, RunState, fold
from loadbench.engine.measure.conditions import WindowUse, whole_seconds
from loadbench.engine.measure.rules import RULES, Case
from loadbench.engine.measure.verdict import judge
from loadbench.engine.report.drift import drift_to
from loadbench.engine.run_reader import read_run
from tests.support.golden import VERDICTS, folder_of, last_cell

NAMES = sorted(path.stem for path in VERDICTS.glob("*.jsonl"))
BESIDE = {
    "no_success": {"client_bound"},  # refusals came as fast as Locust could take them
    "not_settled": {"few_samples"},
    "client_stalled": {"client_bound"},
    "drifted": {"neighbours"},  # they were what made it drift
}
"""By journal: the rules that apply besides, rightly."""


def case_of(state: RunState, cell: CellState, finished: CellFinished) -> Case:
    drift = drift_to(state, finished) if cell.cell.recheck else None
    return Case(cell=cell.cell, finished=finished, drift=drift)


def around(finished: CellFinished) -> Conditions:
    assert finished.circumstances is not None
    return finished.circumstances


def test_there_is_a_journal_for_every_rule_and_one_of_a_good_run() -> None:
    assert set(NAMES) == {*RULES, "valid"}


@pytest.mark.parametrize("name", NAMES)
def test_what_was_wrong_has_its_mark_and_nothing_else_has_one(name: str, tmp_path: Path) -> None:
    case = case_of(*last_cell(name, tmp_path))

    marked = {name for name, rule in RULES.items() if rule.check(case)}

    assert marked == ({name, *BESIDE.get(name, ())} if name != "valid" else set())


@pytest.mark.parametrize("name", NAMES)
def test_verdict_and_reasons_are_found_again_from_the_journal(name: str, tmp_path: Path) -> None:
    state, cell, finished = last_cell(name, tmp_path)

    verdict, findings = judge(case_of(state, cell, finished))

    assert (verdict, tuple(it.text for it in findings)) == (finished.verdict, finished.reasons)
    assert verdict is (Verdict.VALID if name == "valid" else RULES[name].verdict)


@pytest.mark.parametrize("name", NAMES)
def test_what_the_window_was_like_is_found_again_from_its_samples(
    name: str, tmp_path: Path
) -> None:
    folder = folder_of(name, tmp_path)
    state = read_run(folder).state
    for cell in state.cells.values():
        finished = cell.finished
        assert finished is not None
        entries = read_attempt(folder, cell.cell.key)
        samples = fold(it for it in entries if not isinstance(it.event, CellFinished)).samples
        use = WindowUse(whole_seconds(around(finished).begin_s, finished.measured_s))
        for one in samples:
            use.add(one)
        found = replace(
            around(finished),
            containers=use.containers(),
            service=use.service(),
            machine=use.machine(),
        )
        assert found == around(finished)
