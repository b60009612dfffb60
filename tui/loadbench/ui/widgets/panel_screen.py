"""Screens of panels, of which the one with the focus can take all the room."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import Binding
from textual.widget import Widget

from loadbench.ui.widgets.screen import SteadyScreen

if TYPE_CHECKING:
    from loadbench.ui.app import LoadbenchApp

MAXIMISE_KEYS = (
    Binding("z", "maximise", "maximise", tooltip="give the panel with the focus all the room"),
    Binding("z", "restore", "restore", tooltip="show all panels again"),
    Binding("escape", "restore", "restore", show=False, tooltip="show all panels again"),
)
"""To be given before a screen's own key for going back."""


class Panelled(SteadyScreen[None]):
    """A screen whose panels can be maximised between its header and its footer."""

    app: "LoadbenchApp"
    ALLOW_IN_MAXIMIZED_VIEW: ClassVar[str | None] = "#header, KeyLine, TooSmall"
    _chain: Sequence[Widget] = ()
    """The panels in their order when one was maximised: others have no place meanwhile."""

    def paint(self) -> None:
        """Show what there is now in the room that there is now."""
        raise NotImplementedError

    def reveal(self, panel: Widget) -> None:
        """Show a panel that may be behind a tab."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer to maximise, or to restore what was maximised before there is anything else."""
        match action:
            case "maximise" | "back":
                return self.maximized is None
            case "restore":
                return self.maximized is not None
        return True

    def action_maximise(self) -> None:
        """Give the panel with the focus all the room."""
        if self.focused:
            self._chain = self.focus_chain
            self.maximize(self.focused, container=False)

    def action_restore(self) -> None:
        """Show all panels again."""
        panel = self.maximized
        self.minimize()
        if panel:
            self.reveal(panel)

    def watch_maximized(self) -> None:
        """Use the room that there is now."""
        self.refresh_bindings()
        self.call_after_refresh(self.paint)

    def focus_next(self, selector: Any = "*") -> Widget | None:
        """Put the focus on the next panel; where one is maximised, the next one is then."""
        return self._maximise_beside(1) if self.maximized else super().focus_next(selector)

    def focus_previous(self, selector: Any = "*") -> Widget | None:
        """Put the focus on the panel before; where one is maximised, that one is then."""
        return self._maximise_beside(-1) if self.maximized else super().focus_previous(selector)

    def keep_maximised(self) -> None:
        """Maximise the panel that has the focus now, where another one was."""
        if self.maximized and self.focused:
            self.maximize(self.focused, container=False)

    def _maximise_beside(self, by: int) -> Widget | None:
        at = self._chain.index(self.focused) if self.focused in self._chain else 0
        self.set_focus(self._chain[(at + by) % len(self._chain)])
        self.keep_maximised()
        return self.focused
