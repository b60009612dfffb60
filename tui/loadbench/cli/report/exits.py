"""The exit code of a run that has ended, and its missed goals."""

from loadbench.cli.exit_codes import Exit
from loadbench.engine.journal.events import Verdict
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.report.recommendation.goals import Outcome, check_text
from loadbench.engine.report.rows import Row
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.engine.search.continuation import is_search
from loadbench.errors import JournalError


def exit_for_run(run: Run, *, check: bool) -> Exit:
    """Return the exit code of a run that has ended.

    Args:
        run: The run.
        check: Whether suspect, invalid and undecided cells, missed goals and a run without any
            results affect the exit code.

    Raises:
        JournalError: This version cannot read the profile of the run, so its goals are unknown.
    """
    if run.status is RunStatus.STOPPED:
        return Exit.INTERRUPTED
    if run.status is not RunStatus.DONE or run.state.count(CellStatus.FAILED):
        return Exit.FAILED
    if not check:
        return Exit.DONE
    measured = [row for row in run.rows if row.requests is not None]
    is_decided = has_decided(run) if is_search(run.state) else all(map(_is_decided, measured))
    if not measured or not is_decided:
        return Exit.NOT_VALID
    return Exit.GATE_FAILED if missed_goals(run) else Exit.DONE


def has_decided(run: Run) -> bool:
    """Return whether the search of a run has a result that its cells support.

    Cells that miss a goal are no problem in a search, and a load that missed may be suspect: many
    failed requests, or few requests because of a long latency, make it so. If no load passed, it is
    the result, and must not be suspect.
    """
    ended, found = run.state.search_ended, run.recommendation
    if ended is None or found is None:
        return False
    is_found = all(one.is_decided for one in ended.brackets)
    edges = (one.capacity or one.first_failed for one in found.configurations)
    return is_found and not any(load.is_suspect for load in edges if load)


def _is_decided(row: Row) -> bool:
    """Return whether a measured cell shows that its goals are met or missed."""
    # The verdict is recorded, maybe by a version with other rules.
    has_success = row.requests != row.failures
    return row.verdict == Verdict.VALID and row.meets_goals != "undecided" and has_success


def missed_goals(run: Run) -> list[str]:
    """Return a message for each goal that a measured cell missed.

    A search measures loads that miss goals on purpose. They count only if no load passed.

    Raises:
        JournalError: This version cannot read the profile of the run, so its goals are unknown.
    """
    profile = run.state.profile
    if profile is None:
        raise JournalError(run.state.profile_problem)
    ended = run.state.search_ended
    if is_search(run.state) and (ended is None or any(one.passed for one in ended.brackets)):
        return []
    return [
        f"{row.cell}: {check_text(check)}"
        for row in run.rows
        for check in row.checks
        if check.outcome is Outcome.MISSED
    ]
