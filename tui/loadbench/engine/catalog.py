"""The catalogue of a workspace: saved profiles, runs and studies, with lookup of runs by name."""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from loadbench import paths
from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.lock import is_held
from loadbench.engine.profile.loading import load_profile, saved_profiles
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.source import MAX_BYTES
from loadbench.engine.run_order import ordinal, started_s
from loadbench.engine.run_reader import Run, RunReader, Stamp, journal_stamp, read_run
from loadbench.engine.studies.model import STUDY_FILE, study_folders
from loadbench.engine.studies.ranked import RankedStudy, StudyReader
from loadbench.errors import JournalError, ProfileError, UsageError
from loadbench.workspace import Workspace

LATEST = "latest"
"""Name of the symbolic link to the newest run of a profile."""
TRASH = ".trash"
"""Name of the folder of deleted runs, in the reports folder."""

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


def run_folders(
    reports: Path, profile: str | None = None, *, starts: dict[Path, float] | None = None
) -> Iterator[Path]:
    """Yield the folders of all runs, or of the runs of one profile, newest first.

    The order is that of the start of the runs, however their ids are: the ids are local times.

    Args:
        reports: The reports folder.
        profile: Name of the profile. None for all profiles.
        starts: Known starts, to which new ones are added. They save reading the journals again.
    """
    starts = {} if starts is None else starts
    profiles = _listed(reports) if profile is None else [reports / profile]
    profiles = [folder for folder in profiles if folder.name != TRASH]
    entries = (run for folder in profiles for run in _listed(folder))
    runs = [run for run in entries if not run.is_symlink() and not run.name.startswith(".")]
    found = [folder for folder in runs if _exists(folder / FILE_NAME)]
    for folder in found:
        if folder not in starts:
            starts[folder] = started_s(folder)
    yield from sorted(found, key=lambda run: (starts[run], ordinal(run.name)), reverse=True)


def runs_of_profile(profile: str, reports: Path) -> Iterator[Run]:
    """Yield the runs of a profile without their samples, newest first. Skip unreadable runs.

    Each run is read when it is requested.

    Args:
        profile: Name of the profile.
        reports: The reports folder.
    """
    for folder in run_folders(reports, profile):
        try:
            run = _reader(folder).poll()
        except (JournalError, OSError):
            continue
        yield run


def find_run(name: str | None, reports: Path, *, live: bool = False) -> Run:
    """Find a run by name and read it; see `find_run_folder`.

    Raises:
        UsageError: No run matches, or several live runs match.
        JournalError: The journal cannot be read.
    """
    return read_run(find_run_folder(name, reports, live=live))


def find_run_folder(name: str | None, reports: Path, *, live: bool = False) -> Path:
    """Find the folder of a run by name.

    Args:
        name: `PROFILE/RUN`, `RUN`, `PROFILE` (its newest run), the folder of a run, or the label
            of exactly one run. None selects the newest run.
        reports: The reports folder.
        live: Whether to consider only live runs.

    Raises:
        UsageError: No run matches, or several live runs match.
    """
    if name and _exists(Path(name) / FILE_NAME):
        return paths.resolved(name)
    target = (name or "").rstrip("/").removesuffix(f"/{LATEST}")
    if name is not None and not target:
        # An empty shell variable must not select a run.
        raise UsageError(f"no run {name!r}. List all runs with `loadbench-tui runs`")
    folders = [path for path in run_folders(reports) if _matches(path, target)]
    if name and not folders:
        folders = _labelled(name, reports)
    if live:
        folders = [path for path in folders if is_held(path)]
    kind = "live run" if live else "run"
    if not folders:
        missing = f"no {kind} {name!r}" if name else f"no {kind}"
        raise UsageError(f"{missing} in {reports}. List all runs with `loadbench-tui runs`")
    if live and len(folders) > 1:
        names = ", ".join(f"{path.parent.name}/{path.name}" for path in folders)
        raise UsageError(f"several runs are live: {names}. Specify one of them")
    return folders[0]


def _labelled(label: str, reports: Path) -> list[Path]:
    """Return the folder of the run with a label, or an empty list if there is none.

    Raises:
        UsageError: Several runs have the label.
    """
    found = []
    for folder in run_folders(reports):
        with suppress(JournalError):
            run = _reader(folder).poll()
            found += [run] if run.state.label == label else []
    if len(found) > 1:
        names = ", ".join(run.name for run in found)
        raise UsageError(f"several runs have the label {label!r}: {names}. Specify one of them")
    return [run.folder for run in found]


def update_latest_link(parent: Path, run_id: str | None) -> None:
    """Point the link to the newest run of a profile to a run, or remove it if there is none.

    Args:
        parent: Folder with the runs of the profile.
        run_id: Id of the newest run.
    """
    link, new_link = parent / LATEST, parent / f".{LATEST}.new"
    # The link is optional: some file systems do not support symbolic links.
    with suppress(OSError):
        new_link.unlink(missing_ok=True)
        if run_id is None:
            link.unlink(missing_ok=True)
            return
        new_link.symlink_to(run_id)
        new_link.replace(link)


def _listed(folder: Path) -> list[Path]:
    """Return the entries of a folder, or an empty list if it is missing or unreadable."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _exists(path: Path) -> bool:
    """Return whether a path exists, even as a broken link, a folder or in an unreadable folder."""
    try:
        path.lstat()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def _matches(folder: Path, target: str) -> bool:
    names = (folder.name, folder.parent.name, f"{folder.parent.name}/{folder.name}")
    return not target or target in names
