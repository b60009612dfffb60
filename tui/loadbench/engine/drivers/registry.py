"""Which driver a profile gets on this machine, and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadbench.engine.drivers.compose.preflight import ComposeMeans, open_compose, vram_warning
from loadbench.engine.drivers.external.stack import ExternalStack
from loadbench.engine.drivers.local.preflight import refuse_if_unusable
from loadbench.engine.drivers.local.stack import LocalStack
from loadbench.engine.drivers.our_service import strangers
from loadbench.engine.drivers.protocol import Stack
from loadbench.engine.hardware import usable_cores
from loadbench.engine.journal.events import Project
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import warnings
from loadbench.errors import RefusedError
from loadbench.workspace import Workspace

ASKED_FOR = "the profile asks for it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A driver that can run a profile here."""

    name: str
    reason: str
    lock_name: str
    """Two runs whose drivers have the same one would disturb each other."""
    stack: Callable[[Path], Stack]
    """Makes the stack, not started yet; the argument is the run's folder."""
    project: Project | None = None
    """The compose project that it scales, if it does that."""
    engine: Mapping[str, Any] = field(default_factory=dict)
    """What the containers run on, for the journal."""
    warnings: tuple[str, ...] = ()
    """What is allowed but may not be meant, a sentence each."""


def choose_driver(workspace: Workspace, profile: Profile, *, only: str | None = None) -> Driver:
    """Return the driver for a profile.

    Args:
        workspace: Where its files are.
        profile: What is to be run.
        only: The one driver that will do, where `auto` is asked for.

    Raises:
        ProfileError: Its files cannot be used.
        RefusedError: It cannot run here; the message says why and what to do.
    """
    asked = profile.stack.driver
    name = only if asked == "auto" and only else asked
    reason = ASKED_FOR if name == asked else f"the run was begun with {name}"
    match name:
        case "compose":
            return _compose(workspace, profile, reason)
        case "local":
            return _local(workspace, profile, reason)
        case "external":
            return _external(profile)
    return _automatic(workspace, profile)


def _automatic(workspace: Workspace, profile: Profile) -> Driver:
    try:
        means = open_compose(workspace, profile)
    except RefusedError as no_compose:
        if needs := profile.stack.needs_containers():
            raise RefusedError(f"{no_compose} (stack.{needs[0]} needs containers)") from no_compose
        try:
            return _local(workspace, profile, f"no containers: {no_compose}")
        except RefusedError as no_local:
            raise RefusedError(
                f"no driver can run this here\n  compose: {no_compose}\n  local: {no_local}"
            ) from no_local
    version = means.info.get("ServerVersion")
    reason = f"Docker engine {version} answers at {means.docker.endpoint.url}"
    return _of_compose(profile, means, reason)


def _compose(workspace: Workspace, profile: Profile, reason: str) -> Driver:
    return _of_compose(profile, open_compose(workspace, profile), reason)


def _of_compose(profile: Profile, means: ComposeMeans, reason: str) -> Driver:
    docker, files = means.docker, means.files

    def make(folder: Path) -> Stack:
        # Here, not above: python-on-whales and NVML are for the runner's process alone.
        from loadbench.engine.drivers.compose.stack import ComposeStack
        from loadbench.engine.drivers.docker.gpu import VramMeter, find_gpus

        gpus = find_gpus() if files.wants_nvidia and not docker.endpoint.remote else None
        vram = VramMeter(gpus) if gpus else None
        return ComposeStack(docker, files, profile, folder=folder, vram=vram)

    return Driver(
        name="compose",
        reason=reason,
        lock_name=files.project,
        stack=make,
        project=Project(
            name=files.project, context=docker.endpoint.context, engine=docker.endpoint.url
        ),
        engine={
            "docker": means.info.get("ServerVersion"),
            "compose": means.info.get("ComposeVersion"),
            "cores": means.info.get("NCPU"),
            "memory_bytes": means.info.get("MemTotal"),
            "system": means.info.get("OperatingSystem"),
            "runtimes": sorted(means.info.get("Runtimes") or {}),
        },
        warnings=(
            *warnings(profile, means.info.get("NCPU") if files.ours else None),
            *files.warnings(profile),
            *_present(None if docker.endpoint.remote else vram_warning(profile)),
        ),
    )


def _local(workspace: Workspace, profile: Profile, reason: str) -> Driver:
    refuse_if_unusable(workspace.stack, profile)
    return Driver(
        name="local",
        reason=reason,
        # All local stacks share this machine's cores, so two at once would measure each other.
        lock_name="local",
        stack=lambda folder: LocalStack(workspace.stack, profile, log=folder / "stack.log"),
        warnings=(
            *warnings(profile, usable_cores()),
            *strangers(profile),
            *_present(vram_warning(profile)),
        ),
    )


def _external(profile: Profile) -> Driver:
    assert profile.host is not None
    parts = urlsplit(profile.host)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Driver(
        name="external",
        reason=ASKED_FOR,
        lock_name=f"external-{parts.hostname}-{port}",
        stack=lambda _: ExternalStack(profile),
        warnings=tuple(warnings(profile, None)),
    )


def _present(warning: str | None) -> tuple[str, ...]:
    return (warning,) if warning else ()
