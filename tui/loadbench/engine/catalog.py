"""The catalogue of a workspace: saved profiles, runs and studies."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.profile.loading import load_profile, saved_profiles
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.source import MAX_BYTES
from loadbench.engine.run_lookup import run_folders
from loadbench.engine.run_reader import Run, RunReader, Stamp, journal_stamp
from loadbench.engine.studies.model import STUDY_FILE, study_folders
from loadbench.engine.studies.ranked import RankedStudy, StudyReader
from loadbench.errors import JournalError, ProfileError
from loadbench.workspace import Workspace

MAX_FIRST_READ_S = 0.3
"""Seconds after which a call stops reading new runs. Later calls read the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedProfile:
    """A profile file in `profiles/`, valid or not."""

    file: Path
    profile: Profile | None = None
    """None if the profile is invalid."""
    error: str = ""
    """Error message; empty if the profile is valid."""
    source: str = field(default="", repr=False)
    """Text of the file if the profile is invalid, otherwise empty."""

    @property
    def name(self) -> str:
        """Name of the profile."""
        return self.file.stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """The profiles, runs and studies of a workspace at one moment."""

    profiles: tuple[SavedProfile, ...] = ()
    has_profiles: bool = False
    """True once the profiles have been read, even if there are none."""
    runs: tuple[Run, ...] = ()
    """Newest first."""
    studies: tuple[RankedStudy, ...] = ()
    """The latest change first. Empty while some runs have not been read yet."""
    unreadable: tuple[str, ...] = ()
    """Error messages of unreadable journals and studies, and of an unreadable profiles folder."""
    complete: bool = False
    """False while some runs have not been read yet."""

    def run(self, name: str) -> Run | None:
        """Return the run with a name such as `with_cpu/20261122-0721`, or None."""
        return next((run for run in self.runs if run.name == name), None)

    def study(self, name: str) -> RankedStudy | None:
        """Return the study with a name such as `studies/devices`, or None."""
        return next((one for one in self.studies if one.study.full_name == name), None)

    def of_profile(self, name: str) -> list[Run]:
        """Return the runs of a profile, newest first."""
        return [run for run in self.runs if run.folder.parent.name == name]


@dataclass(slots=True)
class _Tracked:
    """A run whose journal is read incrementally."""

    reader: RunReader
    stamp: Stamp | None = None
    """Stamp of the journal when it was last read."""
    error: str = ""


@dataclass(slots=True)
class CatalogReader:
    """Reads the profiles and runs of a workspace; each call reads only what has changed."""

    workspace: Workspace
    _profiles: dict[Path, tuple[Stamp, SavedProfile]] = field(default_factory=dict)
    _runs: dict[Path, _Tracked] = field(default_factory=dict)
    _problem: str = ""
    _last: object = None
    _starts: dict[Path, float] = field(default_factory=dict)
    _studies: StudyReader = field(default_factory=StudyReader)

    def read_profiles(self) -> tuple[SavedProfile, ...]:
        """Return the saved profiles sorted by name, including invalid ones."""
        profiles = []
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
            profiles.append(known[1])
        return tuple(profiles)

    def read(self) -> Catalog | None:
        """Return the catalogue, or None if it has not changed since the last call."""
        profiles, reports = self.read_profiles(), self.workspace.reports
        runs, fingerprint, spent_s = [], [], 0.0
        unreadable = [self._problem] if self._problem else []
        complete = True
        folders = list(run_folders(reports, starts=self._starts))
        for folder in folders:
            is_new = folder not in self._runs
            if is_new and spent_s > MAX_FIRST_READ_S:
                complete = False
                continue
            started_at = time.monotonic()
            tracked = self._runs.setdefault(folder, _Tracked(_reader(folder)))
            run = _catch_up(tracked, folder)
            spent_s += is_new * (time.monotonic() - started_at)
            if run is None:
                unreadable.append(tracked.error)
                del self._starts[folder]
            else:
                runs.append(run)
            fingerprint.append((folder, tracked.stamp, run and (run.status, run.reports)))
        for removed in self._runs.keys() - set(folders):
            del self._runs[removed]
        for removed in self._starts.keys() - set(folders):
            del self._starts[removed]
        stamps = tuple((saved.file, self._profiles[saved.file][0]) for saved in profiles)
        study_files = [folder / STUDY_FILE for folder in study_folders(reports)]
        studies_read = [(file, _stamp(file)) for file in study_files]
        current = (stamps, fingerprint, complete, self._problem, studies_read)
        if current == self._last:
            return None
        self._last = current
        studies, damaged = self._studies.read(reports, runs) if complete else ((), ())
        return Catalog(
            profiles=profiles,
            has_profiles=True,
            runs=tuple(runs),
            studies=studies,
            unreadable=(*unreadable, *damaged),
            complete=complete,
        )


def _catch_up(tracked: _Tracked, folder: Path) -> Run | None:
    """Return the current state of a run, or None with `tracked.error` set if it is unreadable."""
    stamp = journal_stamp(folder)
    if tracked.error:
        if stamp == tracked.stamp:
            return None
        # The journal has changed since the error, so read all of it again.
        tracked.reader, tracked.error = _reader(folder), ""
    tracked.stamp = stamp
    try:
        run = tracked.reader.poll()
    except JournalError as error:
        tracked.error = str(error)
        return None
    run.results.compute()
    return run


def _reader(folder: Path) -> RunReader:
    # The catalogue does not use samples, which make up most of a journal.
    return RunReader(folder, max_samples=0)


def _load(file: Path) -> SavedProfile:
    try:
        return SavedProfile(file=file, profile=load_profile(file))
    except ProfileError as error:
        return SavedProfile(file=file, error=str(error), source=_source(file))


def _source(file: Path) -> str:
    try:
        return read_file(file, max_bytes=MAX_BYTES).decode(errors="replace")
    except (OSError, BadInputError):
        return ""


def _stamp(file: Path) -> Stamp:
    try:
        status = file.stat()
    except OSError:
        return (0, 0)
    return (status.st_size, status.st_mtime_ns)
