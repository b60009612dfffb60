"""How far each run was seen: a file per run, shared by all viewers of the user."""

import hashlib
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from loadbench.engine.files import write_atomically
from loadbench.engine.locks import state_folder
from loadbench.errors import JournalError

MAX_RUNS = 200
"""Number of files; the least recently written are deleted first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far a run was seen."""

    seq: int
    """Number of the last journal entry that was shown."""
    live: bool
    """Whether the run was live at that time."""
    at: AwareDatetime
    """Time of that view."""

    @property
    def extent(self) -> tuple[int, bool, AwareDatetime]:
        """Sort key: a greater one has seen more. A killed runner leaves no entry in the journal."""
        return self.seq, not self.live, self.at


_ADAPTER = TypeAdapter(Seen)
_WRITING = threading.Lock()
_saves: list[threading.Thread] = []


def recall(run: Path) -> Seen | None:
    """Return how far a run was seen. Waits for the pending saves of this process.

    Args:
        run: The run's folder.

    Returns:
        The record of the viewer that saw most; None if there is no record or it is unreadable.
    """
    for thread in tuple(_saves):
        thread.join()
    with suppress(RuntimeError):
        return _read(_folder(), run)
    return None


def remember(run: Path, seen: Seen) -> None:
    """Save how far a run was seen, unless another viewer saw more. Ignores errors.

    Args:
        run: The run's folder.
        seen: How far it was seen.
    """
    with suppress(RuntimeError):
        _write(_folder(), run, seen)


def remember_in_background(run: Path, seen: Seen) -> None:
    """Save like `remember`, in a thread that the program waits for when it exits.

    Args:
        run: The run's folder.
        seen: How far it was seen.
    """
    with suppress(RuntimeError):
        # A daemon thread would be stopped at exit, before the file is written.
        thread = threading.Thread(
            target=_write, args=(_folder(), run, seen), name="save-seen", daemon=False
        )
        thread.start()
        _saves[:] = [*(save for save in _saves if save.is_alive()), thread]


def _folder() -> Path:
    """Return the folder of the files.

    Raises:
        RuntimeError: The user has no home folder.
    """
    return state_folder() / "seen"


def _file_of(folder: Path, run: Path) -> Path:
    """Return the file of a run, named by a hash of the resolved path of the run's folder."""
    name = hashlib.sha256(bytes(run.resolve())).hexdigest()[:32]
    return folder / f"{name}.json"


def _read(folder: Path, run: Path) -> Seen | None:
    with suppress(OSError, RuntimeError, ValueError):
        return _ADAPTER.validate_json(_file_of(folder, run).read_bytes())
    return None


def _write(folder: Path, run: Path, seen: Seen) -> None:
    # The lock excludes other threads only. If two processes write at once, the lesser record may
    # win. The user then sees the same events twice.
    with _WRITING, suppress(OSError, RuntimeError, JournalError):
        former = _read(folder, run)
        if former and former.extent >= seen.extent:
            return
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(_file_of(folder, run), _ADAPTER.dump_json(seen))
        if former is None:
            _delete_oldest(folder)


def _delete_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
    for file in files[:-MAX_RUNS]:
        file.unlink(missing_ok=True)
