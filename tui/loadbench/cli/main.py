"""The program, its global options and the commands `attach`, `init` and `doctor`."""

import math
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadbench import __version__
from loadbench.cli import output
from loadbench.cli.commands import PROGRAM, Commands
from loadbench.cli.compare.command import compare
from loadbench.cli.completion.command import completion
from loadbench.cli.completion.names import complete_profile, complete_run
from loadbench.cli.exit_codes import Exit
from loadbench.cli.new import new
from loadbench.cli.options import TERMINAL_OPTIONS, NewFolder
from loadbench.cli.profile_commands import plan, profiles, validate
from loadbench.cli.report.command import report
from loadbench.cli.run_command import run
from loadbench.cli.run_commands import label, runs, stop
from loadbench.errors import UsageError
from loadbench.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from loadbench.engine.run.doctor import Check
    from loadbench.engine.run_reader import Run

# Commands import their modules on demand, so that the program starts quickly.


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`loadbench-tui COMMAND --help` describes a command and shows examples.",
)
@click.version_option(__version__, prog_name=PROGRAM)
@click.option(
    "--workspace",
    metavar="DIR",
    help="Folder with profiles/ and stack/. Default: $LOADBENCH_WORKSPACE if set; otherwise the "
    "working directory or its nearest parent with both; otherwise the read-only copy in the "
    "package.",
)
@click.option(
    "--ascii", "ascii_only", is_flag=True, help="Use only ASCII characters in the terminal UI."
)
@click.option(
    "--refresh",
    "refresh_hz",
    metavar="HZ",
    type=click.FloatRange(0.1, 20),
    help="Refresh rate of the screen during a live run, in Hz. Default: 1 over SSH, otherwise 2.",
)
@click.option(
    "--no-alerts",
    is_flag=True,
    help="Do not ring the bell or send a notification when a run ends or a cell fails.",
)
@click.pass_context
def main(
    context: click.Context,
    workspace: str | None,
    ascii_only: bool,
    refresh_hz: float | None,
    no_alerts: bool,
) -> None:
    """Benchmark an inference service: how many models serve how many users?

    A profile defines a grid of model counts, user counts and spawn rates. For each combination (a
    cell), a run scales the service, puts it under load and measures it. A report for each cell and
    a summary of all cells are saved under reports/PROFILE/.

    Without a command, the terminal UI opens: choose a profile, watch its run or browse reports.

    \b
    Examples:
      loadbench-tui run demo        first run: about two minutes, no Docker needed
      loadbench-tui                 open the terminal UI
      loadbench-tui run with_cpu --set users=5,10 --set run_time=30s
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.ui.terminal.capabilities import TerminalOptions

    if refresh_hz is not None and math.isnan(refresh_hz):
        raise UsageError("--refresh: expected a number from 0.1 to 20")
    options = TerminalOptions(ascii_only=ascii_only, refresh_hz=refresh_hz, alerts=not no_alerts)
    context.meta[TERMINAL_OPTIONS] = options
    if context.invoked_subcommand not in ("init", "completion"):
        context.obj = Workspace.find(workspace)
    if context.invoked_subcommand is None:
        from loadbench.ui.show import show

        detached = show(context.obj, options=options)
        _print_detached(detached)


@main.command(short_help="Show a live or finished run, or a study.")
@click.argument("name", required=False, metavar="[RUN]", shell_complete=complete_run)
@click.option("--plain", is_flag=True, help="Print one line per event until the run ends.")
@click.pass_context
def attach(context: click.Context, name: str | None, plain: bool) -> None:
    """Show a live or finished RUN in the terminal UI.

    RUN is a run name or number as listed by `loadbench-tui runs` (1 is the newest), a PROFILE (its
    newest run), the folder of a run or a unique label. Default: the live run, or the newest run if
    none is live. RUN can also be the name of a study, such as studies/devices.

    Press q to detach; a live run continues. With --plain, Ctrl+C detaches.

    \b
    Examples:
      loadbench-tui attach
      loadbench-tui attach with_cpu
      loadbench-tui attach studies/devices
      loadbench-tui attach --plain
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.cli.report.study import print_study, study_instead_of_run
    from loadbench.engine.journal.lock import is_held
    from loadbench.engine.run_lookup import find_run_folder, run_folders
    from loadbench.engine.studies.ranked import rank_study

    reports, options = context.obj.reports, context.meta[TERMINAL_OPTIONS]
    if name and (study := study_instead_of_run(name, reports)):
        if plain:
            print_study(rank_study(study))
        else:
            from loadbench.ui.show import show

            show(context.obj, options=options, study=study.full_name)
        return
    has_live_run = name is None and any(map(is_held, run_folders(reports)))
    folder = find_run_folder(name, reports, live=has_live_run)
    if plain:
        from loadbench.cli.run import follow_in_plain_view

        follow_in_plain_view(folder)
        return
    from loadbench.ui.show import show

    detached = show(context.obj, folder, options=options)
    _print_detached(detached)


