"""What is added to the compose files of a run: whose containers these are, and its settings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from loadbench.engine.drivers.compose.files import ComposeFiles
from loadbench.engine.drivers.docker.inspect import RUN_LABEL
from loadbench.engine.drivers.our_service import service_settings
from loadbench.engine.drivers.protocol import BYTES_PER_MB
from loadbench.engine.profile.driver_settings import ComposeSettings
from loadbench.engine.profile.model import Profile

OUR_SERVICES = ("api", "model")


def compose_override(files: ComposeFiles, profile: Profile, run: Path) -> str:
    """Return a compose file that adds to others what a profile and a run ask for.

    Args:
        files: The others.
        profile: What is to be run.
        run: The run's folder.
    """
    settings = ComposeSettings.from_profile(profile)
    services: dict[str, dict[str, Any]] = {
        name: {"labels": {RUN_LABEL: str(run)}} for name in files.services
    }
    for name, service in files.services.items():
        if service.get("build") and service.get("image"):
            # Built under its own name it would take the place of the one that others run.
            services[name]["image"] = files.image(name)
    if files.ours:
        for name in OUR_SERVICES:
            services[name]["environment"] = service_settings(profile, settings)
    if limit := settings.memory_mb:
        services[files.scaled].update(_memory_limit(files.services[files.scaled], limit))
    # JSON is YAML too, but Compose does not read its escapes of two halves of a character:
    # https://github.com/go-yaml/yaml/issues/279. `ensure_ascii` can go when that is fixed.
    return json.dumps({"services": _escaped(services)}, indent=2, ensure_ascii=False)


def _memory_limit(service: Mapping[str, Any], megabytes: int) -> dict[str, Any]:
    # Compose takes one way of writing limits or the other, not both for one service.
    limit = megabytes * BYTES_PER_MB
    if ((service.get("deploy") or {}).get("resources") or {}).get("limits"):
        return {"deploy": {"resources": {"limits": {"memory": str(limit)}}}}
    # Without swap: a model that is swapped out is measured as one that computes slowly.
    return {"mem_limit": limit, "memswap_limit": limit}


def _escaped(value: Any) -> Any:
    """Return a value whose dollar signs Compose takes as they are."""
    match value:
        case str():
            return value.replace("$", "$$")
        case dict():
            return {key: _escaped(inner) for key, inner in value.items()}
        case _:
            return value
