"""The command line: what each command reads, calls and prints. stdout is data, stderr is talk."""

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from loadbench import __version__
from loadbench.cli.exit_codes import Exit, of_error
from loadbench.errors import EngineError, JournalError, LoadbenchError, ProfileError
from loadbench.workspace import Workspace, create_workspace

if TYPE_CHECKING:
    from loadbench.engine.run_reader import Run

# Each command imports what it needs, so that the first screen waits for nothing else.

WISHES = "loadbench.wishes"
SET_HELP = "Overrule a key of the profile: --set users=5,10 --set stack.driver=local."


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
    from loadbench.ui.terminal import Wishes

    wishes = Wishes(ascii_only=ascii_only, refresh_hz=refresh_hz, alerts=not no_alerts)
    context.meta[WISHES] = wishes
    if context.invoked_subcommand not in ("init",):
        context.obj = Workspace.find(workspace)
    if context.invoked_subcommand is None:
        from loadbench.ui.show import show

        left = show(context.obj, wishes=wishes)
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
    from loadbench.cli.run import Wanted, perform

    wanted = Wanted(
        profiles,
        overrides,
        resume=resume,
        retry_failed=retry_failed,
        detach=detach,
        plain=plain,
        wishes=context.meta[WISHES],
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
    from loadbench.engine.journal.lock import is_held
    from loadbench.engine.run_reader import find_folder, run_folders

    reports = context.obj.reports
    live = name is None and any(map(is_held, run_folders(reports)))
    folder = find_folder(name, reports, live=live)
    if plain:
        from loadbench.cli.run import follow_plainly

        follow_plainly(folder)
        return
    from loadbench.ui.show import show

    left = show(context.obj, folder, wishes=context.meta[WISHES])
    _tell_left(left)


@main.command(short_help="Show what a PROFILE would measure; start nothing.")
@click.argument("profile")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=SET_HELP)
@click.pass_obj
def plan(workspace: Workspace, profile: str, overrides: tuple[str, ...]) -> None:
    """Show the cells of a PROFILE and the time they take; start nothing."""
    from loadbench import wording
    from loadbench.engine.profile.duration import say_duration
    from loadbench.engine.profile.loading import find_profile, load_profile
    from loadbench.engine.profile.plan import REPORT_BYTES, estimate_s, plan_cells
    from loadbench.engine.requests.launch import RunRequest, preview

    file = find_profile(profile, workspace.profiles)
    loaded = load_profile(file, overrides)
    found = preview(RunRequest.to_run(workspace, file, loaded, overrides)).preflight
    cells = plan_cells(loaded)
    header = ("cell", "models", "users", "rate", "repeat", "report ")
    body = [
        (
            cell.key,
            str(cell.models),
            *(f"{value:g}" for value in cell.level.fields.values()),
            "again" if cell.recheck else str(cell.repeat),
            cell.report_name,
        )
        for cell in cells
    ]
    click.echo("\n".join([*wording.table(header, body), wording.RATE_LEGEND]))
    total = say_duration(estimate_s(loaded, cells))
    click.echo(f"\n{wording.counted(len(cells), 'cell')}, about {total} in all")
    megabytes = max(1, round(len(cells) * REPORT_BYTES / 1e6))
    click.echo(f"reports: {workspace.reports / file.stem}, about {megabytes} MB")
    click.echo(f"driver: {found.driver} ({found.reason})")
    for warning in found.warnings:
        click.echo(f"warning: {warning}", err=True)


@main.command()
@click.argument("names", nargs=-1, metavar="[PROFILE]...")
@click.pass_obj
def validate(workspace: Workspace, names: tuple[str, ...]) -> None:
    """Check profiles, all of them if none is named; start nothing."""
    from loadbench import wording
    from loadbench.engine.drivers import registry
    from loadbench.engine.profile.loading import (
        check_files,
        find_profile,
        load_profile,
        placed,
        saved_profiles,
    )
    from loadbench.engine.profile.plan import plan_cells, warnings

    files = [find_profile(name, workspace.profiles) for name in names]
    mistakes = []
    for file in files or saved_profiles(workspace.profiles):
        try:
            loaded = load_profile(file)
        except ProfileError as error:
            mistakes.append(str(error))
            continue
        try:
            check_files(workspace, loaded)
            doubts = registry.validate(workspace, loaded)
        except ProfileError as error:
            mistakes.append(placed(file, str(error)))
            continue
        click.echo(f"{file.stem}: valid, {wording.counted(len(plan_cells(loaded)), 'cell')}")
        for warning in [*warnings(loaded, None), *doubts]:
            click.echo(f"{file.stem}: warning: {warning}", err=True)
    if mistakes:
        raise ProfileError("\n".join(mistakes))


