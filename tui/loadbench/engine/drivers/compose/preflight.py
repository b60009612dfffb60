"""What containers need of a machine and of a profile, looked at before anything starts."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from loadbench.engine.drivers.compose.files import ComposeFiles, compose_paths, read_compose_files
from loadbench.engine.drivers.docker.client import (
    Docker,
    compose_version,
    current_endpoint,
    engine_info,
)
from loadbench.engine.drivers.our_service import SET_BY_KEYS, SET_BY_PROFILES, contradictions
from loadbench.engine.drivers.requirements import (
    LOOPBACK,
    is_loopback,
    refuse_without_nvidia_card,
)
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import EngineError, RefusedError
from loadbench.workspace import Workspace

_NVIDIA_PROGRAMS = ("nvidia-container-runtime-hook", "nvidia-container-runtime", "nvidia-ctk")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeMeans:
    """What a profile can be run with in containers."""

    docker: Docker
    files: ComposeFiles
    info: Mapping[str, Any]
    """What the engine tells of itself."""


def open_compose(workspace: Workspace, profile: Profile) -> ComposeMeans:
    """Return what is needed to run a profile in containers.

    Raises:
        ProfileError: The compose files cannot be used as the profile asks.
        RefusedError: This machine's Docker cannot do it; the message says why.
    """
    try:
        docker = docker_for(workspace, profile)
        info = {**engine_info(docker), "ComposeVersion": compose_version(docker)}
        files = read_compose_files(docker, workspace, profile)
    except EngineError as error:
        raise RefusedError(str(error)) from error
    _refuse_unreachable(docker, files, profile)
    if files.wants_nvidia:
        _refuse_without_nvidia(docker, info)
    return ComposeMeans(docker=docker, files=files, info=info)


def docker_for(workspace: Workspace, profile: Profile) -> Docker:
    """Return the command line with the settings that a profile's compose files are read with.

    Raises:
        ProfileError: A compose file is not there.
        RefusedError: The settings contradict the profile.
        EngineError: There is no command line.
    """
    _, ours = compose_paths(workspace, profile)
    endpoint = current_endpoint()
    settings = ComposeSettings.from_profile(profile)
    variables: dict[str, str | None] = {
        "COMPOSE_ANSI": "never",
        "COMPOSE_PROGRESS": "plain",
        **settings.environment,
    }
    if ours:
        for contradiction in contradictions(settings):
            raise RefusedError(contradiction)
        # Variables of our own environment must not reach the services unseen.
        unseen = (*SET_BY_KEYS, *SET_BY_PROFILES, "API_ADDRESS", "API_PORT")
        variables = {**dict.fromkeys(unseen), **variables, **_listening(profile)}
    return Docker(endpoint, variables)


def _listening(profile: Profile) -> dict[str, str]:
    if profile.host is None:
        return {}
    parts = urlsplit(profile.host)
    everywhere = "0.0.0.0"  # noqa: S104  # asked for, by a host that is not loopback
    address = LOOPBACK if is_loopback(parts.hostname) else everywhere
    return {"API_ADDRESS": address, "API_PORT": str(parts.port or 80)}


def _refuse_unreachable(docker: Docker, files: ComposeFiles, profile: Profile) -> None:
    remote, url = docker.endpoint.remote, docker.endpoint.url
    if remote and profile.host is None:
        raise RefusedError(
            f"the Docker engine is on another machine ({url}), so `host` is needed: the address "
            "at which this machine reaches the service there"
        )
    elsewhere = profile.host and not is_loopback(urlsplit(profile.host).hostname)
    if files.ours and not remote and elsewhere:
        raise RefusedError(
            f"host: {profile.host}: our stack listens on this machine's loopback alone; "
            "leave host null"
        )


def _refuse_without_nvidia(docker: Docker, info: Mapping[str, Any]) -> None:
    knows = "nvidia" in (info.get("Runtimes") or {}) or any(
        "nvidia" in str(device) for device in info.get("DiscoveredDevices") or ()
    )
    if docker.endpoint.remote:
        # Where it is not registered, it may be there all the same: the first container will tell.
        return
    if not knows and not any(shutil.which(program) for program in _NVIDIA_PROGRAMS):
        there = ", ".join(sorted(info.get("Runtimes") or {})) or "none"
        raise RefusedError(
            "device: gpu needs the NVIDIA Container Toolkit, which this Docker engine does not "
            f"have (runtimes: {there}); nothing was started. Without an NVIDIA GPU: "
            "--set device=cpu"
        )
    refuse_without_nvidia_card()
