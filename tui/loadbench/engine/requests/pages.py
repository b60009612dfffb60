"""Write the page of a run, a study or a comparison in a process of its own.

The libraries that draw its charts take a second to start and about 100 MB, so neither the runner
nor the terminal UI loads them.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from loadbench import paths
from loadbench.engine.files import convert_os_errors
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.requests.page_process import PAGE_MODULE, PageCrashError, PageProcess
from loadbench.engine.studies.model import STUDY_FILE, read_study
from loadbench.errors import StudyError

PAGE_NAME = "summary.html"

MAX_PAGE_NAME_BYTES = 200
"""Maximum length of the name of a comparison in the name of its page, without a digest. File
systems allow 255 bytes."""

TIMEOUT_S = 60.0
"""Maximum seconds for writing a page, without those for reading a large journal."""
MIN_BYTES_PER_S = 1e6
"""Rate at which journals are read, even on a slow machine."""

NO_CHARTS = "--no-charts"
"""Option of the module, with the reason."""
COMPARE = "--compare"
"""Option of the module, with the page. The folders of baseline and candidate follow."""
COMPARISONS = "comparisons"
"""Folder of the reports with the pages of comparisons. Runs of a profile with this name lie in
subfolders."""

MAX_PREPARING_S = 10.0
"""Maximum seconds in which the process of a prepared page must be ready."""


@dataclass(frozen=True, slots=True)
class BuiltPage:
    """A page that has been written, or kept because it is current."""

    path: Path
    note: str = ""
    """Why the page has no charts, or why the existing one was kept. Empty if it is complete."""


def is_study(folder: Path) -> bool:
    """Return whether a folder is that of a study. Runs of a profile `studies` lie beside it.

    Args:
        folder: The folder of a run or study.
    """
    return not paths.exists(folder / FILE_NAME) and paths.exists(folder / STUDY_FILE)


def is_current(folder: Path) -> bool:
    """Return whether a run or study has a page with charts that is as new as the journals.

    Args:
        folder: The folder of the run or study.
    """
    try:
        return (folder / PAGE_NAME).stat().st_mtime_ns >= sources_ns(folder)
    except (OSError, StudyError):
        return False


def sources_ns(folder: Path) -> int:
    """Return the time of the last change of what a page is computed from, in ns since 1970.

    The page gets this time, so that a change while it is written makes it outdated.

    Args:
        folder: The folder of the run or study.

    Raises:
        OSError: The journal or the study is missing.
        StudyError: The study cannot be read.
    """
    if not is_study(folder):
        return (folder / FILE_NAME).stat().st_mtime_ns
    study = read_study(folder)
    runs = (study.run_folder(entry) for entry in study.entries if entry.run)
    return max((folder / STUDY_FILE).stat().st_mtime_ns, *map(_changed_ns, runs), 0)


def _changed_ns(run: Path) -> int:
    """Return the time of the last change of a journal or, without it, of the nearest folder."""
    existing = next(one for one in (run / FILE_NAME, run, *run.parents) if paths.exists(one))
    return existing.stat().st_mtime_ns


def build_page(folder: Path, *, timeout_s: float | None = None) -> BuiltPage:
    """Write the page of a run or study and wait until it is written. Takes seconds.

    The process that writes it cannot outlive this one. If it crashes or does not end, which only
    drawing can cause, the page is written without charts.

    Args:
        folder: The folder of the run or study.
        timeout_s: Maximum seconds to wait. The process is then terminated. Default: `TIMEOUT_S`,
            and longer for large journals.

    Raises:
        LoadbenchError: The page was not written.
    """
    seconds = _timeout_s(folder) if timeout_s is None else timeout_s
    return _build_or_leave_out_charts(folder / PAGE_NAME, (), (folder,), seconds)


class PreparedPage:
    """The page of a run that has not ended, whose process loads all that it needs in advance.

    Args:
        process: The process, without arguments. It uses about 100 MB until `build` is called.
    """

    def __init__(self, process: PageProcess) -> None:
        self._process: PageProcess | None = process

    def wait_until_ready(self) -> None:
        """Wait until the process is idle. If that takes too long, end it."""
        if self._process and not self._process.wait_until_ready(MAX_PREPARING_S):
            self.close()

    def close(self) -> None:
        """End the process. The page can still be written."""
        process, self._process = self._process, None
        if process:
            process.close()

    def build(self, folder: Path) -> BuiltPage:
        """Write the page, as `build_page` does, once the end of the run is recorded.

        Args:
            folder: The folder of the run.

        Raises:
            LoadbenchError: The page was not written.
        """
        if self._process and not self._process.is_running:
            self.close()
        process, self._process = self._process, None
        if process is None:
            return build_page(folder)
        page, seconds = folder / PAGE_NAME, _timeout_s(folder)
        with convert_os_errors(page):
            try:
                return _built(process.answer(page, seconds, folder))
            except PageCrashError as error:
                return _build(page, (_without_charts(error),), (folder,), seconds)


def comparison_page(reports: Path, before: Path, after: Path) -> Path:
    """Return the path of the page of a comparison.

    Args:
        reports: The reports folder.
        before: The folder of the baseline.
        after: The folder of the candidate.
    """
    name = "--".join(f"{folder.parent.name}-{folder.name}" for folder in (before, after))
    encoded = os.fsencode(name)
    if len(encoded) > MAX_PAGE_NAME_BYTES:
        cut = encoded[:MAX_PAGE_NAME_BYTES].decode("utf-8", "ignore")
        name = f"{cut}-{sha256(encoded).hexdigest()[:16]}"
    return reports / COMPARISONS / f"{name}.html"


def build_comparison(page: Path, before: Path, after: Path) -> BuiltPage:
    """Write the page of the comparison of two runs, as `build_page` does.

    Args:
        page: The page. Its folder is created.
        before: The folder of the baseline.
        after: The folder of the candidate.

    Raises:
        LoadbenchError: The page was not written.
    """
    with convert_os_errors(page.parent):
        page.parent.mkdir(parents=True, exist_ok=True)
    seconds = max(map(_timeout_s, (before, after)))
    return _build_or_leave_out_charts(page, (f"{COMPARE}={page}",), (before, after), seconds)


def _build_or_leave_out_charts(
    page: Path, options: Sequence[str], folders: Sequence[Path], timeout_s: float
) -> BuiltPage:
    try:
        return _build(page, options, folders, timeout_s)
    except PageCrashError as error:
        return _build(page, (*options, _without_charts(error)), folders, timeout_s)


def _without_charts(error: PageCrashError) -> str:
    return f"{NO_CHARTS}={error.reason}"


def _timeout_s(folder: Path) -> float:
    """Return the maximum seconds for a page, with more time to read large journals."""
    try:
        size = (folder / FILE_NAME).stat().st_size
    except OSError:
        return TIMEOUT_S
    return TIMEOUT_S + size / MIN_BYTES_PER_S


def _build(
    page: Path, options: Sequence[str], folders: Sequence[Path], timeout_s: float
) -> BuiltPage:
    with convert_os_errors(page):
        process = PageProcess([*options, "--", *map(str, folders)], module=PAGE_MODULE)
        return _built(process.answer(page, timeout_s))


def _built(answer: Mapping[str, Any]) -> BuiltPage:
    return BuiltPage(Path(answer["page"]), str(answer.get("note", "")))
