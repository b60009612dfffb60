"""What more than one driver needs of a machine, looked at before anything starts."""

from pathlib import Path

from loadbench.errors import RefusedError

LOOPBACK = "127.0.0.1"


def is_loopback(host: str | None) -> bool:
    """Whether a host's name stands for this machine alone."""
    return host is not None and (host in ("localhost", "::1") or host.startswith("127."))


def refuse_without_nvidia_card() -> None:
    """Raise unless this machine shows an NVIDIA GPU.

    Raises:
        RefusedError: It does not.
    """
    if not any(Path("/dev").glob("nvidia[0-9]*")) and not Path("/dev/dxg").exists():
        raise RefusedError(
            "device: gpu needs an NVIDIA GPU, and this machine shows none (no /dev/nvidia0); "
            "nothing was started. Without one: --set device=cpu"
        )
