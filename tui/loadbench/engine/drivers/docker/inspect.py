"""Parses the output of `docker inspect`."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

# Checks the types of the fields, as they come from outside.
from pydantic.dataclasses import dataclass

from loadbench.engine.drivers.docker.cgroups import Usage
from loadbench.engine.drivers.protocol import MAX_LOG_LINES
from loadbench.engine.journal.events import Container, Count, Integer

PROJECT_LABEL = "com.docker.compose.project"
RUN_LABEL = "loadbench.run"
"""Label of every container that loadbench starts. Its value is the folder of the run."""

_SHORT_DIGEST = len("sha256:") + 12
"""Length of an abbreviated digest, which Docker accepts. It keeps the samples short."""

MIN_FAILED_CHECKS = 2
"""Number of successive health checks that must not find their command."""

_NOT_FOUND = re.compile(
    # Of the container runtime; of the shells dash, bash and that of BusyBox; and of GNU's tools.
    r'exec: "([^"]+)": (?:executable file not found|stat .*: no such file)'
    r"|^\S*sh: (?:(?:line )?\d+: )?([^\s:]+): (?:command )?not found$"
    r"|^\S+: (?:line )?\d+: ([^\s:]+): (?:command )?not found$"
    r"|^(?:env|timeout|nohup|nice): .*['‘]([^'’]+)['’]: No such file or directory$"
)
_OF_CONTAINER = "container:"

_EXITED_STATES = ("exited", "dead", "restarting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A published port of a container."""

    target: int
    address: str
    published: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerInfo:
    """State of a container, from `docker inspect`."""

    id: str
    name: str
    """Short name, such as `model-1`."""
    service: str
    state: str
    health: str | None
    exit_code: Integer
    oom_killed: bool
    restarts: Count
    started_at: str
    pid: int
    """Process id of its main process on the Docker host. 0 if it has exited."""
    image: str
    memory_limit_bytes: Count
    """0 if there is no limit."""
    ports: tuple[Port, ...]
    network: str = ""
    """Its network mode: `host`, `container:` and the id of the container whose network it uses, or
    else the name of a network."""
    shares_network: bool = False
    """Whether the machine or another container uses the same network interfaces."""
    run: str
    """Folder of the run that started it, from its label. Empty if it has no such label."""
    last_output: tuple[str, ...]
    """Last log lines of an exited container, or output of a failing health check."""
    missing_command: str
    """The command of the health check that its image does not have. Empty if it has it."""

    @property
    def is_running(self) -> bool:
        """Whether the container is running. Paused and restarting containers are not."""
        return self.state == "running"

    @property
    def has_exited(self) -> bool:
        """Whether the main process of the container has exited."""
        return self.state in _EXITED_STATES


def parse_container(
    inspected: Mapping[str, Any], project: str, oom_killed_ids: Collection[str] = ()
) -> ContainerInfo:
    """Parse one element of the output of `docker inspect`.

    Args:
        inspected: The element.
        project: Name of the Compose project, which is a prefix of its container names.
        oom_killed_ids: Ids of containers with an OOM event. Some engines report an OOM kill only as
            an event: https://github.com/moby/moby/issues/38352. Remove this parameter when all
            supported engines set `OOMKilled`.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: A required field is missing, or a field
            has an unexpected type.
    """
    state, labels = inspected["State"], inspected["Config"]["Labels"]
    service = labels.get("com.docker.compose.service", "")
    number = labels.get("com.docker.compose.container-number", "1")
    name = inspected["Name"].removeprefix("/")
    if name == f"{project}-{service}-{number}":
        name = f"{service}-{number}"
    health = state.get("Health") or {}
    status = health.get("Status")
    return ContainerInfo(
        id=inspected["Id"],
        name=name,
        service=service,
        state=state["Status"],
        health=None if status == "none" else status,
        exit_code=state["ExitCode"],
        oom_killed=bool(state["OOMKilled"]) or inspected["Id"] in oom_killed_ids,
        restarts=inspected.get("RestartCount", 0),
        started_at=state["StartedAt"],
        pid=state["Pid"],
        image=inspected["Image"],
        memory_limit_bytes=inspected["HostConfig"].get("Memory", 0),
        ports=_published_ports(inspected["NetworkSettings"].get("Ports") or {}),
        network=inspected["HostConfig"].get("NetworkMode", ""),
        run=labels.get(RUN_LABEL, ""),
        last_output=_health_output(health) if status == "unhealthy" else (),
        missing_command=_missing_command(health),
    )


