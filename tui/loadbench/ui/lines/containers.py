"""The containers of a run, a line each. Pure."""

from collections.abc import Sequence

from loadbench.engine.journal.events import Container
from loadbench.engine.report.container_status import (
    ContainerStatus,
    container_status,
    has_ended,
)
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, MenuEntry, Piece, Tone, fit, line
from loadbench.wording import counted

MIB = 2**20
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


def container_entries(containers: Sequence[Container], glyphs: Glyphs) -> list[MenuEntry]:
    """Return an entry for every container, known by its name."""
    lines = container_lines(containers, glyphs)
    return [MenuEntry(it.name, (told,)) for it, told in zip(containers, lines, strict=True)]


def container_lines(containers: Sequence[Container], glyphs: Glyphs) -> list[Line]:
    """Return a line for every container: its name, how it is, what it uses.

    CPU is in percent of one core, memory in MiB (GiB from 10 on).
    """
    columns = max((len(it.name) for it in containers), default=0)
    with_vram = any(it.vram_bytes is not None for it in containers)
    return [_container(it, columns, glyphs, with_vram=with_vram) for it in containers]


def container_header(containers: Sequence[Container]) -> str:
    """Return what the numbers of the lines are."""
    with_vram = any(it.vram_bytes is not None for it in containers)
    return "% of a core, memory" + (", VRAM" if with_vram else "")


def container_line(container: Container, glyphs: Glyphs) -> Line:
    """Return how one container is and what it uses, in words."""
    words, tone = standing(container)
    told = []
    if container.cpu_cores is not None:
        told.append(f"{100 * container.cpu_cores:.0f} % of a core")
    for size, what in ((container.memory_bytes, ""), (container.vram_bytes, " VRAM")):
        if size is not None:
            told.append(f"{size / MIB:.0f} MiB{what}")
    if container.restarts:
        told.append(counted(container.restarts, "restart"))
    return line((f"{_sign(tone, glyphs)} {words}", tone), *(f", {it}" for it in told))


def standing(container: Container) -> tuple[str, Tone]:
    """Return how a container is, in words, and the tone of that."""
    status = container_status(container)
    return _words(container, status), _TONES[status]


def _words(container: Container, status: ContainerStatus) -> str:
    code = container.exit_code
    match status:
        case ContainerStatus.OUT_OF_MEMORY:
            return f"out of memory ({code})"
        case ContainerStatus.KILLED:
            return f"killed by signal {-(code or 0)}"
        case ContainerStatus.EXITED if code is not None:
            return f"{container.state} ({code})"
        case ContainerStatus.EXITED | ContainerStatus.SUSPENDED:
            return container.state
        case _:
            return status.value


def _container(container: Container, columns: int, glyphs: Glyphs, *, with_vram: bool) -> Line:
    words, tone = standing(container)
    pieces = [
        Piece(f"{_sign(tone, glyphs)} ", tone),
        Piece(fit(container.name, columns)),
        Piece("  "),
    ]
    if has_ended(container):
        pieces.append(Piece(words, tone))
    else:
        cpu = container.cpu_cores
        percent = "" if cpu is None else f"{100 * cpu:.0f}%"
        pieces += [
            Piece(fit(words, 9), tone),
            Piece(f" {percent:>5} {_size(container.memory_bytes):>5}"),
        ]
        if with_vram:
            pieces.append(Piece(f" {_size(container.vram_bytes):>5}"))
    if container.restarts:
        pieces.append(Piece(f"  {container.restarts} restarts", Tone.WARN))
    return line(*pieces)


def _sign(tone: Tone, glyphs: Glyphs) -> str:
    return {Tone.GOOD: glyphs.alive, Tone.WARN: glyphs.starting}.get(tone, glyphs.dead)


def _size(size_bytes: int | None) -> str:
    if size_bytes is None:
        return ""
    mib = size_bytes / MIB
    return f"{mib:.0f}M" if mib < 9999.5 else f"{mib / 1024:.1f}G"
