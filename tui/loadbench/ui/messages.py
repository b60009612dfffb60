"""What screens and the app send to each other, a line each.

A `Request` goes from a screen to the app, by `BaseScreen.request`. The app carries it out before
the next key, and only if the screen is still in front, so that a key that comes twice opens one
screen. A `Report` goes up as well, from any screen, and asks for nothing. `Broadcast` goes from the
app to every screen; those that have a handler for it use it.

`can_replace`: of several that wait, only the newest is handled.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.message import Message
from textual.screen import Screen

from loadbench.engine.catalog import Catalog
from loadbench.engine.journal.events import Container
from loadbench.engine.run_reader import Run
from loadbench.ui.following.watched import WatchedRun


@dataclass
class Request(Message):
    """Something that a screen asks the app to do."""

    sender: Screen[Any] | None = field(default=None, init=False)
    """Set by `BaseScreen.request`."""


@dataclass
class OpenRun(Request):
    """Show a run, and one of its cells; None: the current one."""

    folder: Path
    cell: str | None = None


@dataclass
class OpenCell(Request):
    """Show one cell of a run alone."""

    watched: WatchedRun
    cell: str


@dataclass
class OpenLog(Request):
    """Show the log of one container of a run; `containers` are those that it can be changed to."""

    watched: WatchedRun
    containers: Sequence[Container]
    name: str


@dataclass
class OpenReports(Request):
    """Show all runs."""


@dataclass
class RunProfile(Request):
    """Show what a run of this profile file would do; it can be started from there."""

    file: Path


@dataclass
class ResumeRun(Request):
    """Show what resuming a run would do; it can be started from there."""

    run: Run


@dataclass
class GoBack(Request):
    """Show the screen before; before the first one are the profiles, at the file name `profile`."""

    profile: str = ""


@dataclass
class Quit(Request):
    """End the program; every run goes on."""


class Report(Message):
    """Something that has happened on a screen."""


@dataclass
class RunRead(Report):
    """A run that a screen follows has been read again."""

    screen: Screen[Any]
    run: Run

    def can_replace(self, message: Message) -> bool:
        """Replace what was read of the same run before."""
        return isinstance(message, RunRead) and message.screen is self.screen


@dataclass
class RunEnded(Report):
    """A run that a screen follows is over; `was_live`: it was not when the screen was opened."""

    screen: Screen[Any]
    run: Run
    was_live: bool


@dataclass
class Alert(Report):
    """The user is to be called by bell and notification, unless these are off."""

    text: str


class Broadcast(Message, bubble=False):
    """Something that the app sends to every screen."""


@dataclass
class CatalogRead(Broadcast, bubble=False):
    """The profiles and runs of the workspace have changed."""

    catalog: Catalog

    def can_replace(self, message: Message) -> bool:
        """Replace an older catalog."""
        return isinstance(message, CatalogRead)


@dataclass
class UserActive(Broadcast, bubble=False):
    """A key was pressed, or the mouse moved."""

    def can_replace(self, message: Message) -> bool:
        """Replace an earlier one."""
        return isinstance(message, UserActive)


@dataclass
class StopRun(Broadcast, bubble=False):
    """The user has confirmed that the run in this folder is to stop."""

    folder: Path
