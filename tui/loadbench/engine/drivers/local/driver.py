"""The `local` driver: broker, API and models as processes of this machine, no Docker."""

from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.drivers.docker.gpu import vram_warning
from loadbench.engine.drivers.local.preflight import refuse_if_unusable
from loadbench.engine.drivers.local.stack import LocalStack
from loadbench.engine.drivers.our_service import contradictions, strangers
from loadbench.engine.drivers.protocol import Leftovers, Stack
from loadbench.engine.hardware import usable_cores
from loadbench.engine.profile.driver_settings import LocalSettings
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import warnings
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace


class LocalDriver:
    """Starts the embedded stack."""

    name = LocalSettings.name

    def preflight(self, workspace: Workspace, profile: Profile) -> Preflight:
        """Check packages, the stack's code, addresses and GPU.

        Raises:
            RefusedError: One of them is missing.
        """
        refuse_if_unusable(workspace.stack, profile)
        settings = LocalSettings.from_profile(profile)
        vram = vram_warning(profile)
        return Preflight(
            driver=self.name,
            reason="its packages are installed",
            # All local stacks share this machine's cores, so two at once would measure each other.
            lock=self.name,
            warnings=(
                *warnings(profile, usable_cores()),
                *strangers(settings),
                *((vram,) if vram else ()),
            ),
        )

    def validate(self, _workspace: Workspace, profile: Profile) -> list[str]:
        """Check the variables of our service.

        Raises:
            ProfileError: One of them is for a key to set.
        """
        settings = LocalSettings.from_profile(profile)
        for contradiction in contradictions(settings):
            raise ProfileError(contradiction)
        return strangers(settings)

    def open(self, workspace: Workspace, profile: Profile, folder: Path) -> Stack:
        """Return the embedded stack of a run."""
        return LocalStack(workspace.stack, profile, log=folder / "stack.log")

    def leftovers(self, _runs: Iterable[Run]) -> Leftovers:
        """Nothing: its processes end with their runner, however that ends."""
        return Leftovers()

    def clear_leftovers(self, _run: Run) -> str | None:
        """Nothing is left."""
        return None
