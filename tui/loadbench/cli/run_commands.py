"""The commands about runs that there are: `runs`, `stop`, `report`."""

import sys
from typing import TYPE_CHECKING

import click

from loadbench.errors import EngineError, JournalError
from loadbench.workspace import Workspace

if TYPE_CHECKING:
    from loadbench.engine.run_reader import Run


@click.command()
@click.pass_obj
def runs(workspace: Workspace) -> None:
    """List the runs: what is live, what was interrupted, what is done."""
    from loadbench import wording
    from loadbench.cli.run import next_step, tell_leftovers
    from loadbench.engine.catalog import run_folders
    from loadbench.engine.run_reader import read_run

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


@click.command(short_help="Stop a live RUN in order.")
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
    from loadbench.engine.catalog import find_run
    from loadbench.engine.run_reader import RunStatus

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


@click.command(short_help="Show a RUN's table; rebuild its summary from its journal.")
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
    from loadbench.engine.catalog import find_run
    from loadbench.engine.journal.reader import JournalReader
    from loadbench.engine.report.export.summary import write_summary
    from loadbench.engine.report.series import write_series
    from loadbench.engine.run_reader import RunStatus

    found = find_run(name, workspace.reports)
    if series:
        reader = JournalReader(found.folder)
        write_series(reader.decode_all(reader.lines()), sys.stdout)
        return
    if found.status is RunStatus.LIVE:
        click.echo(f"{found.name} is live: this is what it has measured so far", err=True)
    else:
        written = write_summary(found.state, found.folder)
        click.echo(f"rebuilt: {', '.join(path.name for path in written)}", err=True)
    print_result(found, as_json=as_json)
