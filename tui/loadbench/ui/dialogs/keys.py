"""The actions of a screen that are available now, with their keys and the place where they work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from textual.dom import DOMNode
from textual.screen import Screen

_HIDDEN = ("screen.copy_text",)
"""Actions omitted from the help, because text cannot be selected."""
_DESCRIPTIONS = {
    "app.focus_next": "move to the next panel",
    "app.focus_previous": "move to the previous panel",
}
"""Descriptions of Textual's own actions."""
_SCREEN, _PANEL, _APP = "On this screen", "In this panel", "Everywhere"
PLACES = (_SCREEN, _PANEL, _APP)
"""The headings of the help, in order."""


@dataclass(frozen=True, slots=True)
class KeyAction:
    """An action that has one or more active keys."""

    title: str
    """Its name in the footer and in the command palette."""
    effect: str
    keys: str
    """Its keys, separated by commas."""
    place: str
    """One of `PLACES`."""
    has_entry: bool
    """Whether the command palette lists it. Keys that only move or scroll have no entry."""
    call: str
    """The action as Textual parses it."""
    node: DOMNode
    """The widget, screen or app that carries it out."""


def active_actions(screen: Screen[Any]) -> list[KeyAction]:
    """Return the actions of a screen that are enabled. Keys with the same effect share an entry."""
    app = screen.app
    found: dict[tuple[str, str], KeyAction] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        is_omitted = binding.system or not binding.description or binding.action in _HIDDEN
        if is_omitted or not active.enabled:
            continue
        place = _PANEL
        if active.node is app or binding.action.startswith("app."):
            place = _APP
        elif active.node is screen:
            place = _SCREEN
        effect = _DESCRIPTIONS.get(binding.action) or binding.tooltip or binding.description
        effect = effect[:1].upper() + effect[1:]
        earlier = found.get((place, effect))
        key = app.get_key_display(binding)
        found[place, effect] = KeyAction(
            title=earlier.title if earlier else binding.description,
            effect=effect,
            keys=f"{earlier.keys}, {key}" if earlier else key,
            place=place,
            has_entry=binding.show or bool(binding.tooltip),
            call=binding.action,
            node=active.node,
        )
    return list(found.values())


def keys_by_place(actions: Sequence[KeyAction]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the headings of the help, each with its keys and their effects."""
    return [
        (place, [(action.keys, action.effect) for action in actions if action.place == place])
        for place in PLACES
    ]
