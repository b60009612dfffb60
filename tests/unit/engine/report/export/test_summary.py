"""`summary.csv` and `summary.json` of a run."""

import csv
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.journal.events import Event, Result, RunFinished, RunResumed, Verdict
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.report.export.summary import (
    CSV_NAME,
    JSON_NAME,
    SummaryWriter,
    summary_csv,
    summary_json,
    write_summary,
)
from loadbench.errors import DiskFullError, SummaryKeptError
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_cell,
    make_profile,
    run_started,
    state_after,
    write_journal,
)
from tests.support.chat_cells import MAIN, chat_run
from tests.support.four_cells import BEGUN, SWEEP

COLUMNS = (
    "cell,models,users,spawn_rate,repeat,device,batch_size,load_model,attempt,verdict,reasons,"
    "requests,failures,aborted,failure_ratio,rps,p50_ms,p90_ms,p95_ms,p99_ms,max_ms,measured_s"
)


def table(state: RunState) -> list[dict[str, str]]:
    """The rows of `summary.csv`, parsed."""
    return list(csv.DictReader(io.StringIO(summary_csv(state))))


def test_the_csv_starts_with_the_documented_columns() -> None:
    header = summary_csv(state_after(*SWEEP)).splitlines()[0]
    assert header == COLUMNS or header.startswith(f"{COLUMNS},")


def test_the_csv_has_one_row_per_cell_in_the_order_of_the_plan() -> None:
    found = table(state_after(*SWEEP))
    assert [(row["cell"], row["verdict"]) for row in found] == [
        ("m1_u2_s2", "valid"),
        ("m2_u2_s2", "failed"),
        ("m3_u2_s2", "skipped"),
        ("m4_u2_s2", "suspect"),
    ]
    assert {(row["device"], row["batch_size"], row["load_model"]) for row in found} == {
        ("cpu", "10", "closed")
    }


def test_missing_values_are_empty_in_csv_and_null_in_json() -> None:
    state = state_after(*SWEEP)
    assert table(state)[1]["p95_ms"] == ""
    assert json.loads(summary_json(state))["cells"][1]["p95_ms"] is None


def test_a_reason_with_several_lines_stays_in_its_row() -> None:
    multiline = cell_finished(reasons=('a, "b"\nc;d',), verdict=Verdict.SUSPECT)
    (first, *_) = table(state_after(BEGUN, cell_started(), multiline))
    assert first["reasons"] == 'a, "b"\nc;d'


def test_csv_and_json_have_the_same_cells() -> None:
    state = state_after(*SWEEP)
    cells = json.loads(summary_json(state))["cells"]
    for row, printed in zip(cells, table(state), strict=True):
        conditions = row.pop("circumstances")
        assert (row.pop("host"), row.pop("replicas")) == (None, [])
        assert (row.pop("early_failures"), row.pop("notes")) == ([], [])
        assert (row.pop("measurements"), len(row.pop("names"))) == ([], bool(row["requests"]))
        assert (conditions is None) is (row["requests"] is None)
        assert conditions is None or not {"gaps", "lag"} & conditions.keys()
        assert {key: "" if value is None else str(value) for key, value in row.items()} == printed


def test_the_json_has_the_result_of_the_run() -> None:
    live = json.loads(summary_json(state_after(*SWEEP)))
    assert (live["result"], live["reason"]) == (None, None)
    end = RunFinished(result=Result.STOPPED, reason="asked for")
    ended = json.loads(summary_json(state_after(*SWEEP, end)))
    assert (ended["result"], ended["reason"]) == ("stopped", "asked for")
    assert ended["profile"]["batch_size"] == 10


def test_rebuilding_from_the_journal_gives_the_same_files(tmp_path: Path) -> None:
    folder = write_journal(tmp_path, *SWEEP)
    state = fold(JournalReader(folder).poll())
    for file in write_summary(state, folder):
        written = file.read_bytes()
        file.unlink()
        write_summary(fold(JournalReader(folder).poll()), folder)
        assert file.read_bytes() == written
    assert (folder / CSV_NAME).read_text(encoding="utf-8") == summary_csv(state_after(*SWEEP))


def test_a_lone_surrogate_in_a_reason_does_not_break_the_summary(tmp_path: Path) -> None:
    broken = cell_finished(reasons=("error \ud800",), verdict=Verdict.SUSPECT)
    write_summary(state_after(BEGUN, cell_started(), broken), tmp_path)
    first = json.loads((tmp_path / JSON_NAME).read_text(encoding="utf-8"))["cells"][0]
    assert first["reasons"] == "error ?"


