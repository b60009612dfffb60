"""Preflight checks that several drivers share."""

from pathlib import Path

from loadbench.errors import RefusedError

LOOPBACK = "127.0.0.1"


def is_loopback(host: str | None) -> bool:
    """Return whether a host name refers to the loopback interface."""
    return host is not None and (host in ("localhost", "::1") or host.startswith("127."))


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
