"""Finds the line of the user's own code to which a traceback or a stack leads."""

import os
import sysconfig
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, FrameType, TracebackType

import loadbench

_INSTALLED = ("site-packages", "dist-packages")
"""Folders of installed packages, also of other environments."""

_LIBRARIES = tuple(
    os.path.realpath(folder)
    for folder in {
        *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *loadbench.__path__,
    }
)

_MODULE = "<module>"


class UserCode:
    """Distinguishes the user's code from libraries.

    Args:
        files: Paths of the locustfiles, which are the user's wherever they are.
    """

    def __init__(self, files: Iterable[str]) -> None:
        self._files = frozenset(map(os.path.realpath, files))
        self._known: dict[str, bool] = {}

    def contains(self, file: str) -> bool:
        """Return whether a source file is the user's own."""
        known = self._known.get(file)
        if known is None:
            known = self._known[file] = self._is_own(file)
        return known

    def place_of_error(self, trace: TracebackType | None, *, absolute: bool = False) -> str:
        """Return the innermost place of the user's code in a traceback; empty if there is none.

        Args:
            trace: The traceback.
            absolute: Whether to give the whole path of the file.
        """
        steps = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
        return self._innermost(reversed(steps), absolute=absolute)

    def place_in_stack(self, frame: FrameType | None) -> str:
        """Return the innermost place of the user's code in a stack; empty if there is none."""
        return self._innermost((one.f_code, line) for one, line in traceback.walk_stack(frame))

    def _innermost(self, steps: Iterable[tuple[CodeType, int]], *, absolute: bool = False) -> str:
        for code, line in steps:
            if self.contains(code.co_filename):
                file = os.path.abspath(code.co_filename)  # noqa: PTH100  # keeps symbolic links
                name = "" if code.co_name == _MODULE else f" in {code.co_name}"
                return f"{file if absolute else shown(file)}:{line}{name}"
        return ""

    def _is_own(self, file: str) -> bool:
        path = os.path.realpath(file)
        # Other code has names such as `<frozen os>`, or relative ones of compiled extensions.
        if not os.path.isfile(path):  # noqa: PTH113  # on the way of each exception
            return False
        if path in self._files:
            return True
        parts = Path(path).parts
        is_installed = any(name in parts for name in _INSTALLED)
        return not is_installed and not any(path.startswith(f"{one}/") for one in _LIBRARIES)


def shown(file: str) -> str:
    """Return the path of a file relative to the working folder, if it is in it."""
    path, folder = Path(file), Path.cwd()
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else file