def test_summaries_are_written_atomically(tmp_path: Path) -> None:
    write_summary(state_after(BEGUN), tmp_path)
    before = (tmp_path / CSV_NAME).read_bytes()
    (tmp_path / f".{CSV_NAME}.{os.getpid()}.part").symlink_to("/dev/full")
    with pytest.raises(DiskFullError, match="no space left"):
        write_summary(state_after(*SWEEP), tmp_path)
    assert (tmp_path / CSV_NAME).read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == [CSV_NAME, JSON_NAME]


def test_the_json_has_repeats_and_drift() -> None:
    begun = run_started(make_profile(repeats=2, recheck_first=True))
    keys = ("m1_u2_s2", "m1_u2_s2_r2", "m1_u2_s2_recheck")
    summary = json.loads(summary_json(state_after(begun, *map(cell_finished, keys))))

    (group,) = summary["repeats"]
    assert (group["cell"], group["planned"], group["used"]) == ("m1_u2_s2", 2, 2)
    same = {"median": 40.0, "low": 40.0, "high": 40.0, "coverage": 0.5}
    assert group["intervals"]["rps"] == same
    assert summary["drift"]["first"] == {"rps": 40.0, "p50_ms": 10.0, "p95_ms": 10.0}
    assert summary["drift"]["change"] == {"rps": 0.0, "p50_ms": 0.0, "p95_ms": 0.0}
    assert summary["drift"]["reason"] is None
    assert summary["drift"]["sentence"].startswith("Recheck of m1_u2_s2 at the end: 40.0 → ")


def test_a_run_without_repeats_has_neither_repeats_nor_drift() -> None:
    summary = json.loads(summary_json(state_after(*SWEEP)))
    assert (summary["repeats"], summary["drift"]) == ([], None)


def test_writing_again_and_again_gives_the_same_files_as_writing_once(tmp_path: Path) -> None:
    more = (
        answered("again", "m1_u2_s2"),
        cell_started("m1_u2_s2", attempt=2),
        cell_finished("m1_u2_s2", attempt=2, completed=5),
        RunResumed(pid=1, retry=("m2_u2_s2",), hardware={}, versions={}),
        answered("add", "m5_u2_s2", added=(make_cell(5),)),
        cell_started("m5_u2_s2"),
        cell_finished("m5_u2_s2"),
        RunFinished(result=Result.DONE, reason="done"),
    )
    events, writer = (*SWEEP, *more), SummaryWriter(tmp_path)
    for number in range(1, len(events) + 1):
        state = state_after(*events[:number])
        writer.write(state)
        assert (tmp_path / CSV_NAME).read_text(encoding="utf-8") == summary_csv(state)
        assert (tmp_path / JSON_NAME).read_text(encoding="utf-8") == summary_json(state)


def test_a_bottleneck_that_a_later_cell_reveals_is_in_the_files_written_again(
    tmp_path: Path,
) -> None:
    events = (
        run_started(make_profile(users=[2, 8])),
        cell_started("m1_u2_s2"),
        cell_finished("m1_u2_s2"),
        cell_started("m1_u8_s2"),
        cell_finished("m1_u8_s2"),
    )
    writer = SummaryWriter(tmp_path)
    bounds = []
    for number in (3, 5):
        writer.write(state_after(*events[:number]))
        first = json.loads((tmp_path / JSON_NAME).read_text())["cells"][0]
        bounds.append(first["bound"])
    assert bounds[0] == ""
    assert bounds[1].startswith("constant wait")


# Results that the journal no longer has

WITHOUT_FIRST_RESULT = (*SWEEP[:2], *SWEEP[3:])
WITHOUT_FIRST_CELL = (SWEEP[0], *SWEEP[3:])
RESUMED = RunResumed(pid=1, retry=(), hardware={}, versions={})


def contents(folder: Path) -> list[str]:
    return [(folder / name).read_text(encoding="utf-8") for name in (CSV_NAME, JSON_NAME)]


@pytest.mark.parametrize("damaged", [WITHOUT_FIRST_RESULT, WITHOUT_FIRST_CELL, (BEGUN,)])
def test_a_summary_with_results_that_the_journal_lacks_is_kept(
    tmp_path: Path, damaged: tuple[Event, ...]
) -> None:
    folder = tmp_path / "demo" / "20261122-072100"
    folder.mkdir(parents=True)
    write_summary(state_after(*SWEEP), folder)
    before = contents(folder)

    with pytest.raises(SummaryKeptError) as raised:
        write_summary(state_after(*damaged), folder)

    assert contents(folder) == before
    assert str(raised.value).startswith(
        f"{folder}: summary.csv and summary.json are kept, because the journal no longer has the "
        "results of m1_u2_s2"
    )
    assert "loadbench-tui run --resume demo/20261122-072100. " in str(raised.value)


