"""What there is to choose from: the saved profiles and all runs, read again as they change."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from loadbench.engine.profile.loading import load_profile, saved_profiles
from loadbench.engine.profile.model import Profile
from loadbench.engine.run_reader import Run, RunReader, Stamp, journal_stamp, run_folders
from loadbench.errors import JournalError, ProfileError
from loadbench.workspace import Workspace

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

    @property
    def name(self) -> str:
        """What a user calls it."""
        return self.file.stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything that can be chosen, at one moment."""

    profiles: tuple[SavedProfile, ...] = ()
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
            seen.append((folder, tracked.stamp, run and run.status))
        for gone in self._runs.keys() - set(folders):
            del self._runs[gone]
        stamps = tuple((it.file, self._profiles[it.file][0]) for it in profiles)
        now = (stamps, seen, complete, self._problem)
        if now == self._seen:
            return None
        self._seen = now
        return Catalog(
            profiles=profiles,
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
        return SavedProfile(file=file, error=str(error))


def _stamp(file: Path) -> Stamp:
    try:
        found = file.stat()
    except OSError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)
