"""The command `run`: check its arguments, start each run, show it and print its result."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from loadbench import wording
from loadbench.cli import output
from loadbench.cli.arguments import hide_secrets
from loadbench.cli.commands import report_output_error
from loadbench.cli.exit_codes import Exit, most_important
from loadbench.cli.output import OutputError
from loadbench.cli.plain import PlainView
from loadbench.cli.report.exits import exit_for_run, missed_goals
from loadbench.cli.report.junit import JUnitFile
from loadbench.cli.report.result import print_result
from loadbench.cli.signals import SignalAction, Signals
from loadbench.cli.study import StudyRunner
from loadbench.engine.drivers.registry import find_leftovers
from loadbench.engine.journal.label import read_label
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.profile.loading import find_profile, load_profile, saved_profiles
from loadbench.engine.report.export.junit import suite_of_refusal, suite_of_run
from loadbench.engine.requests.launch import RunRequest, preview, start_runner
from loadbench.engine.requests.resumption import cells_to_retry, is_unfinished, remaining_cells
from loadbench.engine.requests.runner_process import RunnerProcess
from loadbench.engine.run_lookup import find_run
from loadbench.engine.run_reader import Run, RunStatus, read_run
from loadbench.engine.studies.model import check_name
from loadbench.errors import UsageError
from loadbench.ui.terminal.capabilities import TerminalOptions, unsupported_reason
from loadbench.workspace import Workspace

RUN = "RUN"
"""Placeholder for the name of a run in a command."""

REPORT = f"report {RUN}"


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Arguments and options of `run`."""

    profiles: tuple[str, ...]
    overrides: tuple[str, ...] = ()
    label: str = ""
    """Label of the new runs."""
    study: str | None = None
    """Name of the study that keeps the new runs together. None for none."""
    resume: str | None = None
    """Name of the run to resume. None to start new runs of `profiles`."""
    retry_failed: bool = False
    """With `resume`: also measure the failed cells again."""
    retry_suspect: bool = False
    """With `resume`: also measure the suspect and invalid cells again."""
    again: tuple[str, ...] = ()
    """With `resume`: keys of further cells to measure again."""
    wait: bool = False
    """Start after the run that uses the service, instead of being refused."""
    detach: bool = False
    """Return once the run has started."""
    plain: bool = False
    """Use the plain view even on a terminal."""
    junit: Path | None = None
    """JUnit XML file to write. None for none."""
    terminal: TerminalOptions = field(default_factory=TerminalOptions)
    """Options of the terminal UI."""


_RESUME_OPTIONS: dict[str, Callable[[RunOptions], object]] = {
    "--retry-failed": lambda options: options.retry_failed,
    "--retry-suspect": lambda options: options.retry_suspect,
    "--again": lambda options: options.again,
}
"""Options that require `--resume`, with functions that return whether they are given."""


def perform(
    workspace: Workspace,
    options: RunOptions,
    *,
    as_json: bool,
    check: bool,
    signals: Signals,
    runner: RunnerProcess | None = None,
) -> Exit:
    """Execute the requested runs one after the other, and return the overall exit code.

    Args:
        workspace: The workspace.
        options: Arguments and options of the command.
        as_json: Whether to print summaries as JSON.
        check: Whether goals and verdicts affect the exit code.
        signals: Handles signals while a run starts and is shown. It may already be active.
        runner: A runner process that waits for the first request. Not used for a study.

    Raises:
        LoadbenchError: A run was refused. In a study, only invalid profiles are an error.
    """
    requests = _requests(workspace, options)
    study = None
    if options.study is not None:
        study = StudyRunner(options.study, requests, workspace.reports)
    on_screen = not (options.plain or options.detach or unsupported_reason())
    junit = JUnitFile(options.junit)
    exits = []
    for index, request in enumerate(requests):
        with signals:
            folder = study.start(index) if study else start_runner(request, runner)
            runner = None
            if folder is None:
                assert study is not None
                refused = suite_of_refusal(request.profile_name, study.refusals[index])
                exits += [Exit.FAILED, junit.add(refused)]
                continue
            if options.detach:
                _print_detached(folder, resumed=request.resume is not None)
                break
            if not on_screen or signals.action is not SignalAction.WATCH:
                ended = PlainView(folder).watch(signals)
        if on_screen and signals.action is SignalAction.WATCH:
            ended = _show(workspace, folder, options.terminal)
        if ended is None:
            _print_not_started(options.profiles[index + 1 :])
            if study:
                study.print_place()
            return most_important(exits)
        try:
            print_result(ended, as_json=as_json)
        except OutputError as error:
            # The other profiles are measured all the same: their reports are in files.
            exits.append(report_output_error(error))
        exits += [junit.add(suite_of_run(ended.state)), _finish(ended, signals, check=check)]
        if exits[-1] is Exit.INTERRUPTED:
            _print_not_started(options.profiles[index + 1 :])
            break
    if study:
        exits.append(study.finish(as_json=as_json))
    return most_important(exits)


def _print_not_started(profiles: Sequence[str]) -> None:
    if profiles:
        output.message(f"Not started: {', '.join(profiles)}")


def follow_in_plain_view(folder: Path) -> None:
    """Print one line per event until the run ends; a signal detaches."""
    with Signals(first=SignalAction.DETACH) as signals:
        ended = PlainView(folder).watch(signals)
    if ended is None:
        output.message(wording.detach_notice(folder))
    else:
        print_result(ended, as_json=False)


def _show(workspace: Workspace, folder: Path, options: TerminalOptions) -> Run | None:
    """Show a run in the terminal UI; return the ended run, or None if the user detached."""
    # Imported here because the plain view does not need the terminal UI.
    from loadbench.ui.show import show

    show(workspace, folder, options=options, quit_at_end=True)
    run = read_run(folder)
    if run.status is not RunStatus.LIVE:
        with Signals() as signals:
            # The runner still writes the page of the run.
            return PlainView(folder, quiet=True).watch(signals) or run
    output.message(wording.detach_notice(folder))
    return None


