"""The text of the catch-up window, from journals that were cut."""

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
from loadbench.ui.lines.text import Tone, plain
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


def texts(highlights: Sequence[Highlight]) -> list[str]:
    return [
        ("! " if highlight.needs_attention else "  ") + plain(highlight_line(highlight))
        for highlight in highlights
    ]


def summary_text(highlights: Sequence[Highlight], read: list[Entry], status: RunStatus) -> str:
    state = fold(read)
    assert state.started
    profile = state.profile
    assert profile is not None
    run = Run(Path("/nowhere"), state, status)
    return plain(summary(highlights, run, profile, state.elapsed_s))


def after(*events: Event) -> list[str]:
    """The text of events after the start of the first cell."""
    before: list[Event] = [run_started(), cell_started()]
    return texts(highlights_since(entries([*before, *events]), len(before)))


# Events


def test_failures_results_and_commands_are_listed() -> None:
    read = journal("faults")
    assert texts(highlights_since(read, lines_until("faults", '"phase":"settling"'))) == [
        "! m1_u1_s8  failed: model-1 was killed by signal 9",
        "! Locust ended with exit code -9; m1_u2_s8 is measured again with a new one",
        "  m1_u2_s8  27.0 req/s, p95 ~83.2 ms, valid",
        "  m1_u3_s8  skipped: asked for",
        "  m2_u4_s8  skipped: asked for",
        "  the run pauses after m1_u4_s8",
        f"! m1_u4_s8  26.2 req/s, p95 ~164 ms, suspect: {NOT_SETTLED}",
        "  the run goes on",
        "  m2_u1_s8  24.8 req/s, p95 ~45.8 ms, valid",
        "  the run stops",
        "! Run stopped: asked for",
    ]


@pytest.mark.parametrize("name", ["demo", "faults", "containers", "interrupted"])
def test_the_parts_of_a_cut_journal_make_up_the_whole(name: str) -> None:
    read = journal(name)
    whole = texts(highlights_since(read, 0))
    for cut in range(0, len(read), 5):
        seq = read[cut].seq
        known = texts(highlights_since(read[: cut + 1], 0))
        rest = texts(highlights_since(read, seq))
        # The failed cell replaces the container that made it fail.
        assert [text for text in known if text in whole] + rest == whole


def test_phases_and_progress_are_left_out() -> None:
    upto = lines_until("demo", '"phase":"draining"')
    assert highlights_since(journal("demo", until=upto), 2) == ()


def test_a_resumed_run_shows_its_remaining_cells() -> None:
    read = journal("interrupted")
    seq = lines_until("interrupted", '"cell":"m1_u8_s8"')
    assert texts(highlights_since(read, seq)) == ["  Resumed: 3 of 4 cells remaining"]


def test_an_exited_container_is_listed_unless_the_failed_cell_names_it() -> None:
    read = journal("containers")
    highlights = highlights_since(read, lines_until("containers", '"cell":"m2_u16_s20"'))
    assert texts(highlights)[:2] == [
        "! model-2  exited, code 137 (out of memory), during m2_u16_s20",
        f"! m2_u16_s20  failed: {KILLED}",
    ]
    assert highlights[0].cell == "m2_u16_s20"


def test_containers_that_exit_during_scaling_are_left_out() -> None:
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
    assert after(measuring, up, down) == [f"! model-1  exited, code 1, during {key}"]
    assert after(measuring, up, down, down) == [f"! model-1  exited, code 1, during {key}"]
    restarted = [f"! model-1  restarted by the container engine, during {key}"]
    assert after(measuring, up, seen("running", restarts=1)) == restarted


def test_rejected_commands_are_left_out() -> None:
    assert after(answered("pause", accepted=False)) == []
    assert after(answered("again", "m1_u2_s2")) == ["  again it is"]


def test_a_result_has_its_failures_verdict_and_reasons() -> None:
    reasons = ("too few", "stalled")
    answers = requests(((10.0, 300),), ((30.0, 1),))
    finished = cell_finished(verdict=Verdict.INVALID, reasons=reasons, requests=answers)
    assert after(finished) == [
        "! m1_u2_s2  40.0 req/s, p90 10.0 ms, 1 failure, invalid: too few; stalled"
    ]


def test_leftovers_of_a_run_need_attention() -> None:
    done = RunFinished(result=Result.DONE, reason="every cell is over")
    assert after(done) == ["  Run done"]
    assert after(replace(done, left="model-1 is left")) == ["! Run done; model-1 is left"]


# The summary


