"""Generate docs/cli.md from the click commands: `make docs`."""

from pathlib import Path

import click

from loadbench.cli.main import main as loadbench_tui

PAGE = Path(__file__).parent / "cli.md"
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


if __name__ == "__main__":
    PAGE.write_text(command_line_page(), encoding="utf-8")
    print(PAGE.name)
