"""Generates the override file of a run, with the run's label and the profile's settings."""

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

CONFIGURED_SERVICES = ("api", "model")


def compose_override(files: ComposeFiles, profile: Profile, run: Path) -> str:
    """Return the text of the override file of a run.

    Args:
        files: The compose files to override.
        profile: The profile to run.
        run: The run's folder.
    """
    settings = ComposeSettings.from_profile(profile)
    services: dict[str, dict[str, Any]] = {
        name: {"labels": {RUN_LABEL: str(run)}} for name in files.services
    }
    for name, service in files.services.items():
        if service.get("build") and service.get("image"):
            # With its configured name, the built image would replace that of other projects.
            services[name]["image"] = files.image(name)
    if files.is_bundled:
        for name in CONFIGURED_SERVICES:
            # Compose takes values of null from its own environment, unchanged. Secrets among them
            # are therefore not written to the file.
            passed_on = dict.fromkeys(settings.environment)
            services[name]["environment"] = {**service_settings(profile, settings), **passed_on}
    if limit := settings.memory_mb:
        services[files.scaled].update(_memory_limit(files.services[files.scaled], limit))
    # JSON is valid YAML, but Compose does not decode JSON's surrogate pairs:
    # https://github.com/go-yaml/yaml/issues/279. Remove `ensure_ascii` when that is fixed.
    return json.dumps({"services": _escaped(services)}, indent=2, ensure_ascii=False)


def _memory_limit(service: Mapping[str, Any], megabytes: int) -> dict[str, Any]:
    # Compose rejects a service that has limits in both notations.
    limit = megabytes * BYTES_PER_MB
    if ((service.get("deploy") or {}).get("resources") or {}).get("limits"):
        return {"deploy": {"resources": {"limits": {"memory": str(limit)}}}}
    # Swap is disabled, because swapping would look like slow inference.
    return {"mem_limit": limit, "memswap_limit": limit}


def _escaped(value: Any) -> Any:
    """Escape dollar signs, so that Compose does not interpolate them."""
    match value:
        case str():
            return value.replace("$", "$$")
        case dict():
            return {key: _escaped(inner) for key, inner in value.items()}
        case _:
            return value
