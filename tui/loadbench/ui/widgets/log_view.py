"""The end of a log file, as it grows."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message

from loadbench.engine.files import Tail
from loadbench.engine.journal.service_log import FILE_NAME, LogLine, parse
from loadbench.ui.background import in_background
from loadbench.ui.lines.service_log import log_line
from loadbench.ui.lines.text import Line, Tone, line, plain
from loadbench.ui.widgets.line_view import TailView

LINES_KEPT = 5_000
_LAST_BYTES = 512 * 1024
_EMPTY = line(("nothing was said yet", Tone.DIM))
_READING = line(("reading…", Tone.DIM))


@dataclass(slots=True, eq=False)
class _LogSource:
    """The file that is shown. `read` blocks, so it runs in the background."""

    tail: Tail
    service: str = ""
    """The name of the container or process whose lines are shown; empty: all lines."""
    has_skipped: bool = False
    """Lines were skipped by the last read: those shown before do not precede the new ones."""

    def read(self) -> list[Line]:
        """Return the lines that were added since the last call.

        Raises:
            OSError: The file does not exist or cannot be read.
        """
        # After a long time without a read, all that was added would take too long.
        self.has_skipped = self.tail.unread_bytes() > _LAST_BYTES
        if self.has_skipped:
            self.tail = Tail(self.tail.path, last_bytes=_LAST_BYTES)
        added = map(self._line, self.tail.poll())
        return [it for it in added if it is not None]

    def _line(self, raw: bytes) -> Line | None:
        """Return a line as it is shown; None: it is another service's."""
        if self.tail.path.name != FILE_NAME:
            return line(raw.decode("utf-8", "replace").rstrip("\r"))
        parsed = parse(raw)
        if self.service and parsed.name != self.service:
            return None
        return log_line(parsed, named=not self.service)


class LogView(TailView):
    """Shows a file from its last half a mebibyte on, and follows it while its end is in view.

    The file is read in the background, one read at a time.
    """

    class Updated(Message):
        """Other lines are shown than before."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._source: _LogSource | None = None
        self._wanted = ""
        self._placeholder = _EMPTY
        """What is shown where there is no line; `_READING` before the first read."""
        self._all: deque[Line] = deque(maxlen=LINES_KEPT)
        self._is_reading = False
        self._is_stale = False

    @property
    def path(self) -> Path | None:
        """The file that is shown; None: none is."""
        return self._source.tail.path if self._source else None

    @property
    def is_reading(self) -> bool:
        """Whether the file is being read."""
        return self._is_reading

    @property
    def kept(self) -> int:
        """How many lines there are without a search."""
        return len(self._all)

    @property
    def wanted(self) -> str:
        """What is searched for; empty: nothing is."""
        return self._wanted

    @property
    def found(self) -> int:
        """How many lines have it."""
        return sum(self._wanted in plain(it).lower() for it in self._all)

    def open(self, path: Path) -> None:
        """Show another file."""
        self._open(_LogSource(Tail(path, last_bytes=_LAST_BYTES)), _READING)

    def open_of(
        self, path: Path, name: str, first: Sequence[LogLine], offset: int, *, empty: str
    ) -> None:
        """Show the log lines of one service.

        Args:
            path: The file of all services.
            name: Name of the service's container or process.
            first: Its last lines, already read.
            offset: How far the file was read for these.
            empty: What is shown where there is no line.
        """
        lines = [log_line(it, named=False) for it in first]
        source = _LogSource(Tail(path, offset=offset), name)
        self._open(source, line((empty, Tone.DIM)), lines)

    def refresh_tail(self) -> None:
        """Read what was added since the last read, and show it."""
        if self._source is None:
            return
        self._is_stale = True
        if not self._is_reading:
            self._is_reading = True
            self.run_worker(self._read())

    def wait(self) -> None:
        """Show that a file is being read, until it is opened."""
        self._open(None, _READING)

    def fail(self, path: Path, error: OSError) -> None:
        """Show why a file cannot be read."""
        self._open(None, line((f"{path}: {error.strerror}", Tone.BAD)))

    def search(self, wanted: str) -> None:
        """Show the lines that contain a text, ignoring case; empty: all."""
        self._wanted = wanted.lower()
        self._show_wanted()

    def _open(
        self, source: _LogSource | None, placeholder: Line, lines: Sequence[Line] = ()
    ) -> None:
        self._source = source
        self._placeholder = placeholder
        self._all.clear()
        self._all.extend(lines)
        self._show_wanted()
        self.scroll_end(animate=False)
        self.refresh_tail()

    async def _read(self) -> None:
        """Read the file that is shown, again if that was asked for meanwhile."""
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
                    continue  # another file is shown meanwhile
                if problem:
                    self.fail(source.tail.path, problem)
                else:
                    self._show_read(source, lines)
        finally:
            self._is_reading = False

    def _show_read(self, source: _LogSource, lines: Sequence[Line]) -> None:
        is_first = self._placeholder is _READING
        if not lines and not is_first:
            return
        if source.has_skipped:
            self._all.clear()
        self._all.extend(lines)
        if is_first:
            self._placeholder = _EMPTY
        self._show_wanted()
        if is_first:
            self.scroll_end(animate=False)
        self.post_message(self.Updated())

    def _show_wanted(self) -> None:
        wanted = [it for it in self._all if self._wanted in plain(it).lower()]
        if wanted:
            self.show(wanted)
        elif self._all:
            self.show([line(("no line has that", Tone.DIM))])
        else:
            self.show([self._placeholder])
