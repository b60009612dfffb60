"""The names of keys in the footer and in the help."""

from pathlib import Path

import pytest
from textual.binding import Binding

from loadbench.ui.app import LoadbenchApp
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.workspace import Workspace


def name_of(key: str, *, is_ascii: bool = False) -> str:
    """The name of a key on a terminal."""
    workspace = Workspace(Path("/nowhere"), Path("/nowhere/reports"))
    app = LoadbenchApp(workspace, Terminal(ascii=is_ascii))
    return app.get_key_display(Binding(key, "action"))


@pytest.mark.parametrize("is_ascii", [False, True])
@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("enter", "Enter"),
        ("escape", "Esc"),
        ("space", "Space"),
        ("tab", "Tab"),
        ("shift+tab", "Shift+Tab"),
        ("ctrl+c", "Ctrl+C"),
        ("pageup", "Page Up"),
        ("pagedown", "Page Down"),
        ("home", "Home"),
        ("q", "q"),
        ("S", "S"),
        ("left_square_bracket", "["),
    ],
)
def test_keys_have_the_names_printed_on_a_keyboard(key: str, name: str, is_ascii: bool) -> None:
    assert name_of(key, is_ascii=is_ascii) == name


def test_arrow_keys_have_a_sign_or_a_name_in_ascii() -> None:
    assert [name_of(key) for key in ("up", "left")] == ["↑", "←"]
    assert [name_of(key, is_ascii=True) for key in ("up", "left")] == ["Up", "Left"]


def test_a_binding_can_override_the_name_of_its_key() -> None:
    workspace = Workspace(Path("/nowhere"), Path("/nowhere/reports"))
    binding = Binding("slash", "action", key_display="/")

    assert LoadbenchApp(workspace, Terminal()).get_key_display(binding) == "/"
