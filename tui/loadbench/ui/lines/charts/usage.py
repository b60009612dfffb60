"""The usage of containers over time, as sparklines."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from loadbench.engine.journal.events import Sample
from loadbench.engine.journal.time_bucket import ContainerRange, merge_ranges
from loadbench.engine.report.slices import Slice
from loadbench.ui.lines.charts.sparkline import Values, condensed, sparkline
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.text import Line, Piece, Tone, line

MIB = 2**20
BAR_S = 2
"""Seconds per bar of recent usage."""
_MIN_RANGE, _MIN_RANGE_BYTES = 0.1, 8 * MIB
"""Minimum range of a sparkline of memory, as a share of its maximum and in bytes. Otherwise a
change of a few kilobytes would look like a leak."""
_MIN_COLUMNS, _MAX_COLUMNS = 6, 40
_CPU = "CPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageHistory:
    """Usage of one container over time. Unknown values are None."""

    cpu_cores: Values = ()
    memory_bytes: Values = ()
    vram_bytes: Values = ()

    def cpu_line(self, columns: int, glyphs: Glyphs) -> str:
        """Return the CPU usage as a sparkline. The highest bar is one core, or more if needed."""
        cores = math.ceil(max((value for value in self.cpu_cores if value is not None), default=0))
        return sparkline(self.cpu_cores, columns, glyphs, low=0.0, high=float(max(1, cores)))

    def memory_line(self, columns: int, glyphs: Glyphs) -> str:
        """Return the memory usage as a sparkline from its minimum to its maximum."""
        return _size_line(self.memory_bytes, columns, glyphs)

    def vram_line(self, columns: int, glyphs: Glyphs) -> str:
        """Return the VRAM usage as a sparkline from its minimum to its maximum."""
        return _size_line(self.vram_bytes, columns, glyphs)

    def condensed(self, columns: int) -> "UsageHistory":
        """Return the usage in at most as many values, each the maximum of successive ones."""
        return UsageHistory(
            cpu_cores=condensed(self.cpu_cores, columns),
            memory_bytes=condensed(self.memory_bytes, columns),
            vram_bytes=condensed(self.vram_bytes, columns),
        )


NO_USAGE: Mapping[str, UsageHistory] = {}


def recent_usage(samples: Iterable[Sample]) -> dict[str, UsageHistory]:
    """Return the highest usage of each container in every two successive seconds, by name.

    The pairs of seconds are fixed, so the bars of a sparkline move only every other second, which
    halves the bytes that a terminal receives.

    Args:
        samples: Successive samples.
    """
    bars: dict[int, tuple[ContainerRange, ...]] = {}
    for sample in samples:
        number = sample.second // BAR_S
        bars[number] = merge_ranges(bars.get(number, ()), sample.containers)
    names = dict.fromkeys(seen.name for ranges in bars.values() for seen in ranges)
    return {name: _history(bars.values(), name) for name in names}


def usage_in_slices(slices: Sequence[Slice], name: str) -> UsageHistory:
    """Return the highest usage of a container in each slice of an attempt."""
    return _history((one.containers for one in slices), name)


def _history(ranges: Iterable[Sequence[ContainerRange]], name: str) -> UsageHistory:
    found = [next((seen for seen in some if seen.name == name), None) for some in ranges]
    return UsageHistory(
        cpu_cores=[seen.max_cpu_cores if seen else None for seen in found],
        memory_bytes=[seen.max_memory_bytes if seen else None for seen in found],
        vram_bytes=[seen.max_vram_bytes if seen else None for seen in found],
    )


def usage_line(usage: UsageHistory, glyphs: Glyphs, columns: int) -> Line:
    """Return sparklines of a container's CPU, memory and VRAM, each with its maximum.

    What was never read is omitted. The line is empty if nothing was read.

    Args:
        usage: The usage over the attempt.
        glyphs: The terminal's character set.
        columns: Maximum width.
    """
    maxima = {
        _CPU: _maximum(usage.cpu_cores, 0.01, "%"),
        "memory": _maximum(usage.memory_bytes, MIB, "MiB"),
        "VRAM": _maximum(usage.vram_bytes, MIB, "MiB"),
    }
    known = {name: f" max {text}" for name, text in maxima.items() if text}
    used = sum(len(f"  {name} {text}") for name, text in known.items())
    room = min(_MAX_COLUMNS, (columns - used) // max(1, len(known)))
    short = usage.condensed(room) if room >= _MIN_COLUMNS else UsageHistory()
    bars = {
        _CPU: short.cpu_line(len(short.cpu_cores), glyphs),
        "memory": short.memory_line(len(short.memory_bytes), glyphs),
        "VRAM": short.vram_line(len(short.vram_bytes), glyphs),
    }
    pieces: list[Piece] = []
    for name, text in known.items():
        pieces += [Piece(f"  {name} "), Piece(bars[name], Tone.ACCENT), Piece(text, Tone.DIM)]
    return line(*pieces)


def _maximum(values: Values, unit: float, name: str) -> str:
    """Return the maximum in a unit, or an empty text if no value is known."""
    known = [value for value in values if value is not None]
    return f"{max(known) / unit:.0f} {name}" if known else ""


def _size_line(values: Values, columns: int, glyphs: Glyphs) -> str:
    known = [value for value in values if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    high = max(high, low + _MIN_RANGE * high, low + _MIN_RANGE_BYTES)
    return sparkline(values, columns, glyphs, low=low, high=high)
