"""What every screen is given when it is made. Frozen: a screen cannot change it for the others."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from loadbench.ui.catalog_feed import CatalogFeed
from loadbench.ui.following.follower import utc
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class UiContext:
    """The surroundings of a screen."""

    workspace: Workspace
    terminal: Terminal
    catalog: CatalogFeed
    """The saved profiles and all runs, read in the background."""
    clock: Callable[[], float] = time.monotonic
    """Monotonic seconds."""
    now: Callable[[], datetime] = utc
    """The time of day, in UTC."""

    @property
    def glyphs(self) -> Glyphs:
        """The signs that the terminal has."""
        return ASCII if self.terminal.ascii else UNICODE
