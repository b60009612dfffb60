"""Find the events of a run that the user missed, and open the catch-up window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.profile.model import Profile
from loadbench.engine.report.highlights import Highlight, highlights_since
from loadbench.errors import JournalError
from loadbench.ui.background import in_background
from loadbench.ui.catch_up.lines import catch_up_title, summary
from loadbench.ui.catch_up.seen import recall, remember_in_background
from loadbench.ui.catch_up.state import CatchUpAction, StateMachine
from loadbench.ui.catch_up.tracker import SeenTracker
from loadbench.ui.catch_up.window import CatchUpWindow
from loadbench.ui.following.follower import View
from loadbench.ui.run_base import BaseRunScreen


@dataclass(frozen=True, slots=True)
class _News:
    """Content of the window."""

    since: datetime
    """When the run was last seen."""
    highlights: Sequence[Highlight]
    """The missed events, in order. Empty if the runner was killed and nothing else was missed."""


class CatchUp:
    """Record the position up to which the user has seen a run, and show the missed events.

    Args:
        screen: The run's screen.
        choose: Moves the cursor to the cell with a given key.
    """

    def __init__(self, screen: BaseRunScreen, choose: Callable[[str], object]) -> None:
        self._screen, self._choose = screen, choose
        self._machine, self._tracker = StateMachine(), SeenTracker()
        self._view: View | None = None
        self._profile: Profile | None = None
        self._news: _News | None = None

    @property
    def is_ready(self) -> bool:
        """Whether the missed events are known, even if there are none."""
        return self._machine.is_ready

    @property
    def has_news(self) -> bool:
        """Whether there is something for the window to show."""
        return self._machine.has_news

    def on_view_shown(self, view: View, profile: Profile) -> None:
        """Handle a newly drawn view of the run."""
        self._view, self._profile = view, profile
        clock_s = self._screen.context.clock()
        match self._machine.on_view_shown(is_in_front=self._is_in_front):
            case CatchUpAction.LOAD:
                self._tracker.on_user_input(clock_s=clock_s)
                self._screen.run_worker(self._load(view))
            case CatchUpAction.OPEN_WINDOW:
                self._push_window()
        if self._tracker.is_watched(clock_s=clock_s):
            self._mark_seen()

    def on_user_input(self) -> None:
        """Handle a key press or a mouse movement."""
        self._tracker.on_user_input(clock_s=self._screen.context.clock())
        self._machine.on_user_input()
        self._mark_seen()

    def open_window(self) -> None:
        """Open the window now, or when the window that covers the screen closes."""
        if self._machine.on_window_requested(is_in_front=self._is_in_front):
            self._push_window()

    def save(self) -> None:
        """Save the last seen position in the background."""
        if seen := self._tracker.take_unsaved():
            remember_in_background(self._screen.folder, seen)

    @property
    def _is_in_front(self) -> bool:
        return self._screen.app.screen is self._screen

    async def _load(self, view: View) -> None:
        """Read the events between the last seen position and this view."""
        folder = self._screen.folder
        saved = await in_background(recall, folder)
        highlights: Sequence[Highlight] = ()
        if saved and saved.seq < view.seq:
            try:
                highlights = await in_background(_read_highlights, folder, saved.seq)
            except JournalError:
                self._machine.on_journal_unreadable()
                return
        # A killed runner cannot write an entry to the journal.
        was_killed = saved and saved.live and view.run.was_killed
        self._tracker.start(saved)
        if saved and self._screen.is_attached and (highlights or was_killed):
            self._news = _News(saved.at, highlights)
            action = self._machine.on_news_found(is_in_front=self._is_in_front)
            self._screen.refresh_bindings()
            if action:
                self._push_window()
        else:
            self._machine.on_nothing_missed()
        self._mark_seen()

    def _push_window(self) -> None:
        view, profile, news = self._view, self._profile, self._news
        assert view is not None
        assert profile is not None
        assert news is not None
        context = self._screen.context
        now = context.now()
        title = catch_up_title((now - news.since).total_seconds())
        elapsed_s = view.elapsed_s(context.clock())
        summary_line = summary(news.highlights, view.run, profile, elapsed_s)
        window = CatchUpWindow(title, summary_line, news.highlights, now, context.glyphs)
        self._screen.app.push_screen(window, self._on_closed)

    def _on_closed(self, cell: str | None) -> None:
        if cell:
            self._choose(cell)

    def _mark_seen(self) -> None:
        """Record the current view as seen, unless the user still has to acknowledge news."""
        if self._view is None or not self._machine.may_mark_seen:
            return
        context = self._screen.context
        due = self._tracker.mark_seen(self._view, clock_s=context.clock(), now=context.now())
        if due:
            remember_in_background(self._screen.folder, due)


def _read_highlights(folder: Path, seq: int) -> tuple[Highlight, ...]:
    reader = JournalReader(folder)
    return highlights_since(reader.decode_all(reader.wanted(max_samples=0)), seq)
