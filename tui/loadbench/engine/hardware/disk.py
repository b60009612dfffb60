"""Model and kind of the disk that holds a folder, read from Linux's sysfs."""

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from loadbench.engine.hardware.readings import optional, read_file
from loadbench.engine.hardware.values import clean_text

_KINDS_BY_BUS = {"virtio": "virtio", "xen": "virtual", "mmc": "mmc"}
_HYPERVISORS = re.compile(
    r"(qemu|vbox|vmware|msft|virtual disk|google|persistentdisk|xen|nutanix)\b", re.IGNORECASE
)
"""Start of the vendor or model of a virtual disk. Hypervisors set `rotational` arbitrarily."""

_MAX_DEVICES = 64
_MAX_OVERLAYS = 4
_ESCAPED_OCTAL = re.compile(r"\\([0-7]{3})")
_ESCAPED_HEX = re.compile(r"\\x([0-9a-fA-F]{2})")
_UDEV_MODEL = "E:ID_MODEL_ENC="


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mount:
    """A mounted file system."""

    source: str
    """Device, such as `/dev/sda1`, or a name without meaning."""
    upper: Path | None
    """Folder that an overlay writes to. None if the file system is no overlay."""


def find_disk(folder: Path, *, root: Path = Path("/")) -> dict[str, Any] | None:
    """Return the disk that holds a folder, or None if unknown, as for network file systems.

    Args:
        folder: An existing folder.
        root: Folder with `proc`, `sys`, `dev` and `run`.

    Returns:
        `model` and `kind` (`nvme`, `ssd`, `hdd`, `mmc`, `virtio` or `virtual`), each only if
        known; for several disks, as in a RAID, also their number as `count`.
    """
    return optional(lambda: _find_disk(folder, root)) or None


def _find_disk(folder: Path, root: Path) -> dict[str, Any]:
    device = _device_of(folder, root)
    disks = [disk for disk in _disks_below(device) if (disk / "device").exists()] if device else []
    models = list(dict.fromkeys(filter(None, (_model(disk, root) for disk in disks))))
    kinds = {_kind(disk) for disk in disks}
    found: dict[str, Any] = {}
    if model := clean_text(" + ".join(models)):
        found["model"] = model
    if len(kinds) == 1 and (kind := kinds.pop()):
        found["kind"] = kind
    if found and len(disks) > 1:
        found["count"] = len(disks)
    return found


def _device_of(folder: Path, root: Path) -> Path | None:
    """Return the folder in sysfs of the device that holds a folder."""
    for _ in range(_MAX_OVERLAYS):
        number = folder.stat().st_dev
        device = root / "sys/dev/block" / f"{os.major(number)}:{os.minor(number)}"
        if device.exists():
            return device.resolve()
        # Overlays and Btrfs have a device number of their own.
        mount = _mount_of(folder.resolve(), root)
        if mount is None:
            return None
        if mount.upper is None:
            return _device_named(mount.source, root)
        # Inside a container, this path of the host does not exist: the disk stays unknown.
        folder = mount.upper
    return None


def _device_named(source: str, root: Path) -> Path | None:
    """Return the folder in sysfs of a device such as `/dev/sda1` or `/dev/mapper/root`."""
    if not source.startswith("/dev/"):
        return None
    name = (root / source.lstrip("/")).resolve().name
    device = root / "sys/class/block" / name
    return device.resolve() if device.exists() else None


def _mount_of(folder: Path, root: Path) -> _Mount | None:
    """Return the file system that holds a folder: the last one mounted at its nearest parent."""
    found, depth = None, 0
    for point, mount in _mounts(root):
        if folder.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = mount, len(point.parts)
    return found


def _mounts(root: Path) -> Iterator[tuple[Path, _Mount]]:
    """Yield mount points and file systems. The format is described in proc_pid_mountinfo(5)."""
    for line in read_file(root / "proc/self/mountinfo").splitlines():
        mounted, _, rest = line.partition(" - ")
        fields, (kind, source, options, *_) = mounted.split(), [*rest.split(), "", "", ""]
        if len(fields) < 5:
            continue
        uppers = [
            Path(_unescape(option.removeprefix("upperdir=")))
            for option in options.split(",")
            if kind == "overlay" and option.startswith("upperdir=/")
        ]
        mount = _Mount(source=_unescape(source), upper=uppers[0] if uppers else None)
        yield Path(_unescape(fields[4])), mount


def _unescape(path: str) -> str:
    raw = _ESCAPED_OCTAL.sub(lambda escape: chr(int(escape[1], 8) & 0xFF), path)
    return raw.replace("\0", "")


def _disks_below(device: Path) -> list[Path]:
    """Return the disks of a partition, or those below a device mapper, RAID or cache."""
    disks, queue, seen = [], deque([device]), set[Path]()
    while queue and len(seen) < _MAX_DEVICES:
        current = queue.popleft()
        if (current / "partition").exists():
            current = current.parent
        if current in seen:
            continue
        seen.add(current)
        slaves = current / "slaves"
        below = sorted(islice(slaves.iterdir(), _MAX_DEVICES)) if slaves.is_dir() else []
        if below:
            queue += [entry.resolve() for entry in below]
        else:
            disks.append(current)
    return disks


def _model(disk: Path, root: Path) -> str | None:
    # udev has the complete model of a SATA disk; sysfs only its first 16 characters.
    if re.fullmatch(r"\d+:\d+", number := read_file(disk / "dev").strip()):
        for line in read_file(root / "run/udev/data" / f"b{number}").splitlines():
            if line.startswith(_UDEV_MODEL):
                text = line.removeprefix(_UDEV_MODEL)
                return clean_text(_ESCAPED_HEX.sub(lambda escape: chr(int(escape[1], 16)), text))
    return clean_text(read_file(disk / "device/model")) or clean_text(
        read_file(disk / "device/name")
    )


def _kind(disk: Path) -> str | None:
    bus = (disk / "device/subsystem").resolve().name
    if bus in _KINDS_BY_BUS:
        return _KINDS_BY_BUS[bus]
    names = (read_file(disk / "device" / name).strip() for name in ("vendor", "model"))
    if any(_HYPERVISORS.match(name) for name in names):
        return "virtual"
    if disk.name.startswith("nvme"):
        return "nvme"
    return {"0": "ssd", "1": "hdd"}.get(read_file(disk / "queue/rotational").strip())
