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

import gevent
from gevent.hub import get_hub

from loadbench.in_locust.recorder import Recorder

INTERVAL_S = 0.097
"""Seconds between two events. Each wakes the process, which is most of the constant cost of
measuring. Prime numbers of milliseconds do not keep in step with a service of constant latency."""
SHORT_INTERVAL_S = 0.019
"""Likewise, while event-loop lag is the only evidence of the delay of requests."""
SHORT_S = 2.0
"""Seconds for which the short interval lasts after the last request with an unknown delay."""

_NS = 1_000_000_000
_CLOCK_MONOTONIC = 1
_ABSOLUTE = 1
_READ = 1


class LagTimer:
    """Records the lag of every timer event.

    Args:
        recorder: Records the lag.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._interval_s = self._due = self._short_until = 0.0
        self._timer = -1

    def start(self) -> None:
        """Start the timer. Call this after gevent has patched the interpreter."""
        if hasattr(_LIBC, "timerfd_create"):
            self._timer = _LIBC.timerfd_create(_CLOCK_MONOTONIC, os.O_NONBLOCK | os.O_CLOEXEC)
        if self._timer < 0 or not self._set(INTERVAL_S):
            gevent.spawn(self._run_in_greenlet)
            return
        self._watcher = get_hub().loop.io(self._timer, _READ)
        self._watcher.start(self._tick)

    def needs_detail(self) -> None:
        """Use the short interval for a while, because the delay of a request is unknown."""
        self._short_until = self._recorder.now() + SHORT_S

    def _tick(self) -> None:
        try:
            (number,) = struct.unpack("Q", os.read(self._timer, 8))
        except BlockingIOError:
            # The timer was set again after it had fired.
            return
        for _ in range(number):
            self._recorder.record_lag(self._due)
            self._due += self._interval_s
        is_short = self._recorder.now() < self._short_until
        interval_s = SHORT_INTERVAL_S if is_short else INTERVAL_S
        if interval_s != self._interval_s:
            self._set(interval_s)

    def _set(self, interval_s: float) -> bool:
        self._interval_s, self._due = interval_s, self._recorder.now() + interval_s
        first, every = int(self._due * _NS), int(interval_s * _NS)
        spec = struct.pack("4l", *divmod(every, _NS), *divmod(first, _NS))
        return bool(_LIBC.timerfd_settime(self._timer, _ABSOLUTE, spec, None) == 0)

    def _run_in_greenlet(self) -> None:
        while True:
            due = self._recorder.now() + SHORT_INTERVAL_S
            gevent.sleep(SHORT_INTERVAL_S)
            self._recorder.record_lag(due)


_LIBC = ctypes.CDLL(None, use_errno=True)
