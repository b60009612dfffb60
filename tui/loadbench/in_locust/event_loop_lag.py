"""A beat that tells how late this process gets to what has happened.

An answer that arrives at a random moment waits until Locust gets to it; so does the beat. It comes
from a timer of the kernel that is read like a socket: gevent's own timers are rounded to whole
milliseconds, and one that is late puts off those that follow, which are then not missed:
https://github.com/gevent/gevent/issues/642. `ctypes` can go with Python 3.13, which has
`os.timerfd_create`; the rest when a timer of gevent counts the beats that it missed.
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


def follow(recorder: Recorder) -> None:
    """Tell the recorder of every beat, forever."""
    beats = _of_the_kernel(recorder) if hasattr(_LIBC, "timerfd_create") else _of_gevent(recorder)
    for due in beats:
        recorder.beat(due)


def _of_the_kernel(recorder: Recorder) -> Iterator[float]:
    """Yield the moment at which each beat was due, as soon as this process gets to it."""
    timer = _LIBC.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
    due = recorder.now() + INTERVAL_S
    first, every = int(due * _NS), int(INTERVAL_S * _NS)
    told = struct.pack("4l", *divmod(every, _NS), *divmod(first, _NS))
    if timer < 0 or _LIBC.timerfd_settime(timer, _ABSOLUTE, told, None) < 0:
        yield from _of_gevent(recorder)
    hub = get_hub()
    watcher = hub.loop.io(timer, _READ)
    while True:
        hub.wait(watcher)
        (number,) = struct.unpack("Q", os.read(timer, 8))
        for _ in range(number):
            yield due
            due += INTERVAL_S


def _of_gevent(recorder: Recorder) -> Iterator[float]:
    while True:
        due = recorder.now() + INTERVAL_S
        gevent.sleep(INTERVAL_S)
        yield due


_LIBC = ctypes.CDLL(None, use_errno=True)
