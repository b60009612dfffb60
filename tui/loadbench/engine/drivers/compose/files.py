"""Reads the compose files of a profile and checks that they are compatible with it."""

import hashlib
import os
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadbench.engine.drivers.compose.client import ComposeCli
from loadbench.engine.drivers.docker.client import Docker, DockerCommandError
from loadbench.engine.drivers.our_service import unknown_variables
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import ProfileError
from loadbench.paths import is_file
from loadbench.workspace import Workspace

_CONFIG_TIMEOUT_S = 30.0
_MACHINE_ID = Path("/etc/machine-id")
_DEFAULTS = Profile(models=(1,), users=(1,), spawn_rates=(1.0,))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeFiles:
    """The compose files of a profile and their merged configuration."""

    paths: tuple[Path, ...]
    is_bundled: bool
    """Whether the first file is the compose file of the bundled stack."""
    scaled: str
    """Name of the service to scale."""
    config: Mapping[str, Any]
    """Merged configuration, the output of `docker compose config`."""

    @property
    def project(self) -> str:
        """Name of the Compose project, from `project_name`."""
        return project_name(self.paths)

    @property
    def services(self) -> Mapping[str, Any]:
        """Configurations of the services, by name."""
        found: Mapping[str, Any] = self.config.get("services") or {}
        return found

    @property
    def published(self) -> tuple[tuple[str, int], ...]:
        """All published TCP ports, as (service, container port)."""
        # A port published for both IPv4 and IPv6 counts once.
        return tuple(dict.fromkeys((name, int(port["target"])) for name, port in self._ports()))

    @property
    def required(self) -> frozenset[str]:
        """Services that must keep running.

        In the user's own projects, these are the scaled service and those with published ports. Any
        other service may be a one-off job, which succeeds if it exits with code 0.
        """
        if self.is_bundled:
            return frozenset(self.services)
        return frozenset((self.scaled, *(name for name, _ in self.published)))

    def image(self, service: str) -> str:
        """Return the image name of a service. Built images are named after the project."""
        config = self.services[service]
        name = None if config.get("build") else config.get("image")
        return str(name or f"{self.project}-{service}")

    @property
    def needs_nvidia(self) -> bool:
        """Whether a service requests an NVIDIA GPU."""
        return any(_requests_nvidia(service) for service in self.services.values())

    def errors(self, profile: Profile) -> list[str]:
        """Return one error message for each incompatibility of these files with a profile."""
        service = self.services.get(self.scaled)
        if service is None:
            names = ", ".join(self.services) or "none"
            message = f"stack.service: no service {self.scaled!r} in the compose files"
            return [f"{message} (services: {names})"]
        found = []
        if max(profile.models) > 1:
            found += [
                f"stack.service: {self.scaled} cannot be scaled because it has {obstacle}; "
                "remove it, or set models: [1]"
                for obstacle in self._scaling_obstacles(service)
            ]
        if profile.host is None and not self._has_one_address(profile):
            found.append(self._missing_address())
        return found

    def warnings(self, profile: Profile) -> list[str]:
        """Return warnings about ineffective settings and about shared resources."""
        if self.is_bundled:
            return unknown_variables(ComposeSettings.from_profile(profile))
        unused = [
            f"{key} has no effect with your own compose files"
            for key, value in _bundled_settings(profile).items()
            if value != _bundled_settings(_DEFAULTS)[key]
        ]
        shared = [
            f"{kind[:-1]} {entry['name']} has a fixed name: other copies of the project share it"
            for kind in ("volumes", "networks")
            for entry in (self.config.get(kind) or {}).values()
            if entry.get("external") or not _is_scoped(entry.get("name", ""), self.project)
        ]
        mounts = sorted(
            f"{name} writes to {mount['source']}, which other copies of the project share"
            for name, service in self.services.items()
            for mount in service.get("volumes") or ()
            if mount.get("type") == "bind" and not mount.get("read_only")
        )
        return [*unused, *shared, *mounts]

    def _scaling_obstacles(self, service: Mapping[str, Any]) -> Iterator[str]:
        if name := service.get("container_name"):
            yield f"container_name: {name}"
        for name, port in self._ports():
            published = str(port.get("published") or "")
            if name == self.scaled and published not in ("", "0") and "-" not in published:
                yield f"the fixed host port {published}"

    def _missing_address(self) -> str:
        """Return why there is no single address to send requests to, and what to do."""
        if [name for name, _ in self.published] == [self.scaled]:
            return (
                f"host: required, because each replica of {self.scaled} publishes a port of its "
                "own. Publish only the port of a proxy in front of them, or set models: [1]"
            )
        listed = ", ".join(f"{name}:{port}" for name, port in self.published) or "none"
        return (
            "host: required, because the compose files do not publish exactly one port of one "
            f"container (published: {listed}). Set the address to which requests are sent"
        )

    def _has_one_address(self, profile: Profile) -> bool:
        if len(self.published) != 1:
            return False
        name = self.published[0][0]
        if name == self.scaled:
            return max(profile.models) == 1
        service = self.services[name]
        replicas = (service.get("deploy") or {}).get("replicas") or service.get("scale") or 1
        return int(replicas) == 1

    def _ports(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for name, service in self.services.items():
            for port in service.get("ports") or ():
                if port.get("protocol", "tcp") == "tcp":
                    yield name, port


def compose_paths(workspace: Workspace, profile: Profile) -> tuple[tuple[Path, ...], bool]:
    """Return the compose files of a profile, and whether they are those of the bundled stack.

    Raises:
        ProfileError: A file does not exist.
    """
    settings = ComposeSettings.from_profile(profile)
    paths = [(workspace.root / path).absolute() for path in settings.compose]
    # Further files override the bundled one; the stack still counts as bundled.
    is_bundled = paths[0] == workspace.stack / "compose.yaml"
    if is_bundled and profile.device == "gpu":
        paths.insert(1, workspace.stack / "compose.gpu.yaml")
    missing = [path for path in paths if not is_file(path)]
    if missing:
        raise ProfileError("; ".join(f"stack.compose: {path} is not a file" for path in missing))
    return tuple(paths), is_bundled


def project_name(paths: tuple[Path, ...]) -> str:
    """Return the name of the Compose project of these files, for this user on this machine.

    Other users and machines may have files with the same paths and share the Docker engine. They
    need projects of their own, because each run removes leftover containers of its project.
    """
    parts = (*map(str, paths), str(os.getuid()), platform.node(), _machine_id())
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
    return f"loadbench-{digest[:8]}"


def _machine_id() -> str:
    """Return the id of this machine, or an empty string where there is none, as on macOS."""
    try:
        return _MACHINE_ID.read_text("ascii", "replace").strip()
    except OSError:
        return ""


def read_compose_files(docker: Docker, workspace: Workspace, profile: Profile) -> ComposeFiles:
    """Read the compose files of a profile with Compose, without contacting an engine.

    Raises:
        ProfileError: The files are missing, invalid or incompatible with the profile.
        EngineError: Docker Compose is not installed.
    """
    paths, is_bundled = compose_paths(workspace, profile)
    try:
        config = ComposeCli(docker, project_name(paths), paths).config(timeout_s=_CONFIG_TIMEOUT_S)
    except DockerCommandError as error:
        raise ProfileError(f"stack.compose: {'; '.join(error.lines)}") from None
    settings = ComposeSettings.from_profile(profile)
    files = ComposeFiles(paths=paths, is_bundled=is_bundled, scaled=settings.service, config=config)
    if errors := files.errors(profile):
        raise ProfileError("\n".join(errors))
    return files


def _bundled_settings(profile: Profile) -> dict[str, object]:
    settings = ComposeSettings.from_profile(profile)
    return {
        "batch_size": profile.batch_size,
        "stack.model_threads": settings.model_threads,
        "stack.gpu_memory_mb": settings.gpu_memory_mb,
    }


def _requests_nvidia(service: Mapping[str, Any]) -> bool:
    if service.get("runtime") == "nvidia" or service.get("gpus"):
        return True
    reservations = ((service.get("deploy") or {}).get("resources") or {}).get("reservations") or {}
    return any(
        device.get("driver") == "nvidia" or "gpu" in (device.get("capabilities") or ())
        for device in reservations.get("devices") or ()
    )


def _is_scoped(name: str, project: str) -> bool:
    return name.startswith(f"{project}_")
