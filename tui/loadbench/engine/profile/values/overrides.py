"""Masks the secrets in overrides, the `KEY=VALUE` texts of `--set`."""

from typing import Any

from loadbench.engine.masking import MASK
from loadbench.engine.profile.editing.one_line_yaml import one_line_yaml
from loadbench.engine.profile.model import ALIASES, Profile
from loadbench.engine.profile.source import parse_value
from loadbench.engine.profile.values.secret_names import SecretNames
from loadbench.engine.profile.values.secrets import (
    FREE_TEXTS,
    LITERAL_KEYS,
    MAPPINGS,
    find_secrets,
    is_url,
    replaced,
)
from loadbench.engine.profile.values.urls import mask_url


def masked_override(text: str, names: SecretNames) -> str:
    """Return an override with its literal secrets masked.

    Args:
        text: The override, which may be invalid.
        names: The names that are secret or not.
    """
    key, equals, value = text.partition("=")
    path = tuple(key.strip().split("."))
    if path[0] not in (*Profile.model_fields, *ALIASES) or names.is_secret(path[-1]):
        # It may be a variable in the wrong place: report the key as unknown, but not the value.
        path = (*MAPPINGS[0], path[-1])
    if is_url(path):
        # A query is not allowed there, but it may be a token.
        text = f"{key}{equals}{mask_url(value)}" if "?" in value else text
    try:
        return _masked(text, path, names)
    except ValueError:
        is_masked = may_contain_secrets(text) or names.is_secret(path[-1])
        return f"{key}{equals}{MASK}" if is_masked and path[0] not in LITERAL_KEYS else text


def _masked(text: str, path: tuple[str, ...], names: SecretNames) -> str:
    key, _, value_text = text.partition("=")
    data: Any = parse_value(value_text)
    for part in reversed(path):
        data = {part: data}
    secrets = [one for one in find_secrets(data, names=names) if one.is_literal]
    if not secrets:
        return text
    masked: Any = replaced(data, {one.path: one.masked for one in secrets})
    for part in path:
        masked = masked[part]
    return f"{key}={one_line_yaml(masked)}"


def may_contain_secrets(text: str) -> bool:
    """Return whether the value of an override may contain secrets."""
    key = text.partition("=")[0].strip()
    names = [".".join(path) for path in (*FREE_TEXTS, *MAPPINGS)]
    return any(f"{key}.".startswith(f"{name}.") or name.startswith(f"{key}.") for name in names)
