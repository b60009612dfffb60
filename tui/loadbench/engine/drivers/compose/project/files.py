"""Reads the compose files of a profile."""

import hashlib
import os
import platform
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from loadbench.engine.drivers.compose.client import ComposeCli
from loadbench.engine.drivers.compose.messages import compose_warnings
from loadbench.engine.drivers.compose.project.services import Service
from loadbench.engine.drivers.docker.client import Docker, DockerCommandError
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import ProfileError
from loadbench.paths import is_file
from loadbench.workspace import Workspace

_CONFIG_TIMEOUT_S = 30.0
_MACHINE_ID = Path("/etc/machine-id")
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
"""Names that Docker Compose finds by itself, in its order."""

_MISSING_ENV_FILE = re.compile(r"env file (\S+) not found")
_EXAMPLE_WORDS = ("example", "sample", "template", "dist")

GPU_FILE = "compose.gpu.yaml"
"""Name of the file that adds a GPU to the bundled stack."""


@dataclass(frozen=True, kw_only=True)  # no slots: cached properties need a __dict__
class ComposeFiles:
    """The compose files of a profile and their merged configuration."""

    paths: tuple[Path, ...]
    is_bundled: bool
    """Whether the first file is the compose file of the bundled stack."""
    scaled: str
    """Name of the service to scale."""
    config: Mapping[str, Any]
    """Merged configuration with all services, the output of `docker compose config`."""
    enabled: frozenset[str]
    """Services that a plain `docker compose up` would start: those whose profiles are active."""
    messages: tuple[str, ...] = ()
    """Warnings from Compose, such as about variables that are not set."""

    @property
    def project(self) -> str:
        """Name of the Compose project, from `project_name`."""
        return project_name(self.paths)

    @cached_property
    def services(self) -> Mapping[str, Service]:
        """The services, by name."""
        found: Mapping[str, Any] = self.config.get("services") or {}
        return {name: Service(name, config) for name, config in found.items()}

    def image(self, service: str) -> str:
        """Return the image name of a service. Built images are named after the project."""
        builder = self.builder_of(service)
        if builder is None:
            return str(self._config(service).get("image"))
        # Service names may contain capitals, image names may not.
        return f"{self.project}-{builder}".lower()

    def builder_of(self, service: str) -> str | None:
        """Return the service that builds a service's image, or None if the image is pulled."""
        if self._config(service).get("build"):
            return service
        image = self._config(service).get("image")
        builders = (name for name, one in self.services.items() if one.config.get("build"))
        return next((name for name in builders if self._config(name).get("image") == image), None)

    def resources(
        self, services: Iterable[Service]
    ) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """Yield the kind, key and configuration of all networks and volumes of these services."""
        used = list(services)
        volumes = {
            str(mount.get("source"))
            for service in used
            for mount in service.config.get("volumes") or ()
            if mount.get("type") == "volume"
        }
        networks = {name for service in used for name in service.networks}
        for kind, names in (("network", networks), ("volume", volumes)):
            for name, entry in (self.config.get(f"{kind}s") or {}).items():
                if name in names:
                    yield kind, name, entry or {}

    def _config(self, service: str) -> Mapping[str, Any]:
        return self.services[service].config


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
        paths.insert(1, workspace.stack / GPU_FILE)
    missing = [path for path in paths if not is_file(path)]
    if missing:
        raise ProfileError("; ".join(f"stack.compose: {path} is not a file" for path in missing))
    return tuple(paths), is_bundled


def project_name(paths: tuple[Path, ...]) -> str:
    """Return the name of the Compose project of these files, for this user on this machine.

    The first file identifies the project, as it does for Compose, so that built images and volumes
    remain when a file is added. Only the GPU variant of the bundled stack has other images.

    Other users and machines may have files with the same paths and share the Docker engine. They
    need projects of their own, because each run removes leftover containers of its project.
    """
    own = paths[: 2 if paths[1:] and paths[1].name == GPU_FILE else 1]
    # The same file may be named relative to a workspace, or by its absolute path.
    parts = (*map(os.path.normpath, own), str(os.getuid()), platform.node(), _machine_id())
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
        ProfileError: The files are missing or invalid.
        EngineError: Docker Compose is not installed.
    """
    paths, is_bundled = compose_paths(workspace, profile)
    cli = ComposeCli(docker, project_name(paths), paths)
    try:
        config, messages = _read_config(cli)
        enabled = _enabled_services(cli, config)
    except DockerCommandError as error:
        # Compose prints its warnings before the error.
        lines = [line for line in error.lines if "level=warning" not in line] or error.lines
        text = "; ".join(lines)
        raise ProfileError(f"stack.compose: {text}{env_file_hint(text)}") from None
    return ComposeFiles(
        paths=paths,
        is_bundled=is_bundled,
        scaled=ComposeSettings.from_profile(profile).service,
        config=config,
        enabled=enabled,
        messages=(*compose_warnings(messages), *unused_override(paths)),
    )


def is_env_file_missing(message: str) -> bool:
    """Return whether a message of Compose says that an env file is missing."""
    return _MISSING_ENV_FILE.search(message) is not None


def env_file_hint(text: str) -> str:
    """Return how to create a missing env file, if the project has an example of it."""
    if match := _MISSING_ENV_FILE.search(text):
        file = Path(match[1])
        stems = dict.fromkeys((file.name, ".env", "env"))
        names = [f"{stem}.{word}" for stem in stems for word in _EXAMPLE_WORDS]
        examples = [file.with_name(name) for name in (*names, "example.env")]
        if found := next(filter(is_file, examples), None):
            copy = shlex.join(["cp", str(found), str(file)])
            return f". To create it: {copy}. Then check its values"
        return ". Create it with the variables that the project needs"
    return ""


def unused_override(paths: tuple[Path, ...]) -> list[str]:
    """Return a warning if a plain `docker compose up` would also read an override file."""
    first = paths[0]
    names = [f"{first.stem}.override{suffix}" for suffix in (".yaml", ".yml")]
    existing = [first.with_name(name) for name in names if is_file(first.with_name(name))]
    if first.name not in COMPOSE_NAMES or not existing or existing[0] in paths:
        return []
    found = existing[0]
    unlike = "is not used, unlike with a plain `docker compose up`"
    return [f"{found.name} {unlike}. To use it, add it to stack.compose"]


def _enabled_services(cli: ComposeCli, config: Mapping[str, Any]) -> frozenset[str]:
    """Return the services that a plain `docker compose up` would start."""
    services: Mapping[str, Any] = config.get("services") or {}
    always = frozenset(name for name, one in services.items() if not one.get("profiles"))
    if len(always) == len(services):
        return always
    try:
        plain, _ = cli.config(timeout_s=_CONFIG_TIMEOUT_S)
    except DockerCommandError:
        # Invalid, for example because a service depends on one that is not enabled.
        return always
    return frozenset(plain.get("services") or {})


def _read_config(cli: ComposeCli) -> tuple[dict[str, Any], str]:
    """Return the configuration with the services of all Compose profiles."""
    try:
        return cli.config("--profile", "*", timeout_s=_CONFIG_TIMEOUT_S)
    except DockerCommandError:
        # A service of an inactive profile may be invalid, for example without its env file.
        return cli.config(timeout_s=_CONFIG_TIMEOUT_S)
