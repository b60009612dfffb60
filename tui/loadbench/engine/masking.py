"""Masks secret values in texts and bytes, in every form in which other programs write them."""

import base64
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from loadbench.engine.bounds.texts import CUT
from loadbench.errors import LoadbenchError

MASK = "***"

MIN_CHARACTERS = 4
"""Minimum length of a value to look for. Shorter ones occur in other words by chance."""

MIN_DIGITS = 6
"""Minimum length of a number to look for. Shorter ones are also ports, counts and durations."""

_CUT = re.compile(CUT.encode() + rb"|\\{1,16}u%04x|&#%d;|&hellip;" % (ord(CUT), ord(CUT)))
"""The mark of a text that was cut off, as it is and escaped as in JSON and HTML."""

_CUT_CHARACTER = re.compile(
    rb"(?:(?!" + _CUT.pattern + rb")[%&\\][^\s\xe2]{0,6}?)?(" + _CUT.pattern + b")"
)
"""The end of a text that was cut off, with what is left of an escaped character."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BOOLEANS = ("true", "false", "yes", "no", "on", "off")
_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_MAX_BYTE = 256
_UNIT = re.compile(r"\\+|[^\\]")
"""What is escaped as a whole: a character, or several backslashes in a row."""
_BACKSLASHES = rb"\\{1,16}"
"""Backslashes before an escaped character: one in JSON, 16 after five levels of quoting."""
_BACKSLASHED = {"\n": "n", "\t": "t", "\r": "r"}


def reads_as_number(text: str) -> bool:
    """Return whether a text reads as a number or a boolean, which are never secret."""
    return bool(_NUMBER.fullmatch(text.strip())) or text.strip().lower() in _BOOLEANS


class Masker:
    """Replaces secret values by `MASK`.

    Finds a value as it is, and escaped as in URLs, JSON, HTML and Python, also partly or twice, and
    encoded as Base64. Each line of a value with several lines counts as a value, too. Values that
    are short or read as numbers are not looked for.

    Args:
        values: The secret values.
        numbers: Secret values that read as numbers. They are found as whole numbers only.
    """

    def __init__(self, values: Iterable[str] = (), *, numbers: Iterable[str] = ()) -> None:
        wanted = {part for value in values for part in _parts(value)}
        ordered = sorted(wanted, key=len, reverse=True)
        self._characters = [list(map(_escaped, _UNIT.findall(value))) for value in ordered]
        self._patterns = [re.compile(b"".join(parts)) for parts in self._characters]
        whole = sorted({one.strip() for one in numbers if len(one.strip()) >= MIN_DIGITS})
        self._patterns += [
            re.compile(rb"(?<![\w.])" + re.escape(one.encode()) + rb"(?![\w.]?\w)") for one in whole
        ]

    def __bool__(self) -> bool:
        """Return whether there are any values to look for."""
        return bool(self._patterns)

    def data(self, data: bytes) -> bytes:
        """Return UTF-8 data with all secret values masked."""
        for pattern in self._patterns:
            data = pattern.sub(MASK.encode(), data)
        if self._patterns and _CUT.search(data):
            data = self._without_cut_values(data)
        return data

    def text(self, text: str) -> str:
        """Return a text with all secret values masked."""
        if not self._patterns:
            return text
        return self.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def may_change(self, data: bytes) -> bool:
        """Return whether data, such as a line of JSON, may contain a secret value."""
        if not self._patterns:
            return False
        return bool(_CUT.search(data)) or any(pattern.search(data) for pattern in self._patterns)

    def fields(self, value: Any, *, unchanged: Iterable[str] = ()) -> Any:
        """Return plain data with the secret values in all its texts masked.

        Args:
            value: The data.
            unchanged: Names of fields to leave unchanged.
        """
        match value:
            case str():
                return self.text(value)
            case dict():
                return {
                    key: inner if key in unchanged else self.fields(inner, unchanged=unchanged)
                    for key, inner in value.items()
                }
            case list() | tuple():
                return [self.fields(inner, unchanged=unchanged) for inner in value]
            case _:
                return value

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Mask the messages of all errors for the user that are raised inside the block."""
        try:
            yield
        except LoadbenchError as error:
            error.args = (self.text(str(error)),)
            raise

    def _without_cut_values(self, data: bytes) -> bytes:
        """Return data with the beginnings of values before a cut masked."""
        for characters in self._characters:
            start = re.compile(b"".join(characters[:MIN_CHARACTERS]))
            kept, position = [], 0
            for match in start.finditer(data):
                cut = _cut_after(data, match.end(), characters[MIN_CHARACTERS:])
                if cut >= 0 and match.start() >= position:
                    kept += [data[position : match.start()], MASK.encode()]
                    position = cut
            data = b"".join((*kept, data[position:]))
        return data


