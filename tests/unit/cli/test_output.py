"""Only one module of the command line prints, and all commands go through its guard."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.harness import REPOSITORY

PACKAGE = REPOSITORY / "tui" / "loadbench"
OUTPUT = {PACKAGE / "cli" / "output.py", PACKAGE / "cli" / "live_output.py"}
"""The modules that print, always printable text."""
_FOLDERS = (PACKAGE / "wording", PACKAGE / "ui")
CHECKED = sorted(
    {
        *(PACKAGE / "cli").glob("*.py"),
        *(file for part in ("ui", "wording") for file in (PACKAGE / part).rglob("*.py")),
    }
    - OUTPUT
)
_PRINTING = ("print", "echo", "secho", "Console", "echo_via_pager", "pprint", "inspect")
_STREAMS = ("stdout", "stderr")
_ALLOWED = {
    ("cli/commands.py", "sys.stdout"): "passed to `output.discard`",
    ("ui/terminal/capabilities.py", "sys.__stderr__"): "its capabilities are detected",
    ("ui/terminal/capabilities.py", "sys.__stdout__"): "its capabilities are detected",
}


def direct_output(source: str) -> Iterator[str]:
    """Yield the expressions of a module that print, or that refer to an output stream."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name.rpartition(".")[2] in _PRINTING or name == "os.write":
                yield name
        if isinstance(node, ast.Attribute) and node.attr.strip("_") in _STREAMS:
            yield ast.unparse(node)
        if isinstance(node, ast.ImportFrom) and node.module in ("sys", "click", "rich.console"):
            yield from (name.name for name in node.names if name.name in (*_PRINTING, *_STREAMS))


@pytest.mark.parametrize("file", CHECKED, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_no_other_module_prints(file: Path) -> None:
    name = str(file.relative_to(PACKAGE))

    found = set(direct_output(file.read_text(encoding="utf-8")))

    assert {place for place in found if (name, place) not in _ALLOWED} == set()


@pytest.mark.parametrize(
    "source",
    [
        "print(1)",
        "click.echo(text)",
        "from click import echo",
        "self._console.print(line)",
        "sys.stderr.write(line)",
        "sys.__stdout__.write(line)",
        "Console(stderr=True)",
        "os.write(1, line)",
    ],
)
def test_direct_output_is_found(source: str) -> None:
    assert list(direct_output(source))
