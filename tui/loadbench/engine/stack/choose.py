"""Which driver a profile gets on this machine, and why."""

from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.profile import Profile
from loadbench.engine.stack import Stack
from loadbench.engine.stack.local import LocalStack
from loadbench.engine.stack.local_needs import refuse_if_unusable
from loadbench.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver that can run a profile here."""

    name: str
    reason: str
    lock_name: str
    """Two runs whose drivers have the same one would disturb each other."""
    workspace: Workspace
    profile: Profile

    def stack(self, log: Path) -> Stack:
        """Return the stack, not started yet; what it says goes to `log`."""
        return LocalStack(self.workspace.stack, self.profile, log=log)


def choose_driver(workspace: Workspace, profile: Profile) -> Driver:
    """Return the driver for a profile.

    Raises:
        RefusedError: It cannot run here; the message says why and what to do.
    """
    refuse_if_unusable(workspace.stack, profile)
    asked = profile.stack.driver
    reason = (
        "the profile asks for it"
        if asked == "local"
        else "the embedded stack runs here: processes of this machine, no Docker needed"
    )
    # All local stacks share this machine's cores, so two at once would measure each other.
    return Driver("local", reason, "local", workspace, profile)
