"""What the compose files of a profile say, and what of it cannot be run as the profile asks."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadbench.engine.drivers.compose.client import ComposeCli
from loadbench.engine.drivers.docker.client import Docker, DockerCallError
from loadbench.engine.drivers.our_service import strangers
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace

_CONFIG_TIMEOUT_S = 30.0
_BLANK = Profile(models=(1,), users=(1,), spawn_rates=(1.0,))


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeFiles:
    """The compose files of a profile, as Compose understands them."""

    paths: tuple[Path, ...]
    ours: bool
    """Whether it is the stack that came with the program."""
    scaled: str
    """The service that is scaled."""
    config: Mapping[str, Any]
    """All of it, as `docker compose config` gives it."""

    @property
    def project(self) -> str:
        """The project's name: the same for the same files, and nobody else's."""
        return project_name(self.paths)

    @property
    def services(self) -> Mapping[str, Any]:
        """The services by name."""
        found: Mapping[str, Any] = self.config.get("services") or {}
        return found

    @property
    def published(self) -> tuple[tuple[str, int], ...]:
        """Every (service, container port) that is published on the host, over TCP."""
        # The same port may be published for IPv4 and for IPv6.
        return tuple(dict.fromkeys((name, int(port["target"])) for name, port in self._ports()))

    @property
    def needed(self) -> frozenset[str]:
        """The services without which requests have no answer, so that none of them may end.

        Of somebody else's others nobody knows: one that ends with 0 may have done its work.
        """
        if self.ours:
            return frozenset(self.services)
        return frozenset((self.scaled, *(name for name, _ in self.published)))

    def image(self, service: str) -> str:
        """Return the name of a service's image; what is built has a name of this project."""
        found = self.services[service]
        named = None if found.get("build") else found.get("image")
        return str(named or f"{self.project}-{service}")

    @property
    def wants_nvidia(self) -> bool:
        """Whether a service asks for an NVIDIA GPU."""
        return any(_asks_for_nvidia(service) for service in self.services.values())

    def mistakes(self, profile: Profile) -> list[str]:
        """Return why a profile cannot be run with these files, a sentence for each reason."""
        service = self.services.get(self.scaled)
        if service is None:
            there = ", ".join(self.services) or "none"
            return [f"stack.service: no service {self.scaled!r} in the files; there are: {there}"]
        found = []
        if max(profile.models) > 1:
            found += [
                f"stack.service: {self.scaled} cannot be scaled, since {why}; remove that, "
                "or measure models: [1]"
                for why in self._unscalable(service)
            ]
        if profile.host is None and not self._one_address(profile):
            listed = ", ".join(f"{name}:{port}" for name, port in self.published) or "none"
            found.append(
                "host: the address that requests go to is needed, as these files do not publish "
                f"exactly one port of one container (published: {listed})"
            )
        return found

    def warnings(self, profile: Profile) -> list[str]:
        """Return what may not be meant: what has no effect, and what copies of it share."""
        if self.ours:
            return strangers(ComposeSettings.from_profile(profile))
        idle = [
            f"{key} has no effect on compose files of your own"
            for key, value in _for_our_stack(profile).items()
            if value != _for_our_stack(_BLANK)[key]
        ]
        shared = [
            f"{kind[:-1]} {entry['name']} has a fixed name: other copies of the project use it too"
            for kind in ("volumes", "networks")
            for entry in (self.config.get(kind) or {}).values()
            if entry.get("external") or not _is_scoped(entry.get("name", ""), self.project)
        ]
        mounts = sorted(
            f"{name} writes to {mount['source']}, as other copies of the project do"
            for name, service in self.services.items()
            for mount in service.get("volumes") or ()
            if mount.get("type") == "bind" and not mount.get("read_only")
        )
        return [*idle, *shared, *mounts]

    def _unscalable(self, service: Mapping[str, Any]) -> Iterator[str]:
        if name := service.get("container_name"):
            yield f"it has container_name: {name}"
        for name, port in self._ports():
            published = str(port.get("published") or "")
            if name == self.scaled and published not in ("", "0") and "-" not in published:
                yield f"it has the fixed host port {published}"

    def _one_address(self, profile: Profile) -> bool:
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
    """Return the compose files of a profile, and whether they are our own stack's.

    Raises:
        ProfileError: One of them is not there.
    """
    settings = ComposeSettings.from_profile(profile)
    paths = [(workspace.root / path).absolute() for path in settings.compose]
    # Files after ours overrule it, and leave it ours.
    ours = paths[0] == workspace.stack / "compose.yaml"
    if ours and profile.device == "gpu":
        paths.insert(1, workspace.stack / "compose.gpu.yaml")
    lacking = [path for path in paths if not path.is_file()]
    if lacking:
        raise ProfileError("; ".join(f"stack.compose: {path} is not a file" for path in lacking))
    return tuple(paths), ours


def project_name(paths: tuple[Path, ...]) -> str:
    """Return the name of the compose project that belongs to these files."""
    digest = hashlib.sha256("\n".join(map(str, paths)).encode()).hexdigest()
    return f"loadbench-{digest[:8]}"


def read_compose_files(docker: Docker, workspace: Workspace, profile: Profile) -> ComposeFiles:
    """Read the compose files of a profile, by Compose itself; no engine is needed for that.

    Raises:
        ProfileError: They are not there, not valid, or cannot be scaled as the profile asks.
        EngineError: There is no Compose.
    """
    paths, ours = compose_paths(workspace, profile)
    try:
        config = ComposeCli(docker, project_name(paths), paths).config(within_s=_CONFIG_TIMEOUT_S)
    except DockerCallError as error:
        raise ProfileError(f"stack.compose: {'; '.join(error.lines)}") from None
    settings = ComposeSettings.from_profile(profile)
    files = ComposeFiles(paths=paths, ours=ours, scaled=settings.service, config=config)
    if mistakes := files.mistakes(profile):
        raise ProfileError("\n".join(mistakes))
    return files


def _for_our_stack(profile: Profile) -> dict[str, object]:
    settings = ComposeSettings.from_profile(profile)
    return {
        "batch_size": profile.batch_size,
        "stack.model_threads": settings.model_threads,
        "stack.gpu_memory_mb": settings.gpu_memory_mb,
    }


def _asks_for_nvidia(service: Mapping[str, Any]) -> bool:
    if service.get("runtime") == "nvidia" or service.get("gpus"):
        return True
    reserved = ((service.get("deploy") or {}).get("resources") or {}).get("reservations") or {}
    return any(
        device.get("driver") == "nvidia" or "gpu" in (device.get("capabilities") or ())
        for device in reserved.get("devices") or ()
    )


def _is_scoped(name: str, project: str) -> bool:
    return name.startswith(f"{project}_")