def test_an_older_result_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    again = (
        *SWEEP,
        answered("again", "m1_u2_s2"),
        cell_started(attempt=2),
        cell_finished(attempt=2, completed=5),
    )
    write_summary(state_after(*again), tmp_path)

    with pytest.raises(SummaryKeptError):
        write_summary(state_after(*again[:-1]), tmp_path)
    with pytest.raises(SummaryKeptError, match="--again m1_u2_s2"):
        write_summary(state_after(*SWEEP), tmp_path)


@pytest.mark.parametrize(
    "more",
    [
        (cell_started(attempt=2), cell_finished(attempt=2)),
        (cell_started(attempt=2), cell_failed(attempt=2)),
        (cell_started(attempt=2), cell_skipped(attempt=2)),
        (cell_started(attempt=1), cell_failed(attempt=1)),
    ],
)
def test_the_summary_is_replaced_once_the_cell_has_ended_again(
    tmp_path: Path, more: tuple[Event, ...]
) -> None:
    write_summary(state_after(*SWEEP), tmp_path)
    damaged = (*WITHOUT_FIRST_RESULT, RESUMED)
    for events in (damaged, (*damaged, more[0])):
        with pytest.raises(SummaryKeptError):
            write_summary(state_after(*events), tmp_path)

    state = state_after(*damaged, *more)
    write_summary(state, tmp_path)

    assert contents(tmp_path) == [summary_csv(state), summary_json(state)]


def test_a_cell_that_is_to_be_measured_again_does_not_keep_the_summary(tmp_path: Path) -> None:
    write_summary(state_after(*SWEEP), tmp_path)
    for more in (
        (answered("again", "m1_u2_s2"),),
        (answered("again", "m1_u2_s2"), cell_started(attempt=2)),
        (RunResumed(pid=1, retry=("m1_u2_s2",), hardware={}, versions={}),),
    ):
        state = state_after(*SWEEP, *more)
        write_summary(state, tmp_path)
        assert contents(tmp_path) == [summary_csv(state), summary_json(state)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"cells": 5}',
        '{"run": "20261122-072100", "cells": [{"cell": 1, "attempt": 1, "requests": 1}]}',
        '{"run": "another", "cells": [{"cell": "m1_u2_s2", "attempt": 1, "requests": 1}]}',
    ],
)
def test_an_unreadable_summary_and_one_of_another_run_are_replaced(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / JSON_NAME).write_text(text)
    state = state_after(BEGUN)

    write_summary(state, tmp_path)

    assert contents(tmp_path) == [summary_csv(state), summary_json(state)]


def test_a_summary_that_never_ends_is_not_read(tmp_path: Path) -> None:
    (tmp_path / JSON_NAME).symlink_to("/dev/zero")

    write_summary(state_after(*SWEEP), tmp_path)

    assert contents(tmp_path)[1] == summary_json(state_after(*SWEEP))


def test_a_summary_that_cannot_be_read_is_kept_if_the_journal_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_summary(state_after(*SWEEP), tmp_path)
    before = contents(tmp_path)
    monkeypatch.setattr("loadbench.engine.report.export.kept.MAX_BYTES", 10)
    state = state_after(*SWEEP)

    with pytest.raises(SummaryKeptError, match=r"summary.json cannot be read \(larger than"):
        write_summary(replace(state, damaged_lines=1), tmp_path)
    assert contents(tmp_path) == before
    write_summary(state, tmp_path)


def test_the_json_has_names_and_measurements_of_each_cell() -> None:
    summary = json.loads(summary_json(chat_run()))

    cell = summary["cells"][0]
    assert summary["main"] == MAIN
    assert {row["main"] for row in table(chat_run())} == {MAIN}
    assert [(one["name"], one["is_main"], one["rps"]) for one in cell["names"]] == [
        ("GET /", False, 23.6),
        (MAIN, True, 23.6),
    ]
    assert (cell["names"][1]["p50_ms"], cell["names"][1]["few_samples"]) == (220.0, "p99 p99.9")
    first, tokens, _ = cell["measurements"]
    assert (first["name"], first["p95"], first["per_s"]) == ("first token", 78.0, None)
    assert (tokens["kind"], tokens["unit"], tokens["per_s"]) == ("METRIC", "tokens", 1440.0)


def test_a_run_without_a_main_request_has_no_name_of_it() -> None:
    summary = json.loads(summary_json(state_after(*SWEEP)))

    assert summary["main"] is None
    assert {row["main"] for row in table(state_after(*SWEEP))} == {""}
    assert [cell["measurements"] for cell in summary["cells"]] == [[]] * 4
    assert [len(cell["names"]) for cell in summary["cells"]] == [1, 0, 0, 1]
