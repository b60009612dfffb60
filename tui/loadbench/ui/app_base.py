"""What the app does for every screen: the order of keys and requests, news, and the end."""

import asyncio
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.text import Text
from textual import events, on
from textual.app import SystemCommand
from textual.binding import Binding
from textual.css.query import NoMatches
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen

from loadbench.engine.run_reader import Run
from loadbench.ui.context import UiContext
from loadbench.ui.lines.glyphs import in_ascii
from loadbench.ui.messages import Broadcast, Request, UserActive
from loadbench.ui.terminal.alerts import alert
from loadbench.ui.terminal.cell_diff import CellDiffApp, cell_driver
from loadbench.ui.terminal.shutdown import ExitHandler, write_crash
from loadbench.ui.terminal.themes import OTHER, THEMES
from loadbench.ui.widgets.too_small import is_too_small

_ARROWS = ("up", "down", "left", "right")
OPENING_S = 0.005
"""Interval of checking whether a screen has been opened, before it gets a key."""


class BaseApp(CellDiffApp[Run | None], inherit_bindings=False):
    """Carries out requests in order with keys, sends news, knows the terminal, ends in order.

    Args:
        context: What every screen is given.
    """

    ESCAPE_TO_MINIMIZE = False

    def __init__(self, context: UiContext) -> None:
        super().__init__(driver_class=cell_driver())
        self.context = context
        self.crash: Path | None = None
        self.animation_level = "none"
        self.ending: ExitHandler | None = None
        self._alerts = context.terminal.alerts
        self._requests: deque[Request] = deque()

    async def answer(self, request: Request) -> None:
        """Carry out what a screen asks for."""
        raise NotImplementedError

    def action_quit_app(self) -> None:
        """End the program; every run goes on."""
        raise NotImplementedError

    def on_mount(self) -> None:
        """Take the look that fits the terminal, and wait for its end."""
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
        """Return the colours that our style sheet has beside those of every theme."""
        return dict(THEMES[0].variables)

    def on_resize(self, event: events.Resize) -> None:
        """Show that there is no room for anything, where that is so."""
        self.set_class(is_too_small(*event.size), "-too-small")

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """Return the screens that are seen behind the one in front, the lowest first.

        Textual includes the screen behind an opaque one: each update then redraws all of the front
        screen, or after a resize only as much of it as the hidden screen has kept from before. No
        upstream issue known (searched 2026-11). Can go when Textual leaves hidden screens out.
        """
        return super()._background_screens if self.screen.styles.background.a < 1 else []

    # Messages

    def send(self, news: Broadcast) -> None:
        """Send news to every screen."""
        for screen in self.screen_stack:
            screen.post_message(news)

    def post_message(self, message: Message) -> bool:
        """Take a message; a request is kept, to be carried out before the next key."""
        if isinstance(message, Request):
            self._requests.append(message)
        return super().post_message(message)

    async def on_event(self, event: events.Event) -> None:
        """Before a key, carry out requests that wait, and send `UserActive`."""
        if isinstance(event, events.InputEvent):
            await self._carry_out()
            await self._until_open()
            if self._exit:
                return
            self.send(UserActive())
        await super().on_event(event)

    @on(Request)
    async def _carry_out(self) -> None:
        """Carry out the requests of the screen in front; one of another screen comes too late."""
        while self._requests:
            request = self._requests.popleft()
            if request.sender is self.screen:
                await self.answer(request)

    async def _until_open(self) -> None:
        """Wait for a screen that is being opened: the next key is for it."""
        # No upstream issue known (searched 2026-11). Can go when Textual holds such keys back.
        while self.screen_stack and not (self.screen.is_mounted or self._exit):
            await asyncio.sleep(OPENING_S)

    # What can be done everywhere

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a message for a while. What services and paths say is no markup."""
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def call_user(self, text: str) -> None:
        """Ring the terminal's bell and show a notification, unless alerts are switched off."""
        if self._alerts and self._driver and not self.is_headless:
            self._driver.write(alert(text))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every action that a key offers now, by its name."""
        for active in screen.active_bindings.values():
            binding = active.binding
            if active.enabled and (binding.show or binding.tooltip) and binding.description:
                target = active.node

                async def call(action: str = binding.action, node: object = target) -> None:
                    await self.run_action(action, node)  # type: ignore[arg-type]  # a DOM node

                yield SystemCommand(binding.description, binding.tooltip or "", call)

    def get_key_display(self, binding: Binding) -> str:
        """Return what a key is called, in signs that the terminal has."""
        display = super().get_key_display(binding)
        if not self.context.terminal.ascii:
            return display
        return binding.key if binding.key in _ARROWS else in_ascii(display)

    def action_toggle_theme(self) -> None:
        """Take light for dark, or dark for light."""
        self.theme = OTHER[self.theme]

    def action_toggle_alerts(self) -> None:
        """Ring and notify when a run ends or a cell fails, or do neither."""
        self._alerts = not self._alerts
        with_what = (
            "the bell and a notification" if self._alerts else "neither bell nor notification"
        )
        title = "alerts are on" if self._alerts else "alerts are off"
        self.notify(f"when a run ends or a cell fails: {with_what}", title=title)

    def action_redraw(self) -> None:
        """Paint the whole screen again."""
        self.forget_screen()
        self.refresh(layout=True)

    # The end

    def _handle_exception(self, error: Exception) -> None:
        """Take no notice of what a screen misses that the end has closed already."""
        # Both can go with https://github.com/Textualize/textual/issues/5325.
        if not (self._exit and isinstance(error, NoMatches)):
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """Write down a mistake of our own, and end without a traceback on the screen."""
        self.crash, text = write_crash()
        self._exit_renderables.append(Text(text))
        self._close_messages_no_wait()
