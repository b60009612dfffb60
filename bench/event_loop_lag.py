"""Run a Python program and record when its event loop last ran.

    python bench/event_loop_lag.py FILE -m MODULE [ARGUMENT]...
    python bench/event_loop_lag.py FILE SCRIPT [ARGUMENT]...

Fifty times a second, the event loop overwrites FILE with the monotonic time in seconds.
"""

import asyncio
import os
import runpy
import sys
import time
from pathlib import Path

INTERVAL_S = 0.02


def main() -> None:
    """Run the program with a heartbeat in its event loop."""
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
    run_forever = asyncio.SelectorEventLoop.run_forever

    def write_heartbeat(loop: asyncio.AbstractEventLoop) -> None:
        os.pwrite(file, f"{time.monotonic():20.6f}".encode(), 0)
        loop.call_later(INTERVAL_S, write_heartbeat, loop)

    def run_with_heartbeat(loop: asyncio.SelectorEventLoop) -> None:
        loop.call_soon(write_heartbeat, loop)
        run_forever(loop)

    setattr(asyncio.SelectorEventLoop, "run_forever", run_with_heartbeat)  # noqa: B010  # untyped
    if sys.argv[2] == "-m":
        sys.argv[:4] = [sys.argv[3]]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        del sys.argv[:2]
        sys.path[0] = str(Path(sys.argv[0]).parent)
        runpy.run_path(sys.argv[0], run_name="__main__")


def age_s(file: Path) -> float:
    """Return the seconds since the event loop last ran."""
    return time.monotonic() - float(file.read_text())


if __name__ == "__main__":
    main()