def recorded_container(
    info: ContainerInfo, usage: Usage | None, vram_bytes: int | None
) -> Container:
    """Return a container as it is recorded.

    Args:
        info: The container.
        usage: Its resource usage. None if unknown.
        vram_bytes: Its VRAM usage. None if it uses none, or if unknown.
    """
    return Container(
        name=info.name,
        service=info.service,
        state=info.state,
        exit_code=info.exit_code if info.has_exited else None,
        cpu_cores=usage.cpu_cores if usage else None,
        memory_bytes=usage.memory_bytes if usage else None,
        vram_bytes=vram_bytes,
        health=info.health,
        oom_killed=info.oom_killed,
        restarts=info.restarts,
        image=info.image[:_SHORT_DIGEST],
        throttled=usage.throttled if usage else None,
        received_bytes=usage.received_bytes if usage and not info.shares_network else None,
        received_error_bytes=usage.received_error_bytes if usage else 0,
    )


def with_shared_networks(containers: Sequence[ContainerInfo]) -> list[ContainerInfo]:
    """Return the containers of a project, with `shares_network` determined."""
    modes = [info.network for info in containers]
    owners = {mode.removeprefix(_OF_CONTAINER) for mode in modes if mode.startswith(_OF_CONTAINER)}
    return [
        replace(
            info,
            shares_network=info.id in owners
            or info.network == "host"
            or info.network.startswith(_OF_CONTAINER),
        )
        for info in containers
    ]


def _health_output(health: Mapping[str, Any]) -> tuple[str, ...]:
    for entry in (health.get("Log") or ())[-1:]:
        lines = entry.get("Output", "").splitlines()[-MAX_LOG_LINES:]
        return tuple(lines) or (f"its health check exits with code {entry.get('ExitCode')}",)
    return ()


def _missing_command(health: Mapping[str, Any]) -> str:
    """Return the command that the last health checks did not find, or an empty text.

    A check may try several commands, so all lines of its output must say that one is missing. A
    container may install the command when it starts, so one failed check is not sufficient, and
    failures within `start_period` do not count.
    """
    if health.get("Status") == "healthy" or health.get("FailingStreak", 0) < MIN_FAILED_CHECKS:
        return ""
    names = [_not_found(entry) for entry in (health.get("Log") or ())[-MIN_FAILED_CHECKS:]]
    return names[-1] if names and all(names) else ""


def _not_found(entry: Mapping[str, Any]) -> str:
    lines = [line.strip() for line in entry.get("Output", "").splitlines() if line.strip()]
    found = [_NOT_FOUND.search(line) for line in lines]
    if not entry.get("ExitCode") or not found or not all(found):
        return ""
    return next((name for match in found if match for name in match.groups() if name), "")


def _published_ports(ports: Mapping[str, Any]) -> tuple[Port, ...]:
    found = []
    for target, bindings in ports.items():
        port, _, protocol = target.partition("/")
        for binding in bindings or () if protocol == "tcp" else ():
            address, published = binding["HostIp"], int(binding["HostPort"])
            found.append(Port(target=int(port), address=address, published=published))
    return tuple(found)


def published_urls(
    containers: Iterable[ContainerInfo], service: str, target: int, scheme: str = "http"
) -> dict[str, str]:
    """Return the URLs of a service's published port by container, for all running containers.

    Args:
        containers: The containers of the project.
        service: Name of the service.
        target: The port in its containers.
        scheme: Scheme of the URLs.
    """
    urls = {}
    for info in containers:
        if not info.is_running or info.service != service:
            continue
        # Prefer IPv4 if the port is also published for IPv6.
        found = sorted(
            (port for port in info.ports if port.target == target),
            key=lambda port: ":" in port.address,
        )
        if found:
            urls[info.name] = f"{scheme}://{_reachable(found[0].address)}:{found[0].published}"
    return urls


def _reachable(address: str) -> str:
    """Return an address at which this machine reaches a port, as it stands in URLs."""
    loopback = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # not bound
    found = loopback.get(address, address)
    return f"[{found}]" if ":" in found else found
