"""What Locust's process loads, which every run waits for."""

import ast
import subprocess
import sys
from pathlib import Path

import loadbench.in_locust

ENTRY = Path(loadbench.in_locust.__file__).parent / "__main__.py"


def test_locusts_process_does_not_load_pydantic_and_the_types_of_events() -> None:
    imports = [
        ast.unparse(node)
        for node in ast.parse(ENTRY.read_text("utf-8")).body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("loadbench.")
    ]
    assert len(imports) >= 5

    loaded = subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            "-c",
            "\n".join(["import locust.main", *imports, "import sys", "print(*sys.modules)"]),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout.split()

    assert "loadbench.engine.journal.request_names" in loaded
    assert not {"pydantic", "loadbench.engine.journal.events"} & {*loaded}
