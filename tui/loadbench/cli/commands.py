"""The group of all commands, which converts every error to one message and an exit code."""

import errno
import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from io import StringIO
from typing import Any

import click

from loadbench.cli import output
from loadbench.cli.completion import shells
from loadbench.cli.exit_codes import Exit, exit_for_error, exit_for_output
from loadbench.engine.crash import describe_crash, save_traceback
from loadbench.errors import LoadbenchError

PROGRAM = "loadbench-tui"
CRASH_FILE = "command-error.txt"
"""Name of the file with the traceback of the last internal error of a command."""

COLLECT_AFTER = 20_000
"""Number of new objects after which Python searches for unused ones. With its default, this takes a
sixth of the time in which modules are loaded."""

COMMAND_ORDER = (
    "run",
    "plan",
    "validate",
    "profiles",
    "attach",
    "runs",
    "label",
    "stop",
    "report",
    "compare",
    "init",
    "new",
    "doctor",
    "completion",
)
"""Order of the commands in `--help`."""

_OUTPUT_ERRORS = (errno.EPIPE, errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EBADF)


class Commands(click.Group):
    """A command group that ends with a message instead of a traceback after any error."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of the commands in the order of `--help`."""
        names = super().list_commands(context)
        return sorted(names, key=COMMAND_ORDER.index)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *_arguments: Any,
        **options: Any,
    ) -> Any:
        """Execute the command line, and exit.

        Unlike `click.Group.main`, this converts all errors, and never exits with code 1 for them.
        """
        gc.set_threshold(COLLECT_AFTER)
        arguments = sys.argv[1:] if args is None else list(args)
        code = exit_code_of(partial(self._execute, arguments, prog_name or PROGRAM, options))
        # Otherwise Python would search all objects once more when it exits.
        gc.freeze()
        sys.exit(code)

    def _execute(self, arguments: list[str], program: str, options: dict[str, Any]) -> None:
        # Completions contain what the user has typed, and click prints them itself.
        with output.captured_data():
            shells.register()
            self._main_shell_completion(options, program)
        with self.make_context(program, arguments, **options) as context:
            self.invoke(context)


def exit_code_of(command: Callable[[], object]) -> Exit | int:
    """Execute a command, print a message if it fails, and return the exit code.

    Code 1 is returned only for failed gates, although Python and click use it for other errors.
    """
    output.open_standard_streams()
    try:
        command()
    except SystemExit as error:
        return _exit_code(error.code)
    except click.exceptions.Exit as error:
        return _exit_code(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except click.ClickException as error:
        usage = StringIO()
        error.show(usage)
        output.message(usage.getvalue().rstrip("\n"))
        return Exit.USAGE
    except LoadbenchError as error:
        output.message(f"{PROGRAM}: {error}")
        return exit_for_error(error)
    except output.OutputError as error:
        return report_output_error(error)
    except OSError as error:
        return _end_with_os_error(error)
    except MemoryError:
        output.message(f"{PROGRAM}: out of memory")
        return Exit.FAILED
    except Exception as error:  # noqa: BLE001  # every failure must end with a message
        return _end_with_internal_error(error)
    return Exit.DONE


def report_output_error(error: output.OutputError) -> Exit:
    """Print why data could not be written to stdout, and return the exit code.

    Prints nothing if the reader has closed the pipe or the terminal, as with `| head`.
    """
    code = exit_for_output(error.cause)
    if code is Exit.FAILED:
        output.message(f"{PROGRAM}: cannot write to standard output: {error.cause.strerror}")
    return code


def _exit_code(code: object) -> Exit | int:
    """Return the exit code of a command that exited with a value."""
    if isinstance(code, Exit):
        return code
    if code == Exit.GATE_FAILED or not isinstance(code, int | None):
        return Exit.USAGE
    return code or Exit.DONE


def _end_with_os_error(error: OSError) -> Exit:
    if error.filename is None and error.errno in _OUTPUT_ERRORS:
        # All files are named in their errors, so this is stdout.
        output.discard(sys.stdout)
        return report_output_error(output.OutputError(error))
    if error.errno is None:
        return _end_with_internal_error(error)
    file = save_traceback(error, CRASH_FILE)
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    details = f". Traceback saved to {file}" if file else ""
    output.message(f"{PROGRAM}: {where}{error.strerror}{details}")
    return Exit.FAILED


def _end_with_internal_error(error: Exception) -> Exit:
    file = save_traceback(error, CRASH_FILE)
    output.message(f"{PROGRAM}: {describe_crash(error, file)} Please report it.")
    return Exit.FAILED