@main.command()
@click.option("--keys", is_flag=True, help="Print every key that a profile may have.")
@click.pass_obj
def profiles(workspace: Workspace, keys: bool) -> None:
    """List the saved profiles."""
    from loadbench import wording
    from loadbench.engine.profile.duration import say_duration
    from loadbench.engine.profile.loading import load_profile, saved_profiles
    from loadbench.engine.profile.model import key_reference
    from loadbench.engine.profile.plan import estimate_s, plan_cells

    if keys:
        click.echo(key_reference())
        return
    header = ("profile", "description", "device", "batch", "cells", "about ")
    body, broken = [], []
    for file in saved_profiles(workspace.profiles):
        try:
            loaded = load_profile(file)
        except ProfileError as error:
            broken.append(str(error))
            continue
        cells = plan_cells(loaded)
        about = say_duration(estimate_s(loaded, cells))
        sizes = (loaded.device, str(loaded.batch_size), str(len(cells)))
        body.append((file.stem, loaded.description, *sizes, about))
    if body:
        click.echo("\n".join(wording.table(header, body, left=2)))
    elif not broken:
        click.echo(f"{workspace.profiles} holds no profile; `init DIR` brings four", err=True)
    for mistake in broken:
        click.echo(f"not valid: {mistake}", err=True)


@main.command()
@click.pass_obj
def runs(workspace: Workspace) -> None:
    """List the runs: what is live, what was interrupted, what is done."""
    from loadbench import wording
    from loadbench.cli.run import next_step, tell_leftovers
    from loadbench.engine.run_reader import read_run, run_folders

    listed, unreadable = [], []
    for folder in run_folders(workspace.reports):
        try:
            listed.append(read_run(folder))
        except JournalError as error:
            unreadable.append(str(error))
    if listed:
        header = ("run", "status", "cells", "next ")
        body = [
            (it.name, it.status.value, wording.short_outcome(it.state), next_step(it))
            for it in listed
        ]
        click.echo("\n".join(wording.table(header, body, left=3)))
        tell_leftovers(listed)
    elif not unreadable:
        click.echo(f"no run in {workspace.reports} yet; begin with `run demo`", err=True)
    for problem in unreadable:
        click.echo(f"unreadable: {problem}", err=True)


@main.command(short_help="Stop a live RUN in order.")
@click.argument("name", required=False, metavar="[RUN]")
@click.pass_obj
def stop(workspace: Workspace, name: str | None) -> None:
    """Stop a live RUN in order and wait until it has; without RUN, the only live one.

    What it has measured stays; `run --resume` goes on with the rest. Of a RUN that is not live any
    more, the containers that it has left are removed. RUN is a name as `runs` lists it, or a run's
    folder.
    """
    from rich.console import Console

    from loadbench.cli.plain import PlainView, Signals
    from loadbench.engine.run_reader import RunStatus, find_run

    found = find_run(name, workspace.reports, live=name is None)
    if found.status is not RunStatus.LIVE:
        click.echo(f"{found.name} is not live, it is {found.status.value}", err=True)
        _clear(found)
        return
    with Signals() as signals:
        signals.ask_to_stop()
        ended = PlainView(found.folder, Console(stderr=True), quiet=True).watch(signals)
    if ended:
        click.echo(f"{ended.name}: {ended.status.value}")


def _clear(found: "Run") -> None:
    """Remove the containers that a run has left behind."""
    from loadbench.engine.drivers.registry import clear_leftovers, find_leftovers

    names = find_leftovers([found]).containers.get(found.folder, ())
    if names:
        click.echo(f"removing its containers: {', '.join(names)}", err=True)
    if left := clear_leftovers(found):
        raise EngineError(left)
    if names:
        click.echo(f"removed: {', '.join(names)}")


@main.command(short_help="Show a RUN's table; rebuild its summary from its journal.")
@click.argument("name", required=False, metavar="[RUN]")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as a line of JSON.")
@click.option("--series", is_flag=True, help="Print every second of every cell as CSV instead.")
@click.pass_obj
def report(workspace: Workspace, name: str | None, as_json: bool, series: bool) -> None:
    """Rebuild a RUN's summary.csv and summary.json from its journal, and show its table.

    RUN is PROFILE/RUN as `runs` lists it, a PROFILE (its newest run) or a folder; without it, the
    newest run of all. Of a live run it shows what is measured so far.

    With --series it prints users, rate, failures, percentiles, stages and queue by the second.
    """
    from loadbench.cli.run import print_result
    from loadbench.engine.journal.reader import JournalReader
    from loadbench.engine.report.export.summary import write_summary
    from loadbench.engine.report.series import series_csv
    from loadbench.engine.run_reader import RunStatus, find_run

    found = find_run(name, workspace.reports)
    if series:
        reader = JournalReader(found.folder)
        click.echo(series_csv(reader.decode_all(reader.lines())), nl=False)
        return
    if found.status is RunStatus.LIVE:
        click.echo(f"{found.name} is live: this is what it has measured so far", err=True)
    else:
        written = write_summary(found.state, found.folder)
        click.echo(f"rebuilt: {', '.join(path.name for path in written)}", err=True)
    print_result(found, as_json=as_json)


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
