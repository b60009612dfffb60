"""Output of a live run on stderr: lines and, on a terminal, a progress bar below them."""

import sys
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from loadbench.cli.output import discard
from loadbench.printable import printable


class LiveOutput:
    """Context manager that prints lines above a progress bar, both made printable.

    Output that cannot be written is discarded, since the run must be followed to its end.
    """

    def __init__(self) -> None:
        self._console = _Console(stderr=True)
        self.is_terminal = self._console.is_terminal
        """Whether there is a terminal, and therefore a progress bar."""
        self._bar = Progress(
            BarColumn(bar_width=8),
            TextColumn("{task.description}", markup=False),
            console=self._console,
            transient=True,
            disable=not self.is_terminal,
            refresh_per_second=2,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> "LiveOutput":
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._bar.stop()
        except OSError:
            discard(sys.stderr)

    def line(self, text: str) -> None:
        """Print one or more lines."""
        try:
            # Wrap lines between words for people, but not for programs that read them.
            self._console.print(
                printable(text),
                markup=False,
                emoji=False,
                highlight=False,
                soft_wrap=not self.is_terminal,
            )
        except OSError:
            discard(sys.stderr)

    def show_progress(self, text: str, completed: float, total: float) -> None:
        """Update the progress bar and the text beside it."""
        self._bar.update(self._task, description=printable(text), completed=completed, total=total)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Discard further output. Rich would exit with code 1."""
        discard(sys.stderr)
