"""The command line: what each command reads, calls and prints. stdout is data, stderr is talk."""

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loadbench import __version__
from loadbench.cli.exit_codes import Exit, of_error
from loadbench.cli.options import SET_HELP
from loadbench.cli.profile_commands import plan, profiles, validate
from loadbench.cli.run_commands import report, runs, stop
from loadbench.errors import LoadbenchError
from loadbench.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from loadbench.engine.run_reader import Run

# Each command imports what it needs, so that the first screen waits for nothing else.

TERMINAL_OPTIONS = "loadbench.options"


class Commands(click.Group):
    """Turns every error that is ours into one message and an exit code."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(context)
        except LoadbenchError as error:
            click.echo(f"loadbench-tui: {error}", err=True)
            sys.exit(of_error(error))
        except KeyboardInterrupt:
            sys.exit(Exit.INTERRUPTED)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            # The terminal is gone, and with it whoever could be told.
            sys.exit(Exit.INTERRUPTED)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with `loadbench-tui run demo`: two minutes, no Docker needed.",
)
@click.version_option(__version__, prog_name="loadbench-tui")
@click.option(
    "--workspace",
    metavar="DIR",
    help="The folder with profiles/ and stack/. Default: $LOADBENCH_WORKSPACE, else the nearest "
    "parent folder that has them, else the copy that came with the program.",
)
@click.option(
    "--ascii", "ascii_only", is_flag=True, help="Draw screens with ASCII characters alone."
)
@click.option(
    "--refresh",
    "refresh_hz",
    metavar="HZ",
    type=click.FloatRange(0.1, 20),
    help="How often a second a live run is painted. Default: 1 over SSH, else 2.",
)
@click.option(
    "--no-alerts",
    is_flag=True,
    help="No bell and no notification when a run ends or a cell fails.",
)
@click.pass_context
def main(
    context: click.Context,
    workspace: str | None,
    ascii_only: bool,
    refresh_hz: float | None,
    no_alerts: bool,
) -> None:
    """Benchmark an inference service: how many model containers carry how many users?

    Without a command it opens the screens: choose a profile, watch its run, look back at reports.

    A profile says which numbers of models, users and spawn rates (users started per second, in
    batches once a second) to measure. `run` starts the service, puts the users on it, cell after
    cell, and saves a report for each cell and a table of all of them under reports/PROFILE/.
    """
    from loadbench.ui.terminal.capabilities import TerminalOptions

    options = TerminalOptions(ascii_only=ascii_only, refresh_hz=refresh_hz, alerts=not no_alerts)
    context.meta[TERMINAL_OPTIONS] = options
    if context.invoked_subcommand not in ("init",):
        context.obj = Workspace.find(workspace)
    if context.invoked_subcommand is None:
        from loadbench.ui.show import show

        left = show(context.obj, options=options)
        _tell_left(left)


@main.command()
@click.argument("profiles", nargs=-1, metavar="[PROFILE]...")
@click.option("--plain", is_flag=True, help="Show lines instead of a screen.")
@click.option("--detach", is_flag=True, help="Start the run, print its name, and return.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as a line of JSON.")
@click.option("--check", is_flag=True, help="Exit with 4 for doubtful numbers, 1 for missed goals.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=SET_HELP)
@click.option("--resume", metavar="RUN", help="Go on with a run that was interrupted or stopped.")
@click.option("--retry-failed", is_flag=True, help="With --resume: measure failed cells again too.")
@click.pass_context
def run(
    context: click.Context,
    profiles: tuple[str, ...],
    plain: bool,
    detach: bool,
    as_json: bool,
    check: bool,
    overrides: tuple[str, ...],
    resume: str | None,
    retry_failed: bool,
) -> None:
    """Measure every cell of a PROFILE, and show the run.

    On a terminal it is shown on a screen that closes when the run has ended; q leaves it, and the
    run goes on. Elsewhere, and with --plain, it is told in lines; there Ctrl-C stops the run in
    order, twice kills it. A lost terminal leaves it running. Whenever nobody watches any more,
    profiles after it are not begun. Progress goes to stderr; the table, or with --json the
    summary, to stdout.

    \b
    Exit codes, the first that applies:
      2 bad profile or usage · 130 stopped · 3 a cell, the stack or Locust failed
      4 numbers not valid · 1 goals missed (both with --check alone) · 0 done
    """  # noqa: D301  # click's own mark: these lines are not to be joined
    from loadbench.cli.run import RunOptions, perform

    wanted = RunOptions(
        profiles,
        overrides,
        resume=resume,
        retry_failed=retry_failed,
        detach=detach,
        plain=plain,
        options=context.meta[TERMINAL_OPTIONS],
    )
    sys.exit(perform(context.obj, wanted, as_json=as_json, check=check))


@main.command(short_help="Show a live RUN, or one that is over.")
@click.argument("name", required=False, metavar="[RUN]")
@click.option("--plain", is_flag=True, help="Tell in lines what a live run does, until it ends.")
@click.pass_context
def attach(context: click.Context, name: str | None, plain: bool) -> None:
    """Show a RUN on the screen; without RUN, the live one, or the newest if none is live.

    RUN is PROFILE/RUN as `runs` lists it, a PROFILE (its newest run) or a folder. Leaving the
    screen leaves the run alone. With --plain, Ctrl-C leaves it alone too.
    """
    from loadbench.engine.catalog import find_folder, run_folders
    from loadbench.engine.journal.lock import is_held

    reports = context.obj.reports
    live = name is None and any(map(is_held, run_folders(reports)))
    folder = find_folder(name, reports, live=live)
    if plain:
        from loadbench.cli.run import follow_plainly

        follow_plainly(folder)
        return
    from loadbench.ui.show import show

    left = show(context.obj, folder, options=context.meta[TERMINAL_OPTIONS])
    _tell_left(left)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
def init(folder: Path) -> None:
    """Make a workspace of your own in FOLDER.

    It is a copy of the one that came with the program: profiles, stack, images, locustfile.
    """
    copied = create_workspace(folder)
    click.echo(f"{folder}: {', '.join(copied)}")
    click.echo(f"next: cd {folder} && loadbench-tui run demo", err=True)


@main.command()
@click.pass_obj
def doctor(workspace: Workspace) -> None:
    """Check whether this machine can do the job."""
    from loadbench import wording
    from loadbench.engine.run.doctor import examine

    checks = examine(workspace)
    body = [(check.level, check.what, check.text) for check in checks]
    click.echo("\n".join(wording.table(("", "", " "), body, left=2)[1:]))
    if any(check.level == "problem" for check in checks):
        sys.exit(Exit.FAILED)


def _tell_left(left: "Run | None") -> None:
    """Say that a run which was looked at last goes on."""
    if left is not None:
        from loadbench import wording

        click.echo(wording.goes_on(left.folder), err=True)


for command in (plan, validate, profiles, runs, stop, report):
    main.add_command(command)
