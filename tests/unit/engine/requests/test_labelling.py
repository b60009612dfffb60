"""Changing the label of a run, live or not."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import CommandAnswered, Result, RunFinished, RunLabelled
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import fold
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.report.export.summary import JSON_NAME, write_summary
from loadbench.engine.requests import labelling
from loadbench.engine.requests.labelling import set_label
from loadbench.engine.run.control_loop import ControlLoop
from loadbench.engine.run_reader import RunStatus, read_run
from loadbench.errors import JournalError, UsageError
from tests.support.builders import cell_finished, cell_started, run_started, write_journal
from tests.support.harness import until

DONE = RunFinished(result=Result.DONE, reason="every cell has ended")


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    """Save a run that has ended."""
    return write_journal(tmp_path, run_started(), cell_started(), cell_finished(), DONE)


@contextmanager
def live_run(folder: Path) -> Iterator[ControlLoop]:
    """Run the control loop of a run in a thread, which ends with the block."""
    journal = JournalWriter(folder)
    control = ControlLoop(folder, journal, fold([journal.append(run_started())]), tick_s=0.001)
    has_ended = threading.Event()

    def poll() -> None:
        while not has_ended.is_set():
            control.poll()

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield control
    finally:
        has_ended.set()
        thread.join()
        control.background.shutdown()
        journal.close()


def test_the_label_of_an_ended_run_is_appended_to_its_journal(ended: Path) -> None:
    before = (ended / FILE_NAME).read_bytes()

    assert set_label(ended, " new\nimages ").label == "new images"

    assert (ended / FILE_NAME).read_bytes().startswith(before)
    newest = JournalReader(ended).poll()[-1]
    assert (newest.seq, newest.event) == (5, RunLabelled(label="new images"))
    run = read_run(ended)
    assert (run.state.label, run.status, run.is_held) == ("new images", RunStatus.DONE, False)
    assert sorted(file.name for file in ended.iterdir()) == [FILE_NAME]


def test_an_empty_text_removes_the_label(ended: Path) -> None:
    set_label(ended, "a")
    assert set_label(ended, "").label == ""
    assert read_run(ended).state.label == ""


def test_a_torn_last_line_is_truncated_as_on_resume(ended: Path) -> None:
    with (ended / FILE_NAME).open("ab") as file:
        file.write(b'{"type":"note","seq":5,"at"')

    set_label(ended, "after the crash")

    lines = (ended / FILE_NAME).read_bytes().splitlines()
    assert [json.loads(one)["seq"] for one in lines] == [1, 2, 3, 4, 5]
    assert read_run(ended).state.label == "after the crash"


def test_an_interrupted_run_stays_interrupted(tmp_path: Path) -> None:
    write_journal(tmp_path, run_started(), cell_started())
    set_label(tmp_path, "a")
    run = read_run(tmp_path)
    assert (run.state.label, run.status) == ("a", RunStatus.INTERRUPTED)
    assert [cell.status.value for cell in run.state.cells.values()] == ["running"]


def test_an_existing_summary_is_updated(ended: Path) -> None:
    write_summary(read_run(ended).state, ended)
    set_label(ended, "a")
    assert json.loads((ended / JSON_NAME).read_text(encoding="utf-8"))["label"] == "a"


def test_an_invalid_label_changes_nothing(ended: Path) -> None:
    before = (ended / FILE_NAME).read_bytes()
    with pytest.raises(UsageError, match="too long"):
        set_label(ended, "x" * 61)
    assert (ended / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize("content", [b"no journal", b"", b'{"type":"run_started","v":99}\n'])
def test_an_unreadable_journal_is_not_changed(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(JournalError):
        set_label(tmp_path, "a")
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_run_without_a_journal_gets_none(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="No such file"):
        set_label(tmp_path, "a")
    assert list(tmp_path.iterdir()) == []


def test_labels_set_at_the_same_time_are_all_recorded(ended: Path) -> None:
    texts = [f"label {number}" for number in range(8)]
    with ThreadPoolExecutor(len(texts)) as pool:
        assert list(pool.map(lambda text: set_label(ended, text).label, texts)) == texts

    entries = JournalReader(ended).poll()

    labels = [entry.event.label for entry in entries if isinstance(entry.event, RunLabelled)]
    assert sorted(labels) == texts
    assert read_run(ended).state.label == labels[-1]
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))


def test_the_runner_of_a_live_run_sets_the_label(tmp_path: Path) -> None:
    with live_run(tmp_path) as control:
        assert set_label(tmp_path, "while live").label == "while live"
        # The answer is recorded first, and the label after it.
        until(lambda: control.state.label == "while live")

    events = [entry.event for entry in JournalReader(tmp_path).poll()]
    answer, labelled = events[-2:]
    assert isinstance(answer, CommandAnswered)
    assert (answer.accepted, answer.message) == (True, "Label: while live")
    assert labelled == RunLabelled(label="while live")


def test_a_runner_that_does_not_answer_is_reported(
    ended: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelling, "ANSWER_TIMEOUT_S", 0.0)
    writer = JournalWriter(ended)
    try:
        with pytest.raises(JournalError, match="the runner does not respond"):
            set_label(ended, "a")
    finally:
        writer.close()
    assert read_run(ended).state.label == ""


def test_the_label_is_set_if_the_run_ends_instead_of_answering(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path)
    journal.append(run_started())
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(set_label, tmp_path, "late")
        while not (tmp_path / "commands.jsonl").exists():
            assert not done.done()
        journal.append(DONE)
        journal.close()
        assert done.result().label == "late"
    run = read_run(tmp_path)
    assert (run.state.label, run.status) == ("late", RunStatus.DONE)


def test_a_summary_that_keeps_its_label_is_reported(ended: Path) -> None:
    summary = {"run": "20261122-072100", "cells": [{"cell": "lost", "attempt": 1, "requests": 5}]}
    (ended / JSON_NAME).write_text(json.dumps(summary))

    labelled = set_label(ended, "new")

    assert "the journal no longer has the results of lost" in labelled.warning
    assert json.loads((ended / JSON_NAME).read_text()) == summary
    assert read_run(ended).state.label == "new"
