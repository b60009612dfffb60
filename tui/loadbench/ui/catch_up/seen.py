"""The last seen position of each run, in one file per run that all viewers share."""

import hashlib
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import MAX_JSON_BYTES
from loadbench.engine.files import write_atomically
from loadbench.engine.locks import state_folder
from loadbench.errors import JournalError

MAX_RUNS = 200
"""Maximum number of files. The least recently written ones are deleted first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The position up to which the user has seen a run."""

    seq: int
    """Number of the last journal entry that was shown."""
    live: bool
    """Whether the run was live when it was last seen."""
    at: AwareDatetime
    """Time when the run was last seen."""

    @property
    def extent(self) -> tuple[int, bool, AwareDatetime]:
        """Sort key; greater means later in the run.

        Includes `live`, since a killed runner does not write an entry to the journal.
        """
        return self.seq, not self.live, self.at


_ADAPTER = TypeAdapter(Seen)
_WRITING = threading.Lock()
_saves: list[threading.Thread] = []


def recall(run: Path) -> Seen | None:
    """Return the last seen position of a run, after the pending saves of this process.

    Args:
        run: The run's folder.

    Returns:
        The latest position that any viewer saved, or None if there is none or its file is invalid.
    """
    for thread in tuple(_saves):
        thread.join()
    return _read(_folder(), run)


def remember(run: Path, seen: Seen) -> None:
    """Save the last seen position of a run, unless the saved one is later. Ignores errors.

    Args:
        run: The run's folder.
        seen: The position.
    """
    _write(_folder(), run, seen)


def remember_in_background(run: Path, seen: Seen) -> None:
    """Save like `remember`, in a thread that finishes before the program exits.

    Args:
        run: The run's folder.
        seen: The position.
    """
    # A daemon thread would be stopped at exit, before the file is written.
    thread = threading.Thread(
        target=_write, args=(_folder(), run, seen), name="save-seen", daemon=False
    )
    thread.start()
    _saves[:] = [*(save for save in _saves if save.is_alive()), thread]


def _folder() -> Path:
    """Return the folder that contains the files."""
    return state_folder() / "seen"


def _file_of(folder: Path, run: Path) -> Path:
    """Return the file of a run, named after a hash of the resolved path of the run's folder."""
    name = hashlib.sha256(bytes(run.resolve())).hexdigest()[:32]
    return folder / f"{name}.json"


def _read(folder: Path, run: Path) -> Seen | None:
    with suppress(OSError, RuntimeError, ValueError):
        return _ADAPTER.validate_json(read_file(_file_of(folder, run), max_bytes=MAX_JSON_BYTES))
    return None


def _write(folder: Path, run: Path, seen: Seen) -> None:
    # The lock excludes only threads of this process. If two processes write at the same time, the
    # earlier position may win, and the user sees the same events twice.
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
