"""Hides secrets in the arguments of this process, which `ps` shows to all users of the machine."""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.values.overrides import masked_override
from loadbench.engine.profile.values.secret_names import SecretNames

_ARGUMENTS_FIELD = 47
"""Index of the address of the arguments in `/proc/PID/stat`, see proc(5)."""
_FIELDS_BEFORE_STATE = 2


def hide_secrets(profile: Profile, overrides: Sequence[str]) -> None:
    """Overwrite the values of overrides with secrets in the arguments of this process.

    They are visible until then, and remain in the history of the shell. Works only on Linux.

    Args:
        profile: The profile, with the overrides applied.
        overrides: `KEY=VALUE` texts.
    """
    names = SecretNames.of(profile.resolved())
    secret = [text for text in overrides if masked_override(text, names) != text]
    if secret:
        with suppress(OSError, ValueError, IndexError):
            _overwrite([os.fsencode(text) for text in secret])


def _overwrite(texts: Sequence[bytes]) -> None:
    """Overwrite what follows the first equals sign of each text in the arguments.

    Raises:
        OSError: The system does not allow it.
    """
    arguments = Path("/proc/self/cmdline").read_bytes()
    stat = Path("/proc/self/stat").read_bytes()
    # The name of the program in the second field may contain spaces and brackets.
    fields = stat[stat.rindex(b")") + 1 :].split()
    address = int(fields[_ARGUMENTS_FIELD - _FIELDS_BEFORE_STATE])
    hidden = arguments
    for text in texts:
        key, equals, value = text.partition(b"=")
        hidden = hidden.replace(text, key + equals + b"*" * len(value))
    with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
        memory.seek(address)
        memory.write(hidden)
