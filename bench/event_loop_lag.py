"""Runs a Python program and notes when its event loop was last alive.

    python bench/event_loop_lag.py FILE -m MODULE [ARGUMENT]...
    python bench/event_loop_lag.py FILE SCRIPT [ARGUMENT]...

Fifty times a second its event loop writes the monotonic seconds into FILE, over those before.
"""

import asyncio
import os
import runpy
import sys
import time
from pathlib import Path

EVERY_S = 0.02


def main() -> None:
    """Run it."""
    file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
    run_forever = asyncio.SelectorEventLoop.run_forever

    def beat(loop: asyncio.AbstractEventLoop) -> None:
        os.pwrite(file, f"{time.monotonic():20.6f}".encode(), 0)
        loop.call_later(EVERY_S, beat, loop)

    def run_beating(loop: asyncio.SelectorEventLoop) -> None:
        loop.call_soon(beat, loop)
        run_forever(loop)

    setattr(asyncio.SelectorEventLoop, "run_forever", run_beating)  # noqa: B010  # no type of it
    if sys.argv[2] == "-m":
        sys.argv[:4] = [sys.argv[3]]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        del sys.argv[:2]
        sys.path[0] = str(Path(sys.argv[0]).parent)
        runpy.run_path(sys.argv[0], run_name="__main__")


def age_s(file: Path) -> float:
    """Return how long ago the event loop was last alive."""
    return time.monotonic() - float(file.read_text())


if __name__ == "__main__":
    main()
