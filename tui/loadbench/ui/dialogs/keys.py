"""The active keys of a screen, grouped by where they work."""

from typing import Any

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


def active_keys(screen: Screen[Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the headings of the help, each with its keys and their effects.

    Keys with the same effect share an entry, separated by commas.
    """
    app = screen.app
    found: dict[tuple[str, str], list[str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.system or not binding.description or binding.action in _HIDDEN:
            continue
        place = _PANEL
        if active.node is app or binding.action.startswith("app."):
            place = _APP
        elif active.node is screen:
            place = _SCREEN
        effect = _DESCRIPTIONS.get(binding.action) or binding.tooltip or binding.description
        effect = effect[:1].upper() + effect[1:]
        found.setdefault((place, effect), []).append(app.get_key_display(binding))
    return [
        (place, [(", ".join(keys), effect) for (at, effect), keys in found.items() if at == place])
        for place in PLACES
    ]