@main.command(short_help="Create a workspace.")
@click.argument("folder", metavar="DIR", type=NewFolder())
def init(folder: Path) -> None:
    """Create a workspace in DIR.

    The new workspace is an editable copy of the bundled one, with profiles/, stack/, images/ and
    locustfile.py. DIR is created if it does not exist. Existing files are never overwritten.

    \b
    Examples:
      loadbench-tui init benchmarks
      loadbench-tui init .
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    copied = create_workspace(folder)
    output.data(f"Created a workspace in {folder}: {', '.join(copied)}")
    output.message(f"Next: cd {folder} && loadbench-tui run demo")


@main.command(short_help="Check that this machine, or a profile's project, is ready.")
@click.argument("profile", required=False, metavar="[PROFILE]", shell_complete=complete_profile)
@click.pass_obj
def doctor(workspace: Workspace, profile: str | None) -> None:
    """Check that this machine can run benchmarks, or that a project is ready for its PROFILE.

    Without PROFILE, checks Python, the machine, the packages of the embedded service and of charts,
    Docker, GPUs, the workspace, its profiles, and the folders for reports and locks.

    With PROFILE, checks the profile, its locustfile and its Compose project: compose files,
    services, where requests go, the health check, builds, images, external networks and volumes.
    Shows what a run would start and change, and the profile lines that correct problems. Nothing is
    started, and the locustfile is not executed.

    Prints one line per check, marked ok, warning or problem. Exits with code 3 if there is a
    problem.

    \b
    Examples:
      loadbench-tui doctor
      loadbench-tui doctor with_cpu
      loadbench-tui --workspace benchmarks doctor
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    if profile is not None:
        _check_project(workspace, profile)
        return
    from loadbench.engine.run.doctor import run_checks

    _print_checks(run_checks(workspace))
    output.message("No problems found. Next: loadbench-tui run demo")


def _check_project(workspace: Workspace, name: str) -> None:
    from loadbench.engine.run.project_doctor.checks import check_project

    report = check_project(workspace, name)
    lines = [f"To correct it, write in {report.file}:"] if report.lines else []
    _print_checks(report.checks, after=[*lines, *_nested(report.lines)])
    found = "No problems found, only warnings" if lines else "No problems found"
    output.message(f"{found}. Next: loadbench-tui run {shlex.quote(name)}")


def _nested(lines: Iterable[str]) -> list[str]:
    """Return profile lines with dotted keys, such as `stack.port: 80`, as they stand in a file."""
    nested: dict[str, list[str]] = {}
    for line in lines:
        key, _, value = line.partition(": ")
        section, _, last = key.rpartition(".")
        nested.setdefault(section, []).append(f"{last}: {value}")
    return [
        text
        for section, inner in nested.items()
        for text in ([f"{section}:", *(f"  {line}" for line in inner)] if section else inner)
    ]


def _print_checks(checks: "Iterable[Check]", *, after: Sequence[str] = ()) -> None:
    """Print checks and further lines. Exit with code 3 if there is a problem."""
    from loadbench import wording

    listed = list(checks)
    body = [(check.level, check.subject, check.text) for check in listed]
    output.data("\n".join(wording.table(("", "", " "), body, left=2)[1:]))
    if after:
        output.data("\n" + "\n  ".join(after))
    if problems := [check for check in listed if check.level == "problem"]:
        output.message(f"{wording.counted(len(problems), 'problem')} found")
        sys.exit(Exit.FAILED)


def _print_detached(run: "Run | None") -> None:
    """If the user detached from a run, print that it continues and how to attach to it."""
    if run is not None:
        from loadbench import wording

        output.message(wording.detach_notice(run.folder))


for command in (run, new, plan, validate, profiles, runs, label, stop, report, compare, completion):
    main.add_command(command)
