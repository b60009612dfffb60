"""The command `run`."""

import sys
from contextlib import ExitStack
from pathlib import Path

import click

from loadbench.cli.completion.names import complete_profile, complete_run, complete_study
from loadbench.cli.options import (
    SET_HELP,
    TERMINAL_OPTIONS,
    junit_option,
    search_options,
    search_overrides,
)
from loadbench.cli.signals import Signals
from loadbench.engine.requests.runner_process import RunnerProcess


@click.command(short_help="Measure all cells of a profile.")
@click.argument("profiles", nargs=-1, metavar="[PROFILE]...", shell_complete=complete_profile)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help=SET_HELP)
@click.option(
    "--plain", is_flag=True, help="Print one line per event instead of opening the terminal UI."
)
@click.option("--detach", is_flag=True, help="Start the run, print its name and return.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as one line of JSON.")
@click.option(
    "--check",
    is_flag=True,
    help="Exit with code 4 if a cell is suspect, invalid or undecided, or with code 1 if a cell "
    "misses a goal, and print each missed goal.",
)
@junit_option("the cells and goals of each run")
@search_options
@click.option("--label", metavar="TEXT", default="", help="Label that lists of runs show.")
@click.option(
    "--study",
    metavar="NAME",
    shell_complete=complete_study,
    help="Keep the runs together in reports/studies/NAME, and rank the configurations of all of "
    "them at the end. A profile that is refused does not stop the others.",
)
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=complete_run,
    help="Continue a run: measure its remaining cells.",
)
@click.option(
    "--retry-failed", is_flag=True, help="With --resume: also measure failed cells again."
)
@click.option(
    "--retry-suspect",
    is_flag=True,
    help="With --resume: also measure suspect and invalid cells again.",
)
@click.option(
    "--again",
    multiple=True,
    metavar="CELL",
    help="With --resume: also measure this cell again, such as m2_u50_s10. Can be repeated.",
)
@click.option("--wait", is_flag=True, help="If another run uses the service, start after it.")
@click.pass_context
def run(
    context: click.Context,
    profiles: tuple[str, ...],
    overrides: tuple[str, ...],
    plain: bool,
    detach: bool,
    as_json: bool,
    check: bool,
    junit: Path | None,
    find_capacity: bool,
    budget: str | None,
    label: str,
    study: str | None,
    resume: str | None,
    retry_failed: bool,
    retry_suspect: bool,
    again: tuple[str, ...],
    wait: bool,
) -> None:
    """Measure all cells of each PROFILE and show the run.

    PROFILE is a name from `loadbench-tui profiles` or the path of a YAML file. Several profiles run
    one after the other.

    On a terminal, the terminal UI shows the run and closes when the run ends. Press q to detach;
    the run continues. With --plain, or without a terminal, one line per event is printed. In this
    mode, Ctrl+C stops the run and tears down the service; a second Ctrl+C kills the run. A lost
    connection never stops a run. If you detach from a run or stop it, the remaining profiles are
    not started.

    Progress goes to stderr. The results table (with --json, the summary) goes to stdout.

    \b
    Examples:
      loadbench-tui run demo
      loadbench-tui run with_cpu --set users=5,10 --label "new images"
      loadbench-tui run with_gpu --wait --detach
      loadbench-tui run with_cpu --find-capacity --budget 45m
      loadbench-tui run with_cpu batch_10 with_gpu --study devices
      loadbench-tui run with_cpu --plain --check --junit results.xml
      loadbench-tui run --resume with_cpu --retry-failed
      loadbench-tui run --resume with_cpu --again m2_u50_s10

    \b
    Exit codes. If several apply, the first in this list is used:
      2    usage error or invalid profile
      130  run stopped by a user or a signal
      3    a cell, the service or Locust failed, a profile of a study was refused, or the output
           or FILE cannot be written
      141  the reader of the output exited, as with `| head`
      4    a cell is suspect or invalid, or has too few requests for a goal, or no cell was measured
           (with --check)
      1    a cell misses a goal (with --check)
      0    success
    """  # noqa: D301  # \b is click's mark for lines that must not be rewrapped
    signals, runner = Signals(), None
    with ExitStack() as early:
        if study is None and len(profiles) + (resume is not None) == 1:
            # The runner starts while this process loads what it needs itself.
            early.enter_context(signals)
            runner = early.enter_context(RunnerProcess())
        from loadbench.cli.run import RunOptions, perform

        options = RunOptions(
            profiles,
            (*overrides, *search_overrides(find_capacity=find_capacity, budget=budget)),
            label=label,
            study=study,
            resume=resume,
            retry_failed=retry_failed,
            retry_suspect=retry_suspect,
            again=again,
            wait=wait,
            detach=detach,
            plain=plain,
            junit=junit,
            terminal=context.meta[TERMINAL_OPTIONS],
        )
        code = perform(
            context.obj, options, as_json=as_json, check=check, signals=signals, runner=runner
        )
    sys.exit(code)
