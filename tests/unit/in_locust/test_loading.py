"""What Locust's process loads, which every run waits for."""

import subprocess
import sys
from pathlib import Path

import loadbench.in_locust

MODULES = "routes recorder patches settings scenario.userfile scenario.options scenario.mistakes"


def test_locusts_process_does_not_load_pydantic_and_the_types_of_events() -> None:
    names = [f"loadbench.in_locust.{name}" for name in MODULES.split()]
    code = f"import sys, {', '.join(names)}; print(*sys.modules)"

    loaded = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()

    assert "loadbench.engine.journal.request_names" in loaded
    assert not {"pydantic", "loadbench.engine.journal.events"} & {*loaded}
    entry = (Path(loadbench.in_locust.__file__).parent / "__main__.py").read_text("utf-8")
    for name in MODULES.split():
        assert name.rpartition(".")[2] in entry
