"""Messages between the screens and the app.

A screen sends a `Request` to the app with `BaseScreen.request`. The app carries it out before the
next key, and only if that screen is still in front, so that a repeated key opens only one screen.
A `Report` informs the app and requires no action. The app sends a `Broadcast` to every screen;
screens without a handler ignore it.

With `can_replace`, only the newest of several queued messages is handled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from textual.message import Message
from textual.screen import Screen

from loadbench.engine.catalog import Catalog
from loadbench.engine.journal.events import Container
from loadbench.engine.run_reader import Run
from loadbench.ui.following.watched import WatchedRun
from loadbench.ui.notifications import Notification


@dataclass
class Request(Message):
    """Base class of the requests from a screen to the app."""

    sender: Screen[Any] | None = field(default=None, init=False)
    """Set by `BaseScreen.request`."""


@dataclass
class OpenRun(Request):
    """Open a run at one of its cells, or at the current cell if `cell` is None."""

    folder: Path
    cell: str | None = None


@dataclass
class OpenCell(Request):
    """Open one cell of a run."""

    watched: WatchedRun
    cell: str


@dataclass
class OpenLog(Request):
    """Open the log of a container; the keys [ and ] switch between `containers`."""

    watched: WatchedRun
    containers: Sequence[Container]
    name: str


@dataclass
class OpenReports(Request):
    """Open the list of all runs."""

    run: str = ""
    """Name of the run to select. If empty, the first."""


@dataclass
class OpenStudy(Request):
    """Open a study, with its name such as `studies/devices`."""

    name: str


@dataclass
class OpenComparison(Request):
    """Open the comparison of two runs, given by their names."""

    before: str
    after: str


@dataclass
class RunProfile(Request):
    """Open the preview for running a profile."""

    file: Path


@dataclass
class NewProfile(Request):
    """Ask for a template and a name, and open the editor of a new profile."""


@dataclass
class EditProfile(Request):
    """Open the editor of a profile."""

    file: Path


@dataclass
class ResumeRun(Request):
    """Open the preview for resuming a run with its remaining cells."""

    run: Run
    again: tuple[str, ...] = ()
    """Keys of the cells to measure again, too."""
    added: tuple[Mapping[str, float], ...] = ()
    """Grid points to add, each with the fields of a `Point`."""


@dataclass
class GoBack(Request):
    """Go back one screen. From the first screen, go to the profiles, with `profile` selected."""

    profile: str = ""
    """File name of a profile."""


@dataclass
class Quit(Request):
    """Quit; live runs continue."""


class Report(Message):
    """Base class of the reports from a screen to the app."""


@dataclass
class ScreenOpened(Report):
    """A screen has been opened and can show notifications."""

    screen: Screen[Any]


@dataclass
class RunRead(Report):
    """A screen has read its run again."""

    screen: Screen[Any]
    run: Run

    def can_replace(self, message: Message) -> bool:
        """Replace an older report from the same screen."""
        return isinstance(message, RunRead) and message.screen is self.screen


@dataclass
class RunEnded(Report):
    """The run of a screen has ended."""

    screen: Screen[Any]
    run: Run
    was_live: bool
    """Whether the screen has shown the run live. If not, the run had already ended."""


@dataclass
class RunsChanged(Report):
    """A run was labelled, deleted or restored, so the catalog is outdated."""


@dataclass
class Alert(Report):
    """Alert the user by bell and notification, unless alerts are off."""

    text: str


class Broadcast(Message, bubble=False):
    """Base class of the messages from the app to every screen."""


@dataclass
class CatalogRead(Broadcast, bubble=False):
    """The profiles or runs of the workspace have changed."""

    catalog: Catalog

    def can_replace(self, message: Message) -> bool:
        """Replace an older catalog."""
        return isinstance(message, CatalogRead)


@dataclass
class ProfileEdited(Broadcast, bubble=False):
    """A profile editor was closed. `file_name` is empty if the profile was not created."""

    file_name: str


@dataclass
class NotificationsChanged(Broadcast, bubble=False):
    """Other notifications are shown above the footer."""

    shown: Sequence[Notification]
    """The notifications, newest first."""

    def can_replace(self, message: Message) -> bool:
        """Replace older notifications."""
        return isinstance(message, NotificationsChanged)


@dataclass
class UserActive(Broadcast, bubble=False):
    """The user pressed a key or moved the mouse."""

    def can_replace(self, message: Message) -> bool:
        """Replace an older message."""
        return isinstance(message, UserActive)


@dataclass
class StopRun(Broadcast, bubble=False):
    """The user has confirmed that the run in this folder should stop."""

    folder: Path


@dataclass
class FollowRun(Broadcast, bubble=False):
    """The run in this folder was resumed."""

    folder: Path
