"""The table of all profile keys, for help and documentation."""

from typing import Any

from loadbench.engine.profile.editing.keys import profile_keys


def key_rows() -> list[tuple[str, str, str]]:
    """Return the dotted name, the default and the description of each key."""
    return [
        (key.name, "required" if key.is_required else _yaml_text(key.default), key.help)
        for key in profile_keys()
    ]


def key_reference() -> str:
    """Return a Markdown table of all keys, for the documentation."""
    rows = [f"| `{key}` | {default} | {meaning} |" for key, default, meaning in key_rows()]
    return "\n".join(("| key | default | meaning |", "|---|---|---|", *rows))


def _yaml_text(value: Any) -> str:
    match value:
        case None:
            return "null"
        case "":
            return '""'
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(str, value))}]"
        case dict():
            return "{}"
        case _:
            return f"{value:g}" if isinstance(value, float) else str(value)
