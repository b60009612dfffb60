"""Generates the override file of a run: what a benchmark must change in a Compose project.

Compose merges the file after the project's own files, which remain unchanged. The tags `!reset` and
`!override` remove or replace what merging cannot.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from loadbench.engine.drivers.compose.deployment import Deployment
from loadbench.engine.drivers.compose.project.services import Role, Service, host_ports
from loadbench.engine.drivers.docker.inspect import RUN_LABEL
from loadbench.engine.drivers.our_service import service_settings
from loadbench.engine.drivers.protocol import BYTES_PER_MB
from loadbench.engine.drivers.requirements import LOOPBACK
from loadbench.engine.profile.driver_settings import ComposeSettings

OVERRIDE_FILE = "compose.loadbench.yaml"
CONFIGURED_SERVICES = ("api", "model")
MAX_LISTED_PORTS = 20
MIN_COMPOSE = (2, 24, 4)
"""First version of Compose with `!override`: https://docs.docker.com/reference/compose-file/merge/"""


@dataclass(slots=True)
class Override:
    """The override file of a run, without the label of the run."""

    services: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Changed networks and volumes, by section."""
    changes: list[str] = field(default_factory=list)
    """What changes in the project, one phrase each."""

    @property
    def needs_tags(self) -> bool:
        """Whether the file contains tags that older versions of Compose do not know."""
        values = _leaves({**self.services, **self.resources})
        return any(isinstance(value, _Tagged) for value in values)

    def text(self, run: Path) -> str:
        """Return the text of the file.

        Args:
            run: The run's folder, for the label of its containers.
        """
        services = {
            name: {"labels": {RUN_LABEL: str(run)}, **service}
            for name, service in self.services.items()
        }
        data = _escaped({"services": services, **self.resources})
        # Wide lines keep long values on one line, which people can search.
        return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


@dataclass(frozen=True, slots=True)
class _Tagged:
    """A value with one of Compose's tags."""

    tag: str
    value: Any


_RESET = _Tagged("!reset", None)


class _Dumper(yaml.SafeDumper):
    """Writes tagged values."""


def _represent_tagged(dumper: _Dumper, tagged: _Tagged) -> yaml.Node:
    node = dumper.represent_data(tagged.value)
    node.tag = tagged.tag
    return node


_Dumper.add_representer(_Tagged, _represent_tagged)


def compose_override(deployment: Deployment) -> Override:
    """Return the override file of a run."""
    override = Override({name: {} for name in deployment.running})
    settings = ComposeSettings.from_profile(deployment.profile)
    _set_images(override, deployment)
    if deployment.files.is_bundled:
        for name in CONFIGURED_SERVICES:
            # Compose takes values of null from its own environment, unchanged. Secrets among them
            # are therefore not written to the file.
            passed_on = dict.fromkeys(settings.environment)
            environment = {**service_settings(deployment.profile, settings), **passed_on}
            override.services[name]["environment"] = environment
    else:
        _release_names(override, deployment)
        _release_addresses(override, deployment)
        _activate(override, deployment)
    _drop_dependencies(override, deployment)
    if not settings.healthcheck:
        _remove_health_checks(override, deployment)
    _release_ports(override, deployment)
    if not settings.restart:
        _remove_restart_policies(override, deployment)
    if limit := settings.memory_mb:
        scaled = deployment.running[deployment.scaled]
        _set_memory_limit(override.services[deployment.scaled], scaled.config, limit)
    return override


def _set_images(override: Override, deployment: Deployment) -> None:
    """Name built images after the project: with their own names, they would replace the user's."""
    files = deployment.files
    for name in deployment.built:
        if name not in override.services and files.services[name].config.get("image"):
            override.services[name] = {"image": files.image(name)}
    for name, service in deployment.running.items():
        if service.config.get("image") and files.builder_of(name):
            override.services[name]["image"] = files.image(name)
    for name in deployment.built:
        if files.services[name].config["build"].get("tags"):
            override.services[name]["build"] = {"tags": _Tagged("!reset", [])}


