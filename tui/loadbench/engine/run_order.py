"""The ids of runs, and their order by time."""

import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from loadbench.engine.bounds.files import open_regular
from loadbench.engine.journal.codec import FILE_NAME, HEAD_BYTES, read_time

_ID_FORMAT = "%Y%m%d-%H%M%S"
_ID_CHARACTERS = len("20261122-072100")
_AT = re.compile(rb'"at":"([^"]{1,40})"')
_MAX_OFFSET = timedelta(hours=15)
"""Limit for the difference between local time and UTC, which is at most 14 hours."""


def new_run_id(folder: Path, now: datetime) -> str:
    """Return the id of a new run: the local time, with `-2`, `-3`, … appended if it is in use.

    Args:
        folder: Folder with the runs of the profile.
        now: Local time.
    """
    base = now.strftime(_ID_FORMAT)
    number = 1
    while True:
        name = base if number == 1 else f"{base}-{number}"
        if not (folder / name).exists() and not (folder / f".{name}.new").exists():
            return name
        number += 1


def started_s(folder: Path) -> float:
    """Return the start of a run in seconds since 1970, to sort runs by time.

    It is the time of the first event, read without the rest of the journal. A time that is damaged,
    or that contradicts the run id, does not count: then the start is the time in the id or, in a
    folder with another name, that of the last change of the journal.
    """
    recorded, named = _recorded_start(folder / FILE_NAME), _time_in_id(folder.name)
    if named is None:
        return recorded.timestamp() if recorded else _changed_s(folder / FILE_NAME)
    if recorded and abs(recorded.replace(tzinfo=None) - named) < _MAX_OFFSET:
        return recorded.timestamp()
    try:
        return named.timestamp()
    except (OverflowError, ValueError, OSError):
        return 0.0


def is_run_id(name: str) -> bool:
    """Return whether a name starts like the id of a run."""
    return _time_in_id(name) is not None


def ordinal(run_id: str) -> tuple[str, int]:
    """Return a sort key for runs that started at the same time: the base of the id, its number."""
    base, number = run_id[:_ID_CHARACTERS], run_id[_ID_CHARACTERS + 1 :]
    return base, int(number) if number.isdecimal() and len(number) < _ID_CHARACTERS else 1


def _recorded_start(journal: Path) -> datetime | None:
    """Return the time of the first event, in UTC. None if it cannot be read."""
    try:
        fd = open_regular(journal)
        try:
            head = os.pread(fd, HEAD_BYTES, 0)
        finally:
            os.close(fd)
    except OSError:
        return None
    found = _AT.search(head.partition(b"\n")[0])
    time = read_time(found[1].decode("ascii", "replace")) if found else None
    return time.astimezone(UTC) if time else None


def _time_in_id(run_id: str) -> datetime | None:
    """Return the local time in a run id, or None if the id has another form."""
    try:
        return datetime.strptime(run_id[:_ID_CHARACTERS], _ID_FORMAT)
    except ValueError:
        return None


def _changed_s(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:
        return 0.0
