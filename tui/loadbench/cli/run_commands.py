"""The commands for existing runs: `runs`, `label` and `stop`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from loadbench.cli import output
from loadbench.cli.completion.names import complete_run
from loadbench.errors import EngineError, JournalError
from loadbench.workspace import Workspace

if TYPE_CHECKING:
    from loadbench.engine.run_reader import Run


@click.command(short_help="List all runs with their status and next step.")
@click.pass_obj
def runs(workspace: Workspace) -> None:
    """List all runs, newest first, with their status, measured cells and suggested next command.

    The number of a run is its place in the list. Commands accept it as the name of the run; it
    changes when another run starts.

    Settings are the label, device, batch size, driver and overrides of a run. On a narrow terminal
    they follow on a second line, and the least important columns are omitted.

    Studies follow, with their profiles and how many of them have results. Also lists containers
    left behind by runs that have ended.

    \b
    Examples:
      loadbench-tui runs
      loadbench-tui --workspace benchmarks runs
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.cli.report.run_list import run_list
    from loadbench.cli.run import print_leftovers
    from loadbench.engine.run_lookup import run_folders
    from loadbench.engine.run_reader import read_run

    numbered, problems = [], []
    for number, folder in enumerate(run_folders(workspace.reports), start=1):
        try:
            numbered.append((number, read_run(folder)))
        except JournalError as error:
            problems.append(str(error))
    readable = [run for _, run in numbered]
    if numbered:
        output.data("\n".join(run_list(numbered, output.columns())))
        print_leftovers(readable)
    elif not problems:
        output.message(
            f"No runs in {workspace.reports} yet. To start one, run `loadbench-tui run demo`."
        )
    for problem in problems:
        output.message(f"Unreadable run: {problem}")
    _print_studies(workspace.reports, readable)


def _print_studies(reports: Path, runs: "Sequence[Run]") -> None:
    """Print the studies, the latest change first.

    Args:
        reports: The reports folder.
        runs: The runs that have been read.
    """
    from loadbench.cli.report.run_list import study_list
    from loadbench.engine.studies.ranked import StudyReader

    studies, problems = StudyReader().read(reports, runs)
    if studies:
        output.data("\n".join(["", *study_list(studies, output.columns())]))
    for problem in problems:
        output.message(f"Unreadable study: {problem}")


@click.command(short_help="Set or remove the label of a run.")
@click.argument("name", metavar="RUN", shell_complete=complete_run)
@click.argument("text", metavar="TEXT")
@click.pass_obj
def label(workspace: Workspace, name: str, text: str) -> None:
    """Set the label of RUN to TEXT, or remove the label if TEXT is empty.

    A label has at most 60 characters. Lists of runs show it, and commands accept it as the name of
    the run if no other run has the same label. RUN may be live.

    RUN is a run name or number as listed by `loadbench-tui runs` (1 is the newest), a PROFILE (its
    newest run), the folder of a run or a unique label.

    \b
    Examples:
      loadbench-tui label with_cpu "new images"
      loadbench-tui label "new images" ""
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.engine.requests.labelling import set_label
    from loadbench.engine.run_lookup import find_run_folder

    folder = find_run_folder(name, workspace.reports)
    new = set_label(folder, text)
    run = f"{folder.parent.name}/{folder.name}"
    output.data(f"{run}: {new.label or 'label removed'}")
    if new.warning:
        output.message(f"warning: {new.warning}")


@click.command(short_help="Stop a live run and tear down its service.")
@click.argument("name", required=False, metavar="[RUN]", shell_complete=complete_run)
@click.pass_obj
def stop(workspace: Workspace, name: str | None) -> None:
    """Stop a live RUN, tear down its service and wait until the run has ended.

    RUN is a run name or number as listed by `loadbench-tui runs` (1 is the newest), a PROFILE (its
    newest run), the folder of a run or a unique label. Default: the live run; required if several
    are live.

    Measured cells are kept; `loadbench-tui run --resume RUN` measures the remaining cells. If RUN
    has already ended, the containers that it left behind are removed.

    \b
    Examples:
      loadbench-tui stop
      loadbench-tui stop with_cpu
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    from loadbench.cli.plain import PlainView
    from loadbench.cli.signals import Signals
    from loadbench.engine.run_lookup import find_run
    from loadbench.engine.run_reader import RunStatus

    run = find_run(name, workspace.reports, live=name is None)
    if run.status is not RunStatus.LIVE:
        output.message(f"{run.name} is not live (status: {run.status.value})")
        _remove_leftovers(run)
        return
    with Signals() as signals:
        signals.ask_to_stop()
        ended = PlainView(run.folder, quiet=True).watch(signals)
    if ended:
        output.data(f"{ended.name}: {ended.status.value}")


def _remove_leftovers(run: "Run") -> None:
    """Remove the containers that a run left behind."""
    from loadbench.engine.drivers.registry import clear_leftovers, find_leftovers

    names = find_leftovers([run]).containers.get(run.folder, ())
    if names:
        output.message(f"Removing containers of this run: {', '.join(names)}")
    if problem := clear_leftovers(run):
        raise EngineError(problem)
    if names:
        output.data(f"Removed: {', '.join(names)}")
