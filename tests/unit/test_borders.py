"""Check the import contracts at run time, in addition to import-linter's check of the source."""

import subprocess
import sys

import pytest

ENGINE_INTERNALS = (
    "loadbench.engine.run loadbench.engine.drivers loadbench.engine.load loadbench.in_locust"
)


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("loadbench.engine.run.sweep", "textual rich click locust gevent loadbench.in_locust"),
        ("loadbench.engine.run.prepare", "textual rich click locust gevent loadbench.in_locust"),
        ("loadbench.engine.run.__main__", "textual rich click locust gevent loadbench.in_locust"),
        ("loadbench.engine.run_reader", "textual rich click locust gevent requests psutil"),
        (
            "loadbench.cli.plain",
            "locust gevent requests loadbench.engine.run loadbench.engine.load",
        ),
        (
            "loadbench.cli.main",
            "locust gevent onnxruntime numpy loadbench.engine.run.sweep textual rich",
        ),
        ("loadbench.ui.app", f"locust gevent psutil requests plotext {ENGINE_INTERNALS}"),
        ("loadbench.ui.show", f"python_on_whales pynvml onnxruntime numpy {ENGINE_INTERNALS}"),
        ("loadbench.ui.run.panels", ENGINE_INTERNALS),
        ("loadbench.ui.lines.cell", f"textual {ENGINE_INTERNALS}"),
    ],
)
def test_module_does_not_load_forbidden_packages(module: str, forbidden: str) -> None:
    code = f"import sys, {module}; print(*[m for m in {forbidden.split()!r} if m in sys.modules])"

    completed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert completed.stdout.split() == []
