"""Notifications above the footer and in their list."""

import pytest
from rich.cells import cell_len

from loadbench.ui.lines.text import Tone, plain
from loadbench.ui.notifications import (
    MAX_KEPT,
    MAX_SHOWN,
    Notification,
    Notifications,
    Severity,
    list_lines,
    shown_lines,
)

AT = "2026-11-22T11:11:01+00:00"


def added(*texts: str, severity: Severity = "information") -> Notifications:
    notifications = Notifications()
    for text in texts:
        notifications = notifications.add(Notification(AT, text, severity))
    return notifications


def shown(notifications: Notifications, columns: int = 80) -> list[str]:
    return [plain(line) for line in shown_lines(notifications.shown, columns)]


def test_newest_notification_is_first_and_only_two_are_shown() -> None:
    notifications = added("one", "two", "three")

    assert [one.text for one in notifications.shown] == ["three", "two"]
    assert [one.text for one in notifications.kept] == ["three", "two", "one"]
    assert len(notifications.shown) == MAX_SHOWN


def test_identical_notifications_are_shown_once_with_their_number() -> None:
    notifications = added("full disk", "other", "full disk", "full disk")

    assert shown(notifications) == [" ▸ full disk ×3", " ▸ other"]
    assert [(one.text, one.times) for one in notifications.kept] == [("full disk", 3), ("other", 1)]


def test_notification_with_another_severity_is_not_identical() -> None:
    notifications = added("full disk").add(Notification(AT, "full disk", "error"))

    assert [one.times for one in notifications.shown] == [1, 1]


def test_expired_notification_stays_in_the_list() -> None:
    notifications = added("one", "two")
    expired = notifications.expire(notifications.shown[1])

    assert [one.text for one in expired.shown] == ["two"]
    assert [one.text for one in expired.kept] == ["two", "one"]


def test_repeated_notification_does_not_expire_with_the_earlier_one() -> None:
    first = added("one")
    again = first.add(Notification(AT, "one", "information"))

    assert again.expire(first.shown[0]).shown == again.shown


def test_repeated_notification_counts_from_one_after_it_has_expired() -> None:
    first = added("one")
    again = first.expire(first.shown[0]).add(Notification(AT, "one", "information"))

    assert [one.times for one in again.kept] == [1, 1]


def test_list_is_bounded() -> None:
    assert len(added(*map(str, range(MAX_KEPT + 5))).kept) == MAX_KEPT


@pytest.mark.parametrize(
    ("severity", "mark", "tone"),
    [("information", "▸", Tone.PLAIN), ("warning", "!", Tone.WARN), ("error", "✖", Tone.BAD)],
)
def test_severity_has_a_symbol_besides_its_colour(
    severity: Severity, mark: str, tone: Tone
) -> None:
    (row,) = shown_lines(added("text", severity=severity).shown, 80)

    assert plain(row) == f" {mark} text"
    assert row[-1].tone is tone


@pytest.mark.parametrize("columns", [58, 78, 118])
@pytest.mark.parametrize("text", ["word " * 200, "/path" * 200, "漢字 " * 100])
def test_long_notifications_are_truncated_and_name_the_key_of_the_list(
    columns: int, text: str
) -> None:
    rows = shown(added(f"a {text}", f"b {text}"), columns)

    assert len(rows) == 3
    assert all(cell_len(row) <= columns for row in rows)
    assert rows[1].endswith("… Ctrl+G")
    assert rows[2].endswith("… Ctrl+G")


def test_wrapped_notification_that_fits_is_complete() -> None:
    rows = shown(added("Bundled profiles cannot be edited. " + "x" * 50), 78)

    assert rows == [" ▸ Bundled profiles cannot be edited. ", "   " + "x" * 50]


def test_control_characters_of_services_are_replaced() -> None:
    assert shown(added("a\x1b[2Jb\nc")) == [" ▸ a\ufffd[2Jb c"]


def test_list_shows_times_and_whole_texts() -> None:
    lines = [plain(line) for line in list_lines(added("one", "word " * 30).kept, 60)]

    assert lines[0].startswith("11:11:01  ▸ word")
    assert sum(line.count("word") for line in lines) == 30
    assert lines[-1] == "11:11:01  ▸ one"


def test_empty_list_is_explained() -> None:
    assert [plain(line) for line in list_lines((), 60)] == ["No notifications yet"]
