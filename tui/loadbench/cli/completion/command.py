"""The command `completion`: the script with which a shell completes commands and names."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from loadbench.cli import output
from loadbench.cli.commands import PROGRAM
from loadbench.engine.files import convert_os_errors, write_atomically
from loadbench.errors import UsageError
from loadbench.paths import resolved

SHELLS = ("bash", "zsh", "fish")
MAX_BYTES = 100_000
"""Maximum size of an existing file that can be such a script, which has about 2 kB."""
VARIABLE = "_LOADBENCH_TUI_COMPLETE"
"""Variable with which the script asks the program for completions, as click derives it."""


@click.command(short_help="Print or install the completion for your shell.")
@click.argument("shell", required=False, type=click.Choice(SHELLS), metavar="[SHELL]")
@click.option("--install", is_flag=True, help="Write the script to your folder for completions.")
@click.pass_context
def completion(context: click.Context, shell: str | None, install: bool) -> None:
    """Print the script with which SHELL completes commands, options, profiles and runs.

    SHELL is bash, zsh or fish. Default: your login shell.

    With --install, the script is written to your folder for completions instead, and the next steps
    are printed. The program must be in PATH. Bash needs version 4.4 and the package
    bash-completion.

    \b
    Examples:
      loadbench-tui completion --install
      loadbench-tui completion fish | source
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    chosen = shell or _login_shell(os.environ)
    completion_class = get_completion_class(chosen)
    if completion_class is None:
        raise UsageError(f"click does not support {chosen}")
    source = completion_class(context.find_root().command, {}, PROGRAM, VARIABLE).source()
    if not install:
        output.data(source.rstrip("\n"))
        return
    file = _file(chosen, os.environ)
    _write(file, source)
    output.data(f"Created {file}")
    output.message(_next_step(chosen, file))


def _login_shell(environ: Mapping[str, str]) -> str:
    """Return the name of the user's login shell.

    Raises:
        UsageError: It is unknown or not supported.
    """
    name = Path(environ.get("SHELL", "")).name
    if name not in SHELLS:
        found = f"your login shell {name} is not supported" if name else "$SHELL is not set"
        raise UsageError(f"{found}. Name one: {PROGRAM} completion {'|'.join(SHELLS)}")
    return name


def _file(shell: str, environ: Mapping[str, str]) -> Path:
    """Return the file from which a shell loads the completion of this program.

    Raises:
        UsageError: The user's home folder is unknown.
    """
    try:
        home = Path.home()
    except RuntimeError:
        raise UsageError("your home folder is unknown: set $HOME") from None
    if shell == "bash":
        # See bash-completion's README: it loads files from here when they are needed.
        data = _absolute(environ, "XDG_DATA_HOME") or home / ".local" / "share"
        user_dir = _absolute(environ, "BASH_COMPLETION_USER_DIR") or data / "bash-completion"
        return user_dir / "completions" / PROGRAM
    if shell == "zsh":
        return (_absolute(environ, "ZDOTDIR") or home) / ".zfunc" / f"_{PROGRAM}"
    config = _absolute(environ, "XDG_CONFIG_HOME") or home / ".config"
    return config / "fish" / "completions" / f"{PROGRAM}.fish"


def _absolute(environ: Mapping[str, str], name: str) -> Path | None:
    """Return the folder that a variable names, or None: relative ones are ignored, as XDG asks."""
    folder = environ.get(name, "").partition(":")[0]
    return Path(folder) if folder.startswith("/") else None


def _write(file: Path, source: str) -> None:
    """Write the script. If the file is a symbolic link, replace its target.

    Raises:
        UsageError: The file exists and is not such a script, or not a regular file.
        JournalError: The file cannot be read or written.
    """
    with convert_os_errors(file):
        if file.exists() and not (
            file.is_file()
            and file.stat().st_size <= MAX_BYTES
            and VARIABLE.encode() in file.read_bytes()
        ):
            raise UsageError(
                f"{file} exists and was not created by this command. Move it elsewhere first"
            )
        file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(resolved(file), source.encode())


def _next_step(shell: str, file: Path) -> str:
    """Return what the user has to do before the completion works."""
    if shell == "bash":
        return (
            f"Start a new shell, then press Tab after `{PROGRAM} `. "
            "If nothing happens, install the package bash-completion."
        )
    if shell == "fish":
        return f"Start a new shell, then press Tab after `{PROGRAM} `."
    return (
        "Add these lines to .zshrc, before an existing compinit, then start a new shell:\n"
        f"  fpath=({shlex.quote(str(file.parent))} $fpath)\n"
        "  autoload -Uz compinit && compinit"
    )
