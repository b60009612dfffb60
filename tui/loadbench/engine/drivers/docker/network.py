"""Bytes received by containers: from the kernel on this machine, else from `docker stats`."""

import re
from pathlib import Path

_LOOPBACK = "lo"
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}
_SIZE = r"([0-9.]{1,12}(?:e[+-]?[0-9]{1,2})?)([kMGTP]?B)"
"""Such as `12.3kB`, or `1e+03kB` for rounded 999.9 kB."""
_DIGITS = 3
"""Significant digits of sizes in `docker stats`: `HumanSizeWithPrecision(…, 3)` in
https://github.com/docker/cli/blob/master/cli/command/container/formatter_stats.go"""


def received_bytes(pid: int, *, root: Path = Path("/")) -> int | None:
    """Return the bytes that all network interfaces of a process but loopback have received.

    The counters start at 0 with the network namespace, see proc_pid_net(5).

    Args:
        pid: Process id, such as that of the main process of a container.
        root: Parent folder of `proc`.

    Returns:
        The bytes, including the headers of all layers, or None if they cannot be read.
    """
    try:
        text = (root / "proc" / str(pid) / "net" / "dev").read_text(encoding="utf-8")
        # The first two lines are headings.
        rows = [line.partition(":") for line in text.splitlines()[2:]]
        counters = {name.strip(): int(values.split()[0]) for name, _, values in rows}
    except (OSError, ValueError, LookupError):
        return None
    if not counters:
        return None
    return sum(received for name, received in counters.items() if name != _LOOPBACK)


def parse_received(text: str) -> tuple[int, int]:
    """Parse the received bytes in the column `NetIO` of `docker stats`, such as `1.23kB / 45B`.

    Returns:
        The bytes, and their maximum rounding error in bytes.

    Raises:
        ValueError: The text has no such size, as for a container that has exited.
    """
    match = re.fullmatch(_SIZE, text.partition("/")[0].strip())
    if not match:
        raise ValueError(text)
    size = float(match[1]) * _UNITS[match[2]]
    if match[2] == "B" and size < 10**_DIGITS:
        return round(size), 0
    whole_digits = len(str(int(float(match[1]))))
    return round(size), round(0.5 * _UNITS[match[2]] * 10.0 ** (whole_digits - _DIGITS))
