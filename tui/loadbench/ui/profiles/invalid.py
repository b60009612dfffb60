"""The details of an invalid profile: its source lines with all errors."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadbench.engine.catalog import SavedProfile
from loadbench.ui.lines.text import Line, Piece, Tone, fit, line, wrap
from loadbench.wording import counted

_CONTEXT_LINES = 3
"""Number of source lines shown before and after an error."""
_MARK = ">"
_INDENT = 7
"""Columns of the mark and the line number."""


@dataclass(frozen=True, slots=True)
class _Problem:
    """An error of a profile."""

    message: str
    line_number: int | None
    """Its line in the file, from 1. None if it belongs to no line."""


def invalid_detail(saved: SavedProfile, columns: int) -> list[Line]:
    """Return the source lines around all errors of a profile, each error below its line.

    Args:
        saved: The profile.
        columns: Maximum width of a line.
    """
    problems = _problems(saved)
    title = line(("This profile is invalid: ", Tone.BAD), f"{counted(len(problems), 'error')}.")
    lines = [*wrap(title, columns), ()]
    by_line: dict[int, list[str]] = {}
    for problem in problems:
        if problem.line_number is None:
            lines += wrap(line((problem.message, Tone.BAD)), columns)
        else:
            by_line.setdefault(problem.line_number, []).append(problem.message)
    if not by_line:
        return [*lines, (), *wrap(_hint("the profile"), columns)]
    return [*lines, *_source_lines(saved.source.splitlines(), by_line, columns)]


def first_error_line(saved: SavedProfile) -> int | None:
    """Return the line number, from 1, of the first error that has one, or None."""
    return next((one.line_number for one in _problems(saved) if one.line_number), None)


def _problems(saved: SavedProfile) -> list[_Problem]:
    """Return the errors in the order of the message, without its heading with their number."""
    file = re.escape(str(saved.file))
    problems: list[_Problem] = []
    for text in saved.error.splitlines():
        found = re.match(rf"\s*{file}(?::(\d+))?: (.*)", text)
        if found is None:
            # Another line of the same message.
            earlier = problems.pop() if problems else _Problem("", None)
            message = f"{earlier.message} {text.strip()}".strip()
            problems.append(_Problem(message, earlier.line_number))
        elif found[1] or not re.fullmatch(r"\d+ errors", found[2]):
            problems.append(_Problem(found[2], int(found[1]) if found[1] else None))
    return problems


def _source_lines(
    texts: Sequence[str], errors: Mapping[int, Sequence[str]], columns: int
) -> list[Line]:
    """Return the lines near errors, marked and with their messages. Gaps are marked by dots.

    Args:
        texts: All lines of the file.
        errors: The messages by line number.
        columns: Maximum width of a line.
    """
    lines: list[Line] = []
    numbers = {
        number
        for error in errors
        for number in range(error - _CONTEXT_LINES, error + _CONTEXT_LINES + 1)
        # An error can be beyond the end, for example where a bracket is missing.
        if 1 <= number <= len(texts) or number == error
    }
    last = 0
    for number in sorted(numbers):
        if number > last + 1 and last:
            lines.append(line(("   …", Tone.DIM)))
        last = number
        messages = errors.get(number, ())
        text = texts[number - 1] if number <= len(texts) else ""
        source = fit(f"{_MARK if messages else ' '}{number:>4}  {text}", columns).rstrip()
        lines.append(line((source, Tone.BAD if messages else Tone.DIM)))
        for message in messages:
            lines += wrap(line(" " * _INDENT, (message, Tone.STRONG)), columns, indent=_INDENT)
        if number == min(errors):
            lines += wrap((Piece(" " * _INDENT), *_hint("this line")), columns, indent=_INDENT)
    return lines


def _hint(what: str) -> Line:
    return line("Press ", ("e", Tone.ACCENT), f" to edit {what}.")
