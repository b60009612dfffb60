"""The label of a run: its limits, its events and its state."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Note, Result, RunFinished, RunLabelled
from loadbench.engine.journal.label import MAX_LABEL_CHARACTERS, clean_label, read_label
from loadbench.engine.report.export.summary import summary_json
from loadbench.engine.run_reader import RunStatus, read_run
from loadbench.errors import UsageError
from tests.support.builders import run_started, state_after, write_journal
from tests.support.golden import JOURNALS

STARTED = run_started()
DONE = RunFinished(result=Result.DONE, reason="every cell has ended")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("new images", "new images"),
        ("  two\n lines\t", "two lines"),
        ("\x1b[31mred\x07", "[31mred"),
        ("left\u202eright", "left right"),
        ("größer 試験", "größer 試験"),
        ("x" * MAX_LABEL_CHARACTERS, "x" * MAX_LABEL_CHARACTERS),
        ("", ""),
        ("  ", ""),
    ],
)
def test_a_label_is_one_line_without_control_characters(text: str, label: str) -> None:
    assert read_label(text) == label


@pytest.mark.parametrize("length", [MAX_LABEL_CHARACTERS + 1, 5000])
def test_a_long_label_is_refused(length: int) -> None:
    with pytest.raises(UsageError, match="at most 60 characters"):
        read_label("x" * length)


def test_a_label_without_printable_characters_is_refused() -> None:
    with pytest.raises(UsageError, match="no printable characters"):
        read_label("\x1b\x00")


@given(st.text())
def test_a_recorded_label_is_printable_and_short(text: str) -> None:
    label = clean_label(text)
    assert len(label) <= MAX_LABEL_CHARACTERS
    assert label.isprintable()
    assert clean_label(label) == label


def test_the_newest_label_counts_and_changes_nothing_else() -> None:
    state = state_after(STARTED, Note(text="a"), DONE)

    labelled = state_after(STARTED, Note(text="a"), DONE, RunLabelled(label="b"))
    removed = state_after(STARTED, RunLabelled(label="b"), RunLabelled(label=""))

    assert state.label == removed.label == ""
    assert labelled.label == "b"
    assert labelled.finished == DONE
    assert (labelled.elapsed_s, labelled.messages) == (state.elapsed_s, state.messages)


def test_a_journal_without_labels_has_an_empty_label(tmp_path: Path) -> None:
    golden = (JOURNALS / "demo.jsonl").read_bytes()
    assert b'"label"' not in golden
    (tmp_path / FILE_NAME).write_bytes(golden)
    assert read_run(tmp_path).state.label == ""


def test_an_invalid_label_of_another_program_does_not_hide_the_run(tmp_path: Path) -> None:
    write_journal(tmp_path, STARTED)
    lines = (tmp_path / FILE_NAME).read_text(encoding="utf-8").splitlines()
    fields = {**json.loads(lines[0]), "label": 7}
    head = {"seq": 2, "at": "2026-11-22T07:21:00Z", "elapsed_s": 0.0}
    labelled = {"type": "run_labelled", **head, "label": "\x1b[31m" + "x" * 500}
    text = "".join(f"{json.dumps(one)}\n" for one in (fields, labelled))
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")

    run = read_run(tmp_path)

    assert run.status is RunStatus.INTERRUPTED
    assert run.state.label == f"[31m{'x' * 55}…"


def test_the_summary_has_the_label() -> None:
    state = state_after(STARTED, RunLabelled(label="new images"), DONE)
    assert json.loads(summary_json(state))["label"] == "new images"
