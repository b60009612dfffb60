"""Observations about request events as text."""

import pytest

from loadbench.engine.journal.events import EventNote
from loadbench.engine.report.evidence.notes import note_text

LONG = "x" * 200


@pytest.mark.parametrize(
    ("note", "text"),
    [
        (
            EventNote(
                kind="response_time",
                method="METRIC",
                name="ms per token",
                count=1250,
                example="nan",
            ),
            (
                "1,250 requests of METRIC ms per token reported no usable response time, such as "
                "nan: counted without latency"
            ),
        ),
        (
            EventNote(kind="start_time", count=1),
            "start_time of 1 request of further names does not fit the response time: ignored",
        ),
        (
            EventNote(kind="names", name="other requests", count=1204, example="/item/17"),
            (
                "1,204 further names, such as /item/17: counted together as other requests. In the "
                "locustfile, use name= to group requests"
            ),
        ),
        (
            EventNote(kind="names", name="other requests", count=10_000),
            (
                "10,000 further names or more: counted together as other requests. In the "
                "locustfile, use name= to group requests"
            ),
        ),
        (EventNote(kind="of_later", name="a", count=2), "of_later: 2 requests of a"),
    ],
)
def test_a_note_states_what_was_observed(note: EventNote, text: str) -> None:
    assert note_text(note) == text


def test_the_middle_of_a_long_name_is_cut() -> None:
    note = EventNote(kind="start_time", name=f"/start{LONG}/end", count=2, example="5")

    assert f"/start{LONG}/end" in note_text(note)
    assert "requests of /start" in note_text(note, 20)
    assert "…xxxxx/end does not" in note_text(note, 20)
