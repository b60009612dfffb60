"""A saved profile as a list entry and in detail."""

from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len

from loadbench.engine.catalog import Catalog, SavedProfile
from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import Cell, plan_cells, run_time_text
from loadbench.engine.report.metrics import default_metric, goals_of
from loadbench.engine.report.recommendation.goal import all_goals
from loadbench.engine.report.recommendation.sentences import short_answer
from loadbench.engine.run_reader import Run, RunStatus, expected_durations
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import CellLayout, grid_of, matrix_lines, plan_lines
from loadbench.ui.lines.metric import sweep_legend
from loadbench.ui.lines.recommendation import answer_lines
from loadbench.ui.lines.run import STATUS_TONES, run_line, traits_line, when
from loadbench.ui.lines.text import Line, MenuEntry, Piece, Tone, fit, justify, line, width, wrap
from loadbench.wording.search import duration_text, plan_limits, plan_text

MAX_RUNS = 4
"""Maximum number of runs in the details of a profile."""
FIRST_PROFILE = "demo"
"""Name of the profile that suits a first run."""
_LABEL_COLUMNS = 12


def profile_entry(
    saved: SavedProfile, runs: Sequence[Run], glyphs: Glyphs, columns: int
) -> MenuEntry:
    """Return a profile as a list entry: its name, its size and its newest run."""
    return MenuEntry(saved.file.name, tuple(_entry_lines(saved, runs, glyphs, columns)))


def first_profile(catalog: Catalog) -> str | None:
    """Return the file name of the profile to select first, or None if there are no profiles.

    It is the profile of the newest run, otherwise `demo`, otherwise the first profile.
    """
    profiles = catalog.profiles
    used = [run.folder.parent.name for run in catalog.runs]
    for name in (*used, FIRST_PROFILE):
        for saved in profiles:
            if saved.name == name:
                return saved.file.name
    return profiles[0].file.name if profiles else None


def no_profiles(folder: Path, pattern: str, columns: int) -> list[Line]:
    """Return the text for an empty list of profiles.

    Args:
        folder: The folder of the profiles.
        pattern: The filter that no name matches, or empty if there are no profiles.
        columns: Maximum width of a line.
    """
    lines: list[Line] = [
        line(("No profiles yet.", Tone.STRONG)),
        (),
        line(
            f"A profile says which service to measure, with which load. It is a file in {folder}."
        ),
        (),
        line(
            *(("n", Tone.ACCENT), "  Create a profile for the included service, your Compose "),
            "project, or a service that already runs.",
        ),
        line(("i", Tone.ACCENT), "  Add the four example profiles and the included service."),
    ]
    if pattern:
        lines = [
            line("No profile name contains ", (pattern, Tone.STRONG), "."),
            line(("Esc", Tone.ACCENT), " show all"),
        ]
    return [part for text in lines for part in wrap(text, columns, indent=_key_indent(text))]


def _key_indent(text: Line) -> int:
    """Return the indentation of the lines after the first one: 3 below a key."""
    return 3 if text and text[0].tone is Tone.ACCENT else 0


def profile_detail(
    saved: SavedProfile, runs: Sequence[Run] | None, glyphs: Glyphs, columns: int
) -> list[Line]:
    """Return the details of a valid profile: its settings, its grid of cells and its runs.

    Args:
        saved: The profile.
        runs: Its runs, newest first, or None if they have not been read yet.
        glyphs: The terminal's character set.
        columns: Maximum width of a line.
    """
    profile = saved.profile
    assert profile is not None
    cells = plan_cells(profile)
    lines = wrap(line(profile.description or saved.name), columns)
    if runs is not None and not runs:
        # At the top, because the end of the details is out of view on a small screen.
        lines += [(), *_first_step(columns)]
    elif runs and (answered := answered_run(runs)):
        lines += [(), *_recommendation(answered, columns)]
    lines += [(), *_facts(profile, columns), ()]
    total = duration_text(profile, expected_durations(profile, runs or ()))
    lines += wrap(line((f"{plan_text(profile)}, about {total}", Tone.STRONG)), columns)
    lines += _grid(cells, runs or (), glyphs, columns)
    if runs is None:
        lines += [(), line(("Loading runs…", Tone.DIM))]
    elif runs:
        lines += [(), *_runs(runs, glyphs, columns)]
    return [*lines, (), *wrap(line((str(saved.file), Tone.DIM)), columns)]


def _entry_lines(
    saved: SavedProfile, runs: Sequence[Run], glyphs: Glyphs, columns: int
) -> list[Line]:
    room = columns - len("  ! interrupted")
    name = line((fit(saved.name, min(room, cell_len(saved.name))), Tone.STRONG))
    if saved.profile is None:
        error = saved.error.splitlines()[0].removeprefix(f"{saved.file}:").strip()
        mark = line((f"{glyphs.failed} invalid", Tone.BAD))
        return [justify(name, [mark], columns), _fitted([Piece(error, Tone.DIM)], columns)]
    profile = saved.profile
    separator = f" {glyphs.separator} "
    size = (
        profile.device,
        f"batch {profile.batch_size}",
        *plan_limits(profile, expected_durations(profile, runs)),
    )
    lines = [_fitted([Piece(separator.join(size))], columns)]
    mark = ()
    if runs:
        newest = runs[0]
        if newest.status in (RunStatus.LIVE, RunStatus.INTERRUPTED):
            text = f"{glyphs.of_run(newest.status)} {newest.status.value}"
            mark = line((text, STATUS_TONES[newest.status]))
        lines.append(_fitted(_newest(newest, separator), columns))
    return [justify(name, [mark], columns), *lines]


