"""The locustfile of `client.py`: users who post the file that BENCH_BODY names."""

import os
from pathlib import Path
from typing import Any

from locust import FastHttpUser, task

BODY: Any = Path(os.environ["BENCH_BODY"]).read_bytes()


class Poster(FastHttpUser):
    """Posts again as soon as it has the answer to the last request."""

    @task
    def post(self) -> None:
        """Post."""
        self.client.post("/r/0", data=BODY, name="/r")
