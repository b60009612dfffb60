"""A container as `docker inspect` describes it. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from loadbench.engine.drivers.protocol import LOG_LINES

PROJECT_LABEL = "com.docker.compose.project"
RUN_LABEL = "loadbench.run"
"""On every container that we start: the folder of its run."""

_ENDED = ("exited", "dead", "restarting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of a container, and where it is published."""

    target: int
    address: str
    published: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """A container as the engine described it."""

    id: str
    name: str
    """As people say it: `model-1`."""
    service: str
    state: str
    health: str | None
    exit_code: int
    oom_killed: bool
    restarts: int
    started_at: str
    pid: int
    """Its first process, as its own machine numbers it; 0: it has ended."""
    image: str
    memory_limit_bytes: int
    """0: no limit."""
    ports: tuple[Port, ...]
    run: str
    """The folder of the run that has started it, as its label says."""
    last_words: tuple[str, ...]
    """Of one that has ended, or whose health check fails."""

    @property
    def running(self) -> bool:
        """Whether it runs, which one that is paused or restarting does not."""
        return self.state == "running"

    @property
    def ended(self) -> bool:
        """Whether its process has ended."""
        return self.state in _ENDED


def describe(told: Mapping[str, Any], project: str, oomed: Collection[str] = ()) -> Inspected:
    """Return a container from what `docker inspect` tells of it.

    Args:
        told: One element of its answer.
        project: The compose project, whose name all its containers begin with.
        oomed: Ids of containers in which the kernel has killed a process: the engine tells of
            that in an event, and some tell nowhere else (as https://github.com/moby/moby/issues/38352).
            Can go when every engine that is supported sets `OOMKilled`.

    Raises:
        LookupError: Something is missing.
    """
    state, labels = told["State"], told["Config"]["Labels"]
    service = labels.get("com.docker.compose.service", "")
    number = labels.get("com.docker.compose.container-number", "1")
    name = told["Name"].removeprefix("/")
    if name == f"{project}-{service}-{number}":
        name = f"{service}-{number}"
    health = state.get("Health") or {}
    status = health.get("Status")
    return Inspected(
        id=told["Id"],
        name=name,
        service=service,
        state=state["Status"],
        health=None if status == "none" else status,
        exit_code=state["ExitCode"],
        oom_killed=bool(state["OOMKilled"]) or told["Id"] in oomed,
        restarts=told.get("RestartCount", 0),
        started_at=state["StartedAt"],
        pid=state["Pid"],
        image=told["Image"],
        memory_limit_bytes=told["HostConfig"].get("Memory", 0),
        ports=_ports(told["NetworkSettings"].get("Ports") or {}),
        run=labels.get(RUN_LABEL, ""),
        last_words=_complaint(health) if status == "unhealthy" else (),
    )


def _complaint(health: Mapping[str, Any]) -> tuple[str, ...]:
    outputs = [entry.get("Output", "") for entry in health.get("Log") or ()]
    return tuple(line for text in outputs[-1:] for line in text.splitlines()[-LOG_LINES:])


def _ports(told: Mapping[str, Any]) -> tuple[Port, ...]:
    found = []
    for target, bindings in told.items():
        port, _, protocol = target.partition("/")
        for binding in bindings or () if protocol == "tcp" else ():
            address, published = binding["HostIp"], int(binding["HostPort"])
            found.append(Port(target=int(port), address=address, published=published))
    return tuple(found)
