"""Planted runs whose recommendation is known, as journals in `tests/journals/decisions`.

`bench.decisions --write` made the journals. Its expectations follow from the formula of the
simulated service, not from the code under test.
"""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.decision_shapes import SHAPES, WRONG, events_of
from bench.decisions import DEFAULT_SEED, check, entries_of
from loadbench.engine.journal.codec import FILE_NAME, encode
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.report.export.summary import summary_csv, summary_json
from loadbench.engine.report.recommendation.recommend import recommendation_of
from loadbench.engine.report.recommendation.sentences import answer
from loadbench.engine.run_reader import read_run
from tests.support.golden import JOURNALS

FOLDER = JOURNALS / "decisions"


def state_of(name: str, tmp_path: Path) -> RunState:
    """The state of a planted run, read from its journal."""
    (tmp_path / FILE_NAME).write_bytes((FOLDER / f"{name}.jsonl").read_bytes())
    return read_run(tmp_path).state


@pytest.mark.parametrize("name", SHAPES)
def test_planted_run_gets_the_known_recommendation(name: str, tmp_path: Path) -> None:
    assert check(state_of(name, tmp_path), SHAPES[name].expected) == []


@pytest.mark.parametrize("name", SHAPES)
def test_journal_is_the_one_that_the_script_writes(name: str) -> None:
    entries = entries_of(events_of(name, SHAPES[name], DEFAULT_SEED))

    assert (FOLDER / f"{name}.jsonl").read_bytes() == b"".join(map(encode, entries))


def test_there_is_no_journal_without_an_expectation() -> None:
    assert {file.stem for file in FOLDER.glob("*.jsonl")} == set(SHAPES)


@pytest.mark.parametrize("field", WRONG)
def test_planted_wrong_expectation_is_refused(field: str, tmp_path: Path) -> None:
    assert len(check(state_of("linear", tmp_path), WRONG[field])) == 1


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", SHAPES)
def test_other_seeds_give_the_same_recommendation(name: str, seed: int) -> None:
    state = fold(entries_of(events_of(name, SHAPES[name], seed)))

    assert check(state, SHAPES[name].expected) == []


@pytest.mark.parametrize("name", SHAPES)
def test_recommendation_grows_with_every_entry_of_a_run(name: str) -> None:
    entries = entries_of(events_of(name, SHAPES[name], DEFAULT_SEED))

    for end in range(1, len(entries)):
        found = recommendation_of(fold(entries[:end]))
        assert found is not None
        text = answer(found)
        if found.configurations and not found.is_complete:
            assert text.startswith("So far: ")
    assert recommendation_of(fold(())) is None


@pytest.mark.parametrize("name", SHAPES)
def test_summary_contains_the_recommendation(name: str, tmp_path: Path) -> None:
    state = state_of(name, tmp_path)

    summary = json.loads(summary_json(state))

    recommendation = summary["recommendation"]
    found = recommendation_of(state)
    assert found is not None
    assert recommendation["answer"] == answer(found)
    assert recommendation["sentences"][0] == recommendation["answer"]
    assert recommendation["doubts"] == list(found.doubts)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary
    assert "meets_goals,goal_missed" in summary_csv(state).splitlines()[0]


def test_run_without_a_readable_profile_has_no_recommendation(tmp_path: Path) -> None:
    state = state_of("linear", tmp_path)
    unreadable = replace(state, profile=None, profile_problem="too new")

    assert recommendation_of(unreadable) is None
    assert json.loads(summary_json(unreadable))["recommendation"] is None
