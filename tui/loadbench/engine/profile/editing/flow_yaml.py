"""Values of a profile as YAML on one line."""

from typing import Any

import yaml


class _OneLineDumper(yaml.SafeDumper):
    """Quotes text with control characters in the style that escapes them."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None if text.isprintable() else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_OneLineDumper.add_representer(str, _represent_text)


def flow_yaml(value: Any) -> str:
    """Format plain data as YAML on one line: `null`, `5`, `'a: b'`, `[a, b]`, `{A: b}`."""
    # In a list, texts with commas and brackets are quoted, and scalars get no end marker.
    text: str = yaml.dump(
        [value],
        Dumper=_OneLineDumper,
        default_flow_style=True,
        allow_unicode=True,
        sort_keys=False,
        width=float("inf"),
    )
    return text.strip()[1:-1]
