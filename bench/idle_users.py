"""Locustfile of `constant_cost.py`: users that only wait.

If BENCH_BURN_MS is set, a user computes for that time every 50 ms. If BENCH_BEGUN is set, this file
is created by the first user.
"""

import os
import time
from pathlib import Path

import gevent
from locust import FastHttpUser, task

BURN_S = float(os.environ.get("BENCH_BURN_MS") or 0) / 1000


class Idle(FastHttpUser):
    """User that sends no request."""

    @task
    def wait_for_long(self) -> None:
        """Wait until the test ends."""
        if begun := os.environ.get("BENCH_BEGUN"):
            Path(begun).touch()
        while True:
            gevent.sleep(0.05 if BURN_S else 3600)
            until = time.perf_counter() + BURN_S
            while time.perf_counter() < until:
                pass