def _cut_after(data: bytes, position: int, characters: Iterable[bytes]) -> int:
    """Return where data was cut off within a value, or -1.

    Args:
        data: The data.
        position: Where the next character of the value would start.
        characters: Regular expressions for the rest of the value.
    """
    for character in characters:
        following = re.compile(character).match(data, position)
        if following is None:
            break
        position = following.end()
    cut = _CUT_CHARACTER.match(data, position)
    return cut.start(1) if cut else -1


NO_SECRETS = Masker()
"""A masker that changes nothing."""


def _parts(value: str) -> Iterator[str]:
    """Yield what to look for instead of a value."""
    if not _is_found(value):
        return
    yield value
    yield from filter(_is_found, map(str.strip, value.splitlines()))
    encoded = value.encode("utf-8", "surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(encoded).decode().rstrip("=")


def _is_found(value: str) -> bool:
    return len(value.strip()) >= MIN_CHARACTERS and not reads_as_number(value)


def _escaped(character: str) -> bytes:
    """Return a regular expression for a character, or for backslashes, in all notations."""
    if character.startswith("\\"):
        entity = _entity(("#0*92", "#[xX]0*5[cC]", "bsol"))
        one = rb"(?:%5[cC]|" + _BACKSLASHES + rb"(?:u005|x5)[cC]|" + entity + b")"
        # Each level of quoting doubles them, and an escaped character may follow. With a pattern
        # for each of them, the time to search would grow exponentially with their number.
        number = len(character)
        return b"(?:%b{%d,}|\\\\{1,%d})" % (one, number, 16 * number)
    encoded = character.encode("utf-8", "surrogatepass")
    if character.isascii() and (character.isalnum() or character in "_.-~"):
        return re.escape(encoded)
    code, units = ord(character), character.encode("utf-16-be", "surrogatepass")
    words = [units[i : i + 2].hex() for i in range(0, len(units), 2)]
    escapes = [f"x{_any_case(f'{code:02x}')}"] if code < _MAX_BYTE else []
    if letter := _BACKSLASHED.get(character):
        escapes.append(letter)
    names = ["#0*" + str(code), "#[xX]0*" + _any_case(f"{code:x}")]
    if name := _ENTITIES.get(character):
        names.append(name)
    notations = [
        "".join(f"%{_any_case(f'{byte:02x}')}" for byte in encoded).encode(),
        b"".join(_BACKSLASHES + b"u" + _any_case(word).encode() for word in words),
        *(_BACKSLASHES + escape.encode() for escape in escapes),
        _entity(names),
    ]
    if character == " ":
        notations.append(rb"\+")
    # Last, because some notations start with the character itself.
    notations.append(re.escape(encoded))
    # Quotes have more backslashes before them with each level of quoting.
    before = b"(?:" + _BACKSLASHES + b")?" if character in "\"'/" else b""
    return before + b"(?:" + b"|".join(notations) + b")"


def _entity(names: Iterable[str]) -> bytes:
    """Return a regular expression for the entities of HTML with these names."""
    # An ampersand may be escaped itself, as in HTML inside of JSON.
    return rb"(?:&|\\{1,16}u0026)(?:amp;){0,3}(?:" + "|".join(names).encode() + b");"


def _any_case(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)