def _fitted(pieces: Sequence[Piece], columns: int) -> Line:
    """Return an indented line, with its last piece truncated to fit."""
    *kept, last = [Piece("  "), *pieces]
    room = max(0, columns - width(tuple(kept)))
    return line(*kept, (fit(last.text, room).rstrip(), last.tone))


def _newest(run: Run, separator: str) -> list[Piece]:
    found = run.recommendation
    short = short_answer(found) if found else ""
    answered = f"{separator}{short}" if short else ""
    return [
        Piece(run.status.value, STATUS_TONES[run.status]),
        Piece(f", {when(run.folder.name)}{answered}", Tone.DIM),
    ]


def _facts(profile: Profile, columns: int) -> list[Line]:
    settle_s = profile.settle.max
    facts = [
        ("Device", f"{profile.device}, batch size {profile.batch_size}"),
        ("Driver", profile.stack.driver),
        ("Run time", f"{run_time_text(profile)} per cell"),
        ("Settle", f"up to {readable_duration(settle_s)}" if settle_s else "off"),
    ]
    rates = ", ".join(f"{rate:g}" for rate in profile.spawn_rates)
    facts.append(("Spawn rate", f"{rates} users/s"))
    if profile.repeats > 1:
        facts.append(("Repeats", f"{profile.repeats} per cell"))
    if profile.recheck_first:
        facts.append(("Recheck", "first cell, again at the end"))
    goals = [goal.text() for goal in all_goals(profile.goals)]
    if goals:
        facts.append(("Goals", ", ".join(goals)))
    return [
        part
        for label, value in facts
        for part in wrap(
            line((f"{label:<{_LABEL_COLUMNS}}", Tone.DIM), value), columns, indent=_LABEL_COLUMNS
        )
    ]


def _first_step(columns: int) -> list[Line]:
    enter = ("Enter", Tone.ACCENT)
    hint = line("Press ", enter, " to set up a run, and again to start it.")
    return [line(("No runs yet.", Tone.STRONG)), *wrap(hint, columns)]


def _grid(cells: Sequence[Cell], runs: Sequence[Run], glyphs: Glyphs, columns: int) -> list[Line]:
    """Return the cells as a grid, with the results of the newest run if it has all of them."""
    grid, run = grid_of(tuple(cells)), answered_run(runs)
    if run is None or not all(cell.key in run.state.cells for cell in cells):
        return plan_lines(grid, glyphs)
    goals = goals_of(run.state)
    metric = default_metric(goals)
    layout = CellLayout(metric=metric)
    is_live = run.status is RunStatus.LIVE
    lines = matrix_lines(grid, run.state, run.rows, glyphs, layout=layout, live=is_live)
    of = f" {glyphs.separator} {when(run.folder.name)}"
    legend = sweep_legend(metric, goals, run.rows, glyphs, columns - len(of))
    return [*lines, line((f"{legend}{of}", Tone.DIM))]


def answered_run(runs: Sequence[Run]) -> Run | None:
    """Return the newest run with results, or None."""
    return next(
        (run for run in runs if run.recommendation and run.recommendation.configurations), None
    )


def _recommendation(run: Run, columns: int) -> list[Line]:
    assert run.recommendation is not None
    heading = line(
        ("Recommendation", Tone.STRONG),
        (f" of {when(run.folder.name)}, ", Tone.DIM),
        ("i", Tone.ACCENT),
        (" for details", Tone.DIM),
    )
    return [heading, *answer_lines(run.recommendation, columns)]


def _runs(runs: Sequence[Run], glyphs: Glyphs, columns: int) -> list[Line]:
    lines = [line(("Runs", Tone.STRONG))]
    newest = [(run_line(run, glyphs), run.state) for run in runs[:MAX_RUNS]]
    gap = Piece("  ")
    left = max(width(summary) for summary, _ in newest) + len(gap.text)
    traits = [traits_line(state, glyphs, None) for _, state in newest]
    if left + max(map(width, traits)) <= columns:
        for (summary, _), text in zip(newest, traits, strict=True):
            lines.append((*summary, Piece(" " * (left - width(summary))), *text))
    else:
        for summary, state in newest:
            lines += wrap(summary, columns, indent=2)
            text = traits_line(state, glyphs, columns - len(gap.text))
            lines += wrap((gap, *text), columns, indent=len(gap.text))
    if len(runs) > MAX_RUNS:
        lines.append(line((f"and {len(runs) - MAX_RUNS} more", Tone.DIM)))
    return lines
