"""Delete runs and restore them. A deleted run is moved to `reports/.trash`.

A deleted run is `.trash/PROFILE/RUN-TIME`, where TIME is the time of its deletion in UTC.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loadbench.engine.bounds.files import open_regular
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.lock import acquire
from loadbench.engine.run_lookup import TRASH, run_folders, update_latest_link
from loadbench.errors import JournalError, UsageError, WorkspaceError

KEPT_DAYS = 7
"""Days after which the next deletion removes a deleted run permanently."""

_TIME_FORMAT = "%Y%m%dT%H%M%S.%fZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedRun:
    """A run in the trash."""

    folder: Path
    """Its folder in the trash."""
    profile: str
    run_id: str
    at: datetime
    """Time of the deletion, in UTC."""

    @property
    def name(self) -> str:
        """Name of the run before its deletion, such as `with_cpu/20261122-0721`."""
        return f"{self.profile}/{self.run_id}"


def delete_run(folder: Path, now: datetime) -> None:
    """Move a run to the trash, and remove runs that have been there for more than `KEPT_DAYS`.

    Args:
        folder: The run's folder, in the folder of its profile in the reports folder.
        now: Current time, in UTC.

    Raises:
        UsageError: The run is live. Nothing was changed.
        WorkspaceError: The run cannot be moved. Nothing was changed.
    """
    profile, name = folder.parent, f"{folder.parent.name}/{folder.name}"
    trash = profile.parent / TRASH
    target = trash / profile.name / f"{folder.name}-{now.strftime(_TIME_FORMAT)}"
    with _locked(folder, name):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            _move(folder, target)
        except OSError as error:
            raise WorkspaceError(f"cannot delete {name}: {_reason(error, trash)}") from error
    _link_newest(profile)
    _remove_old(trash, now)


def restore_last(reports: Path) -> str:
    """Move the last deleted run back, and return its name. Call it again to restore earlier ones.

    Args:
        reports: The reports folder.

    Raises:
        UsageError: There is no deleted run.
        WorkspaceError: The run cannot be moved back. It remains in the trash.
    """
    deleted = last_deleted(reports)
    if deleted is None:
        raise UsageError("no deleted run to restore")
    target = reports / deleted.profile / deleted.run_id
    try:
        target.parent.mkdir(exist_ok=True)
        _move(deleted.folder, target)
    except OSError as error:
        raise WorkspaceError(
            f"cannot restore {deleted.name}: {_reason(error, target)}. "
            f"The deleted run is in {deleted.folder}"
        ) from error
    with suppress(OSError):
        deleted.folder.parent.rmdir()
    _link_newest(target.parent)
    return deleted.name


def last_deleted(reports: Path) -> DeletedRun | None:
    """Return the run that `restore_last` would restore, or None if there is none."""
    return max(_deleted_runs(reports / TRASH), key=lambda deleted: deleted.at, default=None)


@contextmanager
def _locked(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of a run's journal, so that no runner can resume the run meanwhile."""
    try:
        fd = open_regular(folder / FILE_NAME, os.O_RDWR)
    except FileNotFoundError:
        raise WorkspaceError(f"cannot delete {name}: it no longer exists") from None
    except OSError as error:
        raise WorkspaceError(f"cannot delete {name}: {error.strerror}") from error
    try:
        try:
            acquire(fd, folder)
        except JournalError:
            raise UsageError(
                f"{name} is live and cannot be deleted. Stop it first: loadbench-tui stop {name}"
            ) from None
        yield
    finally:
        os.close(fd)


def _move(folder: Path, target: Path) -> None:
    # `rename` would replace an empty folder.
    if target.exists():
        raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))
    folder.rename(target)


def _deleted_runs(trash: Path) -> Iterator[DeletedRun]:
    """Yield the runs in the trash. Other entries are ignored."""
    with suppress(OSError):
        for folder in trash.glob("*/*"):
            run_id, _, time = folder.name.rpartition("-")
            with suppress(ValueError):
                at = datetime.strptime(time, _TIME_FORMAT).replace(tzinfo=UTC)
                yield DeletedRun(folder=folder, profile=folder.parent.name, run_id=run_id, at=at)


def _remove_old(trash: Path, now: datetime) -> None:
    for deleted in list(_deleted_runs(trash)):
        if now - deleted.at > timedelta(days=KEPT_DAYS):
            shutil.rmtree(deleted.folder, ignore_errors=True)
            with suppress(OSError):
                deleted.folder.parent.rmdir()


def _link_newest(profile: Path) -> None:
    newest = next(run_folders(profile.parent, profile.name), None)
    update_latest_link(profile, newest.name if newest else None)


def _reason(error: OSError, target: Path) -> str:
    match error.errno:
        case errno.EEXIST | errno.ENOTEMPTY:
            return f"{target} already exists. Rename or delete it first"
        case errno.EXDEV:
            return f"{target} is on another file system"
    return error.strerror or str(error)
