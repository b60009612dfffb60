"""Compare resolved profiles."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any


def digest_of(resolved: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a profile's canonical JSON as hexadecimal digits.

    Args:
        resolved: All keys and values as plain data, as returned by `Profile.resolved`.
    """
    text = json.dumps(resolved, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return one message per key whose value differs, with both values.

    Args:
        before: All keys and values of the earlier profile.
        now: The same keys with the values of the later profile.
        prefix: Name of the compared section with a trailing dot; empty for a whole profile.
    """
    changed = changed_values(before, now, prefix)
    return [f"{key} was {old}, is {new}" for key, old, new in changed]


def changed_values(
    before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yield each key whose value differs, with both values. The arguments are as above."""
    for key, old in before.items():
        new = now[key]
        if isinstance(old, dict) and isinstance(new, dict) and old.keys() == new.keys():
            yield from changed_values(old, new, f"{prefix}{key}.")
        elif old != new:
            yield f"{prefix}{key}", old, new
