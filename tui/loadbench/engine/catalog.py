"""What there is to choose from: the saved profiles and all runs, by name and as they change."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.lock import is_held
from loadbench.engine.profile.loading import load_profile, saved_profiles
from loadbench.engine.profile.model import Profile
from loadbench.engine.run_reader import Run, RunReader, Stamp, journal_stamp, read_run
from loadbench.errors import JournalError, ProfileError, UsageError
from loadbench.workspace import Workspace

LATEST = "latest"
"""The link to the newest run of a profile."""

AT_ONCE_S = 0.3
"""A first look at many runs is told in parts of about this length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedProfile:
    """A file in `profiles/`."""

    file: Path
    profile: Profile | None = None
    """None: it is broken."""
    error: str = ""
    """What is wrong with it; empty: nothing."""
    source: str = field(default="", repr=False)
    """The text of the file, if it is broken."""

    @property
    def name(self) -> str:
        """What a user calls it."""
        return self.file.stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that can be chosen, at one moment."""

    profiles: tuple[SavedProfile, ...] = ()
    has_profiles: bool = False
    """The profiles have been read, be there none."""
    runs: tuple[Run, ...] = ()
    """Newest first."""
    unreadable: tuple[str, ...] = ()
    """Journals that cannot be read, a sentence each."""
    complete: bool = False
    """False: more runs are still to be read."""

    def of_profile(self, name: str) -> list[Run]:
        """Return the runs of a profile, newest first."""
        return [run for run in self.runs if run.folder.parent.name == name]


@dataclass(slots=True)
class _Tracked:
    """A run whose journal is read once, and then only what is added to it."""

    reader: RunReader
    stamp: Stamp | None = None
    """Of the journal, as it was last read."""
    error: str = ""


@dataclass(slots=True)
class CatalogReader:
    """Reads the workspace again and again, and only what has changed in it."""

    workspace: Workspace
    _profiles: dict[Path, tuple[Stamp, SavedProfile]] = field(default_factory=dict)
    _runs: dict[Path, _Tracked] = field(default_factory=dict)
    _problem: str = ""
    _seen: object = None

    def read_profiles(self) -> tuple[SavedProfile, ...]:
        """Return the saved profiles, broken ones among them, by name."""
        found = []
        try:
            files = saved_profiles(self.workspace.profiles)
        except ProfileError as error:
            self._problem, files = str(error), []
        else:
            self._problem = ""
        for file in files:
            stamp = _stamp(file)
            known = self._profiles.get(file)
            if known is None or known[0] != stamp:
                known = self._profiles[file] = (stamp, _load(file))
            found.append(known[1])
        return tuple(found)

    def read(self) -> Catalog | None:
        """Return all that there is; None: it is as it was at the last call."""
        profiles = self.read_profiles()
        runs, seen, spent_s = [], [], 0.0
        unreadable = [self._problem] if self._problem else []
        complete = True
        folders = list(run_folders(self.workspace.reports))
        for folder in folders:
            new = folder not in self._runs
            if new and spent_s > AT_ONCE_S:
                complete = False
                continue
            begun = time.monotonic()
            tracked = self._runs.setdefault(folder, _Tracked(_reader(folder)))
            run = _catch_up(tracked, folder)
            spent_s += new * (time.monotonic() - begun)
            if run is None:
                unreadable.append(tracked.error)
            else:
                runs.append(run)
            seen.append((folder, tracked.stamp, run and (run.status, run.reports)))
        for gone in self._runs.keys() - set(folders):
            del self._runs[gone]
        stamps = tuple((it.file, self._profiles[it.file][0]) for it in profiles)
        now = (stamps, seen, complete, self._problem)
        if now == self._seen:
            return None
        self._seen = now
        return Catalog(
            profiles=profiles,
            has_profiles=True,
            runs=tuple(runs),
            unreadable=tuple(unreadable),
            complete=complete,
        )


def _catch_up(tracked: _Tracked, folder: Path) -> Run | None:
    """Return a run as it is now; None: `error` says why it cannot be read."""
    stamp = journal_stamp(folder)
    if tracked.error:
        if stamp == tracked.stamp:
            return None
        # It may have been mended; then all of it is new.
        tracked.reader, tracked.error = _reader(folder), ""
    tracked.stamp = stamp
    try:
        return tracked.reader.poll()
    except JournalError as error:
        tracked.error = str(error)
        return None


def _reader(folder: Path) -> RunReader:
    # What a run came to is not in its samples, and they are nearly all of it.
    return RunReader(folder, max_samples=0)


def _load(file: Path) -> SavedProfile:
    try:
        return SavedProfile(file=file, profile=load_profile(file))
    except ProfileError as error:
        return SavedProfile(file=file, error=str(error), source=_source(file))


def _source(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _stamp(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)


def run_folders(reports: Path) -> Iterator[Path]:
    """Yield the folders of all runs, newest first."""
    found = (run for profile in _listed(reports) for run in _listed(profile))
    runs = [run for run in found if not run.is_symlink() and not run.name.startswith(".")]
    for folder in sorted(runs, key=lambda run: _order(run.name), reverse=True):
        if _is_file(folder / FILE_NAME):
            yield folder


def find_run(name: str | None, reports: Path, *, live: bool = False) -> Run:
    """Read the run that a user means; see `find_folder`.

    Raises:
        UsageError: None fits, or more than one.
        JournalError: Its journal cannot be read.
    """
    return read_run(find_folder(name, reports, live=live))


def find_folder(name: str | None, reports: Path, *, live: bool = False) -> Path:
    """Return the folder of the run that a user means.

    Args:
        name: `PROFILE/RUN`, `RUN`, `PROFILE` (its newest run) or a folder; None: the newest run.
        reports: The reports folder.
        live: Look at live runs alone.

    Raises:
        UsageError: None fits, or more than one.
    """
    if name and (Path(name) / FILE_NAME).is_file():
        return Path(name).resolve()
    wanted = (name or "").rstrip("/").removesuffix(f"/{LATEST}")
    folders = [path for path in run_folders(reports) if _fits(path, wanted)]
    if live:
        folders = [path for path in folders if is_held(path)]
    kind = "live run" if live else "run"
    if not folders:
        meant = f"no {kind} {name!r}" if name else f"no {kind}"
        raise UsageError(f"{meant} in {reports}; `loadbench-tui runs` lists what there is")
    if live and len(folders) > 1:
        names = ", ".join(f"{path.parent.name}/{path.name}" for path in folders)
        raise UsageError(f"several live runs: {names}; name one of them")
    return max(folders, key=lambda path: _order(path.name))


def new_run_id(folder: Path, now: datetime) -> str:
    """Return an id for a run that begins now: local time, with `-2` and so on if that is taken.

    Args:
        folder: The profile's folder of reports.
        now: Local time.
    """
    base = now.strftime("%Y%m%d-%H%M%S")
    number = 1
    while True:
        name = base if number == 1 else f"{base}-{number}"
        if not (folder / name).exists() and not (folder / f".{name}.new").exists():
            return name
        number += 1


def _listed(folder: Path) -> list[Path]:
    """Return what is in a folder; nothing if it is gone, or not for us to read."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _fits(folder: Path, wanted: str) -> bool:
    names = (folder.name, folder.parent.name, f"{folder.parent.name}/{folder.name}")
    return not wanted or wanted in names


def _order(run_id: str) -> tuple[str, int]:
    parts = run_id.split("-")
    number = int(parts[2]) if len(parts) > 2 and parts[2].isdigit() else 1
    return "-".join(parts[:2]), number
