"""File I/O on the UI thread, detected while a test tours the screens.

What the interpreter's audit events do not cover, such as `os.stat`, is patched. Only calls made by
the screens or by Textual count: a test may prepare files in the same thread.
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
"""Beginnings of the names of audit events whose arguments are paths."""
_NOT_AUDITED = ("stat", "lstat", "access", "readlink", "statvfs")
_UI = ("/loadbench/ui/", "/textual/")
_active: "list[UiThread]" = []


@dataclass(frozen=True, slots=True)
class FileAccess:
    """One access to a file, by the thread that draws."""

    call: str
    path: str
    frames: tuple[str, ...]
    """File and line of every caller, outermost first."""

    def __str__(self) -> str:
        ours = [it for it in self.frames if "/loadbench/" in it]
        return f"{self.call} {self.path}\n    " + "\n    ".join(ours[-6:] or self.frames[-6:])


@dataclass(slots=True, kw_only=True, eq=False)
class UiThread:
    """Collects the accesses of one thread to files below some folders."""

    folders: Sequence[Path]
    except_by: Sequence[str] = ()
    """Parts of the paths of modules whose accesses do not count."""
    accesses: list[FileAccess] = field(default_factory=list)
    _thread: int = field(default_factory=threading.get_ident)

    def note(self, call: str, *arguments: object) -> None:
        """Take in a call, if it is an access that counts."""
        if threading.get_ident() != self._thread:
            return
        path = next((it for it in map(_path_of, arguments) if it and self._is_below(it)), None)
        if path is None:
            return
        frames = tuple(f"{it.filename}:{it.lineno}" for it in traceback.extract_stack())
        callers = [it for it in frames if any(part in it for part in _UI)]
        if callers and not any(part in it for it in callers for part in self.except_by):
            self.accesses.append(FileAccess(call, path, frames))

    def report(self) -> str:
        """Return the accesses as text; empty: there was none."""
        return "\n".join(map(str, self.accesses))

    def _is_below(self, path: str) -> bool:
        return any(path == f"{it}" or path.startswith(f"{it}/") for it in self.folders)


@contextmanager
def ui_thread(*folders: Path, except_by: Sequence[str] = ()) -> Iterator[UiThread]:
    """Watch the accesses of this thread, which is the one that draws, to files below the folders.

    Args:
        folders: What is watched: a workspace, the state folder.
        except_by: Parts of the paths of modules whose accesses do not count.
    """
    watch = UiThread(folders=folders, except_by=except_by)
    _install_hook()
    with pytest.MonkeyPatch.context() as patches:
        for name in _NOT_AUDITED:
            patches.setattr(os, name, _noted(watch, f"os.{name}", getattr(os, name)))
        _active.append(watch)
        try:
            yield watch
        finally:
            _active.remove(watch)


def _noted(watch: UiThread, call: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def noted(*arguments: Any, **options: Any) -> Any:
        watch.note(call, *arguments)
        return original(*arguments, **options)

    return noted


def _install_hook() -> None:
    # A hook cannot be removed, so there is one for all tests of a process.
    if not getattr(sys, "_loadbench_hook", False):
        sys._loadbench_hook = True  # type: ignore[attr-defined]  # a mark of ours
        sys.addaudithook(_on_event)


def _on_event(event: str, arguments: tuple[object, ...]) -> None:
    if _active and event.startswith(_PATH_EVENTS):
        for watch in _active:
            watch.note(event, *arguments)


def _path_of(argument: object) -> str | None:
    """Return an argument as an absolute path; None: it is none, such as an open descriptor."""
    if isinstance(argument, str | bytes | os.PathLike):
        return str(Path(os.fsdecode(argument)).absolute())
    return None
