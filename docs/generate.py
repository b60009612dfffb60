"""Generate what follows from the code: `make docs`.

Writes docs/cli.md, the table of keys in docs/profiles.md, and profiles/profile.schema.json.
"""

import re
from pathlib import Path

import click

from loadbench.cli.main import main as loadbench_tui
from loadbench.engine.profile.reference import key_reference
from loadbench.engine.profile.schema import schema_text

DOCS = Path(__file__).parent
SCHEMA = DOCS.parent / "profiles" / "profile.schema.json"
KEYS = re.compile(r"^\| key \| default \| meaning \|\n(?:\|.*(?:\n|\Z))+", re.MULTILINE)
"""The table of keys in docs/profiles.md."""
NAME = "loadbench-tui"
WIDTH = 80
HEADER = """\
# Command line

Generated from the help texts by `make docs`; do not edit. `loadbench-tui` without a command opens
the [screens](screens.md). Options of `loadbench-tui` itself stand before the command:
`loadbench-tui --ascii run demo`. Results go to stdout, progress and messages to stderr.
[ci.md](ci.md) describes `--json`, `--check` and the exit codes.
"""


def command_line_page() -> str:
    """Return the page: the help of the program and, in alphabetical order, of its commands."""
    parent = _context(loadbench_tui, NAME)
    sections = [_section(NAME, loadbench_tui.get_help(parent))]
    for name, command in sorted(loadbench_tui.commands.items()):
        help_text = command.get_help(_context(command, name, parent))
        sections.append(_section(f"{NAME} {name}", help_text))
    return "\n".join([HEADER, *sections])


def _context(
    command: click.Command, name: str, parent: click.Context | None = None
) -> click.Context:
    settings = {**command.context_settings, "terminal_width": WIDTH}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _section(title: str, help_text: str) -> str:
    lines = "\n".join(line.rstrip() for line in help_text.splitlines())
    return f"## {title}\n\n```text\n{lines}\n```\n"


def main() -> None:
    """Write all generated files, and print their names."""
    keys_page = DOCS / "profiles.md"
    text = keys_page.read_text(encoding="utf-8")
    with_keys = KEYS.sub(lambda _: f"{key_reference()}\n", text, count=1)
    generated = {DOCS / "cli.md": command_line_page(), keys_page: with_keys, SCHEMA: schema_text()}
    for file, content in generated.items():
        file.write_text(content, encoding="utf-8")
        print(file.name)


if __name__ == "__main__":
    main()
