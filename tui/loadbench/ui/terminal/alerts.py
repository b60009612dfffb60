"""Alert the user with the terminal's bell and a desktop notification."""

import os
from collections.abc import Mapping

from loadbench.printable import printable

_MAX_CHARACTERS = 200
_BELL_ONLY = ("linux", "vt", "screen", "ansi", "xterm-16color")
"""Prefixes of `TERM` for terminals that may print unsupported sequences as text."""


def alert(message: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the sequence that rings the bell and shows a desktop notification (OSC 9).

    Inside tmux, the sequence is wrapped for the outer terminal. tmux may be configured to block it.

    Args:
        message: Text of the notification. Control characters are replaced.
        environ: Environment variables that describe the terminal.
    """
    in_tmux = "TMUX" in environ
    if environ.get("TERM", "").startswith(_BELL_ONLY) and not in_tmux:
        return "\a"
    text = printable(message.replace("\n", " "))[:_MAX_CHARACTERS]
    notification = f"\x1b]9;{text}\x1b\\"
    if in_tmux:
        doubled = notification.replace("\x1b", "\x1b\x1b")
        notification = f"\x1bPtmux;{doubled}\x1b\\"
    return f"{notification}\a"
