"""What is wrong with containers, in words: what, which one, and what to do. Pure."""

from collections.abc import Collection, Iterable, Mapping

from loadbench.engine.drivers.docker.inspect import Inspected
from loadbench.engine.drivers.protocol import BYTES_PER_MB
from loadbench.errors import StackError

MANY_RESTARTS = 3
LOOP_AFTER_S = 15.0
"""What waits for another service by ending until that is there is given this long for it."""

REMOVING = "removing"
"""The state of a container that is gone in a moment, as engines call it."""

KILLED = 137
"""The exit code of a process that got SIGKILL, as engines tell it: 128 + 9."""


def is_broken(seen: Inspected, needed: Collection[str]) -> bool:
    """Whether a container must be replaced before a cell can be measured.

    Args:
        seen: The container.
        needed: The services of which none may end. One of another service that has ended with 0
            has done its work, such as a migration before the service starts.
    """
    if seen.running:
        return seen.oom_killed or seen.restarts > 0 or seen.health == "unhealthy"
    return seen.state != "exited" or seen.exit_code != 0 or seen.service in needed


def starting_fault(
    containers: Iterable[Inspected],
    needed: Collection[str],
    unstable_s: Mapping[str, float],
) -> StackError | None:
    """Return what keeps a service that is being started from ever being ready.

    Args:
        containers: As they are now.
        needed: The services of which none may end.
        unstable_s: How long ago each was first seen to be restarted, by id.
    """
    for seen in containers:
        if seen.restarts >= MANY_RESTARTS and unstable_s.get(seen.id, 0) > LOOP_AFTER_S:
            return _error(seen, f"{seen.name} is restarting in a loop ({_times(seen)})")
        if seen.state in ("exited", "dead") and (seen.exit_code or seen.service in needed):
            return _error(seen, f"{seen.name} never was ready: it {_ending(seen)}")
    return None


def measuring_fault(
    containers: Iterable[Inspected],
    expected: Mapping[str, Inspected],
    needed: Collection[str],
) -> StackError | None:
    """Return what has happened to the containers of a service that was ready.

    Args:
        containers: As they are now.
        expected: Those that ran when it was ready, by id.
        needed: The services of which none may end.
    """
    now = {seen.id: seen for seen in containers}
    for identity, before in expected.items():
        seen = now.get(identity)
        if seen is None or seen.state == REMOVING:
            return StackError(f"{before.name} was removed by somebody else", container=before.name)
        if seen.ended and not seen.exit_code and seen.service not in needed:
            continue
        if seen.ended:
            return _error(seen, f"{seen.name} {_ending(seen)}")
        if not seen.running:
            return StackError(f"{seen.name} is {seen.state}", container=seen.name)
        if seen.started_at != before.started_at:
            killed = f", killed by the kernel, {_out_of_memory(seen)}" if seen.oom_killed else ""
            again = f"{seen.name} ended and was started again ({_times(seen)})"
            return _error(seen, f"{again}{killed}")
        if seen.oom_killed and not before.oom_killed:
            return _error(
                seen, f"a process of {seen.name} was killed by the kernel, {_out_of_memory(seen)}"
            )
    return None


def may_be_exiting(containers: Iterable[Inspected], expected: Mapping[str, Inspected]) -> bool:
    """Whether a process was killed in a container that is still reported as running.

    If it was the main process, the engine reports the exit code a moment after the kill.

    Args:
        containers: As they are now.
        expected: Those that ran when the service was ready, by id.
    """
    return any(
        seen.running and seen.oom_killed and not expected[seen.id].oom_killed
        for seen in containers
        if seen.id in expected
    )


def not_ready(containers: Iterable[Inspected], *, scaled: str, models: int) -> str | None:
    """Return which containers do not run yet, as part of a sentence; None: all do."""
    running = sum(seen.running for seen in containers if seen.service == scaled)
    if running != models:
        return f"{running} of {models} {scaled} containers run"
    waiting = [f"{seen.name} is {seen.state}" for seen in containers if _stands_still(seen)]
    return ", ".join(waiting) or None


def not_healthy(containers: Iterable[Inspected]) -> str | None:
    """Return which containers' own health checks do not pass; None: all that have one do."""
    failing = [
        f"{seen.name} is {seen.health}" + (f" ({seen.last_words[-1]})" if seen.last_words else "")
        for seen in containers
        if seen.running and seen.health not in (None, "healthy")
    ]
    return ", ".join(failing) or None


def _stands_still(seen: Inspected) -> bool:
    return seen.state in ("created", "restarting", "paused")


def _ending(seen: Inspected) -> str:
    if seen.oom_killed:
        return f"was killed by the kernel (exit code {seen.exit_code}), {_out_of_memory(seen)}"
    if seen.exit_code == KILLED:
        return f"was killed (exit code {KILLED})"
    return f"ended with exit code {seen.exit_code}"


def _out_of_memory(seen: Inspected) -> str:
    if not seen.memory_limit_bytes:
        return "out of memory: this machine has no more"
    limit = seen.memory_limit_bytes // BYTES_PER_MB
    return (
        f"out of memory: its limit is {limit} MB; raise it (stack.memory_mb), or lower batch_size"
    )


def _times(seen: Inspected) -> str:
    # A container that runs again has lost its exit code.
    last = f", the last time with exit code {seen.exit_code}" if seen.ended else ""
    return f"{seen.restarts} {'time' if seen.restarts == 1 else 'times'}{last}"


def _error(seen: Inspected, message: str) -> StackError:
    return StackError(
        message,
        container=seen.name,
        exit_code=seen.exit_code if seen.ended else None,
        log_lines=seen.last_words,
    )
