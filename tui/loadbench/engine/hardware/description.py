"""Recorded hardware as text for people.

Journals of older versions lack most fields, and any field may have another type than expected;
such a field is omitted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

from loadbench.engine.hardware.values import clean_text, positive_int


def hardware_facts(hardware: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return labels and values of the recorded hardware, without unknown ones.

    Args:
        hardware: `hardware` of `run_started` or `run_resumed`.
    """
    facts = (
        ("CPU", clean_text(hardware.get("cpu"))),
        ("Cores", _cores(hardware)),
        ("Frequency", _frequency(hardware.get("max_frequency_mhz"))),
        ("Memory", _size(hardware.get("memory_bytes"))),
        ("Disk", _disk(hardware.get("disk"))),
        *(("GPU", text) for text in gpu_texts(hardware.get("gpus"))),
        ("System", clean_text(hardware.get("system"))),
        ("Docker host", docker_host_text(hardware.get("engine"))),
    )
    return [(label, value) for label, value in facts if value]


def hardware_line(hardware: Mapping[str, object]) -> str:
    """Return CPU, cores, frequency, memory and disk on one line. Empty if all are unknown.

    Args:
        hardware: `hardware` of `run_started` or `run_resumed`.
    """
    memory, disk = _size(hardware.get("memory_bytes")), _disk(hardware.get("disk"))
    parts = (
        clean_text(hardware.get("cpu")),
        _cores(hardware),
        _frequency(hardware.get("max_frequency_mhz")),
        f"{memory} memory" if memory else None,
        f"disk {disk}" if disk else None,
    )
    return ", ".join(filter(None, parts))


def gpu_texts(gpus: object) -> list[str]:
    """Return name, VRAM and driver version of each GPU. Identical GPUs share one text.

    Args:
        gpus: `gpus` of the recorded hardware.
    """
    if not isinstance(gpus, Sequence) or isinstance(gpus, str):
        return []
    counts = Counter(text for gpu in gpus if (text := _gpu(gpu)))
    return [f"{count} × {text}" if count > 1 else text for text, count in counts.items()]


def docker_host_text(engine: object) -> str | None:
    """Return the machine of a Docker engine: `same machine`, or its properties.

    Args:
        engine: `engine` of the recorded hardware.

    Returns:
        The text, or None without an engine or if nothing is known.
    """
    if not isinstance(engine, Mapping):
        return None
    is_same = engine.get("same_machine")
    if is_same is True:
        return "same machine"
    name = clean_text(engine.get("name"))
    cores, memory = positive_int(engine.get("cores")), _size(engine.get("memory_bytes"))
    parts = (
        (f"another machine ({name})" if name else "another machine") if is_same is False else name,
        clean_text(engine.get("system")),
        clean_text(engine.get("architecture")),
        _counted(cores, "core") if cores else None,
        f"{memory} memory" if memory else None,
    )
    return ", ".join(filter(None, parts)) or None


def _cores(hardware: Mapping[str, object]) -> str | None:
    """Return sockets, physical cores and threads, and the usable ones if those are fewer."""
    sockets, physical, threads, usable = (
        positive_int(hardware.get(name))
        for name in ("sockets", "physical_cores", "threads", "cores")
    )
    parts = []
    if sockets and physical and physical % sockets == 0:
        parts.append(f"{_counted(sockets, 'socket')} × {_counted(physical // sockets, 'core')}")
    else:
        parts += [_counted(sockets, "socket")] if sockets else []
        parts += [_counted(physical, "core")] if physical else []
    if threads:
        parts.append(_counted(threads, "thread"))
    if usable and not parts:
        parts.append(_counted(usable, "core"))
    elif usable and usable != (threads or physical):
        parts.append(f"{usable} usable")
    return ", ".join(parts) or None


def _frequency(value: object) -> str | None:
    mhz = positive_int(value)
    return f"{f'{mhz / 1000:.2f}'.rstrip('0').rstrip('.')} GHz" if mhz else None


def _size(value: object) -> str | None:
    size = positive_int(value)
    return f"{size / 2**30:.1f} GiB" if size else None


def _disk(disk: object) -> str | None:
    if not isinstance(disk, Mapping):
        return None
    model, kind = clean_text(disk.get("model")), clean_text(disk.get("kind"))
    kind = {"hdd": "HDD", "ssd": "SSD", "nvme": "NVMe"}.get(kind, kind) if kind else None
    text = f"{model} ({kind})" if model and kind else model or kind
    count = positive_int(disk.get("count"))
    if not text or not count or count == 1:
        return text
    return f"{count} disks: {text}" if model and " + " in model else f"{count} × {text}"


def _gpu(gpu: object) -> str | None:
    if not isinstance(gpu, Mapping):
        return None
    size, driver = _size(gpu.get("vram_bytes")), clean_text(gpu.get("driver"))
    parts = (
        clean_text(gpu.get("name")) or "NVIDIA GPU",
        f"{size} VRAM" if size else None,
        f"driver {driver}" if driver else None,
    )
    return ", ".join(filter(None, parts))


def _counted(amount: int, thing: str) -> str:
    return f"{amount} {thing}" if amount == 1 else f"{amount} {thing}s"
