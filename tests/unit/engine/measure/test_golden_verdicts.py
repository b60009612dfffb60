"""Journals of real runs with a single fault each: only the rule for that fault applies."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.events import CellFinished, Conditions, Container, Verdict
from loadbench.engine.journal.reader import read_attempt
from loadbench.engine.journal.state import CellState, RunState, fold
from loadbench.engine.measure.conditions import WindowUse, whole_seconds
from loadbench.engine.measure.rules.case import Case
from loadbench.engine.measure.rules.registry import IDLE_REPLICA, RULES
from loadbench.engine.measure.verdict import judge
from loadbench.engine.report.verdicts import case_in_run
from loadbench.engine.run_reader import read_run
from tests.support.golden import JOURNALS, VERDICTS, folder_of, last_cell

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
    # With two users, there is too little work for the verdict of the rule.
    exceptions = {"valid": Verdict.VALID, "idle_replica": Verdict.SUSPECT}
    assert verdict is (exceptions.get(name) or RULES[name].verdict)


def recording(name: str, tmp_path: Path) -> Path:
    """Create a run from a journal, and return its folder. `front` is not one of a single fault."""
    if name in NAMES:
        return folder_of(name, tmp_path)
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(JOURNALS / f"{name}.jsonl", folder / "journal.jsonl")
    return folder


@pytest.mark.parametrize("name", [*NAMES, "front"])
def test_the_recorded_conditions_follow_from_the_samples(name: str, tmp_path: Path) -> None:
    folder = recording(name, tmp_path)
    state = read_run(folder).state
    for cell in state.cells.values():
        finished = cell.finished
        assert finished is not None
        entries = read_attempt(folder, cell.cell.key)
        samples = fold(e for e in entries if not isinstance(e.event, CellFinished)).samples
        recorded = conditions_of(finished)
        # The usage before the first user is not in the samples.
        levels = [
            Container(name=use.name, service="", state="running", cpu_cores=use.unloaded_cpu_cores)
            for use in recorded.containers
        ]
        window = whole_seconds(recorded.begin_s, finished.measured_s)
        use = WindowUse(window, unloaded=levels)
        for one in samples:
            use.add(one)
        service = use.service()
        if service and recorded.service and not recorded.service.images:
            # Journals of earlier versions lack this field.
            service = replace(service, images={})
        found = replace(
            recorded, containers=use.containers(), service=service, machine=use.machine()
        )
        assert found == recorded


def test_a_replica_behind_a_front_that_does_not_know_it_is_idle(tmp_path: Path) -> None:
    state = read_run(recording("front", tmp_path)).state
    one, two = state.cells.values()
    for cell, idle in ((one, []), (two, ["1 of 2 replicas idle: app-2 received under 0.1 %"])):
        assert cell.finished is not None
        _, findings = judge(case_of(state, cell, cell.finished))
        texts = [found.text for found in findings if found.rule == IDLE_REPLICA]
        assert len(texts) == len(idle)
        assert all(text.startswith(start) for text, start in zip(texts, idle, strict=True))
    assert two.finished is not None
    uses = conditions_of(two.finished).containers
    assert {use.name: use.received_bytes for use in uses if use.service == "app"} == {
        "app-1": 1_281_684,
        "app-2": 160,
    }
