"""The `compose` driver: containers, managed with Docker Compose."""

import secrets
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.compose.leftovers import find_containers, remove_containers
from loadbench.engine.drivers.compose.override_file import compose_override
from loadbench.engine.drivers.compose.preflight import (
    check_compose,
    docker_for,
    read_deployment,
)
from loadbench.engine.drivers.docker.facts import engine_facts
from loadbench.engine.drivers.docker.gpu import VramMeter, vram_warning
from loadbench.engine.drivers.protocol import Leftovers, Stack
from loadbench.engine.hardware.gpu import find_gpus
from loadbench.engine.journal.events import Project
from loadbench.engine.masking import NO_SECRETS, Masker
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import warnings
from loadbench.engine.profile.target import Target
from loadbench.engine.requests.preflight import Facts, Preflight
from loadbench.engine.run_reader import Run
from loadbench.errors import EngineError, ProfileError, RefusedError
from loadbench.workspace import Workspace


class ComposeDriver:
    """Driver for Compose projects: the bundled one or the user's own."""

    name = ComposeSettings.name

    def preflight(self, workspace: Workspace, profile: Profile) -> Preflight:
        """Check whether the Docker engine can run a profile.

        Raises:
            ProfileError: The compose files are incompatible with the profile.
            RefusedError: The Docker engine cannot run the profile. The message states the cause
                and a remedy.
        """
        found = check_compose(workspace, profile)
        endpoint, deployment, info = found.docker.endpoint, found.deployment, found.info
        vram = None if endpoint.is_remote else vram_warning(profile)
        return Preflight(
            driver=self.name,
            reason=f"Docker engine {info.get('ServerVersion')} is available at {endpoint.url}",
            lock=deployment.project,
            warnings=(
                *warnings(profile, info.get("NCPU") if deployment.files.is_bundled else None),
                *deployment.warnings(),
                *((vram,) if vram else ()),
            ),
            facts=Facts(
                project=Project(
                    name=deployment.project, context=endpoint.context, engine=endpoint.url
                ),
                engine=engine_facts(info, endpoint),
            ),
            target=target_of(deployment),
        )

    def validate(self, workspace: Workspace, profile: Profile) -> list[str]:
        """Check the compose files and the service's environment variables, without an engine.

        Raises:
            ProfileError: The compose files are incompatible with the profile.
            EngineError: Docker Compose is not installed.
        """
        try:
            docker = docker_for(workspace, profile)
            return read_deployment(docker, workspace, profile).warnings()
        except RefusedError as error:
            raise ProfileError(str(error)) from error
        except EngineError as error:
            raise EngineError(f"the compose files were not checked: {error}") from error

    def open(
        self, workspace: Workspace, profile: Profile, folder: Path, masker: Masker = NO_SECRETS
    ) -> Stack:
        """Read the compose files again and return the stack of a run.

        Raises:
            ProfileError: The compose files have changed and are now incompatible with the profile.
            RefusedError: Docker Compose is no longer installed.
        """
        # Imported here, so that only the runner's process loads python-on-whales.
        from loadbench.engine.drivers.compose.stack import ComposeStack

        try:
            docker = docker_for(workspace, profile)
            deployment = read_deployment(docker, workspace, profile)
        except EngineError as error:
            raise RefusedError(str(error)) from error
        gpus = find_gpus() if deployment.needs_nvidia and not docker.endpoint.is_remote else None
        vram = VramMeter(gpus) if gpus else None
        if deployment.files.is_bundled:
            # New for each run and resume, and never stored.
            docker = docker.with_settings(BROKER_PASSWORD=secrets.token_urlsafe())
        return ComposeStack(
            docker, deployment, root=workspace.root, folder=folder, masker=masker, vram=vram
        )

    def leftovers(self, runs: Iterable[Run]) -> Leftovers:
        """Find containers left behind by runs that are no longer live."""
        return find_containers(runs)

    def clear_leftovers(self, run: Run) -> str | None:
        """Remove the containers and networks of a run that is no longer live.

        Raises:
            RefusedError: A live run uses the project.
        """
        return remove_containers(run)


def target_of(deployment: Deployment) -> Target:
    """Return what a run measures, for previews and the journal."""
    receiver, profile = deployment.receiver, deployment.profile
    path = urlsplit(receiver.like).path
    place = f"port {receiver.port} of {receiver.service}" + (f", path {path}" if path else "")
    return Target(
        address=receiver.address or place,
        scaled=deployment.scaled,
        balance=receiver.balance,
        reason=receiver.reason,
        files=tuple(map(str, deployment.files.paths)),
        locustfile=profile.load.shown_locustfile,
        left_out=deployment.left_out,
        changes=tuple(compose_override(deployment).changes),
    )
