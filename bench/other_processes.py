"""The CPU time that processes of others take, by a look at all of /proc."""

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def other_processes_s() -> float:
    """Return the CPU seconds so far of all processes but this one and its descendants.

    Time of children is counted with the parent that waited for them, so the difference of two
    looks misses nobody who came and went between them.
    """
    spent_s: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                pid = int(folder.name)
                parent, spent_s[pid] = look_at(pid)
                children[parent].append(pid)
    ours = [os.getpid()]
    for pid in ours:
        ours += children[pid]
    return sum(spent_s.values()) - sum(spent_s.get(pid, 0.0) for pid in ours)


def look_at(pid: int) -> tuple[int, float]:
    """Return the parent of a process, and its CPU seconds so far.

    Raises:
        OSError: There is no such process.
    """
    # The name in parentheses may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / TICKS


def stolen_s() -> float:
    """Return the CPU seconds so far that the machine was ready to use and did not get."""
    line = Path("/proc/stat").read_text().split("\n", 1)[0]
    return int(line.split()[8]) / TICKS
