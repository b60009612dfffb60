"""Base class of the app: order of keys and requests, broadcasts, key names, and shutdown."""

import asyncio
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.text import Text
from textual import events, on
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.keys import format_key
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widget import Widget

from loadbench.engine.run_reader import Run
from loadbench.ui.context import UiContext
from loadbench.ui.lines.glyphs import in_ascii
from loadbench.ui.messages import (
    Broadcast,
    NotificationsChanged,
    Request,
    ScreenOpened,
    UserActive,
)
from loadbench.ui.notifications import Notification, Notifications
from loadbench.ui.terminal.alerts import alert
from loadbench.ui.terminal.cell_diff import CellDiffApp, cell_driver
from loadbench.ui.terminal.shutdown import ExitHandler, write_crash
from loadbench.ui.terminal.themes import OTHER, THEMES
from loadbench.ui.widgets.screen import BaseScreen
from loadbench.ui.widgets.too_small import is_too_small

_KEY_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "space": "Space",
    "tab": "Tab",
    "backspace": "Backspace",
    "home": "Home",
    "end": "End",
    "pageup": "Page Up",
    "pagedown": "Page Down",
    "delete": "Delete",
    "insert": "Insert",
}
"""Names of the keys that Textual names differently."""
_KEY_NAMES_IN_ASCII = {"up": "Up", "down": "Down", "left": "Left", "right": "Right"}
"""Names of the arrow keys for ASCII terminals, instead of arrows."""
KEY_S = 1.0
"""Maximum seconds to wait until a widget has handled its messages."""
OPENING_S = 0.005
"""Seconds between two checks of whether a new screen is ready for keys."""


