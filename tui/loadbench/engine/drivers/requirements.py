"""Preflight checks that several drivers share."""

from pathlib import Path
from urllib.parse import urlsplit

from loadbench.errors import RefusedError

LOOPBACK = "127.0.0.1"


def require_no_path(host: str | None) -> None:
    """Check that the address of the bundled service has no path.

    Raises:
        RefusedError: It has one.
    """
    if host and urlsplit(host).path:
        raise RefusedError(
            f"host: {host} cannot be used, because the bundled service has no base path; remove "
            f"{urlsplit(host).path}"
        )


def require_nvidia_gpu() -> None:
    """Check that this machine has an NVIDIA GPU.

    Raises:
        RefusedError: No GPU device was found.
    """
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/dxg").exists():
        raise RefusedError(
            "device: gpu requires an NVIDIA GPU, but this machine has none (no /dev/nvidia0); "
            "nothing was started. To run on the CPU, use --set device=cpu"
        )
