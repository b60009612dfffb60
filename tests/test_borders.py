"""Who imports whom, at run time: what import-linter says of the source holds in a process too."""

import subprocess
import sys

import pytest

ENGINE_ROOM = (
    "loadbench.engine.runner loadbench.engine.stack loadbench.engine.load loadbench.in_locust"
)


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("loadbench.engine.runner", "textual rich click locust gevent loadbench.in_locust"),
        ("loadbench.engine.prepare", "textual rich click locust gevent loadbench.in_locust"),
        ("loadbench.engine.__main__", "textual rich click locust gevent loadbench.in_locust"),
        ("loadbench.engine.runs", "textual rich click locust gevent requests psutil"),
        ("loadbench.plain", "locust gevent requests loadbench.engine.runner loadbench.engine.load"),
        ("loadbench.cli", "locust gevent onnxruntime numpy loadbench.engine.runner textual rich"),
        ("loadbench.ui.app", f"locust gevent psutil requests plotext {ENGINE_ROOM}"),
        ("loadbench.ui.show", f"python_on_whales pynvml onnxruntime numpy {ENGINE_ROOM}"),
        ("loadbench.ui.widgets.run_panels", ENGINE_ROOM),
        ("loadbench.ui.present.cell", f"textual {ENGINE_ROOM}"),
    ],
)
def test_a_module_brings_nothing_that_it_must_not_know(module: str, forbidden: str) -> None:
    code = f"import sys, {module}; print(*[m for m in {forbidden.split()!r} if m in sys.modules])"

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stdout.split() == []
