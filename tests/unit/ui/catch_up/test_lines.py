"""What happened in a run while nobody looked, from journals that were cut."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loadbench.engine.journal.codec import SAMPLE_PREFIX, Entry
from loadbench.engine.journal.events import (
    CellPhase,
    Container,
    Containers,
    Event,
    Phase,
    Result,
    RunFinished,
    Verdict,
)
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import fold
from loadbench.engine.report.highlights import Highlight, highlights_since
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.catch_up.lines import (
    catch_up_entries,
    catch_up_title,
    highlight_line,
    summary,
)
from loadbench.ui.lines.text import plain
from tests.support.builders import (
    answered,
    cell_failed,
    cell_finished,
    cell_started,
    entries,
    make_profile,
    requests,
    run_started,
)
from tests.support.ui_harness import JOURNALS, lines_until

NOT_SETTLED = "not settled: 27 completions in 2 s, 30 are needed"
KILLED = (
    "model-1 was killed by the kernel (exit code 137), out of memory: its limit is 300 MB; "
    "raise it (stack.memory_mb), or lower batch_size"
)
SAME_DAY = datetime(2026, 11, 22, 20, tzinfo=UTC)


def journal(name: str, *, until: int | None = None) -> list[Entry]:
    lines = (JOURNALS / f"{name}.jsonl").read_bytes().splitlines()[:until]
    kept = (line for line in lines if not line.startswith(SAMPLE_PREFIX))
    return list(JournalReader(Path("/nowhere")).decode_all(kept))


def told(highlights: Sequence[Highlight]) -> list[str]:
    return [("! " if it.needs_attention else "  ") + plain(highlight_line(it)) for it in highlights]


def said(highlights: Sequence[Highlight], read: list[Entry], status: RunStatus) -> str:
    state = fold(read)
    assert state.started
    profile = state.profile
    assert profile is not None
    run = Run(Path("/nowhere"), state, status)
    return plain(summary(highlights, run, profile, state.elapsed_s))


def after(*events: Event) -> list[str]:
    """What is told of events after the first cell has begun."""
    before: list[Event] = [run_started(), cell_started()]
    return told(highlights_since(entries([*before, *events]), len(before)))


# The fold


def test_everything_that_went_wrong_is_told_and_what_was_asked_for() -> None:
    read = journal("faults")
    assert told(highlights_since(read, lines_until("faults", '"phase":"settling"'))) == [
        "! m1_u1_s8  failed: model-1 was killed by signal 9",
        "! Locust ended with exit code -9; m1_u2_s8 is measured again with a new one",
        "  m1_u2_s8  27.0 req/s, p90 80.9 ms, valid",
        "  m1_u3_s8  skipped: asked for",
        "  m2_u4_s8  skipped: asked for",
        "  the run pauses after m1_u4_s8",
        f"! m1_u4_s8  26.2 req/s, p90 160 ms, suspect: {NOT_SETTLED}",
        "  the run goes on",
        "  m2_u1_s8  24.8 req/s, p90 ~44.7 ms, valid",
        "  the run stops",
        "! the run was stopped: asked for",
    ]


@pytest.mark.parametrize("name", ["demo", "faults", "containers", "interrupted"])
def test_wherever_a_journal_is_cut_the_parts_are_the_whole(name: str) -> None:
    read = journal(name)
    whole = told(highlights_since(read, 0))
    for cut in range(0, len(read), 5):
        seq = read[cut].seq
        known = told(highlights_since(read[: cut + 1], 0))
        rest = told(highlights_since(read, seq))
        # A container that died is told by the cell that fails of it, once that is known.
        assert [it for it in known if it in whole] + rest == whole


def test_phases_and_progress_are_not_worth_telling() -> None:
    upto = lines_until("demo", '"phase":"draining"')
    assert highlights_since(journal("demo", until=upto), 2) == ()


def test_a_run_that_was_resumed() -> None:
    read = journal("interrupted")
    seq = lines_until("interrupted", '"cell":"m1_u8_s8"')
    assert told(highlights_since(read, seq)) == ["  the run was resumed: 3 of 4 cells to go"]


def test_a_container_that_died_is_told_unless_the_failed_cell_names_it() -> None:
    read = journal("containers")
    highlights = highlights_since(read, lines_until("containers", '"cell":"m2_u16_s20"'))
    assert told(highlights)[:2] == [
        "! model-2 out of memory (137), at m2_u16_s20",
        f"! m2_u16_s20  failed: {KILLED}",
    ]
    assert highlights[0].cell == "m2_u16_s20"


def test_containers_that_end_while_the_stack_is_scaled_are_meant_to() -> None:
    def seen(state: str, code: int | None = None, restarts: int = 0) -> Containers:
        one = Container(
            name="model-1", service="model", state=state, exit_code=code, restarts=restarts
        )
        return Containers(containers=(one,))

    key = "m1_u2_s2"
    scaling = CellPhase(cell=key, phase=Phase.SCALING)
    measuring = CellPhase(cell=key, phase=Phase.MEASURING)
    up, down = seen("running"), seen("exited", 1)
    assert after(scaling, up, down) == []
    assert after(up, down) == []
    assert after(measuring, up, down) == [f"! model-1 exited (1), at {key}"]
    assert after(measuring, up, down, down) == [f"! model-1 exited (1), at {key}"]
    again = [f"! model-1 was started again by the engine, at {key}"]
    assert after(measuring, up, seen("running", restarts=1)) == again


def test_commands_that_were_refused_changed_nothing() -> None:
    assert after(answered("pause", accepted=False)) == []
    assert after(answered("again", "m1_u2_s2")) == ["  again it is"]


def test_failures_and_an_invalid_verdict_are_told_with_the_numbers() -> None:
    reasons = ("too few", "stalled")
    answers = requests(((10.0, 300),), ((30.0, 1),))
    finished = cell_finished(verdict=Verdict.INVALID, reasons=reasons, requests=answers)
    assert after(finished) == [
        "! m1_u2_s2  40.0 req/s, p90 10.0 ms, 1 failure, invalid: too few; stalled"
    ]


def test_what_is_left_of_a_run_needs_attention() -> None:
    done = RunFinished(result=Result.DONE, reason="every cell is over")
    assert after(done) == ["  the run is done: every cell is over"]
    assert after(replace(done, left="model-1 is left")) == [
        "! the run is done: every cell is over; model-1 is left"
    ]


# The summary


def test_the_summary_counts_cells_and_says_how_the_run_stands() -> None:
    read = journal("faults", until=lines_until("faults", '"cell":"m2_u2_s8"'))
    highlights = highlights_since(read, 10)
    assert said(highlights, read, RunStatus.LIVE) == (
        "6 cells over: 2 valid, 1 suspect, 1 failed, 2 skipped; "
        "the run goes on with m2_u2_s8, 22 s left"
    )


@pytest.mark.parametrize(
    ("name", "mark", "status", "standing"),
    [
        ("faults", '"message":"the run pauses', "live", "the run goes on with m1_u4_s8, then "),
        ("faults", '"verdict":"suspect"', "live", "the run is paused, "),
        ("faults", '"command":"stop"', "live", "the run is stopping"),
        ("faults", '"type":"run_finished"', "stopped", "the run was stopped: asked for"),
        ("demo", '"type":"run_finished"', "done", "the run is done"),
        ("interrupted", '"attempt":2', "interrupted", "the runner was killed at m1_u8_s8"),
    ],
)
def test_how_the_run_stands_now(name: str, mark: str, status: str, standing: str) -> None:
    read = journal(name, until=lines_until(name, mark))
    assert f"; {standing}" in said((), read, RunStatus(status))


def test_a_cell_that_was_measured_twice_is_one_cell() -> None:
    begun = run_started(make_profile(users=[2, 4]))
    first, second = (cell_started(), cell_failed()), (cell_started("m1_u2_s2", 2),)
    read = entries([begun, *first, *second, cell_finished(attempt=2)])
    assert said(highlights_since(read, 1), read, RunStatus.LIVE).startswith(
        "1 cell over: 1 valid; "
    )
    assert said((), read, RunStatus.LIVE).startswith("no cell over; the run goes on, ")


def test_the_title_says_how_long_ago() -> None:
    assert catch_up_title(2 * 3600 + 13 * 60 + 7) == "since you left, 2 h 13 min ago"


# The list


def shown(highlights: Sequence[Highlight], columns: int, now: datetime = SAME_DAY) -> list[str]:
    found = catch_up_entries(highlights, (), columns, now)
    return [plain(one).rstrip() for entry in found for one in entry.lines]


def test_what_needs_attention_comes_first_each_with_its_local_time() -> None:
    highlights = highlights_since(
        journal("faults"), lines_until("faults", '"type":"cell_finished"')
    )
    assert shown(highlights, 60)[2:] == [
        "needs attention",
        " 11:13  m1_u4_s8  26.2 req/s, p90 160 ms, suspect: not",
        "        settled: 27 completions in 2 s, 30 are needed",
        " 11:13  the run was stopped: asked for",
        "",
        "the rest",
        " 11:12  m1_u3_s8  skipped: asked for",
        " 11:12  m2_u4_s8  skipped: asked for",
        " 11:12  the run pauses after m1_u4_s8",
        " 11:13  the run goes on",
        " 11:13  m2_u1_s8  24.8 req/s, p90 ~44.7 ms, valid",
        " 11:13  the run stops",
    ]


def test_where_all_is_well_there_are_no_headings() -> None:
    highlights = highlights_since(journal("demo"), lines_until("demo", '"cell":"m2_u8_s8"'))
    assert shown(highlights, 60)[2:] == [
        " 11:12  m2_u8_s8  46.3 req/s, p90 196 ms, valid",
        " 11:12  the run is done: every cell is over",
    ]


def test_another_day_is_told_with_its_date_and_a_moment_that_is_none_is_blank() -> None:
    highlights = highlights_since(journal("demo"), lines_until("demo", '"cell":"m2_u8_s8"'))
    highlights = (highlights[0], replace(highlights[1], at="soon"))
    assert shown(highlights, 80, now=SAME_DAY.replace(day=23))[2:] == [
        " 11-22 11:12  m2_u8_s8  46.3 req/s, p90 196 ms, valid",
        "              the run is done: every cell is over",
    ]
