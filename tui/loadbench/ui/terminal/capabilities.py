"""Detect the capabilities of the terminal before anything is drawn."""

import locale
import os
import sys
import termios
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from loadbench.errors import UsageError

PLAIN_HINT = (
    "Use `loadbench-tui run PROFILE --plain` or `loadbench-tui attach --plain` for line output; "
    "`loadbench-tui --help` lists all commands."
)
_UNSUPPORTED = ("dumb", "unknown")
_FEW_COLOURS = ("linux", "xterm", "screen", "vt100", "vt220", "ansi", "rxvt", "")
_ASCII_ONLY = ("linux", "vt100", "vt220", "ansi")
_LIGHT_BACKGROUNDS = ("7", "15")
_LOCAL_HZ, _REMOTE_HZ = 2.0, 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalOptions:
    """Display options from the command line."""

    ascii_only: bool = False
    """Draw with ASCII characters only."""
    refresh_hz: float | None = None
    """Refresh rate of the screen during a live run, in Hz. If None, 1 over SSH and 2 otherwise."""
    alerts: bool = True
    """Ring the bell and send a notification when a run ends or a cell fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Capabilities of the terminal, and display options."""

    ascii: bool = False
    """Draw signs, charts and frames with ASCII characters only."""
    signs: bool = False
    """Draw each chart series with its own sign, since dots without colour look alike."""
    few_colours: bool = False
    """Whether the terminal has 16 colours or fewer. If so, its own palette is used."""
    light: bool = False
    """Whether the terminal reports a light background."""
    refresh_hz: float = _LOCAL_HZ
    """Refresh rate of the screen during a live run, in Hz.

    Changes caused by a key are painted immediately.
    """
    alerts: bool = True
    """Ring the bell and send a notification when a run ends or a cell fails."""
    settings: list[Any] | None = field(default=None, compare=False, repr=False)
    """Original `termios` attributes. None if there is no terminal."""

    @property
    def theme(self) -> str:
        """Name of the initial theme."""
        if self.few_colours:
            return "loadbench-ansi-light" if self.light else "loadbench-ansi-dark"
        return "loadbench-light" if self.light else "loadbench-dark"


def unsupported_reason(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the reason why the TUI cannot run in this terminal, or None if it can."""
    if not all(map(_is_terminal, (sys.__stdin__, sys.__stdout__, sys.__stderr__))):
        return "standard input, output and error must all be a terminal"
    if environ.get("TERM", "") in _UNSUPPORTED:
        return f"this terminal type does not support cursor positioning (TERM={environ['TERM']})"
    return None


def detect_terminal(options: TerminalOptions, environ: Mapping[str, str] = os.environ) -> Terminal:
    """Detect the capabilities of the terminal.

    Args:
        options: Display options from the command line.
        environ: Environment variables that describe the terminal.

    Raises:
        UsageError: The TUI cannot run in this terminal. The message lists alternatives.
    """
    if reason := unsupported_reason(environ):
        raise UsageError(f"Cannot start the TUI: {reason}. {PLAIN_HINT}")
    term = environ.get("TERM", "")
    has_true_colour = environ.get("COLORTERM", "") in ("truecolor", "24bit")
    ascii_only = options.ascii_only or term in _ASCII_ONLY or not _supports_utf8()
    return Terminal(
        ascii=ascii_only,
        signs=ascii_only or "NO_COLOR" in environ,
        few_colours=not has_true_colour and (term in _FEW_COLOURS or term.endswith("-16color")),
        light=environ.get("COLORFGBG", "").rpartition(";")[2] in _LIGHT_BACKGROUNDS,
        refresh_hz=options.refresh_hz or (_REMOTE_HZ if _is_remote(environ) else _LOCAL_HZ),
        alerts=options.alerts,
        settings=_settings(),
    )


def use_utf8() -> None:
    """Set the encoding of standard error to UTF-8.

    Textual writes to standard error, for which Python uses the encoding of the locale and escapes
    unsupported characters. No upstream issue known (searched 2026-11). Can go when Textual's driver
    sets UTF-8.
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


def _supports_utf8() -> bool:
    encoding = getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)
    return encoding.lower().replace("-", "") == "utf8"


def _is_terminal(stream: object) -> bool:
    isatty = getattr(stream, "isatty", None)
    try:
        return bool(isatty and isatty())
    except ValueError:  # the stream is closed
        return False
