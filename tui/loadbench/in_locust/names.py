"""Limits the number of distinct names of requests, and of error messages by name."""

from loadbench.engine.journal.request_names import MAX_COUNTED_NAMES, is_named
from loadbench.engine.journal.request_names import OTHER_REQUESTS as OTHER_NAME

Name = tuple[str, str]
"""Method and name of requests."""

OTHER_REQUESTS: Name = ("", OTHER_NAME)
"""Stands for all further names."""

MAX_NAMES_BYTES = 450_000
"""Maximum size of the names of a cell in its files, with the numbers of each. Locust's report has
about 950 kB without any name, so a cell needs at most `engine.profile.plan.REPORT_BYTES`."""
MAX_MAIN_NAMES = 20
"""Maximum number of names of main requests that are always counted apart. They differ in method."""
_ENTRY_BYTES = 1_500
"""Approximate size of the numbers and histograms of a name in all files together."""
_OCCURRENCES = 8
"""Number of times that a name is written: in the journal, the report and the log."""
MAX_ERROR_ROWS = 50
"""Number of rows in Locust's table of errors, which has one for each name and message. Further
messages share a row for each name."""


def bytes_of(name: Name) -> int:
    """Return the size of a name in bytes."""
    method, own = name
    return len(method.encode()) + len(own.encode())


class NameLimit:
    """Decides which names of a cell are counted apart: the first ones, up to a total size.

    Args:
        main: Name of the main requests, which are always counted apart. None: there are none.
    """

    def __init__(self, main: str | None = None) -> None:
        self._main = main
        self._num_main = 0
        self._left = MAX_NAMES_BYTES
        self._apart: set[Name] = set()
        self._further: set[int] = set()
        self.example = ""
        """The first name that is counted with others."""
        self._error_rows: set[tuple[Name, str]] = set()

    @property
    def further(self) -> int:
        """Number of names that are counted together, at most `MAX_COUNTED_NAMES`."""
        return len(self._further)

    def name(self, name: Name) -> Name:
        """Return the name under which a request is counted: its own or `OTHER_REQUESTS`."""
        if name in self._apart:
            return name
        size = _ENTRY_BYTES + _OCCURRENCES * bytes_of(name)
        is_kept = self._num_main < MAX_MAIN_NAMES and self.is_main(name)
        if size <= self._left or is_kept:
            self._left = max(0, self._left - size)
            self._num_main += is_kept
            self._apart.add(name)
            return name
        # Once a name does not fit, later ones are not counted apart either, however short.
        self._left = 0
        self.example = self.example or name[1]
        if len(self._further) < MAX_COUNTED_NAMES:
            self._further.add(hash(name))
        return OTHER_REQUESTS

    def is_main(self, name: Name) -> bool:
        """Return whether requests with a name are main requests."""
        return self._main is not None and is_named(*name, self._main)

    def error_row(self, name: Name, error: str, others: str) -> str:
        """Return the error message of a row in Locust's table: its own or that of all others.

        Args:
            name: The name under which the request is counted.
            error: Its error message.
            others: The message that stands for all others.
        """
        row = (name, error)
        if row not in self._error_rows:
            if len(self._error_rows) >= MAX_ERROR_ROWS:
                return others
            self._error_rows.add(row)
        return error
