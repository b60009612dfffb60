"""What the terminal can do, found out before anything is drawn on it."""

import locale
import os
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadbench.errors import UsageError

PLAIN_HINT = (
    "`loadbench-tui run PROFILE --plain` and `attach --plain` tell lines instead, "
    "`loadbench-tui --help` names all commands"
)
_NO_SCREEN = ("dumb", "unknown")
_FEW_COLOURS = ("linux", "xterm", "screen", "vt100", "vt220", "ansi", "rxvt", "")
_ASCII_ALONE = ("linux", "vt100", "vt220", "ansi")
_LIGHT = ("7", "15")
_HERE_HZ, _REMOTE_HZ = 2.0, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalOptions:
    """What a user asks of the screens on the command line."""

    ascii_only: bool = False
    """Draw with ASCII characters alone."""
    refresh_hz: float | None = None
    """How often a live run is painted in a second. None: once over SSH, else twice."""
    alerts: bool = True
    """Ring the bell and notify when a run ends or a cell fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """How to draw on this terminal."""

    ascii: bool = False
    """Signs, charts and frames of ASCII characters alone."""
    signs: bool = False
    """Charts with a sign for each series, since dots cannot be told apart without colour."""
    few_colours: bool = False
    """It has 16 colours or fewer: take its own, whatever they are."""
    light: bool = False
    """Its background is light, as far as it says so."""
    refresh_hz: float = _HERE_HZ
    """How often a live run is painted in a second; what a key does is painted at once."""
    alerts: bool = True
    """Ring the bell and notify when a run ends or a cell fails."""
    settings: list[Any] | None = field(default=None, compare=False, repr=False)
    """As `termios` has them, before anything changed them. None: there is no terminal."""

    @property
    def theme(self) -> str:
        """The name of the theme to begin with."""
        if self.few_colours:
            return "loadbench-ansi-light" if self.light else "loadbench-ansi-dark"
        return "loadbench-light" if self.light else "loadbench-dark"


def why_not(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return why no screen can be shown here, as a sentence; None: it can."""
    if not all(map(_is_terminal, (sys.__stdin__, sys.__stdout__, sys.__stderr__))):
        return "standard input, output and error are not all a terminal"
    if environ.get("TERM", "") in _NO_SCREEN:
        return f"the terminal says of itself that it cannot place text (TERM={environ['TERM']})"
    return None


def examine(options: TerminalOptions, environ: Mapping[str, str] = os.environ) -> Terminal:
    """Return how to draw on this terminal.

    Args:
        options: What the user asks for.
        environ: The environment that tells of the terminal.

    Raises:
        UsageError: No screen can be shown on it; the message says what can be done instead.
    """
    if reason := why_not(environ):
        raise UsageError(f"no screen can be shown: {reason}; {PLAIN_HINT}")
    term = environ.get("TERM", "")
    true_colour = environ.get("COLORTERM", "") in ("truecolor", "24bit")
    plain = options.ascii_only or term in _ASCII_ALONE or not _speaks_utf8()
    return Terminal(
        ascii=plain,
        signs=plain or "NO_COLOR" in environ,
        few_colours=not true_colour and (term in _FEW_COLOURS or term.endswith("-16color")),
        light=environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT,
        refresh_hz=options.refresh_hz or (_REMOTE_HZ if _is_remote(environ) else _HERE_HZ),
        alerts=options.alerts,
        settings=_settings(),
    )


def speak_utf8() -> None:
    """Have what is drawn encoded as UTF-8, so that no character is written as an escape.

    Textual writes to standard error in the locale's encoding. No upstream issue known (searched
    2026-11). Can go when Textual's driver chooses UTF-8.
    """
    reconfigure = getattr(sys.__stderr__, "reconfigure", None)
    if reconfigure:
        reconfigure(encoding="utf-8", errors="replace")


def _is_remote(environ: Mapping[str, str]) -> bool:
    return "SSH_CONNECTION" in environ or "SSH_TTY" in environ


def _settings() -> list[Any] | None:
    try:
        return termios.tcgetattr(sys.__stdin__.fileno()) if sys.__stdin__ else None
    except (termios.error, ValueError, OSError):
        return None


def _speaks_utf8() -> bool:
    encoding = getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)
    return encoding.lower().replace("-", "") == "utf8"


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    try:
        return bool(isatty and isatty())
    except ValueError:  # it is closed
        return False
