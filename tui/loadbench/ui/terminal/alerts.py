"""How a terminal is asked to call its user: by its bell, and by a notification if it has them."""

import os
from collections.abc import Mapping

from loadbench import wording

_MAX_CHARACTERS = 200
_BELL_ALONE = ("linux", "vt", "screen", "ansi", "xterm-16color")
"""Terminals, by how their names begin, that may show what they do not understand."""


def alert(message: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return what rings the bell and, by OSC 9, shows a message on the desktop.

    Inside of tmux it is passed on to the terminal around it, if tmux allows that.

    Args:
        message: Anything; what steers a terminal is replaced.
        environ: The environment that tells of the terminal.
    """
    in_tmux = "TMUX" in environ
    if environ.get("TERM", "").startswith(_BELL_ALONE) and not in_tmux:
        return "\a"
    told = wording.printable(message.replace("\n", " "))[:_MAX_CHARACTERS]
    notification = f"\x1b]9;{told}\x1b\\"
    if in_tmux:
        doubled = notification.replace("\x1b", "\x1b\x1b")
        notification = f"\x1bPtmux;{doubled}\x1b\\"
    return f"{notification}\a"