def _release_names(override: Override, deployment: Deployment) -> None:
    """Remove names that only one container, volume or network of the engine can have."""
    renamed = []
    for name, service in deployment.running.items():
        container = service.config.get("container_name")
        if not container:
            continue
        override.services[name]["container_name"] = _RESET
        renamed.append(f"{name} ({container})" if container != name else name)
        # Other services may use the name of the container as a host name.
        for network in service.networks:
            _network_of(override, name, network)["aliases"] = [container]
    if renamed:
        override.changes.append(f"without container_name: {', '.join(renamed)}")
    _follow_names(override, deployment)
    for kind, key, entry in deployment.files.resources(deployment.running.values()):
        scoped = f"{deployment.project}_{key}"
        fixed = str(entry.get("name") or "")
        # Names that contain the name of the project, as a variable, differ between copies.
        if not entry.get("external") and fixed and deployment.project not in fixed:
            override.resources.setdefault(f"{kind}s", {})[key] = {"name": scoped}
            override.changes.append(f"{kind} {fixed} replaced by {scoped}")


def _follow_names(override: Override, deployment: Deployment) -> None:
    """Name services instead of containers whose names have been removed."""
    names = {
        f"container:{service.config.get('container_name')}": f"service:{name}"
        for name, service in deployment.running.items()
    }
    for name, service in deployment.running.items():
        for key in ("network_mode", "pid", "ipc"):
            if target := names.get(str(service.config.get(key))):
                override.services[name][key] = target


def _remove_restart_policies(override: Override, deployment: Deployment) -> None:
    for name, service in deployment.running.items():
        override.services[name]["restart"] = "no"
        # It has precedence.
        if (service.config.get("deploy") or {}).get("restart_policy"):
            deploy = override.services[name].setdefault("deploy", {})
            deploy["restart_policy"] = _RESET
    override.changes.append("restart policies: none")


def _remove_health_checks(override: Override, deployment: Deployment) -> None:
    """Disable health checks, except those of data stores, and all waiting for disabled ones."""
    removed = [name for name, one in deployment.running.items() if one.role is not Role.DATA_STORE]
    for name in removed:
        override.services[name]["healthcheck"] = _Tagged("!override", {"disable": True})
    for name, service in deployment.running.items():
        depends_on: Mapping[str, Any] = service.config.get("depends_on") or {}
        kept = {
            key: {**one, "condition": "service_started"}
            if key in removed and one.get("condition") == "service_healthy"
            else one
            for key, one in depends_on.items()
            if key in deployment.running
        }
        if kept and kept != depends_on:
            override.services[name]["depends_on"] = _Tagged("!override", kept)
    # Those of other images are unknown here.
    known = [
        name
        for name in removed
        if deployment.running[name].config.get("healthcheck")
        or deployment.running[name].dockerfile.health
    ]
    listed = f": {', '.join(known)}" if known else ""
    override.changes.append(f"containers without their health checks{listed}")


def _release_addresses(override: Override, deployment: Deployment) -> None:
    """Remove network settings that only one container, or only one project, can have."""
    _release_subnets(override, deployment)
    name = deployment.scaled
    service = deployment.running[name]
    if deployment.leaves_host_network:
        override.services[name]["network_mode"] = _RESET
        override.changes.append(f"{name}: network_mode: host replaced by the project's network")
    _release_fixed(override, name, service, ("ipv4_address", "ipv6_address", "mac_address"))
    if service.config.get("mac_address"):
        override.services[name]["mac_address"] = _RESET
        override.changes.append(f"{name}: without mac_address")


def _release_subnets(override: Override, deployment: Deployment) -> None:
    """Let the engine choose the subnets, which two projects cannot share."""
    networks = {
        key: entry
        for kind, key, entry in deployment.files.resources(deployment.running.values())
        if kind == "network" and (entry.get("ipam") or {}).get("config")
    }
    if not networks or deployment.fixed_addresses:
        return
    for key in networks:
        override.resources.setdefault("networks", {}).setdefault(key, {})["ipam"] = _RESET
        override.changes.append(f"network {key}: without a fixed subnet")
    for name, service in deployment.running.items():
        if name != deployment.scaled:
            _release_fixed(override, name, service, ("ipv4_address", "ipv6_address"))


def _release_fixed(override: Override, name: str, service: Service, keys: tuple[str, ...]) -> None:
    for network, config in (service.config.get("networks") or {}).items():
        for key in sorted(set(keys) & (config or {}).keys()):
            _network_of(override, name, network)[key] = _RESET
            override.changes.append(f"{name}: without {key}")


