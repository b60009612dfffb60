"""Journals of real runs with a single fault each: only the rule for that fault applies."""

from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellFinished, Conditions, Verdict
from loadbench.engine.journal.reader import read_attempt
from loadbench.engine.journal.state import CellState, RunState, fold
from loadbench.engine.measure.conditions import WindowUse, whole_seconds
from loadbench.engine.measure.rules import RULES, Case
from loadbench.engine.measure.verdict import judge
from loadbench.engine.report.verdicts import case_in_run
from loadbench.engine.run_reader import read_run
from tests.support.golden import VERDICTS, folder_of, last_cell

NAMES = sorted(path.stem for path in VERDICTS.glob("*.jsonl"))
ALSO_EXPECTED = {
    "no_success": {"client_bound"},  # refusals arrived as fast as Locust could send requests
    "not_settled": {"few_samples"},
    "client_stalled": {"client_bound"},
    "drifted": {"neighbours"},  # other processes caused the drift
}
"""By journal: other rules that apply, correctly."""


def case_of(state: RunState, cell: CellState, finished: CellFinished) -> Case:
    return case_in_run(state, cell.cell, finished)


def conditions_of(finished: CellFinished) -> Conditions:
    assert finished.circumstances is not None
    return finished.circumstances


def test_there_is_one_journal_per_rule_and_a_valid_one() -> None:
    assert set(NAMES) == {*RULES, "valid"}


@pytest.mark.parametrize("name", NAMES)
def test_only_the_rule_for_the_fault_applies(name: str, tmp_path: Path) -> None:
    case = case_of(*last_cell(name, tmp_path))

    applying = {name for name, rule in RULES.items() if rule.check(case)}

    assert applying == ({name, *ALSO_EXPECTED.get(name, ())} if name != "valid" else set())


@pytest.mark.parametrize("name", NAMES)
def test_the_recorded_verdict_and_rules_follow_from_the_journal(name: str, tmp_path: Path) -> None:
    state, cell, finished = last_cell(name, tmp_path)

    verdict, findings = judge(case_of(state, cell, finished))

    rules = [finding.rule for finding in findings]
    assert (verdict, rules) == (finished.verdict, [finding.rule for finding in finished.findings])
    assert verdict is (Verdict.VALID if name == "valid" else RULES[name].verdict)


@pytest.mark.parametrize("name", NAMES)
def test_the_recorded_conditions_follow_from_the_samples(name: str, tmp_path: Path) -> None:
    folder = folder_of(name, tmp_path)
    state = read_run(folder).state
    for cell in state.cells.values():
        finished = cell.finished
        assert finished is not None
        entries = read_attempt(folder, cell.cell.key)
        samples = fold(e for e in entries if not isinstance(e.event, CellFinished)).samples
        use = WindowUse(whole_seconds(conditions_of(finished).begin_s, finished.measured_s))
        for one in samples:
            use.add(one)
        service, recorded = use.service(), conditions_of(finished).service
        if service and recorded and not recorded.images:
            # Journals of earlier versions lack this field.
            service = replace(service, images={})
        found = replace(
            conditions_of(finished),
            containers=use.containers(),
            service=service,
            machine=use.machine(),
        )
        assert found == conditions_of(finished)