def test_the_summary_has_the_counts_of_cells_and_the_status_of_the_run() -> None:
    read = journal("faults", until=lines_until("faults", '"cell":"m2_u2_s8"'))
    highlights = highlights_since(read, 10)
    assert summary_text(highlights, read, RunStatus.LIVE) == (
        "6 cells done: 2 valid, 1 suspect, 1 failed, 2 skipped. "
        "The run continues with m2_u2_s8, 23 s left"
    )


@pytest.mark.parametrize(
    ("name", "mark", "status", "sentence"),
    [
        ("faults", '"message":"the run pauses', "live", "The run continues with m1_u4_s8, then "),
        ("faults", '"verdict":"suspect"', "live", "The run is paused, "),
        ("faults", '"command":"stop"', "live", "The run is stopping"),
        ("faults", '"type":"run_finished"', "stopped", "The run was stopped: asked for"),
        ("demo", '"type":"run_finished"', "done", "The run is done"),
        ("interrupted", '"attempt":2', "interrupted", "The runner was killed during m1_u8_s8"),
    ],
)
def test_the_summary_ends_with_the_status(name: str, mark: str, status: str, sentence: str) -> None:
    read = journal(name, until=lines_until(name, mark))
    assert f". {sentence}" in summary_text((), read, RunStatus(status))


def test_a_cell_that_was_measured_twice_counts_once() -> None:
    started = run_started(make_profile(users=[2, 4]))
    first, second = (cell_started(), cell_failed()), (cell_started("m1_u2_s2", 2),)
    read = entries([started, *first, *second, cell_finished(attempt=2)])
    assert summary_text(highlights_since(read, 1), read, RunStatus.LIVE).startswith(
        "1 cell done: 1 valid. "
    )
    assert summary_text((), read, RunStatus.LIVE).startswith("No cells done. The run continues, ")


def test_the_title_has_the_time_since_the_last_view() -> None:
    assert catch_up_title(2 * 3600 + 13 * 60 + 7) == "Since your last visit (2 h 13 min ago)"


# The list


def shown(highlights: Sequence[Highlight], columns: int, now: datetime = SAME_DAY) -> list[str]:
    found = catch_up_entries(highlights, (), columns, now)
    return [plain(one).rstrip() for entry in found for one in entry.lines]


def test_urgent_events_come_first_and_all_have_their_local_time() -> None:
    highlights = highlights_since(
        journal("faults"), lines_until("faults", '"type":"cell_finished"')
    )
    assert shown(highlights, 60)[2:] == [
        "Needs attention",
        " 11:13  m1_u4_s8  26.2 req/s, p95 ~164 ms, suspect: not",
        "        settled: 27 completions in 2 s, 30 are needed",
        " 11:13  Run stopped: asked for",
        "",
        "Other events",
        " 11:12  m1_u3_s8  skipped: asked for",
        " 11:12  m2_u4_s8  skipped: asked for",
        " 11:12  the run pauses after m1_u4_s8",
        " 11:13  the run goes on",
        " 11:13  m2_u1_s8  24.8 req/s, p95 ~45.8 ms, valid",
        " 11:13  the run stops",
    ]


def test_without_urgent_events_there_are_no_headings() -> None:
    highlights = highlights_since(journal("demo"), lines_until("demo", '"cell":"m2_u8_s8"'))
    assert shown(highlights, 60)[2:] == [
        " 11:12  m2_u8_s8  46.3 req/s, p95 202 ms, valid",
        " 11:12  Run done",
    ]


def test_times_of_another_day_have_a_date_and_invalid_times_are_blank() -> None:
    highlights = highlights_since(journal("demo"), lines_until("demo", '"cell":"m2_u8_s8"'))
    highlights = (highlights[0], replace(highlights[1], at="soon"))
    assert shown(highlights, 80, now=SAME_DAY.replace(day=23))[2:] == [
        " 11-22 11:12  m2_u8_s8  46.3 req/s, p95 202 ms, valid",
        "              Run done",
    ]


def test_outcomes_have_their_colour_in_the_summary() -> None:
    read = journal("faults")
    state = fold(read)
    assert state.profile is not None
    run = Run(Path("/nowhere"), state, RunStatus.STOPPED)

    line = summary(highlights_since(read, 10), run, state.profile, state.elapsed_s)

    tones = {piece.text.split()[-1]: piece.tone for piece in line}
    outcomes = ("valid", "suspect", "failed", "skipped")
    assert [tones[word] for word in outcomes] == [Tone.GOOD, Tone.WARN, Tone.BAD, Tone.WARN]