class BaseApp(CellDiffApp[Run | None], inherit_bindings=False):
    """Handle requests and keys in order, send broadcasts, adapt to the terminal, shut down cleanly.

    Args:
        context: The context of every screen.
    """

    ESCAPE_TO_MINIMIZE = False

    def __init__(self, context: UiContext) -> None:
        super().__init__(driver_class=cell_driver())
        self.context = context
        self.crash: Path | None = None
        self.animation_level = "none"
        self.ending: ExitHandler | None = None
        self.notifications = Notifications()
        self._alerts = context.terminal.alerts
        self._requests: deque[Request] = deque()

    async def answer(self, request: Request) -> None:
        """Carry out a request from a screen."""
        raise NotImplementedError

    def action_quit_app(self) -> None:
        """Quit; live runs continue."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Adapt the theme and the characters to the terminal, and handle its closing."""
        for theme in THEMES:
            self.register_theme(theme)
        terminal = self.context.terminal
        self.theme = terminal.theme
        self.set_class(terminal.ascii, "-ascii")
        self.set_class(is_too_small(*self.size), "-too-small")
        if terminal.settings and not self.is_headless:
            self.ending = ExitHandler(self.action_quit_app, terminal.settings)
            self.ending.watch()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return the colours that the style sheet uses in addition to Textual's."""
        return dict(THEMES[0].variables)

    def on_resize(self, event: events.Resize) -> None:
        """Show a message instead of the screen if the terminal is too small."""
        self.set_class(is_too_small(*event.size), "-too-small")

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """Return the screens that are visible behind the front one, the lowest first.

        Textual includes a screen hidden behind an opaque one. Each update then redraws the whole
        front screen, or, after a resize, only the part that the hidden screen covered before. No
        upstream issue known (searched 2026-11). Can go when Textual excludes hidden screens.
        """
        return super()._background_screens if self.screen.styles.background.a < 1 else []

    @property
    def front_may_quit(self) -> bool:
        """Whether the front screen has nothing to lose. If it has, it asks the user what to do."""
        front = self.screen
        return not isinstance(front, BaseScreen) or front.may_quit()

    # Messages

    def send(self, message: Broadcast) -> None:
        """Send a message to every screen."""
        for screen in self.screen_stack:
            screen.post_message(message)

    def post_message(self, message: Message) -> bool:
        """Queue a message; a request is carried out before the next key."""
        if isinstance(message, Request):
            self._requests.append(message)
        return super().post_message(message)

    async def on_event(self, event: events.Event) -> None:
        """Before each input event, carry out pending requests and send `UserActive`."""
        if isinstance(event, events.InputEvent):
            await self._carry_out()
            await self._until_open()
            if self._exit:
                return
            self.send(UserActive())
        if isinstance(event, events.Key) and not event.is_forwarded:
            await self._handle_key(event)
        else:
            await super().on_event(event)

    async def _handle_key(self, event: events.Key) -> None:
        """Handle a key before the next one, so that keys typed quickly take effect in order.

        Textual sends a key to the focused widget, from where it returns to the app for the
        bindings. A key after it may reach the widget that the first one moves the focus from. No
        upstream issue known (searched 2026-11). Can go when Textual handles keys one at a time.
        """
        # The screen must know that the user is active before a key closes it.
        await self._until_handled(self.screen)
        focused = self.focused
        is_text = focused is not None and focused.check_consume_key(event.key, event.character)
        if not is_text:
            for priority in (True, False):
                if await self._check_bindings(event.key, priority=priority):
                    return
        await super().on_event(event)
        if focused is not None:
            await self._until_handled(focused)

    async def _until_handled(self, target: Widget) -> None:
        """Wait until a widget has handled the messages in its queue, for a limited time."""
        if target.is_running:
            handled = asyncio.Event()
            target.call_later(handled.set)
            with suppress(TimeoutError):
                await asyncio.wait_for(handled.wait(), KEY_S)

    @on(Request)
    async def _carry_out(self) -> None:
        """Carry out requests from the front screen, and drop those from other screens."""
        while self._requests:
            request = self._requests.popleft()
            if request.sender is self.screen:
                await self.answer(request)

    async def _until_open(self) -> None:
        """Wait until a screen that is being opened is ready for the next key."""
        # No upstream issue known (searched 2026-11). Can go when Textual queues such keys.
        while self.screen_stack and not (self.screen.is_mounted or self._exit):
            await asyncio.sleep(OPENING_S)

    # Actions that work everywhere

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a message above the footer, and keep it in the list of notifications.

        Args:
            message: The text. It is never interpreted as markup, because paths and the output of
                services may contain brackets.
            title: Text before the message, or empty.
            severity: Selects the symbol and the colour.
            timeout: Seconds until the message disappears, or None for the default.
            markup: Ignored.
        """
        text = f"{title}: {message}" if title else message
        at = self.context.now().isoformat()
        self._show(self.notifications.add(Notification(at, text, severity)))
        newest = self.notifications.shown[0]
        self.set_timer(
            timeout or self.NOTIFICATION_TIMEOUT,
            lambda: self._show(self.notifications.expire(newest)),
        )

    def _show(self, notifications: Notifications) -> None:
        self.notifications = notifications
        self.send(NotificationsChanged(notifications.shown))

    @on(ScreenOpened)
    def _show_on(self, report: ScreenOpened) -> None:
        report.screen.post_message(NotificationsChanged(self.notifications.shown))

    def call_user(self, text: str) -> None:
        """Ring the terminal bell and show a desktop notification, unless alerts are off."""
        if self._alerts and self._driver and not self.is_headless:
            self._driver.write(alert(text))

    def get_key_display(self, binding: Binding) -> str:
        """Return the name of a key, such as `Enter` or `Ctrl+C`, in characters the terminal has."""
        if binding.key_display:
            return binding.key_display
        *modifiers, key = binding.key.split("+")
        is_ascii = self.context.terminal.ascii
        names = {**_KEY_NAMES, **_KEY_NAMES_IN_ASCII} if is_ascii else _KEY_NAMES
        name = names.get(key) or format_key(key)
        if modifiers:
            name = name.upper() if len(name) == 1 else name
            return "+".join([*map(str.capitalize, modifiers), name])
        return in_ascii(name) if is_ascii else name

    def action_toggle_theme(self) -> None:
        """Switch between the light and the dark theme."""
        self.theme = OTHER[self.theme]

    def action_toggle_alerts(self) -> None:
        """Turn alerts on or off: bell and notification when a run ends or a cell fails."""
        self._alerts = not self._alerts
        effect = "Bell and notification" if self._alerts else "No bell or notification"
        title = "Alerts on" if self._alerts else "Alerts off"
        self.notify(f"{effect} when a run ends or a cell fails", title=title)

    def action_redraw(self) -> None:
        """Redraw the whole screen."""
        self.forget_screen()
        self.refresh(layout=True)

    # Shutdown

    def _handle_exception(self, error: Exception) -> None:
        """Ignore missing widgets once the app has started to exit."""
        # Textual still runs handlers of widgets that it has removed. Can go when
        # https://github.com/Textualize/textual/issues/5325 is closed.
        if not (self._exit and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Write the traceback of an internal error to a file, and exit without printing it."""
        self.crash, text = write_crash()
        self._exit_renderables.append(Text(text))
        self._close_messages_no_wait()
