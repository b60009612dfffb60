"""The text of the run screen. No Textual."""

from dataclasses import replace

from rich.cells import cell_len

from loadbench.engine.journal.events import CellFailed
from loadbench.engine.journal.progress import remaining_s
from loadbench.engine.journal.state import OVER, CellStatus, RunState
from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import estimate_s
from loadbench.engine.run_reader import Run, RunStatus, rest_of
from loadbench.ui.lines.cell import CellView, bottleneck_lines, found_statistics, outcome_lines
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.run import doing_line, status_words
from loadbench.ui.lines.stats import failure_lines, stat_lines, window_words
from loadbench.ui.lines.text import Line, Tone, fit, justify, line
from loadbench.wording import outcome_line, short_outcome

_WHY_LINES = 3
"""Of the reason of a failure above the statistics; the panel of failures has all of it."""


def statistics_panel(shown: CellView, columns: int) -> tuple[str, list[Line]]:
    """Return what the statistics are of, and their table, below why there is no more of them."""
    found, why = found_statistics(shown), outcome_lines(shown.cell, columns)
    if found is None:
        return "", why or [line((shown.why_empty, Tone.DIM))]
    if shown.finished is None:
        return window_words(found), [*why[:_WHY_LINES], *stat_lines(found)]
    return window_words(found), [*stat_lines(found), *why, *bottleneck_lines(shown, columns)]


def failures_panel(shown: CellView, columns: int) -> tuple[int, list[Line]]:
    """Return how many requests failed, and all that went wrong with the cell."""
    lines, errors = outcome_lines(shown.cell, columns), shown.errors
    if not lines and shown.is_loading:
        return 0, [line((shown.why_empty, Tone.DIM))]
    if errors:
        if lines:
            lines.append(())
        lines += failure_lines(errors, columns)
    if not lines:
        lines = [line(("no failure", Tone.GOOD))]
    return sum(error.count for error in errors), lines


BAR_COLUMNS = 16


def header_lines(
    run: Run, profile: Profile, elapsed_s: float, glyphs: Glyphs, columns: int
) -> list[Line]:
    """Return the header of a run.

    Args:
        run: The run.
        profile: What it was started with.
        elapsed_s: Seconds since the run was started or resumed, now.
        glyphs: The signs.
        columns: How wide the header is.
    """
    state = replace(run.state, elapsed_s=elapsed_s)
    home, name = run.folder.parent.name, run.folder.name
    status, tone = status_words(run, glyphs)
    # A name may be as long as its file's; the run and its status are always seen.
    room = max(8, columns - cell_len(name) - len(status) - 8)
    title = line(
        (" " + fit(home, min(room, cell_len(home))), Tone.STRONG),
        (f" {glyphs.arrow} ", Tone.DIM),
        name,
        ("   " + status, tone),
    )
    if run.status is RunStatus.LIVE:
        left_s = remaining_s(profile, state)
        return [
            justify(title, _progress(state, profile, left_s, glyphs), columns),
            doing_line(state, profile, glyphs, columns),
        ]
    outcomes = (line(f"{outcome_line(state)} "), line(f"{short_outcome(state)} "))
    return [justify(title, outcomes, columns), _ending(run, columns)]


def _progress(state: RunState, profile: Profile, left_s: float, glyphs: Glyphs) -> list[Line]:
    """Return how far a run is, in more and in fewer words."""
    failed = state.count(CellStatus.FAILED)
    where = f"{state.count(*OVER)} of {len(state.cells)} cells over"
    where += f", {failed} failed" if failed else ""
    eta = f"{readable_duration(left_s)} left "
    # By what is left, not by the clock, which starts again when a run is resumed.
    whole_s = estimate_s(profile, tuple(it.cell for it in state.cells.values()))
    share = 1.0 - left_s / max(whole_s, left_s, 1.0)
    bar = _bar(share, BAR_COLUMNS, glyphs)
    short = f"{where} {glyphs.separator} {eta}"
    return [line(f"{where}  ", *bar, f"  {eta}"), line(short), line(eta)]


def _bar(share: float, columns: int, glyphs: Glyphs) -> Line:
    full = round(columns * min(1.0, max(0.0, share)))
    return line((glyphs.full * full, Tone.ACCENT), (glyphs.empty * (columns - full), Tone.DIM))


def _ending(run: Run, columns: int) -> Line:
    state = run.state
    if run.status is RunStatus.INTERRUPTED:
        at = f" at {state.current}" if state.current else ""
        rest = "; r measures the rest" if rest_of(run) else ""
        ending = f" the runner was killed{at}{rest}"
        return line((fit(ending, columns).rstrip(), Tone.WARN))
    assert state.finished is not None
    left = f"; {state.finished.left}" if state.finished.left else ""
    rest = "; r measures the rest" if state.outstanding else ""
    ending = f" {run.status.value}: {state.finished.reason}{rest}{left}"
    tone = Tone.DIM if run.status is RunStatus.DONE and not left else Tone.WARN
    return line((fit(ending, columns).rstrip(), tone))


def new_failures(before: RunState, now: RunState) -> list[CellFailed]:
    """Return the failures of cells that a later state of a run has and an earlier one has not."""
    failed = [it.failed for it in now.cells.values() if it.status is CellStatus.FAILED]
    known = {id(it.failed) for it in before.cells.values()}
    return [it for it in failed if it and id(it) not in known]
