"""Describes container failures: which container, what happened and what to do."""

from collections.abc import Collection, Iterable, Mapping

from loadbench.engine.drivers.docker.inspect import ContainerInfo
from loadbench.engine.drivers.protocol import BYTES_PER_MB
from loadbench.errors import StackError

MIN_LOOP_RESTARTS = 3
MIN_LOOP_S = 15.0
"""Shortest duration of a restart loop. A service may restart until its dependencies are ready."""

REMOVING = "removing"
"""State of a container during its removal, as reported by the engine."""

SIGKILL_EXIT_CODE = 137
"""Exit code of a process killed by SIGKILL, as reported by the engine: 128 + 9."""


def is_broken(container: ContainerInfo, required: Collection[str]) -> bool:
    """Return whether a container must be replaced before a cell can be measured.

    Args:
        container: The container.
        required: Services that must keep running. Other services may be one-off jobs, such as a
            migration, which are complete once they exit with code 0.
    """
    if container.is_running:
        return container.oom_killed or container.restarts > 0 or container.health == "unhealthy"
    is_complete = container.state == "exited" and container.exit_code == 0
    return not is_complete or container.service in required


def lack_commands(containers: Iterable[ContainerInfo]) -> bool:
    """Return whether a container can never become healthy, for its health check has no command."""
    return any(container.is_running and container.missing_command for container in containers)


def startup_fault(
    containers: Iterable[ContainerInfo],
    required: Collection[str],
    unstable_s: Mapping[str, float],
    *,
    counts_health: bool = True,
) -> StackError | None:
    """Return an error if a service that is starting can no longer become ready.

    Args:
        containers: Current state.
        required: Services that must keep running.
        unstable_s: Seconds since the first observed restart, by container id.
        counts_health: Whether the health checks of the containers count.
    """
    for container in containers:
        is_unstable = unstable_s.get(container.id, 0) > MIN_LOOP_S
        if container.restarts >= MIN_LOOP_RESTARTS and is_unstable:
            return _error(
                container, f"{container.name} is in a restart loop {_restarts(container)}"
            )
        has_failed = container.exit_code or container.service in required
        if container.state in ("exited", "dead") and has_failed:
            message = f"{container.name} did not become ready: it {_exit_text(container)}"
            return _error(container, message)
        if counts_health and container.is_running and container.missing_command:
            # Not a failure of the container, which runs.
            return StackError(
                f"{container.name} cannot become healthy: its health check runs "
                f"{container.missing_command}, which its image does not have. Set "
                "stack.healthcheck: off, or correct the health check in the compose file"
            )
    return None


def measuring_fault(
    containers: Iterable[ContainerInfo],
    expected: Mapping[str, ContainerInfo],
    required: Collection[str],
) -> StackError | None:
    """Return an error if a container has changed since the service was ready.

    Args:
        containers: Current state.
        expected: Containers that were running when the service was ready, by id.
        required: Services that must keep running.
    """
    current = {container.id: container for container in containers}
    for identity, before in expected.items():
        now = current.get(identity)
        if now is None or now.state == REMOVING:
            return StackError(
                f"{before.name} was removed by another process", container=before.name
            )
        if now.has_exited and not now.exit_code and now.service not in required:
            continue
        if now.has_exited:
            return _error(now, f"{now.name} {_exit_text(now)}")
        if not now.is_running:
            return StackError(f"{now.name} is {now.state}", container=now.name)
        if now.started_at != before.started_at:
            cause = f"; the kernel killed it: {_oom_text(now)}" if now.oom_killed else ""
            return _error(now, f"{now.name} exited and was restarted {_restarts(now)}{cause}")
        if now.oom_killed and not before.oom_killed:
            return _error(now, f"the kernel killed a process in {now.name}: {_oom_text(now)}")
    return None


def may_be_exiting(
    containers: Iterable[ContainerInfo], expected: Mapping[str, ContainerInfo]
) -> bool:
    """Return whether a process was killed in a container that is still reported as running.

    If it was the main process, the engine reports the exit code shortly after the kill.

    Args:
        containers: Current state.
        expected: Containers that were running when the service was ready, by id.
    """
    return any(
        container.is_running and container.oom_killed and not expected[container.id].oom_killed
        for container in containers
        if container.id in expected
    )


def not_ready(containers: Iterable[ContainerInfo], *, scaled: str, models: int) -> str | None:
    """Return a phrase about the containers that are not running, or None if all are running."""
    running = sum(container.is_running for container in containers if container.service == scaled)
    if running != models:
        return f"{running} of {models} {scaled} containers running"
    waiting = [
        f"{container.name} is {container.state}"
        for container in containers
        if container.state in ("created", "restarting", "paused")
    ]
    return ", ".join(waiting) or None


def not_healthy(containers: Iterable[ContainerInfo]) -> str | None:
    """Return a phrase that lists unhealthy or starting containers, or None if there are none."""
    failing = [
        f"{container.name} is {container.health}"
        + (f" ({container.last_output[-1]})" if container.last_output else "")
        for container in containers
        if container.is_running and container.health not in (None, "healthy")
    ]
    return ", ".join(failing) or None


def _exit_text(container: ContainerInfo) -> str:
    if container.oom_killed:
        code = container.exit_code
        return f"was killed by the kernel (exit code {code}): {_oom_text(container)}"
    if container.exit_code == SIGKILL_EXIT_CODE:
        return f"was killed (exit code {SIGKILL_EXIT_CODE})"
    return f"exited with code {container.exit_code}"


def _oom_text(container: ContainerInfo) -> str:
    if not container.memory_limit_bytes:
        return "out of memory (the machine has no memory left)"
    limit = container.memory_limit_bytes // BYTES_PER_MB
    return f"out of memory (limit {limit} MB); raise stack.memory_mb or lower batch_size"


def _restarts(container: ContainerInfo) -> str:
    # The exit code is lost once the container runs again.
    code = f", last exit code {container.exit_code}" if container.has_exited else ""
    return f"(restart count {container.restarts}{code})"


def _error(container: ContainerInfo, message: str) -> StackError:
    return StackError(
        message,
        container=container.name,
        exit_code=container.exit_code if container.has_exited else None,
        log_lines=container.last_output,
    )
