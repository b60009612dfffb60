"""The CPU time that processes of others take, by a look at all of /proc."""

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def neighbours_s() -> float:
    """Return the CPU seconds so far of all processes but this one and its descendants.

    Time of children is counted with the parent that waited for them, so the difference of two
    looks misses nobody who came and went between them.
    """
    spent_s: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # The name in parentheses may hold blanks.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                spent_s[int(folder.name)] = sum(map(int, fields[11:15])) / TICKS
                children[int(fields[1])].append(int(folder.name))
    ours = [os.getpid()]
    for pid in ours:
        ours += children[pid]
    return sum(spent_s.values()) - sum(spent_s.get(pid, 0.0) for pid in ours)


def stolen_s() -> float:
    """Return the CPU seconds so far that the machine was ready to use and did not get."""
    line = Path("/proc/stat").read_text().split("\n", 1)[0]
    return int(line.split()[8]) / TICKS
