"""What happened in a run while nobody looked at it: remembered, found out, told in a window."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import OVER
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.highlights import Highlight, highlights_since
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import JournalError
from loadbench.ui.background import in_background
from loadbench.ui.follow import View
from loadbench.ui.present.glyphs import Glyphs
from loadbench.ui.present.lines import Line
from loadbench.ui.present.since import since_entries, since_title, summary
from loadbench.ui.screens.dialogs import Dialog
from loadbench.ui.seen import Seen, recall, remember
from loadbench.ui.widgets.matrix import MatrixView
from loadbench.ui.widgets.menu import Menu

if TYPE_CHECKING:
    from loadbench.ui.screens.run import RunScreen

WATCHED_S = 120.0
"""How long somebody is taken to look after the last key or movement of the mouse: that a connection
is lost, the server may notice many minutes later."""
SAVE_S = 10.0
"""How often what was seen is kept while somebody looks."""


class Absence:
    """Remembers how far a run was seen on a screen, and tells whoever comes back what they missed.

    Args:
        screen: The run's screen.
    """

    def __init__(self, screen: "RunScreen") -> None:
        self._screen = screen
        self._view: View | None = None
        self._profile: Profile | None = None
        self._touched_at = float("-inf")
        self._since: Seen | None = None
        self._highlights: Sequence[Highlight] = ()
        self._asked = False
        self._looked = False
        self._waits = False
        self._untold = False
        self._seen: Seen | None = None
        self._kept: Seen | None = None
        self._kept_at = float("-inf")
        self._kept_news: tuple[object, ...] = ()

    @property
    def looked(self) -> bool:
        """Whether it is known what happened, be it nothing."""
        return self._looked

    @property
    def is_told(self) -> bool:
        """Whether there is something to tell."""
        return self._since is not None

    def on_shown(self, view: View, profile: Profile) -> None:
        """Take note that a view of the run is on the screen."""
        self._view, self._profile = view, profile
        app = self._screen.app
        if not self._asked:
            self._asked = True
            self._touched_at = app.clock()
            self._screen.run_worker(self._look(view))
        elif self._waits:
            self.tell()
        if app.clock() - self._touched_at < WATCHED_S:
            self._note()

    def on_touched(self) -> None:
        """Take note that somebody is there: a key was pressed, or the mouse moved."""
        self._touched_at = self._screen.app.clock()
        self._untold = self._waits
        self._note()

    def keep(self) -> None:
        """Remember now how far the run was seen."""
        if self._seen and self._seen != self._kept:
            self._kept = self._seen
            remember(self._screen.folder, self._seen)

    def tell(self) -> None:
        """Open the window, unless another one is in front."""
        screen, view = self._screen, self._view
        if self._since is None or view is None or self._profile is None:
            return
        self._waits = screen.app.screen is not screen
        if self._waits:
            return
        now = screen.app.now()
        elapsed_s = view.elapsed_s(screen.app.clock())
        told = summary(self._highlights, view.run, self._profile, elapsed_s)
        title = since_title((now - self._since.at).total_seconds())
        window = SinceWindow(title, told, self._highlights, now, screen.app.glyphs)
        screen.app.push_screen(window, self._on_closed)

    def _on_closed(self, cell: str | None) -> None:
        if cell:
            self._screen.post_message(MatrixView.Chosen(cell))

    async def _look(self, view: View) -> None:
        """Find out what happened between the last time and this view."""
        folder, since = self._screen.folder, await in_background(recall, self._screen.folder)
        highlights: Sequence[Highlight] = ()
        if since and since.seq < view.seq:
            try:
                highlights = await in_background(_read_since, folder, since.seq)
            except JournalError:
                return  # whoever follows the run says so
        killed = since and since.live and view.run.status is RunStatus.INTERRUPTED
        self._looked, self._seen, self._kept = True, since, since
        if self._screen.is_attached and (highlights or killed):
            self._since, self._highlights = since, highlights
            self._untold = True
            self._screen.refresh_bindings()
            self.tell()
        self._note()

    def _note(self) -> None:
        """Take the view on the screen as seen; what is over is remembered if it was seen live."""
        view = self._view
        if view is None or not self._looked or self._untold:
            return
        live = view.run.status is RunStatus.LIVE
        if not live and self._seen is None:
            return
        app = self._screen.app
        self._seen = Seen(seq=view.seq, live=live, at=app.now())
        news = _news(view.run)
        if news != self._kept_news and app.clock() - self._kept_at >= SAVE_S:
            self._kept, self._kept_at, self._kept_news = self._seen, app.clock(), news
            self._screen.run_worker(in_background(remember, self._screen.folder, self._seen))


class SinceWindow(Dialog[str | None]):
    """Tells what happened; gives the cell that somebody wants to go to.

    Args:
        title: How long ago that began.
        told: The summary.
        highlights: What happened, in order.
        now: The time of day.
        glyphs: The signs.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "go to the cell"),
        Binding("escape,w,q,enter", "close", "close", key_display="esc"),
    ]

    def __init__(
        self,
        title: str,
        told: Line,
        highlights: Sequence[Highlight],
        now: datetime,
        glyphs: Glyphs,
    ) -> None:
        super().__init__(classes="-since")
        self._title, self._told, self._highlights = title, told, highlights
        self._now, self._glyphs = now, glyphs

    def compose_window(self) -> ComposeResult:
        """Lay out the list."""
        with Vertical() as window:
            window.border_title = Text(self._title)
            window.border_subtitle = "w opens it again"
            yield Menu(id="since")

    def on_mount(self) -> None:
        """Begin at the top."""
        self.query_one(Menu).focus()

    def paint(self) -> None:
        """Show what is told, in the width that there is."""
        menu = self.query_one(Menu)
        columns = (menu.columns or 60) - 1
        entries = since_entries(self._highlights, self._told, columns, self._now)
        menu.show_entries(entries, self._glyphs)

    @property
    def _cell(self) -> str | None:
        """The cell that the entry under the cursor is about."""
        key = self.query_one(Menu).key
        return self._highlights[int(key)].cell if key else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to go to a cell where there is one."""
        return action != "choose" or self._cell is not None

    def on_menu_moved(self) -> None:
        """Offer what the entry allows."""
        self.refresh_bindings()

    def on_menu_selected(self) -> None:
        """Go to the cell of the entry that was clicked twice."""
        self.action_choose()

    def action_choose(self) -> None:
        """Go to the cell of the entry under the cursor."""
        self.dismiss(self._cell)

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)


def _read_since(folder: Path, seq: int) -> tuple[Highlight, ...]:
    reader = JournalReader(folder)
    return highlights_since(reader.decode_all(reader.wanted(max_samples=0)), seq)


def _news(run: Run) -> tuple[object, ...]:
    """Return what changes when something important comes."""
    return run.status, run.state.count(*OVER), run.state.messages[-1:]
