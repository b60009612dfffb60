"""Locustfile of `truth.py`: users that number their requests.

It works with the tool and with stock Locust. After the test it writes the start and end of each
request and of the measurement window (CLOCK_MONOTONIC), and the CPU time and lag of the Locust
process, to the file named by TRUTH_NOTES. TRUTH_BLOCK makes it a bad load generator: with `18,4`,
it blocks the event loop for 4 ms, 18 ms after the start of every tenth request.
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
from gevent.monkey import get_original
from locust import FastHttpUser, HttpUser, events

NOTES = os.environ.get("TRUTH_NOTES")

LAG_INTERVAL_S = 0.02
BLOCK_EVERY = 10
block = [float(ms) / 1000 for ms in os.environ.get("TRUTH_BLOCK", "").split(",") if ms]
"""Seconds from the start of a request until the event loop is blocked, and for how long. Empty:
never."""

numbers = count()
starts: list[float] = []
ends: dict[int, float] = {}
windows: list[tuple[float, float]] = []
lags: list[tuple[float, float]] = []
"""Times at which a greenlet woke up, and its delay in seconds."""


def used_and_waited_s() -> tuple[float, float]:
    """Return the CPU time of this process, and the time that it waited for a core, in seconds."""
    with suppress(OSError, ValueError):
        used_ns, waited_ns, _ = map(int, Path("/proc/self/schedstat").read_text().split())
        return used_ns / 1e9, waited_ns / 1e9
    return time.process_time(), 0.0


def send_request(user: Any) -> None:
    """Send one request, and record its start and end."""
    number = next(numbers)
    if block and number % BLOCK_EVERY == 0:
        # The sleep of the standard library: that of gevent would let other greenlets run.
        gevent.spawn_later(block[0], get_original("time", "sleep"), block[1])
    starts.append(time.monotonic())
    user.client.get(f"/r/{number}", name="/r")
    ends[number] = time.monotonic()


if os.environ.get("TRUTH_USER") == "HttpUser":

    class RequestsUser(HttpUser):
        """User that sends requests back to back with the `requests` library."""

        tasks = [send_request]  # noqa: RUF012  # declared like this in Locust's class

else:

    class GeventUser(FastHttpUser):
        """User that sends requests back to back with geventhttpclient."""

        tasks = [send_request]  # noqa: RUF012  # declared like this in Locust's class


def record_windows(recorder: Any) -> None:
    """Patch the tool's recorder to record when it opens a measurement window."""
    measure = recorder.measure

    def recording_measure(self: Any, seconds: float, **options: Any) -> Any:
        now = time.monotonic()
        windows.append((now, now + seconds))
        begin()
        return measure(self, seconds, **options)

    recorder.measure = recording_measure


if "loadbench.in_locust.recorder" in sys.modules:
    record_windows(sys.modules["loadbench.in_locust.recorder"].Recorder)

baseline: tuple[float, float, float] = (0.0, 0.0, 0.0)


def begin() -> None:
    """Record the current time and CPU usage as the baseline."""
    global baseline  # a locustfile is loaded once
    baseline = (time.monotonic(), *used_and_waited_s())


def record_lags() -> None:
    """Record the event-loop lag in a loop."""
    while True:
        due = time.monotonic() + LAG_INTERVAL_S
        gevent.sleep(LAG_INTERVAL_S)
        now = time.monotonic()
        lags.append((now, now - due))


def on_start(**_: Any) -> None:
    """Set the baseline and start recording the lag."""
    begin()
    gevent.spawn(record_lags)


def write_notes(**_: Any) -> None:
    """Write the records to a file."""
    if not NOTES:
        return
    since_s, used_s, waited_s = baseline
    now_used_s, now_waited_s = used_and_waited_s()
    elapsed_s = time.monotonic() - since_s
    noted = {
        "requests": [(started, ends.get(number)) for number, started in enumerate(starts)],
        "windows": windows,
        "cpu_cores": (now_used_s - used_s) / elapsed_s,
        "waited_cores": (now_waited_s - waited_s) / elapsed_s,
        "lags_ms": [lag_s * 1000 for at, lag_s in lags if at >= since_s],
    }
    Path(NOTES).write_text(json.dumps(noted))


for event, listener in (("test_start", on_start), ("test_stop", write_notes)):
    getattr(events, event).add_listener(listener)
