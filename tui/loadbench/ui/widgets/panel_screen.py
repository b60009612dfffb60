"""Base class of the screens whose focused panel can be maximised."""

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.binding import Binding
from textual.widget import Widget

from loadbench.ui.widgets.screen import BaseScreen

MAXIMISE_KEYS = (
    Binding("z", "maximise", "maximise", tooltip="maximise the focused panel"),
    Binding("z", "restore", "restore", tooltip="show all panels"),
    Binding("escape", "restore", "restore", show=False, tooltip="show all panels"),
)
"""Key bindings to list before a screen's own Esc binding."""

METRIC_KEY = Binding(
    "percent_sign",
    "metric",
    "metric",
    key_display="%",
    tooltip="Show the next metric, such as p99 or failures",
)
"""Key binding of screens that show one metric of every cell."""


class PanelScreen(BaseScreen[None]):
    """Base class of screens that can maximise a panel between their header and footer."""

    ALLOW_IN_MAXIMIZED_VIEW: ClassVar[str | None] = "#header, NotificationLine, KeyLine, TooSmall"
    _chain: Sequence[Widget] = ()
    """Focus order from before a panel was maximised, since Textual then removes the others."""

    def reveal(self, panel: Widget) -> None:
        """Switch to the tab that contains a panel."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enable `restore` while a panel is maximised; otherwise enable `maximise` and `back`."""
        match action:
            case "maximise" | "back":
                return self.maximized is None
            case "restore":
                return self.maximized is not None
        return True

    def action_maximise(self) -> None:
        """Maximise the focused panel, unless the layout is about to hide it."""
        chain = self.focus_chain
        if self.focused in chain:
            self._chain = chain
            self.maximize(self.focused, container=False)

    def action_restore(self) -> None:
        """Restore the layout with all panels."""
        panel = self.maximized
        self.minimize()
        if panel:
            self.reveal(panel)

    def watch_maximized(self) -> None:
        """Repaint the screen after a panel was maximised or restored."""
        self.refresh_bindings()
        self.call_after_refresh(self.repaint)

    def focus_next(self, selector: Any = "*") -> Widget | None:
        """Focus the next panel, and maximise it if the current one is maximised."""
        return self._maximise_relative(1) if self.maximized else super().focus_next(selector)

    def focus_previous(self, selector: Any = "*") -> Widget | None:
        """Focus the previous panel, and maximise it if the current one is maximised."""
        return self._maximise_relative(-1) if self.maximized else super().focus_previous(selector)

    def keep_maximised(self) -> None:
        """Maximise the newly focused panel if another one was maximised."""
        if self.maximized and self.focused:
            self.maximize(self.focused, container=False)

    def _maximise_relative(self, by: int) -> Widget | None:
        index = self._chain.index(self.focused) if self.focused in self._chain else 0
        self.set_focus(self._chain[(index + by) % len(self._chain)])
        self.keep_maximised()
        return self.focused
