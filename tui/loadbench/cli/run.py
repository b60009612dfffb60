"""What `run` does: refuse what cannot be meant, start each run, show it, tell the outcome."""

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console

from loadbench import wording
from loadbench.cli import exit_codes
from loadbench.cli.exit_codes import Exit
from loadbench.cli.plain import PlainView, Signals, Wish
from loadbench.engine.catalog import find_run
from loadbench.engine.drivers.registry import find_leftovers
from loadbench.engine.profile.loading import find_profile, load_profile, saved_profiles
from loadbench.engine.report.export.summary import summary_json
from loadbench.engine.requests.launch import RunRequest, preview, start_runner
from loadbench.engine.run_reader import Run, RunStatus, read_run, rest_of
from loadbench.errors import UsageError
from loadbench.ui.terminal.capabilities import TerminalOptions, why_not
from loadbench.workspace import Workspace

RUN = "RUN"
REPORT = f"report {RUN}"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What was asked for on the command line."""

    profiles: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    resume: str | None = None
    """The run to go on with, instead of profiles to begin."""
    retry_failed: bool = False
    detach: bool = False
    """Start the run and return."""
    plain: bool = False
    """Tell of it in lines, on a terminal too."""
    options: TerminalOptions = field(default_factory=TerminalOptions)
    """What is asked of the screens."""


def perform(workspace: Workspace, wanted: RunOptions, *, as_json: bool, check: bool) -> Exit:
    """Perform runs one after the other, and return the exit code of all of them.

    Raises:
        LoadbenchError: A run was refused.
    """
    requests = _requests(workspace, wanted)
    on_screen = not (wanted.plain or wanted.detach or why_not())
    seen = []
    for number, request in enumerate(requests, start=1):
        with Signals() as signals:
            folder = start_runner(request)
            if wanted.detach:
                _tell_detached(folder, resumed=request.resume is not None)
                break
            if not on_screen or signals.wish is not Wish.WATCH:
                ended = PlainView(folder, Console(stderr=True)).watch(signals)
        if on_screen and signals.wish is Wish.WATCH:
            ended = _show(workspace, folder, wanted.options)
        if ended is None:
            break
        seen.append(_tell(ended, signals, as_json=as_json, check=check))
        if seen[-1] is Exit.INTERRUPTED:
            if number < len(requests):
                click.echo(f"not begun: {', '.join(wanted.profiles[number:])}", err=True)
            break
    return exit_codes.worst(seen)


def follow_plainly(folder: Path) -> None:
    """Tell of a run in lines until it ends; a signal leaves it alone."""
    with Signals(first=Wish.DETACH) as signals:
        ended = PlainView(folder, Console(stderr=True)).watch(signals)
    if ended is None:
        click.echo(wording.goes_on(folder), err=True)
    else:
        print_result(ended, as_json=False)


def _show(workspace: Workspace, folder: Path, options: TerminalOptions) -> Run | None:
    """Show a run on the screen until it has ended; None: it goes on, and nobody looks."""
    # Here, not above: lines need no screen.
    from loadbench.ui.show import show

    show(workspace, folder, options=options, leave_at_end=True)
    found = read_run(folder)
    if found.status is not RunStatus.LIVE:
        return found
    click.echo(wording.goes_on(folder), err=True)
    return None


def print_result(ended: Run, *, as_json: bool) -> None:
    """Print a run's table and where its reports are, or its summary as a line of JSON."""
    if as_json:
        click.echo(json.dumps(json.loads(summary_json(ended.state)), ensure_ascii=False))
        return
    click.echo("")
    lines = wording.printable("\n".join(wording.cells_table(ended.state))).splitlines()
    if sys.stdout.isatty():
        lines = wording.wrapped(lines, shutil.get_terminal_size().columns)
    click.echo("\n".join(lines))
    click.echo(f"\n{wording.outcome_line(ended.state)}")
    click.echo(f"reports: {ended.folder}")


def _tell_detached(folder: Path, *, resumed: bool) -> None:
    """Print the name of a run that nobody will watch, and what may not be meant in a new one."""
    found = read_run(folder)
    click.echo(found.name)
    click.echo("`loadbench-tui runs` says how it stands, `loadbench-tui stop` ends it", err=True)
    for message in () if resumed else found.state.messages:
        click.echo(message.text, err=True)


def tell_leftovers(listed: Sequence[Run]) -> None:
    """Name the containers that runs have left behind."""
    leftovers = find_leftovers(listed)
    for found in listed:
        if names := leftovers.containers.get(found.folder):
            click.echo(
                f"\n{found.name} has left containers: {', '.join(names)}\n"
                f"  `loadbench-tui stop {found.name}` removes them"
            )
    for problem in leftovers.unknown:
        click.echo(f"not known whether runs have left containers: {problem}", err=True)


def _tell(ended: Run, signals: Signals, *, as_json: bool, check: bool) -> Exit:
    """Print what a run came to, and return the exit code that it gives."""
    print_result(ended, as_json=as_json)
    for miss in exit_codes.missed_goals(ended):
        click.echo(f"goal missed: {miss}", err=True)
    if ended.status is RunStatus.INTERRUPTED:
        click.echo("the runner was killed", err=True)
        tell_leftovers([ended])
    if next_step(ended) != REPORT:
        click.echo(f"next: loadbench-tui {next_step(ended).replace(RUN, ended.name)}", err=True)
    if signals.wish is not Wish.WATCH:
        return Exit.INTERRUPTED
    return exit_codes.of_run(ended, check=check)


def next_step(found: Run) -> str:
    """Return the command, with RUN for its name, that one would give a run next."""
    if found.status is RunStatus.LIVE:
        return f"stop {RUN}"
    if rest := rest_of(found):
        return f"run --resume {RUN}{' --retry-failed' if rest.retry_failed else ''}"
    return REPORT


def _requests(workspace: Workspace, wanted: RunOptions) -> list[RunRequest]:
    if wanted.resume is not None:
        if wanted.profiles or wanted.overrides:
            raise UsageError("--resume RUN takes no PROFILE and no --set: the run has its own")
        folder = find_run(wanted.resume, workspace.reports).folder
        return [RunRequest.to_resume(workspace, folder, retry_failed=wanted.retry_failed)]
    if not wanted.profiles:
        there = ", ".join(file.stem for file in saved_profiles(workspace.profiles))
        raise UsageError(f"run needs a PROFILE; there are: {there or 'none'}")
    if wanted.retry_failed:
        raise UsageError("--retry-failed goes with --resume RUN")
    if wanted.detach and len(wanted.profiles) > 1:
        raise UsageError("--detach takes one PROFILE: two at once would measure each other")
    overrides = wanted.overrides
    files = [find_profile(name, workspace.profiles) for name in wanted.profiles]
    requests = [
        RunRequest.to_run(workspace, file, load_profile(file, overrides), overrides)
        for file in files
    ]
    for request in requests if len(requests) > 1 else ():
        # The last one must not be refused hours later.
        preview(request)
    return requests
