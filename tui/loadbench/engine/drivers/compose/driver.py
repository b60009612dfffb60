"""The `compose` driver: containers, by Docker Compose."""

from collections.abc import Iterable
from pathlib import Path

from loadbench.engine.drivers.compose.files import read_compose_files
from loadbench.engine.drivers.compose.leftovers import find_containers, remove_containers
from loadbench.engine.drivers.compose.preflight import docker_for, open_compose
from loadbench.engine.drivers.docker.client import compose_version
from loadbench.engine.drivers.docker.gpu import VramMeter, find_gpus, vram_warning
from loadbench.engine.drivers.protocol import Leftovers, Stack
from loadbench.engine.journal.events import Project
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import warnings
from loadbench.engine.requests.preflight import Facts, Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import EngineError, ProfileError, RefusedError
from loadbench.workspace import Workspace


class ComposeDriver:
    """Starts our compose project, or anybody's."""

    name = ComposeSettings.name

    def preflight(self, workspace: Workspace, profile: Profile) -> Preflight:
        """Ask Docker whether it can run a profile.

        Raises:
            ProfileError: The compose files cannot be used as the profile asks.
            RefusedError: This machine's Docker cannot do it; the message says why.
        """
        means = open_compose(workspace, profile)
        endpoint, files, info = means.docker.endpoint, means.files, means.info
        vram = None if endpoint.remote else vram_warning(profile)
        return Preflight(
            driver=self.name,
            reason=f"Docker engine {info.get('ServerVersion')} answers at {endpoint.url}",
            lock=files.project,
            warnings=(
                *warnings(profile, info.get("NCPU") if files.ours else None),
                *files.warnings(profile),
                *((vram,) if vram else ()),
            ),
            facts=Facts(
                project=Project(name=files.project, context=endpoint.context, engine=endpoint.url),
                engine={
                    "docker": info.get("ServerVersion"),
                    "compose": info.get("ComposeVersion"),
                    "cores": info.get("NCPU"),
                    "memory_bytes": info.get("MemTotal"),
                    "system": info.get("OperatingSystem"),
                    "runtimes": sorted(info.get("Runtimes") or {}),
                },
            ),
        )

    def validate(self, workspace: Workspace, profile: Profile) -> list[str]:
        """Check the compose files, and the variables of our own service, without an engine.

        Raises:
            ProfileError: They cannot be used as the profile asks.
            EngineError: There is no Compose here.
        """
        try:
            docker = docker_for(workspace, profile)
            compose_version(docker)
            return read_compose_files(docker, workspace, profile).warnings(profile)
        except RefusedError as error:
            raise ProfileError(str(error)) from error
        except EngineError as error:
            raise EngineError(f"its compose files were not checked: {error}") from error

    def open(self, workspace: Workspace, profile: Profile, folder: Path) -> Stack:
        """Return the compose project of a run. Compose reads its files again for that.

        Raises:
            ProfileError: The compose files cannot be used any more.
            RefusedError: There is no Compose any more.
        """
        # Here, not above: python-on-whales is for the runner's process alone.
        from loadbench.engine.drivers.compose.stack import ComposeStack

        try:
            docker = docker_for(workspace, profile)
            files = read_compose_files(docker, workspace, profile)
        except EngineError as error:
            raise RefusedError(str(error)) from error
        gpus = find_gpus() if files.wants_nvidia and not docker.endpoint.remote else None
        vram = VramMeter(gpus) if gpus else None
        return ComposeStack(docker, files, profile, folder=folder, vram=vram)

    def leftovers(self, runs: Iterable[Run]) -> Leftovers:
        """Look for containers of those of the runs whose runner did not remove them itself."""
        return find_containers(runs)

    def clear_leftovers(self, run: Run) -> str | None:
        """Remove the containers and networks of the project of a run that has ended.

        Raises:
            RefusedError: A live run uses the project.
        """
        return remove_containers(run)
