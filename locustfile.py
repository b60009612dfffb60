"""What one user does: it posts one of the images, at random, and waits for the answer.

Runs under `loadbench-tui run` and under plain `locust -f locustfile.py --host http://…` alike.
"""

import os
import random
from pathlib import Path
from typing import Any

from locust import FastHttpUser, task

IMAGES = Path(os.environ.get("LOADBENCH_IMAGES", Path(__file__).parent / "images"))
PHOTOGRAPHS: list[Any] = [path.read_bytes() for path in sorted(IMAGES.glob("*.jp*g"))]
if not PHOTOGRAPHS:
    raise FileNotFoundError(f"no .jpg in {IMAGES}: there is nothing to send")


class Visitor(FastHttpUser):
    """Sends the next image as soon as it has the answer to the last one."""

    @task
    def predict(self) -> None:
        """Post an image."""
        # Bytes, not a file object: head and body then leave in one write.
        self.client.post(
            "/predict",
            data=random.choice(PHOTOGRAPHS),
            headers={"Content-Type": "image/jpeg"},
            name="/predict",
        )
