"""The events of a run as lines."""

import pytest

from loadbench.engine.journal.events import Event, Note, Result, RunFinished, Verdict
from loadbench.ui.lines.events import (
    EventLine,
    event_cell,
    event_lines,
    event_outcome,
    selected_row,
)
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.lines.text import Tone, plain, width
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    run_started,
    state_after,
)

FAILURE = "Failed: model-1 was killed by signal 9\n  | last"


def test_an_event_has_its_local_time_and_is_wrapped_below_its_text() -> None:
    event = EventLine("2026-11-22T07:21:05.000Z", f"{FAILURE} line, which is longer than that")

    lines = event_lines([event], 60, UNICODE)

    assert [plain(one).rstrip() for one in lines] == [
        "07:21:05  Failed: model-1 was killed by signal 9",
        "            | last line, which is longer than that",
    ]


def test_a_narrow_panel_has_no_indentation() -> None:
    lines = event_lines([EventLine("2026-11-22T07:21:05.000Z", f"  {FAILURE}")], 30, UNICODE)

    assert [plain(one).rstrip() for one in lines] == [
        "07:21:05 Failed: model-1 was",
        "          killed by signal 9",
        "         | last",
    ]
    assert all(width(one) <= 30 for one in lines)


EVENTS = [
    EventLine("", "Run demo: 2 cells"),
    EventLine("", "Cell 1", cell="m1_u2_s2", is_start=True),
    EventLine("", "  Failed: killed", "failed", Tone.BAD, "m1_u2_s2"),
    EventLine("", "Cell 2", cell="m1_u4_s2", is_start=True),
    EventLine("", "Cell 1 (attempt 2)", cell="m1_u2_s2", is_start=True),
    EventLine("", "  Valid: 40 req/s", "valid", Tone.GOOD, "m1_u2_s2"),
    EventLine("", "Cell 1 will be measured again", cell="m1_u2_s2"),
]


@pytest.mark.parametrize(("glyphs", "bar"), [(UNICODE, "▌"), (ASCII, ">")])
def test_events_of_the_selected_cell_have_a_bar_and_the_others_are_dim(
    glyphs: Glyphs, bar: str
) -> None:
    lines = event_lines(EVENTS, 80, glyphs, selected="m1_u2_s2")

    marked = [bar in plain(one) for one in lines]
    assert marked == [event.cell == "m1_u2_s2" for event in EVENTS]
    dim = [all(piece.tone is Tone.DIM for piece in one if piece.text.strip()) for one in lines]
    assert dim == [not has_bar for has_bar in marked]


def test_events_look_the_same_without_a_selected_cell() -> None:
    lines = event_lines(EVENTS, 80, UNICODE)

    assert not any("▌" in plain(one) for one in lines)
    assert [piece.tone for one in lines for piece in one].count(Tone.GOOD) == 1


@pytest.mark.parametrize(("cell", "row"), [("m1_u2_s2", 4), ("m1_u4_s2", 3), ("m2_u2_s2", -1)])
def test_the_last_attempt_at_the_selected_cell_comes_into_view(cell: str, row: int) -> None:
    assert selected_row(EVENTS, 80, UNICODE, cell) == row


def test_without_its_start_the_first_event_of_a_cell_comes_into_view() -> None:
    assert selected_row(EVENTS[2:4], 80, UNICODE, "m1_u2_s2") == 0


@pytest.mark.parametrize(
    ("event", "cell"),
    [
        (cell_started(), "m1_u2_s2"),
        (cell_finished(), "m1_u2_s2"),
        (Note(text="a remark"), "m1_u2_s2"),
        (RunFinished(result=Result.DONE, reason=""), ""),
    ],
)
def test_an_event_belongs_to_its_cell_or_the_current_one(event: Event, cell: str) -> None:
    state = state_after(run_started(make_profile(models=[1], users=[2])), cell_started())

    assert event_cell(event, state) == cell


def test_an_invalid_time_is_blank() -> None:
    (only,) = event_lines([EventLine("yesterday", "note")], 80, UNICODE)

    assert plain(only) == "          note"


@pytest.mark.parametrize(
    ("event", "text", "tone"),
    [
        (cell_finished(), "27.0 req/s, valid", Tone.GOOD),
        (cell_finished(verdict=Verdict.SUSPECT), "Suspect: not settled", Tone.WARN),
        (cell_finished(verdict=Verdict.INVALID), "invalid: not a valid number", Tone.BAD),
        (cell_failed(), "Failed: model-1 exited", Tone.BAD),
        (cell_skipped(), "m1_u2_s2 skipped: asked for", Tone.WARN),
        (RunFinished(result=Result.DONE, reason=""), "Done: 4 of 4 cells measured", Tone.GOOD),
        (RunFinished(result=Result.ABORTED, reason=""), "Aborted: no space left", Tone.BAD),
    ],
)
def test_the_outcome_of_an_event_has_its_colour(event: Event, text: str, tone: Tone) -> None:
    word, _ = event_outcome(event)

    (only,) = event_lines([EventLine("", text, *event_outcome(event))], 80, UNICODE)

    assert plain(only).strip() == text
    assert [piece.text.lower() for piece in only if piece.tone is tone] == [word]


def test_other_events_have_no_colour() -> None:
    assert event_outcome(Note(text="a valid remark")) == ("", Tone.PLAIN)
