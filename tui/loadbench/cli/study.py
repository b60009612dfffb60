"""The study of a `run` command: which runs it starts, and its ranking at the end."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from loadbench.cli import output
from loadbench.cli.commands import report_output_error
from loadbench.cli.exit_codes import Exit
from loadbench.cli.output import OutputError
from loadbench.cli.report.study import print_study, write_study_page
from loadbench.engine.requests.launch import RunRequest, preview, start_runner
from loadbench.engine.studies.model import (
    STUDIES,
    STUDY_FILE,
    StudyEntry,
    locked_study,
    open_study,
    read_study,
    study_folder,
    write_study,
)
from loadbench.engine.studies.ranked import rank_study
from loadbench.errors import JournalError, LoadbenchError, StudyError, UsageError
from loadbench.wording import counted


class StudyRunner:
    """Starts the runs of a study. Its file states at any time which runs have been started.

    All profiles are checked first. Those that are refused do not stop the others.

    Args:
        name: Name of the study. An existing study is continued.
        requests: The runs, in order.
        reports: The reports folder.

    Raises:
        UsageError: A profile or its workspace is invalid. Nothing was changed.
        StudyError: The study exists and cannot be read. Nothing was changed.
        JournalError: The study cannot be written.
    """

    def __init__(self, name: str, requests: Sequence[RunRequest], reports: Path) -> None:
        self._requests = requests
        refusals = {
            index: refusal
            for index, request in enumerate(requests)
            if (refusal := _refusal(request)) is not None
        }
        # Read after the checks, which take seconds: another command may add profiles meanwhile.
        self._folder = study_folder(name, reports)
        with locked_study(self._folder):
            study = open_study(name, reports)
            self._first = len(study.entries)
            write_study(study.with_profiles(request.profile_name for request in requests))
        if self._first:
            output.message(
                f"The study {name} exists with {counted(self._first, 'profile')}. "
                "The new runs are added to it"
            )
        self.refusals: dict[int, str] = {}
        """Reasons of refusals by index of the request."""
        for index, refusal in refusals.items():
            self._refuse(index, refusal)

    def start(self, index: int) -> Path | None:
        """Start a run and return its folder, or None if the profile is refused.

        Args:
            index: Index of the request.
        """
        if index in self.refusals:
            return None
        try:
            folder = start_runner(self._requests[index])
        except LoadbenchError as error:
            self._refuse(index, error)
            return None
        name = self._requests[index].profile_name
        self._record(index, StudyEntry(profile=name, run=folder.name))
        return folder

    def finish(self, *, as_json: bool) -> Exit:
        """Print the ranking, write the page, and return the exit code.

        Args:
            as_json: Whether stdout is for the JSON of the runs, so that nothing else is printed.
        """
        try:
            study = read_study(self._folder)
        except StudyError as error:
            output.message(f"warning: {error}")
            return Exit.FAILED
        code = Exit.DONE
        if as_json:
            self.print_place()
        else:
            try:
                print_study(rank_study(study))
            except OutputError as error:
                code = report_output_error(error)
        write_study_page(study)
        return code

    def print_place(self) -> None:
        """Print where the study is, and how to show it."""
        name = f"{STUDIES}/{self._folder.name}"
        output.message(
            f"The runs of the study are listed in {self._folder / STUDY_FILE}. "
            f"To print its ranking: loadbench-tui report {shlex.quote(name)}"
        )

    def _refuse(self, index: int, error: LoadbenchError) -> None:
        name, text = self._requests[index].profile_name, refusal_text(error)
        self.refusals[index] = text
        output.message(f"{name} was refused and is left out: {error}")
        self._record(index, StudyEntry(profile=name, refused=text))

    def _record(self, index: int, entry: StudyEntry) -> None:
        """Write an entry. Its run is not disturbed if that fails, and can be reported alone."""
        try:
            # Another command may have added profiles to the study, after those of this one.
            with locked_study(self._folder):
                write_study(read_study(self._folder).with_entry(self._first + index, entry))
        except (StudyError, JournalError, IndexError) as error:
            output.message(
                f"warning: the study does not list the run of {entry.profile}: {error}. Its "
                "results are in its folder"
            )


def refusal_text(error: LoadbenchError) -> str:
    """Return an error message in one line, with its lines as clauses."""
    lines = filter(None, map(str.strip, str(error).splitlines()))
    return "; ".join(lines).replace(":; ", ": ") or type(error).__name__


def _refusal(request: RunRequest) -> LoadbenchError | None:
    """Return why a run would be refused, or None if it would start.

    Raises:
        UsageError: The profile or its workspace is invalid.
    """
    try:
        preview(request)
    except UsageError:
        raise
    except LoadbenchError as error:
        return error
    return None
