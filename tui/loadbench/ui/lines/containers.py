"""Text about the containers of a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import Container
from loadbench.engine.report.container_status import (
    ContainerStatus,
    container_status,
    has_ended,
)
from loadbench.ui.lines.charts.usage import BAR_S, MIB, NO_USAGE, UsageHistory
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, MenuEntry, Piece, Tone, fit, line, wrap
from loadbench.wording import counted

SPARK_COLUMNS = 12
"""Maximum width of a sparkline."""
RECENT_S = SPARK_COLUMNS * BAR_S + 1
"""Seconds for such a sparkline. Bars start at fixed seconds, so the first one may be incomplete."""
_MIN_SPARK_COLUMNS = 4
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


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns of a table of containers."""

    name: int
    has_vram: bool
    has_state: bool
    """Whether the state has a column. If not, a state that needs attention replaces the CPU."""
    spark: int
    """Width of each sparkline, or 0 for no sparklines."""

    @property
    def cpu(self) -> int:
        """Width of the CPU usage, with its sparkline."""
        return _CPU_COLUMNS + (self.spark and self.spark + 1)

    @property
    def memory(self) -> int:
        """Width of the memory usage, with its sparkline."""
        return _MEMORY_COLUMNS + (self.spark and self.spark + 1)


def container_entries(
    containers: Sequence[Container],
    glyphs: Glyphs,
    columns: int,
    usage: Mapping[str, UsageHistory] = NO_USAGE,
) -> list[MenuEntry]:
    """Return a heading, and one entry per container, with the container's name as its key.

    Args:
        containers: The containers.
        glyphs: The terminal's character set.
        columns: Width of a line. Rows of exited containers are wrapped to it.
        usage: Usage in the last seconds by name, for sparklines.
    """
    if not containers:
        return []
    heads, *rows = container_lines(containers, glyphs, columns, usage)
    entries = [MenuEntry("", (heads,))]
    for container, row in zip(containers, rows, strict=True):
        lines = wrap(row, columns, indent=4) if has_ended(container) else [row]
        entries.append(MenuEntry(container.name, tuple(lines)))
    return entries


def container_lines(
    containers: Sequence[Container],
    glyphs: Glyphs,
    columns: int = 0,
    usage: Mapping[str, UsageHistory] = NO_USAGE,
) -> list[Line]:
    """Return a table of containers: a header, then one row per container.

    CPU is in percent of one core. Memory and VRAM are in MiB, or in GiB for large values. Their
    sparklines need room: if there is not enough, states without a problem are omitted, as their
    symbol suffices.

    Args:
        containers: The containers.
        glyphs: The terminal's character set.
        columns: Width of a line.
        usage: Usage in the last seconds by name, for sparklines.
    """
    layout = _columns(containers, columns, usage)
    rows = [
        _container(container, layout, glyphs, usage.get(container.name, UsageHistory()))
        for container in containers
    ]
    return [_heads(layout), *rows]


def _columns(
    containers: Sequence[Container], columns: int, usage: Mapping[str, UsageHistory]
) -> _Columns:
    """Return the columns of a table that fit a width."""
    name = max(len(name) for name in ("name", *(container.name for container in containers)))
    has_vram = any(container.vram_bytes is not None for container in containers)
    if not usage:
        return _Columns(name, has_vram, True, 0)
    vram = has_vram * (_VRAM_COLUMNS + 1)
    room = columns - (2 + name + 2 + _CPU_COLUMNS + 1 + _MEMORY_COLUMNS + vram)
    for has_state, fewest in ((True, _MIN_SPARK_COLUMNS + 2), (False, _MIN_SPARK_COLUMNS)):
        spark = (room - has_state * (_STATE_COLUMNS + 1)) // 2 - 1
        if spark >= fewest:
            return _Columns(name, has_vram, has_state, min(SPARK_COLUMNS, spark))
    return _Columns(name, has_vram, True, 0)


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


def _heads(layout: _Columns) -> Line:
    state = f"{'state':<{_STATE_COLUMNS}} " if layout.has_state else ""
    vram = f" {'VRAM':>{_VRAM_COLUMNS}}" if layout.has_vram else ""
    heads = f"  {'name':<{layout.name}}  {state}{'CPU':>{layout.cpu}} {'memory':>{layout.memory}}"
    return line((f"{heads}{vram}", Tone.DIM))


def _container(container: Container, layout: _Columns, glyphs: Glyphs, usage: UsageHistory) -> Line:
    text, tone = container_state(container)
    pieces = [
        Piece(f"{_sign(tone, glyphs)} ", tone),
        Piece(fit(container.name, layout.name)),
        Piece("  "),
    ]
    if has_ended(container):
        pieces.append(Piece(text, tone))
    else:
        pieces += [
            *([Piece(f"{fit(text, _STATE_COLUMNS)} ", tone)] if layout.has_state else []),
            *_cpu(container, layout, glyphs, usage),
            *_spark(usage.memory_line(layout.spark, glyphs)),
            Piece(f" {_size(container.memory_bytes):>{_MEMORY_COLUMNS}}"),
        ]
        if layout.has_vram:
            pieces.append(Piece(f" {_size(container.vram_bytes):>{_VRAM_COLUMNS}}"))
    if container.restarts:
        pieces.append(Piece(f"  {counted(container.restarts, 'restart')}", Tone.WARN))
    return line(*pieces)


def _cpu(
    container: Container, layout: _Columns, glyphs: Glyphs, usage: UsageHistory
) -> list[Piece]:
    """Return the CPU usage, or a state that needs attention if it has no column of its own."""
    cores = container.cpu_cores
    percent = "" if cores is None else f"{100 * cores:.0f}%"
    text, tone = container_state(container)
    if layout.has_state or tone is Tone.GOOD:
        bars = usage.cpu_line(layout.spark, glyphs)
        before = [Piece(bars, Tone.ACCENT), Piece(" ")] if bars else []
        return [*before, Piece(f"{percent:>{_CPU_COLUMNS}}")]
    room = max(0, layout.cpu - len(text))
    shown = f" {percent}" if len(percent) < room else ""
    return [Piece(text, tone), Piece(f"{shown:>{room}}")]


def _spark(bars: str) -> list[Piece]:
    return [Piece(" "), Piece(bars, Tone.ACCENT)] if bars else []


def _sign(tone: Tone, glyphs: Glyphs) -> str:
    return {Tone.GOOD: glyphs.alive, Tone.WARN: glyphs.starting}.get(tone, glyphs.dead)


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return ""
    mib = size_bytes / MIB
    return f"{mib:.0f}M" if mib < 9999.5 else f"{mib / 1024:.1f}G"
