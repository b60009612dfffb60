"""Write the page of a run, a study or a comparison in a process of its own.

The libraries that draw its charts take a second to start and about 100 MB, so neither the runner
nor the terminal UI loads them.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from loadbench import paths
from loadbench.engine.files import convert_os_errors
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.process import SupervisedProcess, describe_exit
from loadbench.engine.studies.model import STUDY_FILE, read_study
from loadbench.errors import LoadbenchError, StudyError

PAGE_MODULE = "loadbench.page"
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

MAX_OUTPUT_BYTES = 64 * 1024
"""Maximum length of the output that is read, from its end."""


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
    except _CrashError as error:
        return _build(page, (*options, f"{NO_CHARTS}={error.reason}"), folders, timeout_s)


class _CrashError(LoadbenchError):
    """The process that writes a page ended without an answer, or not in time.

    Args:
        page: The page.
        reason: What happened, as a clause.
    """

    def __init__(self, page: Path, reason: str) -> None:
        super().__init__(f"{page}: not written: {reason}")
        self.reason = reason


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
    with (
        convert_os_errors(page),
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        process = SupervisedProcess(
            [sys.executable, "-P", "-m", PAGE_MODULE, *options, "--", *map(str, folders)],
            cwd=Path(),
            environment=os.environ,
            stdout=output,
            stderr=errors,
        )
        try:
            code = process.wait(timeout_s)
        finally:
            process.stop()
        if code is None:
            raise _CrashError(page, f"its process took longer than {timeout_s:.0f} s")
        answer = _answer(_end_of(output))
        if "error" in answer:
            raise LoadbenchError(str(answer["error"]))
        if code or "page" not in answer:
            raise _CrashError(page, _failure(code, _end_of(errors)))
    return BuiltPage(Path(answer["page"]), str(answer.get("note", "")))


def _answer(output: str) -> dict[str, Any]:
    """Return the answer in the last line of the output. Empty if there is none."""
    lines = output.splitlines()
    try:
        answer = json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _failure(code: int, errors: str) -> str:
    """Describe the exit of the process, with the last line of its error output."""
    lines = errors.splitlines()
    return f"its process {describe_exit(code)}" + (f": {lines[-1]}" if lines else "")


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_OUTPUT_BYTES))
    return file.read().decode("utf-8", "replace").strip()
