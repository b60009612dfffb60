"""Whether two resolved profiles are the same, and where they differ. Pure."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def digest_of(resolved: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a profile's canonical JSON, in hexadecimal digits.

    Args:
        resolved: Every key with its value as plain data, as `Profile.resolved` gives them.
    """
    text = json.dumps(resolved, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the keys whose values differ, each with both values.

    Args:
        before: Every key with its value.
        now: The same keys, later.
        prefix: The name of the section that both are, with a dot.
    """
    found = []
    for key, was in before.items():
        value = now[key]
        if isinstance(was, dict) and isinstance(value, dict) and was.keys() == value.keys():
            found += differences(was, value, f"{prefix}{key}.")
        elif was != value:
            found.append(f"{prefix}{key} was {was}, is {value}")
    return found
