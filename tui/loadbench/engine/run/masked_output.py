"""The runner's own output, with secret values masked."""

import io
import os
import threading
from contextlib import suppress

from loadbench.engine.masking import Masker


class MaskedOutput(io.TextIOBase):
    """A text stream that masks each line before it writes the line to a file descriptor.

    Args:
        fd: The file descriptor.
        masker: Masks the secret values.
    """

    def __init__(self, fd: int, masker: Masker) -> None:
        self._fd = fd
        self._masker = masker
        self._rest = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> int:
        """Write the complete lines, and keep the rest for the next call."""
        with self._lock:
            *lines, self._rest = (self._rest + text).split("\n")
            for line in lines:
                self._write(f"{line}\n")
        return len(text)

    def flush(self) -> None:
        """Write an incomplete line, too."""
        with self._lock:
            rest, self._rest = self._rest, ""
            if rest:
                self._write(rest)

    def _write(self, text: str) -> None:
        data = self._masker.text(text).encode("utf-8", "backslashreplace")
        # A full disk must not end the run.
        with suppress(OSError):
            os.write(self._fd, data)

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._fd
