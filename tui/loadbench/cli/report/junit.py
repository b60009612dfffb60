"""The JUnit XML file of a command."""

from pathlib import Path

from loadbench.cli import output
from loadbench.cli.exit_codes import Exit
from loadbench.engine.report.export.junit_xml import JUnitSuite, write_junit
from loadbench.errors import JournalError


class JUnitFile:
    """A JUnit XML file, which is complete after each added suite.

    Args:
        path: The file. None if none was requested: nothing is written.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._suites: list[JUnitSuite] = []

    def add(self, suite: JUnitSuite) -> Exit:
        """Write the file with one more suite, and return the exit code.

        A file that cannot be written does not keep the command from measuring or printing results.
        """
        if self._path is None:
            return Exit.DONE
        self._suites.append(suite)
        try:
            write_junit(self._path, self._suites)
        except JournalError as error:
            output.message(f"cannot write the JUnit file {error}")
            return Exit.FAILED
        return Exit.DONE
