"""A study as stored in `study.json`, documented in docs/study.md."""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from loadbench import paths
from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError, parse
from loadbench.engine.bounds.texts import one_line
from loadbench.engine.files import convert_os_errors, utc_now, write_atomically
from loadbench.engine.journal.codec import read_time
from loadbench.engine.run_order import is_run_id
from loadbench.errors import StudyError, UsageError

STUDIES = "studies"
"""Name of the folder of all studies, in the reports folder. A profile can have the same name."""
STUDY_FILE = "study.json"
VERSION = 1
MAX_NAME_CHARACTERS = 60
MAX_REASON_CHARACTERS = 1000
"""Maximum length of the reason why a profile was refused."""
MAX_BYTES = 4_000_000
"""Maximum size of `study.json`."""

_NAME = re.compile(rf"\w[\w .-]{{0,{MAX_NAME_CHARACTERS - 1}}}")
_RESERVED = ("latest",)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyEntry:
    """A profile of a study. It was started, refused or, if both fields are empty, not started."""

    profile: str
    """Name of the profile and of its folder of reports."""
    run: str = ""
    """Id of its run, which is the name of the run's folder."""
    refused: str = ""
    """Why the run was refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Several runs that answer one question together."""

    folder: Path
    created_at: str
    """Time of its creation: UTC, ISO 8601."""
    entries: tuple[StudyEntry, ...] = ()
    """Its profiles, in the order of their start."""

    @property
    def name(self) -> str:
        """Name of the study, which is the name of its folder."""
        return self.folder.name

    @property
    def full_name(self) -> str:
        """Name by which commands find the study, such as `studies/devices`."""
        return f"{STUDIES}/{self.name}"

    @property
    def reports(self) -> Path:
        """The reports folder with the study and its runs."""
        return self.folder.parent.parent

    def run_folder(self, entry: StudyEntry) -> Path:
        """Return the folder of the run of an entry, which has been started."""
        return self.reports / entry.profile / entry.run

    def with_profiles(self, profiles: Iterable[str]) -> "Study":
        """Return the study with further profiles that have not been started."""
        added = (StudyEntry(profile=profile) for profile in profiles)
        return replace(self, entries=(*self.entries, *added))

    def with_entry(self, index: int, entry: StudyEntry) -> "Study":
        """Return the study with another entry at an index."""
        entries = list(self.entries)
        entries[index] = entry
        return replace(self, entries=tuple(entries))


def _file_name(text: str) -> str:
    if text in (".", "..") or "/" in text or "\0" in text:
        raise ValueError("not the name of a folder")
    return text


def _time(text: str) -> str:
    if read_time(text) is None:
        raise ValueError("not a time with its time zone")
    return text


_FileName = Annotated[str, StringConstraints(max_length=255), AfterValidator(_file_name)]


class _EntryRecord(TypedDict):
    profile: Annotated[_FileName, StringConstraints(min_length=1)]
    run: _FileName
    refused: str


class _StudyRecord(TypedDict):
    version: Literal[1]
    created_at: Annotated[str, AfterValidator(_time)]
    entries: list[_EntryRecord]


_RECORD = TypeAdapter(_StudyRecord)


def _record_of(data: bytes) -> _StudyRecord:
    """Return the record in a file. A `ValueError` states the first field that is wrong."""
    try:
        return _RECORD.validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{place}: {first['msg']}" if place else first["msg"]) from None


def read_study(folder: Path) -> Study:
    """Read a study.

    Args:
        folder: Its folder.

    Raises:
        StudyError: `study.json` is missing, damaged, too large or of a later version.
    """
    file = folder / STUDY_FILE
    try:
        data = read_file(file, max_bytes=MAX_BYTES)
        record = parse(data, _record_of, max_bytes=MAX_BYTES)
    except OSError as error:
        raise StudyError(f"{file}: {error.strerror or error}") from error
    except BadInputError as error:
        reason = one_line(str(error), MAX_REASON_CHARACTERS)
        raise StudyError(f"{file} is not a study that this version can read: {reason}") from error
    entries = (
        StudyEntry(
            profile=entry["profile"],
            run=entry["run"],
            refused=one_line(entry["refused"], MAX_REASON_CHARACTERS),
        )
        for entry in record["entries"]
    )
    return Study(folder=folder, created_at=record["created_at"], entries=tuple(entries))


def write_study(study: Study) -> None:
    """Write `study.json`. Create the folder of the study if it is missing.

    Raises:
        DiskFullError: No space is left on the disk.
        JournalError: The file cannot be written for another reason.
    """
    with convert_os_errors(study.folder):
        study.folder.mkdir(parents=True, exist_ok=True)
    record = {
        "version": VERSION,
        "name": study.name,
        "created_at": study.created_at,
        "entries": [asdict(entry) for entry in study.entries],
    }
    text = json.dumps(record, ensure_ascii=False, indent=2)
    write_atomically(study.folder / STUDY_FILE, f"{text}\n".encode("utf-8", "replace"))


@contextmanager
def locked_study(folder: Path) -> Iterator[None]:
    """Keep other commands from changing a study. Create its folder if it is missing.

    Raises:
        JournalError: The folder cannot be created or opened.
    """
    with convert_os_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        fd = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def study_folder(name: str, reports: Path) -> Path:
    """Return the folder of the study with a name."""
    return reports / STUDIES / name


def open_study(name: str, reports: Path) -> Study:
    """Return the study with a name, or a new one without entries, which is not written yet.

    Args:
        name: Name of the study, from `check_name`.
        reports: The reports folder.

    Raises:
        StudyError: The study exists and cannot be read.
    """
    folder = study_folder(name, reports)
    if paths.exists(folder / STUDY_FILE):
        return read_study(folder)
    return Study(folder=folder, created_at=utc_now())


def check_name(name: str) -> str:
    """Return the name of a study that a user entered.

    Raises:
        UsageError: The name is not allowed.
    """
    is_allowed = _NAME.fullmatch(name) and name == name.rstrip(" .")
    if not is_allowed or name in _RESERVED or is_run_id(name):
        raise UsageError(
            f"{name!r} cannot be the name of a study. Use at most {MAX_NAME_CHARACTERS} letters, "
            "digits, spaces and any of - _ . between them; not `latest`, and not the id of a run"
        )
    return name


def study_folders(reports: Path) -> list[Path]:
    """Return the folders of all studies, the latest change first.

    Args:
        reports: The reports folder.
    """
    try:
        entries = list((reports / STUDIES).iterdir())
    except OSError:
        return []
    changed: list[tuple[int, Path]] = []
    for folder in entries:
        if folder.name.startswith(".") or is_run_id(folder.name) or folder.is_symlink():
            continue
        try:
            changed.append(((folder / STUDY_FILE).lstat().st_mtime_ns, folder))
        except OSError:
            continue
    return [folder for _, folder in sorted(changed, reverse=True)]


def find_study(name: str, reports: Path) -> Study | None:
    """Find a study by name and read it. Return None if there is none.

    Args:
        name: `NAME`, `studies/NAME`, or the folder of a study.
        reports: The reports folder.

    Raises:
        StudyError: The study exists and cannot be read.
    """
    if not name:
        return None
    last = name.rstrip("/").rpartition("/")[2]
    folders: Sequence[Path] = (paths.resolved(name),) if "/" in name else ()
    if name.rstrip("/") in (last, f"{STUDIES}/{last}") and last not in ("", ".", ".."):
        folders = (*folders, reports / STUDIES / last)
    found = (folder for folder in folders if paths.exists(folder / STUDY_FILE))
    return next((read_study(folder) for folder in found), None)
