"""The end of a log file, as it grows."""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

from loadbench.engine.files import Tail
from loadbench.engine.journal.service_log import FILE_NAME, Said, parse
from loadbench.ui.lines.service_log import said_line
from loadbench.ui.lines.text import Line, Tone, line, plain
from loadbench.ui.widgets.line_view import TailView

LINES_KEPT = 5_000
_LAST_BYTES = 512 * 1024


class LogView(TailView):
    """Shows a file from its last half a mebibyte on, and follows it while its end is in view."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._tail: Tail | None = None
        self._who = ""
        self._wanted = ""
        self._empty = "nothing was said yet"
        self._all: deque[Line] = deque(maxlen=LINES_KEPT)

    @property
    def path(self) -> Path | None:
        """The file that is shown; None: none is."""
        return self._tail.path if self._tail else None

    @property
    def kept(self) -> int:
        """How many lines there are to show, whatever is searched for."""
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
        self._open(Tail(path, last_bytes=_LAST_BYTES))

    def open_of(
        self, path: Path, name: str, said: Sequence[Said], offset: int, *, empty: str
    ) -> None:
        """Show what one service says.

        Args:
            path: The file of all services.
            name: Of the service's container or process.
            said: What it said last.
            offset: How far the file was read for that.
            empty: What is shown where that is nothing.
        """
        self._empty = empty
        self._open(Tail(path, offset=offset), name, said)

    def refresh_tail(self) -> None:
        """Show what was added since the last call."""
        if self._tail is None:
            return
        try:
            if self._tail.unread_bytes() > _LAST_BYTES:
                # Nobody looked for long: to take in all of it would take its time.
                self._all.clear()
                self._tail = Tail(self._tail.path, last_bytes=_LAST_BYTES)
            new = self._tail.poll()
        except FileNotFoundError:
            return
        except OSError as error:
            self.show([line((f"{self._tail.path}: {error.strerror}", Tone.BAD))])
            self._tail = None
            return
        told = [it for it in map(self._line, new) if it is not None]
        if told:
            self._all.extend(told)
            self._show_wanted()

    def wait(self) -> None:
        """Show nothing more of a file, until another one is opened."""
        self._tail = None
        self._all.clear()
        self.show([line(("reading…", Tone.DIM))])

    def search(self, wanted: str) -> None:
        """Show those lines alone that have a text in them, in whatever case; empty: all."""
        self._wanted = wanted.lower()
        self._show_wanted()

    def _open(self, tail: Tail, name: str = "", said: Sequence[Said] = ()) -> None:
        self._tail, self._who = tail, name
        self._all.clear()
        self._all.extend(said_line(it, named=False) for it in said)
        self._show_wanted()
        self.refresh_tail()
        self.scroll_end(animate=False)

    def _line(self, raw: bytes) -> Line | None:
        """Return a line of the file; None: somebody else said it."""
        if self._tail and self._tail.path.name != FILE_NAME:
            return line(raw.decode("utf-8", "replace").rstrip("\r"))
        said = parse(raw)
        if self._who and said.name != self._who:
            return None
        return said_line(said, named=not self._who)

    def _show_wanted(self) -> None:
        wanted = [it for it in self._all if self._wanted in plain(it).lower()]
        if wanted:
            self.show(wanted)
        elif self._all:
            self.show([line(("no line has that", Tone.DIM))])
        else:
            self.show([line((self._empty, Tone.DIM))])
