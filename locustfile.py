"""Locustfile: each user posts a random image and waits for the response.

Works with `loadbench-tui run` and with plain Locust: `locust -f locustfile.py --host http://…`.
"""

import os
import random
from pathlib import Path
from typing import Any

from locust import FastHttpUser, task

IMAGES = Path(os.environ.get("LOADBENCH_IMAGES", Path(__file__).parent / "images"))
PHOTOGRAPHS: list[Any] = [path.read_bytes() for path in sorted(IMAGES.glob("*.jp*g"))]
if not PHOTOGRAPHS:
    raise FileNotFoundError(f"no .jpg files in {IMAGES}")


class Visitor(FastHttpUser):
    """A user without think time: sends the next image as soon as the response arrives."""

    @task
    def predict(self) -> None:
        """Post a random image."""
        # Bytes instead of a file object, so that header and body are sent in one write.
        self.client.post(
            "/predict",
            data=random.choice(PHOTOGRAPHS),
            headers={"Content-Type": "image/jpeg"},
            name="/predict",
        )
