"""The lines of a profile file in the editor."""

from loadbench.ui.editor.lines import changed_lines, difference_lines, file_lines
from loadbench.ui.lines.text import Tone, plain

TEXT = "models: [1]\nusers: [5]\n"


def test_the_lines_of_the_focused_key_are_marked() -> None:
    first, second = file_lines(TEXT, range(2, 3), {2})
    assert plain(first) == "   1  models: [1]"
    assert plain(second) == "▸  2* users: [5]"
    assert second[-1].tone is Tone.STRONG


def test_changed_and_inserted_lines_are_found() -> None:
    assert changed_lines(TEXT, TEXT) == set()
    assert changed_lines(TEXT, "models: [1]\nusers: [6]\nrepeats: 2\n") == {2, 3}


def test_both_versions_of_a_file_are_shown() -> None:
    shown = list(map(plain, difference_lines(TEXT, TEXT.replace("5", "6"))))
    assert "-users: [5]" in shown
    assert "+users: [6]" in shown
