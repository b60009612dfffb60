"""References to environment variables: `${NAME}` and `${NAME:-default}`, as in Compose files.

Only `${` starts a reference. `$${` stands for `${` itself, and `$NAME` for itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

FORMS = "${NAME} or ${NAME:-default}"

_START = re.compile(r"(\$+)\{")
_REST = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-([^{}]*))?\}")


class MissingVariableError(ValueError):
    """An environment variable without a default is not set.

    Args:
        name: The variable.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"the environment variable {name} is not set")
        self.name = name


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in a text."""

    name: str
    default: str | None
    """Replaces a variable that is unset or empty. None if the reference has no default."""

    def resolve(self, environ: Mapping[str, str]) -> str:
        """Return the value of the variable, or the default.

        Raises:
            MissingVariableError: There is neither of them.
        """
        value = environ.get(self.name)
        if self.default is not None:
            return value or self.default
        if value is None:
            raise MissingVariableError(self.name)
        return value


def parse(text: str) -> tuple[str | Reference, ...]:
    """Split a text into its literal parts and its references.

    Raises:
        ValueError: A reference has another form. The message contains no part of the text, which
            may be secret.
    """
    parts: list[str | Reference] = []
    position = 0
    while match := _START.search(text, position):
        # As in Compose, every second dollar sign before a brace escapes the one before it.
        pairs, is_reference = divmod(len(match[1]), 2)
        parts.append(text[position : match.start()] + "$" * pairs)
        if not is_reference:
            parts.append("{")
            position = match.end()
            continue
        rest = _REST.match(text, match.end())
        if rest is None:
            raise ValueError(
                f"unsupported reference to an environment variable. Write {FORMS}, where the "
                "default contains no braces, and $${ for a literal ${"
            )
        parts.append(Reference(rest[1], rest[2]))
        position = rest.end()
    return tuple(part for part in (*parts, text[position:]) if part != "")


def references_in(text: str) -> tuple[Reference, ...]:
    """Return the references in a text.

    Raises:
        ValueError: A reference has another form.
    """
    return tuple(part for part in parse(text) if isinstance(part, Reference))


def has_references(text: str) -> bool:
    """Return whether a text contains references, valid or not."""
    return _START.search(text) is not None


def resolve_text(text: str, environ: Mapping[str, str]) -> str:
    """Return a text with its references replaced by their values.

    Raises:
        MissingVariableError: A variable without a default is not set.
        ValueError: A reference has another form.
    """
    parts = parse(text)
    return "".join(part if isinstance(part, str) else part.resolve(environ) for part in parts)
