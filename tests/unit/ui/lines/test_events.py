"""What happened in a run, as lines."""

from loadbench.ui.lines.events import EventLine, event_lines
from loadbench.ui.lines.text import plain, width


def test_an_event_has_its_local_time_and_is_broken_below_its_text() -> None:
    told = EventLine("2026-11-22T07:21:05.000Z", "failed: model-1 was killed by signal 9\n  | last")

    lines = event_lines([told], 30)

    assert [plain(it).rstrip() for it in lines] == [
        "07:21:05  failed: model-1 was",
        "            killed by signal 9",
        "            | last",
    ]
    assert all(width(it) <= 30 for it in lines)


def test_a_time_that_is_none_is_left_out() -> None:
    (only,) = event_lines([EventLine("yesterday", "said")], 30)

    assert plain(only) == "          said"
