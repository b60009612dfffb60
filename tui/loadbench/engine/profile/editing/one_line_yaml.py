"""Values of a profile as YAML on one line."""

from typing import Any

import yaml


class _OneLineDumper(yaml.SafeDumper):
    """Writes collections in flow style, and escapes line breaks in texts."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_OneLineDumper.add_representer(str, _represent_text)


def one_line_yaml(value: Any) -> str:
    """Format plain data as YAML on one line: `null`, `5`, `'a: b'`, `[a, b]`, `{A: b}`."""
    # Texts in flow style need more quotes, for example around URLs.
    is_collection = isinstance(value, list | dict)
    text: str = yaml.dump(
        [value],
        Dumper=_OneLineDumper,
        default_flow_style=is_collection,
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
    )
    return text.strip()[1:-1] if is_collection else text.strip().removeprefix("- ")
