"""What the checks of locustfiles report."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from loadbench.engine.bounds.texts import shortened

_MAX_CHARACTERS = 80
_MAX_NAMES = 20


FindingLevel = Literal["problem", "warning"]


@dataclass(frozen=True, slots=True)
class SourceFinding:
    """Something in a locustfile, or in a key of the profile that concerns it."""

    level: FindingLevel
    text: str
    """One line. It starts with the key if it is about a key."""
    file: Path | None = None
    """The file. None if the finding is about a key of the profile."""
    line: int = 0
    """0 if the finding is not about one line."""

    def __str__(self) -> str:
        """Return the text after the file and the line."""
        if self.file is None:
            return self.text
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


def quoted(text: str) -> str:
    """Return a text from a file for a message: on one line, and not too long."""
    plain = text if text.isprintable() else ascii(text)[1:-1]
    return shortened(plain, _MAX_CHARACTERS)


def listed(names: Iterable[str]) -> str:
    """Return names for a message; many are cut off."""
    all_names = list(dict.fromkeys(names))
    more = len(all_names) - _MAX_NAMES
    text = ", ".join(map(quoted, all_names[:_MAX_NAMES]))
    return f"{text} and {more} more" if more > 0 else text


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return `. Did you mean X?` for a similar name, or an empty text."""
    closest = difflib.get_close_matches(name, list(names), n=1)
    return f". Did you mean {quoted(closest[0])}?" if closest else ""
