"""What happened in a run while it was not watched: kept, found, shown."""

from collections.abc import Callable, Sequence
from pathlib import Path

from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.state import OVER
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.highlights import Highlight, highlights_since
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.errors import JournalError
from loadbench.ui.background import in_background
from loadbench.ui.catch_up.lines import since_title, summary
from loadbench.ui.catch_up.seen import Seen, recall, remember
from loadbench.ui.catch_up.window import SinceWindow
from loadbench.ui.following.follower import View
from loadbench.ui.run_base import OfRun

WATCHED_S = 120.0
"""How long somebody is taken to look after the last key or movement of the mouse: that a connection
is lost, the server may notice many minutes later."""


SAVE_S = 10.0
"""How often what was seen is kept while somebody looks."""


class Absence:
    """Remembers how far a run was seen on a screen, and tells whoever comes back what they missed.

    Args:
        screen: The run's screen.
        choose: Goes to a cell of it.
    """

    def __init__(self, screen: OfRun, choose: Callable[[str], object]) -> None:
        self._screen, self._choose = screen, choose
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
            self._choose(cell)

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


def _read_since(folder: Path, seq: int) -> tuple[Highlight, ...]:
    reader = JournalReader(folder)
    return highlights_since(reader.decode_all(reader.wanted(max_samples=0)), seq)


def _news(run: Run) -> tuple[object, ...]:
    """Return what changes when something important comes."""
    return run.status, run.state.count(*OVER), run.state.messages[-1:]
