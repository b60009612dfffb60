"""The `local` driver: broker, API and models as processes on this machine, without Docker."""

from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.drivers.docker.gpu import vram_warning
from loadbench.engine.drivers.local.preflight import check_requirements
from loadbench.engine.drivers.local.stack import LocalStack
from loadbench.engine.drivers.our_service import conflicting_variables, unknown_variables
from loadbench.engine.drivers.protocol import Leftovers, Stack
from loadbench.engine.hardware.cpu import usable_cores
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.profile.driver_settings import LocalSettings
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import warnings
from loadbench.engine.profile.target import Balance, Target
from loadbench.engine.requests.preflight import Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace


class LocalDriver:
    """Driver that runs the bundled service as processes, known as the embedded stack."""

    name = LocalSettings.name

    def preflight(self, workspace: Workspace, profile: Profile) -> Preflight:
        """Check the Python packages, the stack's code, the address and the GPU.

        Raises:
            RefusedError: A requirement is not met.
        """
        check_requirements(workspace.stack, profile)
        settings = LocalSettings.from_profile(profile)
        vram = vram_warning(profile)
        return Preflight(
            driver=self.name,
            reason="all required packages are installed",
            # All local stacks share the same cores, so parallel runs would disturb each other.
            lock=self.name,
            warnings=(
                *warnings(profile, usable_cores()),
                *unknown_variables(settings),
                *((vram,) if vram else ()),
            ),
            target=Target(
                address=profile.host or "a free local port of the bundled service",
                scaled="model",
                balance=Balance.FRONT,
                locustfile=profile.load.shown_locustfile,
            ),
        )

    def validate(self, _workspace: Workspace, profile: Profile) -> list[str]:
        """Check the service's environment variables.

        Raises:
            ProfileError: `stack.environment` sets a reserved variable.
        """
        settings = LocalSettings.from_profile(profile)
        for conflict in conflicting_variables(settings):
            raise ProfileError(conflict)
        return unknown_variables(settings)

    def open(
        self, workspace: Workspace, profile: Profile, folder: Path, masker: Masker = NO_SECRETS
    ) -> Stack:
        """Return the embedded stack of a run."""
        return LocalStack(workspace.stack, profile, log=folder / "stack.log", masker=masker)

    def leftovers(self, _runs: Iterable[Run]) -> Leftovers:
        """Return no leftovers: the processes never outlive their runner."""
        return Leftovers()

    def clear_leftovers(self, _run: Run) -> str | None:
        """Do nothing: the processes never outlive their runner."""
        return None
