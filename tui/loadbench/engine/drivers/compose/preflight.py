"""Preflight checks of the `compose` driver."""

import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from loadbench.engine.bounds.loopback import is_loopback
from loadbench.engine.drivers.compose.deployment import Deployment, deploy
from loadbench.engine.drivers.compose.override_file import MIN_COMPOSE, compose_override
from loadbench.engine.drivers.compose.project.files import compose_paths, read_compose_files
from loadbench.engine.drivers.docker.client import (
    Docker,
    DockerCommandError,
    compose_version,
    current_endpoint,
    engine_info,
)
from loadbench.engine.drivers.docker.inspect import PROJECT_LABEL
from loadbench.engine.drivers.our_service import SET_BY_KEYS, SET_BY_PROFILES, conflicting_variables
from loadbench.engine.drivers.requirements import LOOPBACK, require_no_path, require_nvidia_gpu
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import EngineError, ProfileError, RefusedError
from loadbench.workspace import Workspace

_NVIDIA_PROGRAMS = ("nvidia-container-runtime-hook", "nvidia-container-runtime", "nvidia-ctk")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeEnvironment:
    """Results of the preflight checks."""

    docker: Docker
    deployment: Deployment
    info: Mapping[str, Any]
    """Output of `docker info`, with the version of Docker Compose as `ComposeVersion`."""


def check_compose(workspace: Workspace, profile: Profile) -> ComposeEnvironment:
    """Check that Docker can run a profile.

    Raises:
        ProfileError: The compose files are incompatible with the profile.
        RefusedError: The Docker engine cannot run the profile. The message states the cause and a
            remedy.
    """
    try:
        docker = docker_for(workspace, profile)
        info = {**engine_info(docker), "ComposeVersion": compose_version(docker)}
        deployment = read_deployment(docker, workspace, profile)
    except EngineError as error:
        raise RefusedError(str(error)) from error
    _check_host(docker, deployment, profile)
    if deployment.needs_nvidia:
        _check_nvidia(docker, info)
    check_external_resources(docker, deployment)
    check_shared_data(docker, deployment)
    return ComposeEnvironment(docker=docker, deployment=deployment, info=info)


def read_deployment(docker: Docker, workspace: Workspace, profile: Profile) -> Deployment:
    """Read the compose files of a profile and decide what a run starts, without an engine.

    Raises:
        ProfileError: The files are invalid, incompatible with the profile, or need a newer Compose.
        EngineError: Docker Compose is not installed.
    """
    version = compose_version(docker)
    files = read_compose_files(docker, workspace, profile)
    deployment = deploy(files, profile, is_remote=docker.endpoint.is_remote)
    if compose_override(deployment).needs_tags and _is_older(version, MIN_COMPOSE):
        minimum = ".".join(map(str, MIN_COMPOSE))
        raise ProfileError(
            f"stack.compose: Docker Compose {version} cannot replace container names and ports of "
            f"this project. Update Compose to {minimum} or newer (package docker-compose-plugin)"
        )
    return deployment


def _is_older(version: str, minimum: tuple[int, ...]) -> bool:
    """Return whether a version such as `v2.17.3-desktop.1` is older than a minimum."""
    numbers = re.findall(r"\d+", version)[: len(minimum)]
    return bool(numbers) and tuple(map(int, numbers)) < minimum


def check_external_resources(docker: Docker, deployment: Deployment) -> None:
    """Check that the external networks and volumes of a project exist.

    Raises:
        RefusedError: Some do not. The message contains the commands that create them.
    """
    missing = [
        creating_command(kind, name)
        for kind, name in deployment.external_resources
        if not resource_exists(docker, kind, name)
    ]
    if missing:
        raise RefusedError(
            "external networks or volumes of the project do not exist. To create them: "
            + " && ".join(missing)
        )


def creating_command(kind: str, name: str) -> str:
    """Return the command that creates an external network or volume."""
    return shlex.join(["docker", kind, "create", name])


