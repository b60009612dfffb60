"""The locustfile of `truth.py`: users who number their requests.

Runs under the tool and under plain Locust alike. When the users have ended, the file that
TRUTH_NOTES names gets the moments of each request's start and end and of the measured window, all
by CLOCK_MONOTONIC, and how Locust's process fared meanwhile.
"""

import json
import os
import sys
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import gevent
from locust import FastHttpUser, HttpUser, events

NOTES = os.environ.get("TRUTH_NOTES")

LAG_STEP_S = 0.02

numbers = count()
starts: list[float] = []
ends: dict[int, float] = {}
windows: list[tuple[float, float]] = []
lags: list[tuple[float, float]] = []
"""When a greenlet woke up, and how many seconds later than it had asked for."""


def used_and_waited_s() -> tuple[float, float]:
    """Return this process's CPU time, and how long it was ready and got no core."""
    with suppress(OSError, ValueError):
        used_ns, waited_ns, _ = map(int, Path("/proc/self/schedstat").read_text().split())
        return used_ns / 1e9, waited_ns / 1e9
    return time.process_time(), 0.0


def ask(user: Any) -> None:
    """Send one request, and note when."""
    number = next(numbers)
    starts.append(time.monotonic())
    user.client.get(f"/r/{number}", name="/r")
    ends[number] = time.monotonic()


if os.environ.get("TRUTH_USER") == "HttpUser":

    class SlowAsking(HttpUser):
        """By requests; sends the next as soon as it has the answer to the last one."""

        tasks = [ask]  # noqa: RUF012  # so it stands in Locust's own class

else:

    class Asking(FastHttpUser):
        """By geventhttpclient; sends the next as soon as it has the answer to the last one."""

        tasks = [ask]  # noqa: RUF012  # so it stands in Locust's own class


def note_windows(recorder: Any) -> None:
    """Have the tool's recorder note when it opens a window, beside what it keeps itself."""
    measure = recorder.measure

    def noting(self: Any, seconds: float, **how: Any) -> None:
        now = time.monotonic()
        windows.append((now, now + seconds))
        begin()
        measure(self, seconds, **how)

    recorder.measure = noting


if "loadbench.in_locust.recorder" in sys.modules:
    note_windows(sys.modules["loadbench.in_locust.recorder"].Recorder)

begun: tuple[float, float, float] = (0.0, 0.0, 0.0)


def begin() -> None:
    """Note what was used so far."""
    global begun  # a locustfile is one of a kind
    begun = (time.monotonic(), *used_and_waited_s())


def note_lags() -> None:
    """Note how late this process comes to what is due."""
    while True:
        due = time.monotonic() + LAG_STEP_S
        gevent.sleep(LAG_STEP_S)
        now = time.monotonic()
        lags.append((now, now - due))


def on_start(**_: Any) -> None:
    """Look at the process itself from now on."""
    begin()
    gevent.spawn(note_lags)


def write_notes(**_: Any) -> None:
    """Save what was noted."""
    if not NOTES:
        return
    since_s, used_s, waited_s = begun
    now_used_s, now_waited_s = used_and_waited_s()
    elapsed_s = time.monotonic() - since_s
    noted = {
        "requests": [(started, ends.get(number)) for number, started in enumerate(starts)],
        "windows": windows,
        "cpu_cores": (now_used_s - used_s) / elapsed_s,
        "waited_cores": (now_waited_s - waited_s) / elapsed_s,
        "lags_ms": [late * 1000 for moment, late in lags if moment >= since_s],
    }
    Path(NOTES).write_text(json.dumps(noted))


for event, listener in (("test_start", on_start), ("test_stop", write_notes)):
    getattr(events, event).add_listener(listener)
