"""The keys that do something where the focus is, by where they belong."""

from typing import Any

from textual.screen import Screen

_NOT_NAMED = ("screen.copy_text",)
"""There is nothing to select."""
_OTHER_WORDS = {
    "app.focus_next": "to the next panel",
    "app.focus_previous": "to the panel before",
}
PLACES = ("here", "in this panel", "everywhere")


def keys_of(screen: Screen[Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return, for each place, its keys with what they do; keys that do the same stand together."""
    app = screen.app
    found: dict[tuple[str, str], list[str]] = {}
    for active in screen.active_bindings.values():
        binding = active.binding
        if binding.system or not binding.description or binding.action in _NOT_NAMED:
            continue
        place = "in this panel"
        if active.node is app or binding.action.startswith("app."):
            place = "everywhere"
        elif active.node is screen:
            place = "here"
        does = _OTHER_WORDS.get(binding.action) or binding.tooltip or binding.description
        found.setdefault((place, does), []).append(app.get_key_display(binding))
    return [
        (place, [(" ".join(keys), does) for (at, does), keys in found.items() if at == place])
        for place in PLACES
    ]
