"""Compose projects for tests, as `docker compose config` prints them."""

from pathlib import Path
from typing import Any

from loadbench.engine.drivers.compose.deployment import Deployment, deploy
from loadbench.engine.drivers.compose.project.files import ComposeFiles
from loadbench.engine.drivers.docker.inspect import ContainerInfo
from tests.support.builders import make_profile

GATEWAY: dict[str, Any] = {"ports": [{"target": 80, "published": "8080", "protocol": "tcp"}]}


def port(target: int, published: str = "") -> dict[str, Any]:
    """Return a published TCP port."""
    return {"target": target, "published": published, "protocol": "tcp", "mode": "ingress"}


def make_files(
    *,
    is_bundled: bool = False,
    top: dict[str, Any] | None = None,
    scaled: str = "app",
    **services: Any,
) -> ComposeFiles:
    """Return the files of a project, by default of `app` and a `gateway` with a published port.

    Services with `profiles` are not enabled.
    """
    found = services or {"app": {}, "gateway": GATEWAY}
    return ComposeFiles(
        paths=(Path("/x/compose.yaml"),),
        is_bundled=is_bundled,
        scaled=scaled,
        config={"services": found, **(top or {})},
        enabled=frozenset(name for name, one in found.items() if not one.get("profiles")),
    )


def make_deployment(
    files: ComposeFiles | None = None, *, is_remote: bool = False, **keys: Any
) -> Deployment:
    """Return what a run with a profile starts. The keys of the profile may be given."""
    files = files or make_files()
    stack = {"service": files.scaled, **keys.pop("stack", {})}
    return deploy(files, make_profile(**keys, stack=stack), is_remote=is_remote)


def running_container(name: str, **changes: Any) -> ContainerInfo:
    """Return a running container, such as `app-1`, without a health check.

    Args:
        name: Short name: the service and a number.
        changes: Fields with other values.
    """
    fields: dict[str, Any] = {
        "id": name * 8,
        "name": name,
        "service": name.rpartition("-")[0],
        "state": "running",
        "health": None,
        "exit_code": 0,
        "oom_killed": False,
        "restarts": 0,
        "started_at": "2026-11-26T14:00:00Z",
        "pid": 7,
        "image": "sha256:0",
        "memory_limit_bytes": 0,
        "ports": (),
        "run": "/run",
        "last_output": (),
        "missing_command": "",
    }
    return ContainerInfo(**{**fields, **changes})
