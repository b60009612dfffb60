"""Events of user code, with plain Locust as the reference."""

import json
import subprocess
import sys

from tests.support.harness import REPOSITORY


def test_events_are_counted_as_plain_locust_counts_them() -> None:
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.support.event_contract"],
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-5000:]
    agreed, raised = json.loads(result.stdout.splitlines()[-1])
    # Otherwise, the generated events would check little.
    assert agreed > 200
    assert raised > 50
