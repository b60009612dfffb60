"""Write the page of a run, `summary.html`, in a process of its own.

The libraries that draw its charts take a second to start and about 100 MB, so neither the runner
nor the terminal UI loads them.
"""

import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
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

TIMEOUT_S = 60.0
"""Maximum seconds for writing a page."""

NO_CHARTS = "--no-charts"
"""Option of the module, followed by the reason."""

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
    """Return whether a run or study has a page that is not older than the journals.

    Args:
        folder: The folder of the run or study.
    """
    try:
        written_ns = (folder / PAGE_NAME).stat().st_mtime_ns
        return all(written_ns >= file.stat().st_mtime_ns for file in _sources(folder))
    except (OSError, StudyError):
        return False


def _sources(folder: Path) -> list[Path]:
    """Return the files from which a page is computed.

    Raises:
        StudyError: The study cannot be read.
    """
    if not is_study(folder):
        return [folder / FILE_NAME]
    study = read_study(folder)
    runs = (study.run_folder(entry) / FILE_NAME for entry in study.entries if entry.run)
    return [folder / STUDY_FILE, *filter(paths.exists, runs)]


def build_page(folder: Path, *, timeout_s: float = TIMEOUT_S) -> BuiltPage:
    """Write the page of a run or study and wait until it is written. Takes seconds.

    The process that writes it cannot outlive this one. If it crashes or does not end, which only
    drawing can cause, the page is written without charts.

    Args:
        folder: The folder of the run or study.
        timeout_s: Maximum seconds to wait. The process is then terminated.

    Raises:
        LoadbenchError: The page was not written.
    """
    try:
        return _build(folder, (), timeout_s)
    except _CrashError as error:
        return _build(folder, (NO_CHARTS, str(error)), timeout_s)


class _CrashError(LoadbenchError):
    """The process that writes a page ended without an answer, or not in time."""


def _build(folder: Path, options: Sequence[str], timeout_s: float) -> BuiltPage:
    page = folder / PAGE_NAME
    with (
        convert_os_errors(page),
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
    ):
        process = SupervisedProcess(
            [sys.executable, "-P", "-m", PAGE_MODULE, str(folder), *options],
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
            raise _CrashError(f"{page}: not written within {timeout_s:g} s")
        answer = _answer(_end_of(output))
        if "error" in answer:
            raise LoadbenchError(str(answer["error"]))
        if code or "page" not in answer:
            raise _CrashError(f"{page}: not written: {_failure(code, _end_of(errors))}")
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