def _print_detached(folder: Path, *, resumed: bool) -> None:
    """Print the name of a detached run, commands to control it and, for a new run, its warnings."""
    run = read_run(folder)
    output.data(run.name)
    output.message(
        f"The run continues. To show it: loadbench-tui attach {run.name}\n"
        f"To stop it: loadbench-tui stop {run.name}"
    )
    for message in () if resumed else run.state.messages:
        output.message(message.text)


def print_leftovers(runs: Sequence[Run]) -> None:
    """Print the containers that runs left behind, with the command to remove them."""
    leftovers = find_leftovers(runs)
    for run in runs:
        if names := leftovers.containers.get(run.folder):
            output.data(
                f"\n{run.name} left containers behind: {', '.join(names)}\n"
                f"  To remove them: loadbench-tui stop {run.name}"
            )
    for problem in leftovers.unknown:
        output.message(f"Cannot check for leftover containers: {problem}")


def _finish(run: Run, signals: Signals, *, check: bool) -> Exit:
    """Print the missed goals of a run and the next step, and return the exit code."""
    for message in missed_goals(run) if check else ():
        output.message(f"Goal missed: {message}")
    if run.was_killed:
        when = "after the last cell" if is_unfinished(run) else "before the run ended"
        output.message(f"The runner was killed {when}")
        print_leftovers([run])
    if next_step(run) != REPORT:
        output.message(f"Next: loadbench-tui {next_step(run).replace(RUN, shlex.quote(run.name))}")
        has_none = not run.state.count(CellStatus.FINISHED)
        if run.state.count(CellStatus.FAILED) or (has_none and run.status is RunStatus.ABORTED):
            profile = run.folder.parent.name
            output.message(
                "If the profile or the locustfile is the cause, correct it and start a new run: "
                f"loadbench-tui run {shlex.quote(profile)}"
            )
    if signals.action is not SignalAction.WATCH:
        return Exit.INTERRUPTED
    return exit_for_run(run, check=check)


def next_step(run: Run) -> str:
    """Return the most useful next command for a run, with `RUN` as a placeholder for its name."""
    if run.status is RunStatus.LIVE:
        return f"stop {RUN}"
    if is_unfinished(run):
        return f"run --resume {RUN}"
    if rest := remaining_cells(run):
        # What aborted a run has usually failed its last cells, too.
        has_failed = rest.failed and (not rest.continues or run.status is RunStatus.ABORTED)
        option = " --retry-failed" if has_failed else "" if rest.continues else " --retry-suspect"
        return f"run --resume {RUN}{option}"
    return REPORT


def _requests(workspace: Workspace, options: RunOptions) -> list[RunRequest]:
    if options.detach:
        _check_detach(options)
    if options.resume is not None:
        if options.study is not None:
            raise UsageError("--resume RUN cannot be combined with --study: a study has new runs")
        if options.profiles or options.overrides:
            raise UsageError(
                "--resume RUN cannot be combined with PROFILE, --set, --find-capacity or --budget: "
                "a resumed run keeps its profile"
            )
        if options.label:
            raise UsageError(
                "--resume RUN cannot be combined with --label. To change the label of a run: "
                "loadbench-tui label RUN TEXT"
            )
        return [_request_to_resume(workspace, options.resume, options)]
    if not options.profiles:
        names = ", ".join(file.stem for file in saved_profiles(workspace.profiles))
        raise UsageError(f"run requires a PROFILE. Available profiles: {names or 'none'}")
    for name, is_given in _RESUME_OPTIONS.items():
        if is_given(options):
            raise UsageError(f"{name} requires --resume RUN")
    if options.study is not None:
        check_name(options.study)
    overrides, label = options.overrides, read_label(options.label)
    files = [find_profile(name, workspace.profiles) for name in options.profiles]
    loaded = [load_profile(file, overrides) for file in files]
    for file, profile in zip(files, loaded, strict=True):
        hide_secrets(profile, overrides)
        has_budget = any(text.startswith("search.budget=") for text in overrides)
        if has_budget and not profile.is_search:
            raise UsageError(
                f"{file.stem}: --budget requires a search. Add --find-capacity, or set "
                "search.strategy: bisection in the profile"
            )
    requests = [
        RunRequest.to_run(workspace, file, profile, overrides, label=label, wait=options.wait)
        for file, profile in zip(files, loaded, strict=True)
    ]
    for request in requests if len(requests) > 1 and options.study is None else ():
        # Check all profiles now, instead of failing hours later at the last one.
        preview(request)
    return requests


def _check_detach(options: RunOptions) -> None:
    """Check that no option requires the end of a run that is detached."""
    if options.study is not None:
        raise UsageError(
            "--detach cannot be combined with --study: a study starts its runs one after the "
            "other, and ranks them at the end"
        )
    if options.junit is not None:
        raise UsageError(
            "--detach cannot be combined with --junit: there are no results yet. When the run has "
            "ended: loadbench-tui report RUN --junit FILE"
        )
    if len(options.profiles) > 1:
        raise UsageError(
            "--detach allows one PROFILE only: concurrent runs would disturb each other"
        )


def _request_to_resume(workspace: Workspace, name: str, options: RunOptions) -> RunRequest:
    run = find_run(name, workspace.reports)
    retry = cells_to_retry(run.state, failed=options.retry_failed, suspect=options.retry_suspect)
    again = dict.fromkeys((*retry, *options.again))
    return RunRequest.to_resume(workspace, run.folder, again=tuple(again), wait=options.wait)
