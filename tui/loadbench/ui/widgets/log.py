"""The end of a log file, as it grows."""

from pathlib import Path

from loadbench.engine.files import Tail
from loadbench.ui.present.lines import Line, Tone, line
from loadbench.ui.widgets.lines import TailView

LINES_KEPT = 5_000
_LAST_BYTES = 512 * 1024


class LogView(TailView):
    """Shows a file from its last half a mebibyte on, and follows it while its end is in view."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's name for it
        super().__init__(id=id)
        self._tail: Tail | None = None

    @property
    def path(self) -> Path | None:
        """The file that is shown; None: none is."""
        return self._tail.path if self._tail else None

    def open(self, path: Path) -> None:
        """Show another file."""
        self._tail = Tail(path, last_bytes=_LAST_BYTES)
        self.show([line(("nothing was said yet", Tone.DIM))])
        self._empty = True
        self.refresh_tail()

    def refresh_tail(self) -> None:
        """Show what was added since the last call."""
        if self._tail is None:
            return
        try:
            new = self._tail.poll()
        except FileNotFoundError:
            return
        except OSError as error:
            self.show([line((f"{self._tail.path}: {error.strerror}", Tone.BAD))])
            self._tail = None
            return
        if not new:
            return
        before: list[Line] = [] if self._empty else list(self.lines)
        self._empty = False
        told = [line(raw.decode("utf-8", "replace").rstrip("\r")) for raw in new]
        self.show([*before, *told][-LINES_KEPT:])