def _activate(override: Override, deployment: Deployment) -> None:
    """Enable services whose Compose profiles are not active, but which the run needs."""
    for name, service in deployment.running.items():
        if name not in deployment.files.enabled:
            override.services[name]["profiles"] = _Tagged("!reset", [])
            active = ", ".join(service.config.get("profiles") or ())
            override.changes.append(f"{name} is started without its Compose profiles ({active})")


def _drop_dependencies(override: Override, deployment: Deployment) -> None:
    """Remove the dependencies of services on those that are not started."""
    for name, service in deployment.running.items():
        depends_on: Mapping[str, Any] = service.config.get("depends_on") or {}
        kept = {key: value for key, value in depends_on.items() if key in deployment.running}
        if len(kept) == len(depends_on):
            continue
        override.services[name]["depends_on"] = _Tagged("!override", kept)
        # Compose would derive the dependencies again from these.
        for key in ("links", "volumes_from"):
            if names := service.config.get(key):
                used = [one for one in names if one.partition(":")[0] in deployment.running]
                override.services[name][key] = _Tagged("!override", used)


def _release_ports(override: Override, deployment: Deployment) -> None:
    """Publish ports on free loopback ports, and the port that receives the requests."""
    receiver, fixed = deployment.receiver, []
    for name, service in deployment.running.items():
        ports = _published(service)
        if deployment.keeps_ports(name):
            place = receiver.port, "tcp"
            is_receiver = name == receiver.service and not receiver.address
            if is_receiver and not deployment.files.is_bundled and place not in ports:
                override.services[name]["ports"] = [_free_port(*place)]
            continue
        is_moved = service.is_on_host_network and deployment.leaves_host_network
        on_host = service.is_on_host_network and not is_moved
        if name == receiver.service and not receiver.address and not on_host:
            ports.setdefault((receiver.port, "tcp"), None)
        if not ports or on_host:
            continue
        override.services[name]["ports"] = _Tagged(
            "!override",
            [_free_port(target, protocol) for target, protocol in ports],
        )
        fixed += [f"{name} {number}" for number in ports.values() if number]
    if fixed:
        more = len(fixed) - MAX_LISTED_PORTS
        listed = ", ".join(fixed[:MAX_LISTED_PORTS]) + (f" and {more} more" if more > 0 else "")
        override.changes.append(f"free loopback ports instead of host ports: {listed}")


def _free_port(target: int, protocol: str) -> dict[str, Any]:
    """Return a port that is published on a free port of the loopback interface."""
    return {"target": target, "protocol": protocol, "host_ip": LOOPBACK, "mode": "ingress"}


def _published(service: Service) -> dict[tuple[int, str], str | None]:
    """Return the published ports of a service as (port, protocol), with their fixed host ports."""
    found: dict[tuple[int, str], str | None] = {}
    for port in service.config.get("ports") or ():
        numbers = str(port["published"]) if host_ports(port) else None
        found[int(port["target"]), str(port.get("protocol") or "tcp")] = numbers
    return found


def _network_of(override: Override, service: str, network: str) -> dict[str, Any]:
    networks: dict[str, dict[str, Any]] = override.services[service].setdefault("networks", {})
    return networks.setdefault(network, {})


def _set_memory_limit(service: dict[str, Any], config: Mapping[str, Any], megabytes: int) -> None:
    # Compose rejects a service that has limits in both notations.
    limit = megabytes * BYTES_PER_MB
    if ((config.get("deploy") or {}).get("resources") or {}).get("limits"):
        service.setdefault("deploy", {})["resources"] = {"limits": {"memory": str(limit)}}
    else:
        # Swap is disabled, because swapping would look like slow inference.
        service |= {"mem_limit": limit, "memswap_limit": limit}


def _escaped(value: Any) -> Any:
    """Escape dollar signs, so that Compose does not interpolate them."""
    match value:
        case str():
            return value.replace("$", "$$")
        case _Tagged():
            return _Tagged(value.tag, _escaped(value.value))
        case list():
            return [_escaped(inner) for inner in value]
        case dict():
            return {key: _escaped(inner) for key, inner in value.items()}
        case _:
            return value


def _leaves(value: Any) -> Iterator[Any]:
    """Yield all values inside dictionaries."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    else:
        yield value
