"""The text of a form: values as chips, and the help for the focused field."""

import re
from collections.abc import Sequence

from loadbench.engine.profile.editing.keys import KeyKind, ProfileKey
from loadbench.engine.profile.editing.notation import (
    format_value,
    notation_hint,
    parse_value,
)
from loadbench.ui.form.state import Entered
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, Tone, line, width, wrap

LISTS = (KeyKind.INTEGERS, KeyKind.NUMBERS, KeyKind.TEXTS, KeyKind.GOALS)
"""Kinds whose values are shown as chips."""
RANGE = ".."
"""Part of the notation of a range."""
_EMPTY = re.compile(r"(?:null|\{\}): ([^.;]{1,24})(?=[.;]|$)")
"""A short meaning of null, or of no goals, in a description."""
_MAX_SUGGESTIONS = 6


def placeholder(key: ProfileKey) -> str:
    """Return what an empty field means, such as `no goal`, from the description of the key."""
    if not key.is_optional and key.kind is not KeyKind.GOALS:
        return ""
    meaning = _EMPTY.search(key.help)
    return meaning.group(1).strip() if meaning else "automatic"


def help_lines(
    key: ProfileKey,
    entered: Entered,
    suggestions: Sequence[str],
    columns: int,
    *,
    saved: str = "Saved",
    is_brief: bool = False,
) -> list[Line]:
    """Return the help for a field: meaning, limits, notation, suggestions and saved value.

    Args:
        key: The key of the field.
        entered: The form.
        suggestions: Values to offer.
        columns: Maximum width of a line.
        saved: What the texts are compared with.
        is_brief: Whether to leave out what a small panel has no room for.
    """
    lines = wrap(line(key.help), columns)
    lines += wrap(line((_facts(key), Tone.DIM)), columns)
    hint = notation_hint(key)
    if expanded := _expanded(key, entered):
        lines += wrap(line(("= ", Tone.DIM), expanded), columns, indent=2)
    elif hint and not is_brief:
        lines += wrap(line(("Examples: ", Tone.DIM), hint), columns, indent=2)
    if suggestions:
        lines += wrap(line(*_offered(suggestions)), columns, indent=2)
    if key.name in entered.changes:
        value = entered.saved_text(key.name) or placeholder(key) or "empty"
        text = line((f"{saved}: ", Tone.DIM), value, "  ", ("Ctrl+R", Tone.ACCENT), " restore")
        lines += wrap(text, columns, indent=2)
    if key.name in entered.errors and not key.is_required:
        text = line(("Ctrl+T", Tone.ACCENT), " enters the default, which counts as removed")
        lines += wrap(text, columns, indent=2)
    return lines


def choice_pieces(
    choices: Sequence[str], chosen: str, glyphs: Glyphs, columns: int | None = None
) -> Line:
    """Return all choices in a line, with the chosen one marked.

    Args:
        choices: The values.
        chosen: The chosen one.
        glyphs: The terminal's character set.
        columns: Width of the line. If not all choices fit, only the chosen one is shown, between
            arrows. None for no limit.
    """
    pieces: list[tuple[str, Tone]] = []
    for choice in choices:
        is_chosen = choice == chosen
        mark = glyphs.alive if is_chosen else glyphs.starting
        pieces.append((f"{mark} {choice}", Tone.STRONG if is_chosen else Tone.DIM))
        pieces.append(("  ", Tone.PLAIN))
    all_choices = line(*pieces[:-1])
    if columns is None or width(all_choices) <= columns:
        return all_choices
    return line(("← ", Tone.DIM), (chosen, Tone.STRONG), (" →", Tone.DIM))


def chip_texts(key: ProfileKey, text: str) -> list[str]:
    """Return the items of a list as texts, or nothing if the text of the field is invalid."""
    try:
        value = parse_value(key, text)
    except ValueError:
        return []
    if isinstance(value, dict):
        return [
            f"{name}: {', '.join(f'{goal} {limit:g}' for goal, limit in goals.items())}"
            for name, goals in value.items()
        ]
    return [str(item) for item in value or ()]


def _facts(key: ProfileKey) -> str:
    """Return the limits and the default of a key."""
    default = format_value(key, key.default) if not key.is_required else ""
    facts = (
        f"{key.name}",
        key.limits,
        "required" if key.is_required else f"default: {default or placeholder(key) or 'empty'}",
    )
    return " · ".join(filter(None, facts))


def _expanded(key: ProfileKey, entered: Entered) -> str:
    """Return the explicit list that a range stands for. Empty if none was typed."""
    value = entered.values.get(key.name)
    if value is None or RANGE not in entered.text(key.name):
        return ""
    return format_value(key, value)


def _offered(suggestions: Sequence[str]) -> list[tuple[str, Tone]]:
    shown = ", ".join(suggestions[:_MAX_SUGGESTIONS])
    more = len(suggestions) - _MAX_SUGGESTIONS
    text = f"{shown}, and {more} more" if more > 0 else shown
    return [("Ctrl+N", Tone.ACCENT), (" next of: ", Tone.DIM), (text, Tone.PLAIN)]
