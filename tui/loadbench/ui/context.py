"""The context passed to every screen. Frozen, so that no screen can change it for the others.

Only the chosen metrics change. Every screen has its own.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from loadbench.engine.report.metrics import AnyMetric
from loadbench.ui.catalog_feed import CatalogFeed
from loadbench.ui.following.follower import utc
from loadbench.ui.lines.glyphs import ASCII, UNICODE, Glyphs
from loadbench.ui.terminal.capabilities import Terminal
from loadbench.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class UiContext:
    """The workspace, terminal, catalog and clocks that all screens share."""

    workspace: Workspace
    terminal: Terminal
    catalog: CatalogFeed
    """Saved profiles and all runs, read in the background."""
    clock: Callable[[], float] = time.monotonic
    """Returns monotonic seconds."""
    now: Callable[[], datetime] = utc
    """Returns the time of day, in UTC."""
    metrics: dict[str, AnyMetric] = field(default_factory=dict)
    """The metrics that the user chose, by screen. They are kept while the app runs."""

    @property
    def glyphs(self) -> Glyphs:
        """The character set that the terminal can display."""
        return ASCII if self.terminal.ascii else UNICODE
