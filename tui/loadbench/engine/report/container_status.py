"""Derive the status of a container from its state, health and exit code."""

from enum import StrEnum

from loadbench.engine.journal.events import Container


class ContainerStatus(StrEnum):
    """Status of a container, combined from its state, health and exit code."""

    RUNNING = "running"
    """Running without a health check."""
    HEALTHY = "healthy"
    STARTING = "starting"
    """The health check has not passed yet."""
    UNHEALTHY = "unhealthy"
    SUSPENDED = "suspended"
    """Neither running nor exited, for example `created`, `paused` or `restarting`."""
    EXITED = "exited"
    KILLED = "killed"
    """Terminated by a signal."""
    OUT_OF_MEMORY = "out_of_memory"
    """Killed by the kernel's OOM killer."""


_HEALTH = {
    "healthy": ContainerStatus.HEALTHY,
    "starting": ContainerStatus.STARTING,
    "unhealthy": ContainerStatus.UNHEALTHY,
}


def container_status(container: Container) -> ContainerStatus:
    """Return the status of a container. Health counts only while it is running."""
    if has_ended(container):
        if container.oom_killed:
            return ContainerStatus.OUT_OF_MEMORY
        is_killed = container.exit_code is not None and container.exit_code < 0
        return ContainerStatus.KILLED if is_killed else ContainerStatus.EXITED
    if container.state != "running":
        return ContainerStatus.SUSPENDED
    return _HEALTH.get(container.health or "", ContainerStatus.RUNNING)


def has_ended(container: Container) -> bool:
    """Return whether a container has exited."""
    return container.state == "exited" or container.exit_code is not None
