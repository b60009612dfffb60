"""Panels that are all there where there is room, and behind tabs where there is none."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.containers import Vertical
from textual.reactive import var


class Panels(Vertical):
    """The panels of a screen, below its header.

    Args:
        tab: What is shown first where there is no room for all.
    """

    TABS: ClassVar[Sequence[tuple[str, str]]]
    """The key and the name of each tab."""
    PANELS: ClassVar[Mapping[str, Sequence[str]]]
    """What each tab shows where it is shown alone; the first of them gets the focus."""
    PARTS: ClassVar[Mapping[str, Sequence[str]]]
    """The panels in each container; one without any that is shown is not shown."""
    ALTERNATE: ClassVar[Sequence[str]] = ()
    """Tabs of which one alone is shown even where there is room."""

    tab = var("", init=False)
    """The tab that is shown."""
    narrow = var(False, init=False)
    """Whether one tab is shown at a time; else all panels are."""

    def __init__(self, tab: str) -> None:
        super().__init__(id="panels")
        self._narrow_tab = tab
        self.set_reactive(Panels.tab, self.ALTERNATE[0] if self.ALTERNATE else tab)

    def on_mount(self) -> None:
        """Show what is shown first."""
        self.lay_out()

    def watch_narrow(self, narrow: bool) -> None:
        """Show one tab at a time, or all panels at once."""
        if self.ALTERNATE:
            self.set_reactive(Panels.tab, self._narrow_tab if narrow else self.ALTERNATE[0])
        self.lay_out()

    def watch_tab(self) -> None:
        """Show the tab."""
        self.lay_out()

    def choose(self, tab: str) -> None:
        """Show a tab, and put the focus on it."""
        self._show(tab)
        self.query_one(f"#{self.PANELS[tab][0]}").focus()

    def reveal(self, panel: str) -> None:
        """Show a tab that a panel is in, unless it is shown."""
        if panel in self._shown():
            return
        self._show(next(tab for tab, panels in self.PANELS.items() if panel in panels))
        self.query_one(f"#{panel}").focus()

    def lay_out(self) -> None:
        """Show what belongs to the tab and to the size."""
        shown = self._shown()
        for panels in self.PANELS.values():
            for panel in panels:
                self.query_one(f"#{panel}").set_class(panel not in shown, "-hidden")
        for part, panels in self.PARTS.items():
            self.query_one(f"#{part}").set_class(not shown & set(panels), "-hidden")

    def _show(self, tab: str) -> None:
        if self.narrow or not self.ALTERNATE or tab in self.ALTERNATE:
            self.tab = tab

    def _shown(self) -> set[str]:
        if self.narrow:
            return set(self.PANELS[self.tab])
        behind = {it for tab in self.ALTERNATE if tab != self.tab for it in self.PANELS[tab]}
        return {it for panels in self.PANELS.values() for it in panels} - behind
