"""Decides by its name whether a value is secret."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loadbench.engine.profile.values.urls import SCHEMES

_SECRET_NAME = re.compile(r"(?:^|.*_)(?:key|token|secret|password|credentials)")
_HEADERS = ("authorization", "proxy_authorization", "cookie")
_SECRET_HEADER = re.compile(r".*(?:key|token|secret|password|credentials|auth|session)")


@dataclass(frozen=True, slots=True)
class SecretNames:
    """The lists `secrets` and `not_secrets` of a profile."""

    always: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "SecretNames":
        """Return the lists in the data of a profile, which may be invalid."""
        return cls(_names(data.get("secrets")), _names(data.get("not_secrets")))

    def is_listed(self, name: str) -> bool:
        """Return whether values of a name are always secret."""
        return plain_name(name) in self.always

    def is_secret_header(self, name: str, value: str) -> bool:
        """Return whether an HTTP header is secret, by its name or by the scheme of its value."""
        plain = plain_name(name)
        if plain in self.never:
            return False
        is_named = _SECRET_HEADER.fullmatch(plain) is not None
        return is_named or SCHEMES.fullmatch(value.strip().partition(" ")[0]) is not None

    def is_secret(self, name: str) -> bool:
        """Return whether values of a name are secret."""
        plain = plain_name(name)
        if plain in self.always or plain in self.never:
            return plain in self.always
        return plain in _HEADERS or bool(_SECRET_NAME.fullmatch(plain))


def _names(value: Any) -> frozenset[str]:
    names = value if isinstance(value, list | tuple) else [value]
    return frozenset(plain_name(name) for name in names if isinstance(name, str))


def plain_name(name: str) -> str:
    """Return a name in one spelling, in which case and dashes make no difference."""
    return name.replace("-", "_").casefold()
