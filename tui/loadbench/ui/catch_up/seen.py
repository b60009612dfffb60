"""How far a run was seen by whoever looked at it last, remembered from one viewer to the next."""

import hashlib
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from loadbench.engine.files import write_whole
from loadbench.engine.locks import state_folder
from loadbench.errors import JournalError

KEPT = 200
"""Runs that are remembered; those that were looked at longest ago are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How far a run was seen."""

    seq: int
    """Number of the journal's last entry that was shown."""
    live: bool
    """The run was live then."""
    at: AwareDatetime
    """When that was."""

    @property
    def extent(self) -> tuple[int, bool, AwareDatetime]:
        """How much was seen, to compare: an end that no entry tells of is more than none."""
        return self.seq, not self.live, self.at


_ADAPTER = TypeAdapter(Seen)
_WRITING = threading.Lock()


def recall(run: Path) -> Seen | None:
    """Return how far a run was seen by the viewer that saw most of it; None: nobody knows.

    Args:
        run: The run's folder.
    """
    with suppress(OSError, RuntimeError, ValueError):
        return _ADAPTER.validate_json(_file_of(run).read_bytes())
    return None


def remember(run: Path, seen: Seen) -> None:
    """Keep how far a run was seen, unless another viewer saw more; where that fails, do nothing.

    Args:
        run: The run's folder.
        seen: How far.
    """
    # Viewers of other processes may come in between: then the one that saw less may win, and
    # something is told twice.
    with _WRITING, suppress(OSError, RuntimeError, JournalError):
        former = recall(run)
        if former and former.extent >= seen.extent:
            return
        path = _file_of(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, _ADAPTER.dump_json(seen))
        if former is None:
            _forget_oldest(path.parent)


def _file_of(run: Path) -> Path:
    """Return the file of a run, which its folder's place and name tell from all others."""
    name = hashlib.sha256(bytes(run.resolve())).hexdigest()[:32]
    return state_folder() / "seen" / f"{name}.json"


def _forget_oldest(folder: Path) -> None:
    files = sorted(folder.glob("*.json"), key=lambda file: file.stat().st_mtime)
    for file in files[:-KEPT]:
        file.unlink(missing_ok=True)
