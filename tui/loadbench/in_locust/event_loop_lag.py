"""Measures the lag of Locust's event loop with a periodic timer.

A response waits until the event loop handles it, and so does a timer event. The timer is a kernel
timer that is read like a socket. gevent timers are rounded to whole milliseconds, and a late timer
delays its successors instead of counting the missed events:
https://github.com/gevent/gevent/issues/642. Replace `ctypes` with `os.timerfd_create` when Python
3.13 is the minimum; remove the kernel timer when gevent timers count missed events.
"""

import ctypes
import os
import struct
from collections.abc import Iterator

import gevent
from gevent.hub import get_hub

from loadbench.in_locust.recorder import Recorder

INTERVAL_S = 0.02

_NS = 1_000_000_000
_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
_READ = 1


def run(recorder: Recorder) -> None:
    """Record the lag of every timer event. Never returns."""
    ticks = _kernel_ticks(recorder) if hasattr(_LIBC, "timerfd_create") else _gevent_ticks(recorder)
    for due in ticks:
        recorder.record_lag(due)


def _kernel_ticks(recorder: Recorder) -> Iterator[float]:
    """Yield the due time of each timer event when the event loop handles it."""
    timer = _LIBC.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    due = recorder.now() + INTERVAL_S
    first, every = int(due * _NS), int(INTERVAL_S * _NS)
    spec = struct.pack("4l", *divmod(every, _NS), *divmod(first, _NS))
    if timer < 0 or _LIBC.timerfd_settime(timer, _ABSOLUTE, spec, None) < 0:
        yield from _gevent_ticks(recorder)
    hub = get_hub()
    watcher = hub.loop.io(timer, _READ)
    while True:
        hub.wait(watcher)
        (number,) = struct.unpack("Q", os.read(timer, 8))
        for _ in range(number):
            yield due
            due += INTERVAL_S


def _gevent_ticks(recorder: Recorder) -> Iterator[float]:
    while True:
        due = recorder.now() + INTERVAL_S
        gevent.sleep(INTERVAL_S)
        yield due


_LIBC = ctypes.CDLL(None, use_errno=True)
