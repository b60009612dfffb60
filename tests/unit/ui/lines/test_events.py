"""The events of a run as lines."""

import pytest

from loadbench.engine.journal.events import Event, Note, Result, RunFinished, Verdict
from loadbench.ui.lines.events import EventLine, event_lines, event_outcome
from loadbench.ui.lines.text import Tone, plain, width
from tests.support.builders import cell_failed, cell_finished, cell_skipped


def test_an_event_has_its_local_time_and_is_wrapped_below_its_text() -> None:
    event = EventLine(
        "2026-11-22T07:21:05.000Z", "Failed: model-1 was killed by signal 9\n  | last"
    )

    lines = event_lines([event], 30)

    assert [plain(one).rstrip() for one in lines] == [
        "07:21:05  Failed: model-1 was",
        "            killed by signal 9",
        "            | last",
    ]
    assert all(width(one) <= 30 for one in lines)


def test_an_invalid_time_is_blank() -> None:
    (only,) = event_lines([EventLine("yesterday", "note")], 30)

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

    (only,) = event_lines([EventLine("", text, *event_outcome(event))], 80)

    assert plain(only).strip() == text
    assert [piece.text.lower() for piece in only if piece.tone is tone] == [word]


def test_other_events_have_no_colour() -> None:
    assert event_outcome(Note(text="a valid remark")) == ("", Tone.PLAIN)
