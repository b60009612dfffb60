"""Detect file I/O on the UI thread while a test visits the screens.

Functions without an audit event, such as `os.stat`, are patched. Only calls from the UI code or
from Textual count, since a test may prepare files in the same thread.
"""

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_PATH_EVENTS = ("open", "os.", "shutil.", "pathlib.")
"""Prefixes of audit events whose arguments are paths."""
_NOT_AUDITED = ("stat", "lstat", "access", "readlink", "statvfs")
_UI = ("/loadbench/ui/", "/textual/")
_active: "list[UiThread]" = []


@dataclass(frozen=True, slots=True)
class FileAccess:
    """One file access by the UI thread."""

    call: str
    path: str
    frames: tuple[str, ...]
    """File and line of each caller, outermost first."""

    def __str__(self) -> str:
        ours = [frame for frame in self.frames if "/loadbench/" in frame]
        return f"{self.call} {self.path}\n    " + "\n    ".join(ours[-6:] or self.frames[-6:])


@dataclass(slots=True, kw_only=True, eq=False)
class UiThread:
    """Records file accesses by one thread in some folders."""

    folders: Sequence[Path]
    except_by: Sequence[str] = ()
    """Parts of module paths. Accesses by these modules do not count."""
    accesses: list[FileAccess] = field(default_factory=list)
    _thread: int = field(default_factory=threading.get_ident)

    def note(self, call: str, *arguments: object) -> None:
        """Record a call if it accesses one of the folders from the UI."""
        if threading.get_ident() != self._thread:
            return
        paths = (path for path in map(_path_of, arguments) if path and self._is_watched(path))
        path = next(paths, None)
        if path is None:
            return
        frames = tuple(f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_stack())
        callers = [frame for frame in frames if any(part in frame for part in _UI)]
        if callers and not any(part in frame for frame in callers for part in self.except_by):
            self.accesses.append(FileAccess(call, path, frames))

    def report(self) -> str:
        """Return the accesses as text, or an empty string if there were none."""
        return "\n".join(map(str, self.accesses))

    def _is_watched(self, path: str) -> bool:
        folders = map(str, self.folders)
        return any(path == folder or path.startswith(f"{folder}/") for folder in folders)


@contextmanager
def ui_thread(*folders: Path, except_by: Sequence[str] = ()) -> Iterator[UiThread]:
    """Record file accesses in some folders by the calling thread, which must be the UI thread.

    Args:
        folders: Folders to watch, such as a workspace or the state folder.
        except_by: Parts of module paths. Accesses by these modules do not count.
    """
    watch = UiThread(folders=folders, except_by=except_by)
    _install_hook()
    with pytest.MonkeyPatch.context() as patches:
        for name in _NOT_AUDITED:
            patches.setattr(os, name, _recorded(watch, f"os.{name}", getattr(os, name)))
        _active.append(watch)
        try:
            yield watch
        finally:
            _active.remove(watch)


def _recorded(watch: UiThread, call: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def record(*arguments: Any, **options: Any) -> Any:
        watch.note(call, *arguments)
        return original(*arguments, **options)

    return record


def _install_hook() -> None:
    # A hook cannot be removed, so all tests of a process share one.
    if not getattr(sys, "_loadbench_hook", False):
        sys._loadbench_hook = True  # type: ignore[attr-defined]  # our own attribute
        sys.addaudithook(_on_event)


def _on_event(event: str, arguments: tuple[object, ...]) -> None:
    if _active and event.startswith(_PATH_EVENTS):
        for watch in _active:
            watch.note(event, *arguments)


def _path_of(argument: object) -> str | None:
    """Return an argument as an absolute path, or None if it is not a path."""
    if isinstance(argument, str | bytes | os.PathLike):
        return str(Path(os.fsdecode(argument)).absolute())
    return None
