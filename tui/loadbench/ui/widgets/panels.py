"""A layout that shows all panels on a large terminal, and one tab at a time on a small one."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.containers import Vertical
from textual.reactive import var


class Panels(Vertical):
    """The panels of a screen, below its header.

    Args:
        tab: The initial tab on a small terminal.
    """

    TABS: ClassVar[Sequence[tuple[str, str]]]
    """The key and name of each tab, sorted by key."""
    PANELS: ClassVar[Mapping[str, Sequence[str]]]
    """Ids of the panels of each tab. The first panel of a tab gets the focus."""
    PARTS: ClassVar[Mapping[str, Sequence[str]]]
    """Ids of the panels in each container. A container without a visible panel is hidden."""
    ALTERNATE: ClassVar[Sequence[str]] = ()
    """Tabs of which only one is shown at a time, at every size of the terminal."""

    tab = var("", init=False)
    """The current tab."""
    narrow = var(False, init=False)
    """Whether only one tab is shown at a time. Otherwise all panels are visible."""

    def __init__(self, tab: str) -> None:
        super().__init__(id="panels")
        self._narrow_tab = tab
        self.set_reactive(Panels.tab, self.ALTERNATE[0] if self.ALTERNATE else tab)

    def on_mount(self) -> None:
        """Show the first tab."""
        self.lay_out()

    def watch_narrow(self, narrow: bool) -> None:
        """Switch between one tab at a time and all panels at once."""
        if self.ALTERNATE:
            self.set_reactive(Panels.tab, self._narrow_tab if narrow else self.ALTERNATE[0])
        self.lay_out()

    def watch_tab(self) -> None:
        """Show the new tab."""
        self.lay_out()

    def choose(self, tab: str) -> None:
        """Show a tab and focus its first panel."""
        self._show(tab)
        self.query_one(f"#{self.PANELS[tab][0]}").focus()

    def reveal(self, panel: str) -> None:
        """Show the tab of a panel and focus the panel, unless the panel is already visible."""
        if panel in self._visible():
            return
        self._show(next(tab for tab, panels in self.PANELS.items() if panel in panels))
        self.query_one(f"#{panel}").focus()

    def is_visible(self, panel: str) -> bool:
        """Return whether a panel is on the screen: not on another tab, nor behind another panel."""
        maximised = self.screen.maximized
        return maximised.id == panel if maximised else panel in self._visible()

    def lay_out(self) -> None:
        """Show the panels for the current tab and terminal size, and hide the others."""
        visible = self._visible()
        for panels in self.PANELS.values():
            for panel in panels:
                self.query_one(f"#{panel}").set_class(panel not in visible, "-hidden")
        for part, panels in self.PARTS.items():
            self.query_one(f"#{part}").set_class(not visible & set(panels), "-hidden")

    def _show(self, tab: str) -> None:
        if self.narrow or not self.ALTERNATE or tab in self.ALTERNATE:
            self.tab = tab

    def _visible(self) -> set[str]:
        if self.narrow:
            return set(self.PANELS[self.tab])
        hidden = {panel for tab in self.ALTERNATE if tab != self.tab for panel in self.PANELS[tab]}
        return {panel for panels in self.PANELS.values() for panel in panels} - hidden
