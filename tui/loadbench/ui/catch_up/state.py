"""State machine of the catch-up window. It depends on neither Textual, the clock nor files."""

from enum import StrEnum


class State(StrEnum):
    """State of the missed events: whether they are known, and whether the user has seen them."""

    IDLE = "idle"
    """No view of the run has been shown yet."""
    LOADING = "loading"
    """The missed events are being read from the journal."""
    UNREADABLE = "unreadable"
    """The journal cannot be read; the run's follower reports the error. Final state."""
    UP_TO_DATE = "up to date"
    """Nothing was missed. Final state."""
    PENDING = "pending"
    """There is news, but another window covers the screen. The catch-up window opens later."""
    OPEN = "open"
    """The window was opened, and there has been no user input since."""
    ACKNOWLEDGED = "acknowledged"
    """There has been user input since the window was opened."""
    REOPENING = "reopening"
    """Acknowledged, but requested again while another window covers the screen; no input since."""


class CatchUpAction(StrEnum):
    """An action that the caller must perform after an event."""

    LOAD = "load"
    """Read the missed events."""
    OPEN_WINDOW = "open window"
    """Open the catch-up window."""


_WITHOUT_RESULT = (State.IDLE, State.LOADING, State.UNREADABLE)
_WITH_NEWS = (State.PENDING, State.OPEN, State.ACKNOWLEDGED, State.REOPENING)
_MARKABLE = (State.UP_TO_DATE, State.ACKNOWLEDGED, State.REOPENING)


class StateMachine:
    """State machine whose `on_` methods are its events. Events without a transition are ignored.

    `is_in_front` is true if no other window covers the run's screen. In the table, an event marked
    `*` returns `OPEN_WINDOW`, and one marked `^` returns `LOAD`. The `w` key sends `request`.

    ============ ================================================================================
    state        transitions
    ============ ================================================================================
    IDLE         view shown ^: LOADING
    LOADING      nothing missed: UP_TO_DATE; unreadable: UNREADABLE; news in front *: OPEN;
                 news covered: PENDING
    PENDING      view shown or request, in front *: OPEN
    OPEN         user input: ACKNOWLEDGED; request in front *: OPEN; request covered: PENDING
    ACKNOWLEDGED request in front *: ACKNOWLEDGED; request covered: REOPENING
    REOPENING    view shown or request, in front *: ACKNOWLEDGED; user input: PENDING
    ============ ================================================================================
    """

    def __init__(self) -> None:
        self._state = State.IDLE

    @property
    def state(self) -> State:
        """The current state."""
        return self._state

    @property
    def is_ready(self) -> bool:
        """Whether the missed events are known, even if there are none."""
        return self._state not in _WITHOUT_RESULT

    @property
    def has_news(self) -> bool:
        """Whether there is something for the window to show."""
        return self._state in _WITH_NEWS

    @property
    def may_mark_seen(self) -> bool:
        """Whether a displayed view counts as seen. It does not while news is unacknowledged."""
        return self._state in _MARKABLE

    def on_view_shown(self, *, is_in_front: bool) -> CatchUpAction | None:
        """Handle a newly drawn view of the run."""
        match self._state:
            case State.IDLE:
                self._state = State.LOADING
                return CatchUpAction.LOAD
            case State.PENDING | State.REOPENING:
                return self.on_window_requested(is_in_front=is_in_front)
            case _:
                return None

    def on_nothing_missed(self) -> None:
        """Handle the end of loading if there is no news."""
        if self._state is State.LOADING:
            self._state = State.UP_TO_DATE

    def on_journal_unreadable(self) -> None:
        """Handle an error while loading."""
        if self._state is State.LOADING:
            self._state = State.UNREADABLE

    def on_news_found(self, *, is_in_front: bool) -> CatchUpAction | None:
        """Handle the end of loading if there is news."""
        if self._state is not State.LOADING:
            return None
        self._state = State.PENDING
        return self.on_window_requested(is_in_front=is_in_front)

    def on_window_requested(self, *, is_in_front: bool) -> CatchUpAction | None:
        """Handle a request to open the window."""
        match self._state:
            case State.PENDING | State.OPEN:
                self._state = State.OPEN if is_in_front else State.PENDING
            case State.ACKNOWLEDGED | State.REOPENING:
                self._state = State.ACKNOWLEDGED if is_in_front else State.REOPENING
            case _:
                return None
        return CatchUpAction.OPEN_WINDOW if is_in_front else None

    def on_user_input(self) -> None:
        """Handle a key press or a mouse movement."""
        match self._state:
            case State.OPEN:
                self._state = State.ACKNOWLEDGED
            case State.REOPENING:
                self._state = State.PENDING
