"""Text about the containers of a run."""

from collections.abc import Sequence

from loadbench.engine.journal.events import Container
from loadbench.engine.report.container_status import (
    ContainerStatus,
    container_status,
    has_ended,
)
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, MenuEntry, Piece, Tone, fit, line, wrap
from loadbench.wording import counted

MIB = 2**20
_STATE_COLUMNS = 9
_CPU_COLUMNS = 5
_MEMORY_COLUMNS = 6
_VRAM_COLUMNS = 5
_TONES = {
    ContainerStatus.RUNNING: Tone.GOOD,
    ContainerStatus.HEALTHY: Tone.GOOD,
    ContainerStatus.STARTING: Tone.WARN,
    ContainerStatus.SUSPENDED: Tone.WARN,
    ContainerStatus.UNHEALTHY: Tone.BAD,
    ContainerStatus.EXITED: Tone.BAD,
    ContainerStatus.KILLED: Tone.BAD,
    ContainerStatus.OUT_OF_MEMORY: Tone.BAD,
}


def container_entries(
    containers: Sequence[Container], glyphs: Glyphs, columns: int
) -> list[MenuEntry]:
    """Return a heading, and one entry per container, with the container's name as its key.

    Args:
        containers: The containers.
        glyphs: The terminal's character set.
        columns: Width of a line. Rows of exited containers are wrapped to it.
    """
    if not containers:
        return []
    heads, *rows = container_lines(containers, glyphs)
    entries = [MenuEntry("", (heads,))]
    for container, row in zip(containers, rows, strict=True):
        lines = wrap(row, columns, indent=4) if has_ended(container) else [row]
        entries.append(MenuEntry(container.name, tuple(lines)))
    return entries


def container_lines(containers: Sequence[Container], glyphs: Glyphs) -> list[Line]:
    """Return a table of containers: a header, then one row per container.

    CPU is in percent of one core. Memory and VRAM are in MiB, or in GiB for large values.
    """
    name_columns = max(
        len(name) for name in ("name", *(container.name for container in containers))
    )
    has_vram = any(container.vram_bytes is not None for container in containers)
    rows = [
        _container(container, name_columns, glyphs, has_vram=has_vram) for container in containers
    ]
    return [_heads(name_columns, has_vram=has_vram), *rows]


def container_line(container: Container, glyphs: Glyphs) -> Line:
    """Return the state and resource usage of one container on a single line."""
    text, tone = container_state(container)
    usage = []
    if container.cpu_cores is not None:
        usage.append(f"CPU {100 * container.cpu_cores:.0f} % of a core")
    sizes = ((container.memory_bytes, "memory"), (container.vram_bytes, "VRAM"))
    for size_bytes, label in sizes:
        if size_bytes is not None:
            usage.append(f"{label} {size_bytes / MIB:.0f} MiB")
    if container.restarts:
        usage.append(counted(container.restarts, "restart"))
    return line((f"{_sign(tone, glyphs)} {text}", tone), *(f", {part}" for part in usage))


def container_state(container: Container) -> tuple[str, Tone]:
    """Return the state of a container, such as `exited, code 1`, and its tone."""
    status = container_status(container)
    return _state(container, status), _TONES[status]


def _state(container: Container, status: ContainerStatus) -> str:
    code = container.exit_code
    match status:
        case ContainerStatus.OUT_OF_MEMORY:
            return f"exited, code {code} (out of memory)"
        case ContainerStatus.KILLED:
            return f"killed by signal {-(code or 0)}"
        case ContainerStatus.EXITED if code is not None:
            return f"{container.state}, code {code}"
        case ContainerStatus.EXITED | ContainerStatus.SUSPENDED:
            return container.state
        case _:
            return status.value


def _heads(name_columns: int, *, has_vram: bool) -> Line:
    heads = f"  {'name':<{name_columns}}  {'state':<{_STATE_COLUMNS}}"
    heads += f" {'CPU':>{_CPU_COLUMNS}} {'memory':>{_MEMORY_COLUMNS}}"
    if has_vram:
        heads += f" {'VRAM':>{_VRAM_COLUMNS}}"
    return line((heads, Tone.DIM))


def _container(container: Container, name_columns: int, glyphs: Glyphs, *, has_vram: bool) -> Line:
    text, tone = container_state(container)
    pieces = [
        Piece(f"{_sign(tone, glyphs)} ", tone),
        Piece(fit(container.name, name_columns)),
        Piece("  "),
    ]
    if has_ended(container):
        pieces.append(Piece(text, tone))
    else:
        cores = container.cpu_cores
        percent = "" if cores is None else f"{100 * cores:.0f}%"
        memory = _size(container.memory_bytes)
        pieces += [
            Piece(fit(text, _STATE_COLUMNS), tone),
            Piece(f" {percent:>{_CPU_COLUMNS}} {memory:>{_MEMORY_COLUMNS}}"),
        ]
        if has_vram:
            pieces.append(Piece(f" {_size(container.vram_bytes):>{_VRAM_COLUMNS}}"))
    if container.restarts:
        pieces.append(Piece(f"  {counted(container.restarts, 'restart')}", Tone.WARN))
    return line(*pieces)


def _sign(tone: Tone, glyphs: Glyphs) -> str:
    return {Tone.GOOD: glyphs.alive, Tone.WARN: glyphs.starting}.get(tone, glyphs.dead)


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return ""
    mib = size_bytes / MIB
    return f"{mib:.0f}M" if mib < 9999.5 else f"{mib / 1024:.1f}G"
