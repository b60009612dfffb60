"""Runs of a workspace by name: their folders, newest first, and the link to the newest one."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from loadbench import paths
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.lock import is_held
from loadbench.engine.run_order import ordinal, started_s
from loadbench.engine.run_reader import Run, RunReader, read_run
from loadbench.errors import JournalError, UsageError

LATEST = "latest"
"""Name of the symbolic link to the newest run of a profile."""
TRASH = ".trash"
"""Name of the folder of deleted runs, in the reports folder."""


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
            run = RunReader(folder, max_samples=0).poll()
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
        name: `PROFILE/RUN`, `RUN`, `PROFILE` (its newest run), the folder of a run, the label of
            exactly one run, or, if nothing has that name, the number of a run in the list of all
            runs, such as `1` for the newest. None selects the newest run.
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
        folders = _labelled(name, reports) or _numbered(name, reports)
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
            run = RunReader(folder, max_samples=0).poll()
            found += [run] if run.state.label == label else []
    if len(found) > 1:
        names = ", ".join(run.name for run in found)
        raise UsageError(f"several runs have the label {label!r}: {names}. Specify one of them")
    return [run.folder for run in found]


def _numbered(number: str, reports: Path) -> list[Path]:
    """Return the folder of the run with a number, or an empty list if there is none."""
    if not (number.isascii() and number.isdecimal()):
        return []
    folders = list(run_folders(reports))
    # A text of very many digits is not a number for `int`, and never one of a run.
    index = int(number) - 1 if len(number) <= len(str(len(folders))) else -1
    return folders[index : index + 1] if index >= 0 else []


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
