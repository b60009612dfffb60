"""CPU time of other processes, read from /proc."""

import os
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def other_processes_s() -> float:
    """Return the total CPU seconds of all processes except this one and its descendants.

    The time of a process includes that of children for which it has waited, so the difference of
    two readings covers processes that started and exited between them.
    """
    used_s: dict[int, float] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                pid = int(folder.name)
                parent, used_s[pid] = read_process(pid)
                children[parent].append(pid)
    ours = [os.getpid()]
    for pid in ours:
        ours += children[pid]
    return sum(used_s.values()) - sum(used_s.get(pid, 0.0) for pid in ours)


def read_process(pid: int) -> tuple[int, float]:
    """Return the parent process id of a process, and its total CPU seconds.

    Raises:
        OSError: The process does not exist.
    """
    # The name in parentheses may contain spaces.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[1]), sum(map(int, fields[11:15])) / TICKS


def stolen_s() -> float:
    """Return the total CPU seconds stolen by the hypervisor."""
    line = Path("/proc/stat").read_text().split("\n", 1)[0]
    return int(line.split()[8]) / TICKS
