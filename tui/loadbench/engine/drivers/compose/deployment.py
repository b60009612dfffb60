"""Decides which services of a project a run starts, where requests go, and what must change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from loadbench.engine.drivers.compose.project.files import ComposeFiles
from loadbench.engine.drivers.compose.project.receiver import (
    Receiver,
    find_receiver,
    published_at,
    refuse_names_of_services,
    unknown_service,
)
from loadbench.engine.drivers.compose.project.selection import closure, left_out_services
from loadbench.engine.drivers.compose.project.services import Role, Service, host_ports
from loadbench.engine.drivers.our_service import unknown_variables
from loadbench.engine.profile.driver_settings import AUTO, ComposeSettings
from loadbench.engine.profile.fields import split_service_port
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.target import Balance, LeftOut
from loadbench.errors import ProfileError
from loadbench.paths import exists, is_dir

_DEFAULTS = Profile(models=(1,), users=(1,), spawn_rates=(1.0,))


@dataclass(frozen=True, kw_only=True)  # no slots: cached properties need a __dict__
class Deployment:
    """The part of a Compose project that a run starts."""

    files: ComposeFiles
    profile: Profile
    receiver: Receiver
    """Where requests go."""
    running: Mapping[str, Service]
    """The services that are started, in the order of the files."""
    left_out: tuple[LeftOut, ...]
    is_remote: bool = False
    """Whether the Docker engine is on another machine."""

    @property
    def scaled(self) -> str:
        """Name of the service to scale."""
        return self.files.scaled

    @property
    def project(self) -> str:
        """Name of the Compose project."""
        return self.files.project

    @property
    def is_scaled(self) -> bool:
        """Whether a cell needs more than one replica."""
        return max(self.profile.models) > 1

    @property
    def leaves_host_network(self) -> bool:
        """Whether the scaled service moves from the host's network to that of the project.

        Otherwise its replicas would share one port. Services with published ports may be what it
        reaches at localhost, so it moves only if there are none.
        """
        others = [one for name, one in self.running.items() if name != self.scaled]
        return (
            self.is_scaled
            and self.running[self.scaled].is_on_host_network
            and not any(one.published or one.is_on_host_network for one in others)
        )

    def keeps_ports(self, service: str) -> bool:
        """Return whether the published ports of a service stay as they are.

        The bundled stack publishes the port that the profile asks for. On another machine, the
        loopback interface cannot be reached. A service on the host's network may reach the others
        at the ports that they publish.
        """
        if self.files.is_bundled or self.is_remote:
            return True
        has_host_network = any(one.is_on_host_network for one in self.running.values())
        return has_host_network and service != self.scaled

    @cached_property
    def required(self) -> frozenset[str]:
        """Services that must keep running.

        In the user's own projects, these are the scaled service, the one that receives the requests
        and those with published ports. Any other service may be a one-off job, which succeeds if it
        exits with code 0.
        """
        if self.files.is_bundled:
            return frozenset(self.running)
        published = (name for name, service in self.running.items() if service.published)
        return frozenset((self.scaled, *published)) | ({self.receiver.service} - {""})

    @cached_property
    def fixed_addresses(self) -> tuple[str, ...]:
        """Fixed IP addresses of services by which other services reach them."""
        addresses = [
            str(address)
            for service in self.running.values()
            for network in (service.config.get("networks") or {}).values()
            for key, address in (network or {}).items()
            if key in ("ipv4_address", "ipv6_address")
        ]
        services = self.running.values()
        return tuple(one for one in addresses if any(other.mentions(one) for other in services))

    @property
    def external_resources(self) -> list[tuple[str, str]]:
        """Networks and volumes that must exist before a run, as kind and name."""
        return [
            (kind, str(entry.get("name")))
            for kind, _, entry in self.files.resources(self.running.values())
            if entry.get("external")
        ]

    @property
    def shared_data(self) -> list[tuple[str, str]]:
        """Data stores and what they write to outside of the project: folders, external volumes."""
        volumes = self.files.config.get("volumes") or {}
        found = []
        for name, service in self.running.items():
            for mount in service.config.get("volumes") or ():
                entry = volumes.get(str(mount.get("source"))) or {}
                is_outside = mount.get("type") == "bind" or entry.get("external")
                if service.role is Role.DATA_STORE and is_outside and not mount.get("read_only"):
                    found.append((name, str(entry.get("name") or mount.get("source"))))
        return found

    @property
    def needs_nvidia(self) -> bool:
        """Whether a service requests an NVIDIA GPU."""
        return any(_requests_nvidia(service.config) for service in self.running.values())

    @property
    def built(self) -> list[str]:
        """Services whose images are built: those that are started, and those whose image they use.

        The order is that of the files.
        """
        needed = {self.files.builder_of(name) for name in self.running} - {None}
        return [name for name in self.files.services if name in needed]

    def health_place(self, health: str) -> tuple[str, int] | None:
        """Return the service and port at which the health check is published, or None.

        Args:
            health: A health check of the profile.
        """
        if "://" not in health or self.files.is_bundled or self.is_remote:
            return None
        return published_at(self.running, health)

    def errors(self, profile: Profile) -> list[str]:
        """Return one message for each obstacle to scaling, such as for cells with more models."""
        service = self.running[self.scaled]
        if max(profile.models) == 1:
            return []
        obstacles = [f"network_mode: {service.network_mode}"] if service.shares_network else []
        if self.is_remote:
            obstacles += [
                f"the fixed host port {port['published']}"
                for port in service.published
                if len(host_ports(port)) == 1
            ]
        found = [
            f"stack.service: {self.scaled} cannot be scaled because it has {obstacle}; "
            "remove it, or set models: [1]"
            for obstacle in obstacles
        ]
        if service.is_on_host_network and not self.leaves_host_network:
            found.append(
                f"stack.service: {self.scaled} cannot be scaled because it has network_mode: host, "
                "so that all replicas would use the same port. Set models: [1]; or, if it reaches "
                "the other services by their names, add a file to stack.compose with "
                f"`services: {{{self.scaled}: {{network_mode: !reset null}}}}`"
            )
        is_own = self.receiver.service == self.scaled and not self.receiver.address
        if is_own and self.receiver.balance is Balance.FRONT:
            found.append("stack.balance: front cannot distribute requests among several replicas")
        return found

    def warnings(self) -> list[str]:
        """Return warnings about ineffective settings and about shared resources."""
        profile = self.profile
        if self.files.is_bundled:
            return unknown_variables(ComposeSettings.from_profile(profile))
        return [
            *self.files.messages,
            *_unused_settings(profile),
            *self._idle_replicas(),
            *self._host_networks(),
            *(
                f"services reach each other at the fixed address {address}, so the project cannot "
                "run beside another copy"
                for address in self.fixed_addresses
            ),
            *self._shared_resources(),
        ]

    def _idle_replicas(self) -> Iterator[str]:
        most, fewest = max(self.profile.models), min(self.profile.users)
        if self.receiver.balance is Balance.CLIENTS and fewest < most:
            yield (
                f"cells with fewer users than replicas leave replicas idle: {fewest} "
                f"{'user' if fewest == 1 else 'users'} for {most} replicas"
            )

    def _host_networks(self) -> Iterator[str]:
        for name, service in self.running.items():
            if not service.is_on_host_network:
                continue
            if name == self.scaled and self.leaves_host_network:
                yield (
                    f"{name}: network_mode: host is replaced by the network of the project, so "
                    "that each replica has a port of its own"
                )
            else:
                yield (
                    f"{name} has network_mode: host: its ports are those of this machine, which "
                    "other copies of the project share"
                )

    def _shared_resources(self) -> Iterator[str]:
        for kind, resource in self.external_resources:
            yield f"{kind} {resource} is external: other copies of the project share it"
        mounts = {
            f"{name} writes to {mount['source']}, which other copies of the project share"
            for name, service in self.running.items()
            for mount in service.config.get("volumes") or ()
            if mount.get("type") == "bind"
            and not mount.get("read_only")
            # Single files are usually settings.
            and (is_dir(Path(mount["source"])) or not exists(Path(mount["source"])))
        }
        yield from sorted(mounts)
        for name, service in self.running.items():
            sources = (str(one.get("source")) for one in service.config.get("volumes") or ())
            if any(source.endswith("docker.sock") for source in sources):
                yield f"{name} mounts the Docker socket: it sees the containers of all projects"


def deploy(files: ComposeFiles, profile: Profile, *, is_remote: bool = False) -> Deployment:
    """Decide what a run with a profile starts.

    Args:
        files: The compose files of the profile.
        profile: The profile, without references.
        is_remote: Whether the Docker engine is on another machine.

    Raises:
        ProfileError: The files are incompatible with the profile. Each line starts with a key.
    """
    settings = ComposeSettings.from_profile(profile)
    services = files.services
    if settings.service not in services:
        raise ProfileError(f"stack.service: {unknown_service(settings.service, services)}")
    if services[settings.service].role is Role.LOAD_GENERATOR and not files.is_bundled:
        raise ProfileError(
            f"stack.service: {settings.service} is a load generator. Name the service under test"
        )
    named = [name for name in settings.without if name != AUTO]
    if unknown := [name for name in named if name not in services]:
        raise ProfileError(f"stack.without: {unknown_service(unknown[0], services)}")
    if settings.service in named:
        raise ProfileError(f"stack.without: {settings.service} is the scaled service")
    _refuse_page_of_load_generator(files, profile, is_remote=is_remote)
    refuse_names_of_services(services, settings)
    # A service that the profile names is started, even if its Compose profiles are not active.
    place = split_service_port(settings.port or "")[1]
    enabled = files.enabled | {settings.service, place}
    receiver = find_receiver(
        {name: service for name, service in services.items() if name in enabled},
        settings,
        host=profile.host,
        is_fixed=is_remote or files.is_bundled,
        is_scaled=max(profile.models) > 1,
    )
    if receiver.service in named:
        raise ProfileError(f"stack.without: {receiver.service} receives the requests")
    roots = [settings.service, *filter(None, [receiver.service])]
    reasons = left_out_services(files, settings, roots, has_receiver=bool(receiver.service))
    needed = closure(roots, files, leave=reasons)
    running = {
        name: service
        for name, service in services.items()
        if name in needed or (name in files.enabled and name not in reasons)
    }
    deployment = Deployment(
        files=files,
        profile=profile,
        receiver=receiver,
        running=running,
        left_out=tuple(
            LeftOut(service=name, reason=reason)
            for name, reason in reasons.items()
            if name not in running and name in (files.enabled | set(named))
        ),
        is_remote=is_remote,
    )
    if errors := deployment.errors(profile):
        raise ProfileError("\n".join(errors))
    return deployment


def _refuse_page_of_load_generator(
    files: ComposeFiles, profile: Profile, *, is_remote: bool
) -> None:
    """Refuse an address of a load generator, even of one that is not enabled."""
    if profile.host is None or is_remote or files.is_bundled:
        return
    place = published_at(files.services, profile.host)
    if place and files.services[place[0]].role is Role.LOAD_GENERATOR:
        raise ProfileError(
            f"host: {profile.host} is the page of {place[0]}, a load generator. Remove host, and "
            "name the port of the service under test, as in stack.port: api:8000"
        )


def _unused_settings(profile: Profile) -> list[str]:
    own, defaults = _bundled_settings(profile), _bundled_settings(_DEFAULTS)
    return [
        f"{key} has no effect with your own compose files"
        for key, value in own.items()
        if value != defaults[key]
    ]


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