def check_shared_data(docker: Docker, deployment: Deployment) -> None:
    """Check that no other container uses the data that a data store of the project writes to.

    Raises:
        RefusedError: One does, such as that of the user's own copy of the project.
    """
    for name, source in deployment.shared_data:
        format_ = f'{{{{.Names}}}}\t{{{{.Label "{PROJECT_LABEL}"}}}}'
        output = docker.run("ps", "--filter", f"volume={source}", "--format", format_)
        rows = (line.partition("\t") for line in output.splitlines())
        others = [container for container, _, project in rows if project != deployment.project]
        if others:
            raise RefusedError(
                f"{name} would write to {source}, which the container {others[0]} uses now. Two "
                "data stores can corrupt the data they share. Stop that container, or give "
                f"{name} another volume in a further file of stack.compose"
            )


def resource_exists(docker: Docker, kind: str, name: str) -> bool:
    """Return whether the engine has an image, a network or a volume.

    Raises:
        EngineError: The engine cannot be used.
    """
    try:
        docker.run(kind, "inspect", "--format", "{{json .}}", name)
    except DockerCommandError:
        return False
    return True


def docker_for(workspace: Workspace, profile: Profile) -> Docker:
    """Return the `docker` command line with the environment for a profile's compose files.

    Raises:
        ProfileError: A compose file does not exist.
        RefusedError: `stack.environment` sets a reserved variable.
        EngineError: Docker is not installed.
    """
    _, is_bundled = compose_paths(workspace, profile)
    endpoint = current_endpoint()
    settings = ComposeSettings.from_profile(profile)
    variables: dict[str, str | None] = {
        "COMPOSE_ANSI": "never",
        "COMPOSE_PROGRESS": "plain",
        **settings.environment,
    }
    if is_bundled:
        for conflict in conflicting_variables(settings):
            raise RefusedError(conflict)
        # The services must not inherit these variables from the runner's environment.
        unset = (*SET_BY_KEYS, *SET_BY_PROFILES, "API_ADDRESS", "API_PORT")
        variables = {**dict.fromkeys(unset), **variables, **_listen_variables(profile)}
    return Docker(endpoint, variables)


def _listen_variables(profile: Profile) -> dict[str, str]:
    if profile.host is None:
        return {}
    parts = urlsplit(profile.host)
    all_interfaces = "0.0.0.0"  # noqa: S104  # requested, by a host that is not loopback
    address = LOOPBACK if is_loopback(parts.hostname) else all_interfaces
    return {"API_ADDRESS": address, "API_PORT": str(parts.port or 80)}


def _check_host(docker: Docker, deployment: Deployment, profile: Profile) -> None:
    is_remote, url = docker.endpoint.is_remote, docker.endpoint.url
    if is_remote and profile.host is None:
        raise RefusedError(
            f"host: required, because the Docker engine is on another machine ({url}). Set the "
            "address at which this machine can reach the service"
        )
    has_remote_host = profile.host and not is_loopback(urlsplit(profile.host).hostname)
    if deployment.files.is_bundled and not is_remote and has_remote_host:
        raise RefusedError(
            f"host: {profile.host} cannot be used, because the bundled stack listens only on the "
            "loopback interface; set host: null"
        )
    if deployment.files.is_bundled:
        require_no_path(profile.host)


def _check_nvidia(docker: Docker, info: Mapping[str, Any]) -> None:
    is_registered = "nvidia" in (info.get("Runtimes") or {}) or any(
        "nvidia" in str(device) for device in info.get("DiscoveredDevices") or ()
    )
    if docker.endpoint.is_remote:
        # The toolkit may be installed there but not registered. Starting a container shows this.
        return
    if not is_registered and not any(shutil.which(program) for program in _NVIDIA_PROGRAMS):
        runtimes = ", ".join(sorted(info.get("Runtimes") or {})) or "none"
        raise RefusedError(
            "device: gpu requires the NVIDIA Container Toolkit, which this Docker engine does not "
            f"have (runtimes: {runtimes}); nothing was started. To run on the CPU, use "
            "--set device=cpu"
        )
    require_nvidia_gpu()
