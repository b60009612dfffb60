"""The tail of a log file, followed as the file grows."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from loadbench.engine.files import Tail
from loadbench.engine.journal.service_log import FILE_NAME, LOCUST_FILE_NAME, LogLine, parse
from loadbench.ui.background import in_background
from loadbench.ui.lines.service_log import log_line
from loadbench.ui.lines.text import Line, Tone, line, plain
from loadbench.ui.widgets.line_view import TailView

MAX_LOG_LINES = 5_000
_LAST_BYTES = 512 * 1024
_EMPTY = line(("No log output yet", Tone.DIM))
_LOADING = line(("Loading…", Tone.DIM))


@dataclass(slots=True, eq=False)
class _LogSource:
    """The file that is shown. `read` blocks, so call it in the background."""

    tail: Tail
    service: str = ""
    """Container or process whose lines are shown. Empty for all lines."""
    has_skipped: bool = False
    """Whether the last read skipped lines, so that there is a gap before the new ones."""

    def read(self) -> list[Line]:
        """Return the lines added since the last call.

        Raises:
            OSError: The file does not exist or cannot be read.
        """
        # After a long pause, reading all added lines would take too long.
        self.has_skipped = self.tail.unread_bytes() > _LAST_BYTES
        if self.has_skipped:
            self.tail = Tail(self.tail.path, last_bytes=_LAST_BYTES)
        added = map(self._line, self.tail.poll())
        return [line for line in added if line is not None]

    def _line(self, raw: bytes) -> Line | None:
        """Return a styled line, or None if it belongs to another service."""
        parsed = parse(raw)
        is_locust = self.tail.path.name == LOCUST_FILE_NAME and parsed.at
        if is_locust:
            return log_line(parsed, named=False)
        if self.tail.path.name != FILE_NAME:
            return line(raw.decode("utf-8", "replace").rstrip("\r"))
        if self.service and parsed.name != self.service:
            return None
        return log_line(parsed, named=not self.service)


class LogView(TailView):
    """Show the last 512 KiB of a file, and follow new lines while the end is in view.

    The file is read in the background, one read at a time.
    """

    class Updated(Message):
        """The lines shown have changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # the name that Textual uses
        super().__init__(id=id)
        self._source: _LogSource | None = None
        self._search_text = ""
        self._placeholder = _EMPTY
        """Text to show if there are no lines. It is `_LOADING` before the first read."""
        self._all: deque[Line] = deque(maxlen=MAX_LOG_LINES)
        self._is_reading = False
        self._is_stale = False

    @property
    def path(self) -> Path | None:
        """The file that is shown, or None if no file is open."""
        return self._source.tail.path if self._source else None

    @property
    def is_reading(self) -> bool:
        """Whether the file is being read."""
        return self._is_reading

    @property
    def kept(self) -> int:
        """Number of lines in memory, including those that do not match the search."""
        return len(self._all)

    @property
    def wanted(self) -> str:
        """The search text in lower case. Empty without a search."""
        return self._search_text

    @property
    def found(self) -> int:
        """Number of lines that match the search."""
        return sum(self._search_text in plain(line).lower() for line in self._all)

    def open(self, path: Path) -> None:
        """Open a file and show its tail."""
        self._open(_LogSource(Tail(path, last_bytes=_LAST_BYTES)), _LOADING)

    def open_service_log(
        self, path: Path, name: str, first: Sequence[LogLine], offset: int, *, empty: str
    ) -> None:
        """Show the log lines of one service.

        Args:
            path: The log file, which holds the lines of all services.
            name: Name of the container or process.
            first: The last log lines of the service, which have already been read.
            offset: Position in bytes up to which the file has been read.
            empty: Text to show if there are no lines.
        """
        lines = [log_line(entry, named=False) for entry in first]
        source = _LogSource(Tail(path, offset=offset), name)
        self._open(source, line((empty, Tone.DIM)), lines)

    def refresh_tail(self) -> None:
        """Read and show the lines added since the last read."""
        if self._source is None:
            return
        self._is_stale = True
        if not self._is_reading:
            self._is_reading = True
            self.run_worker(self._read())

    def wait(self) -> None:
        """Show the loading text until a file is opened."""
        self._open(None, _LOADING)

    def fail(self, path: Path, error: OSError) -> None:
        """Show the error that prevents reading a file."""
        self._open(None, line((f"Cannot read {path}: {error.strerror}", Tone.BAD)))

    def search(self, query: str) -> None:
        """Show only lines that contain a text, ignoring case. An empty text matches all lines."""
        self._search_text = query.lower()
        self._show_matching()

    def _open(
        self, source: _LogSource | None, placeholder: Line, lines: Sequence[Line] = ()
    ) -> None:
        self._source = source
        self._placeholder = placeholder
        self._all.clear()
        self._all.extend(lines)
        self._show_matching()
        self.scroll_end(animate=False)
        self.refresh_tail()

    async def _read(self) -> None:
        """Read the file, and repeat this if another read was requested meanwhile."""
        try:
            while self._is_stale and (source := self._source):
                self._is_stale = False
                lines: Sequence[Line] = ()
                problem: OSError | None = None
                try:
                    lines = await in_background(source.read)
                except FileNotFoundError:
                    pass  # it may be created later
                except OSError as error:
                    problem = error
                if source is not self._source:
                    continue  # another file was opened meanwhile
                if problem:
                    self.fail(source.tail.path, problem)
                else:
                    self._show_read(source, lines)
        finally:
            self._is_reading = False

    def _show_read(self, source: _LogSource, lines: Sequence[Line]) -> None:
        is_first = self._placeholder is _LOADING
        if not lines and not is_first:
            return
        if source.has_skipped:
            self._all.clear()
        self._all.extend(lines)
        if is_first:
            self._placeholder = _EMPTY
        self._show_matching()
        if is_first:
            self.scroll_end(animate=False)
        self.post_message(self.Updated())

    def _show_matching(self) -> None:
        matching = [line for line in self._all if self._search_text in plain(line).lower()]
        if matching:
            self.show(matching)
        elif self._all:
            self.show([line(("No matching lines", Tone.DIM))])
        else:
            self.show([self._placeholder])
