"""A saved profile in the list, and in full beside it. Pure."""

import re
from collections.abc import Sequence
from pathlib import Path

from rich.cells import cell_len

from loadbench.engine.catalog import SavedProfile
from loadbench.engine.numbers import number
from loadbench.engine.profile.duration import readable_duration
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.plan import estimate_s, plan_cells
from loadbench.engine.report.recommendation import best
from loadbench.engine.report.rows import Row
from loadbench.engine.run_reader import Run, RunStatus
from loadbench.ui.lines.glyphs import Glyphs
from loadbench.ui.lines.matrix import grid_of, plan_lines
from loadbench.ui.lines.run import STATUS_TONES, run_line, when
from loadbench.ui.lines.text import Line, MenuEntry, Tone, fit, justify, line, wrap
from loadbench.wording import IN_BATCHES, counted

RUNS_SHOWN = 4
_AROUND = 3
"""Lines of a broken file that are shown before and after the mistake."""


def profile_entry(
    saved: SavedProfile, runs: Sequence[Run], glyphs: Glyphs, columns: int
) -> MenuEntry:
    """Return a profile as an entry of the list: its name, its size, its newest run."""
    return MenuEntry(saved.file.name, tuple(_entry_lines(saved, runs, glyphs, columns)))


def no_profiles(folder: Path, part: str, columns: int) -> list[Line]:
    """Return what is shown where there is no profile to show.

    Args:
        folder: Where they would be.
        part: What their names are to have in them; empty: anything.
        columns: How wide the text may be.
    """
    told: list[Line] = [
        line(("No profile is saved yet.", Tone.STRONG)),
        (),
        line(f"They are YAML files in {folder}."),
        line(("loadbench-tui init DIR", Tone.ACCENT), " makes a folder with four of them;"),
        line(("loadbench-tui profiles --keys", Tone.ACCENT), " lists what one may say."),
    ]
    if part:
        told = [
            line("No profile has ", (part, Tone.STRONG), " in its name."),
            line(("escape", Tone.ACCENT), " shows all."),
        ]
    return [piece for one in told for piece in wrap(one, columns)]


def profile_detail(
    saved: SavedProfile, runs: Sequence[Run] | None, glyphs: Glyphs, columns: int
) -> list[Line]:
    """Return a valid profile in full: what it measures, its grid, its runs.

    Args:
        saved: The profile.
        runs: Its runs, newest first; None: they have not been read yet.
        glyphs: The signs.
        columns: How wide the text may be.
    """
    profile = saved.profile
    assert profile is not None
    cells = plan_cells(profile)
    lines = wrap(line(profile.description or saved.name), columns)
    lines += [(), *_facts(profile, columns), ()]
    total = readable_duration(estimate_s(profile, cells))
    told = f"{counted(len(cells), 'cell')}, about {total}"
    lines.append(line((told, Tone.STRONG), ("   m: model containers", Tone.DIM)))
    lines += plan_lines(grid_of(cells), glyphs)
    lines += [(), *_runs(runs, glyphs, columns)]
    return [*lines, (), *wrap(line((str(saved.file), Tone.DIM)), columns)]


def broken_detail(saved: SavedProfile, columns: int) -> list[Line]:
    """Return what is wrong with a profile, and its lines about the first mistake.

    Args:
        saved: The profile.
        columns: How wide the text may be.
    """
    lines = [line(("This profile is not valid.", Tone.BAD)), ()]
    for told in saved.error.splitlines():
        lines += wrap(line(told.replace(f"{saved.file}", saved.file.name)), columns, indent=2)
    at = mistaken_line(saved)
    if at is not None:
        lines.append(())
        texts = saved.source.splitlines()
        for number_ in range(max(1, at - _AROUND), min(len(texts), at + _AROUND) + 1):
            here = number_ == at
            mark = ">" if here else " "
            content = fit(f"{mark}{number_:>4}  {texts[number_ - 1]}", columns).rstrip()
            lines.append(line((content, Tone.BAD if here else Tone.DIM)))
    return [*lines, (), line(("e", Tone.ACCENT), " opens it in your editor")]


def mistaken_line(saved: SavedProfile) -> int | None:
    """Return the number of the first line with a mistake, from 1; None: no line has it."""
    found = re.search(rf"{re.escape(str(saved.file))}:(\d+)", saved.error)
    return int(found[1]) if found else None


def best_of(run: Run) -> Row | None:
    """Return the best cell of a run by the goals of its profile; None: none is good enough."""
    profile = run.state.profile
    return best(run.rows, profile.goals) if profile else None


def _entry_lines(
    saved: SavedProfile, runs: Sequence[Run], glyphs: Glyphs, columns: int
) -> list[Line]:
    room = columns - len("  ! interrupted")
    name = line((fit(saved.name, min(room, cell_len(saved.name))), Tone.STRONG))
    if saved.profile is None:
        first = saved.error.splitlines()[0].removeprefix(f"{saved.file}:").strip()
        mark = line((f"{glyphs.failed} not valid", Tone.BAD))
        return [justify(name, [mark], columns), _fitted(first, Tone.DIM, columns)]
    profile = saved.profile
    separator = f" {glyphs.separator} "
    cells = plan_cells(profile)
    size = (
        profile.device,
        f"batch {profile.batch_size}",
        counted(len(cells), "cell"),
        f"about {readable_duration(estimate_s(profile, cells))}",
    )
    lines = [_fitted(separator.join(size), Tone.PLAIN, columns)]
    mark = ()
    if runs:
        newest = runs[0]
        if newest.status in (RunStatus.LIVE, RunStatus.INTERRUPTED):
            told = f"{glyphs.of_run(newest.status)} {newest.status.value}"
            mark = line((told, STATUS_TONES[newest.status]))
        lines.append(_fitted(_newest(newest, separator), Tone.DIM, columns))
    return [justify(name, [mark], columns), *lines]


def _fitted(told: str, tone: Tone, columns: int) -> Line:
    return line((fit(f"  {told}", columns).rstrip(), tone))


def _newest(run: Run, separator: str) -> str:
    told = f"{run.status.value}, {when(run.folder.name)}"
    row = best_of(run)
    return f"{told}{separator}best {row.cell} {number(row.rps)} req/s" if row else told


def _facts(profile: Profile, columns: int) -> list[Line]:
    settle = profile.settle
    facts = [
        ("device", f"{profile.device}, batch size {profile.batch_size}"),
        ("driver", profile.stack.driver),
        ("a cell", f"measured {readable_duration(profile.run_time)}{_settling(settle.max)}"),
    ]
    rates = ", ".join(f"{rate:g}" for rate in profile.spawn_rates)
    facts.append(("spawn rate", f"{rates} users/s, {IN_BATCHES}"))
    if profile.repeats > 1:
        facts.append(("repeats", str(profile.repeats)))
    if profile.recheck_first:
        facts.append(("recheck", "the first cell once more at the end"))
    goals = []
    if profile.goals.p95_ms is not None:
        goals.append(f"p95 ≤ {profile.goals.p95_ms:g} ms")
    if profile.goals.failure_ratio is not None:
        goals.append(f"failures ≤ {100 * profile.goals.failure_ratio:g} %")
    if goals:
        facts.append(("goals", ", ".join(goals)))
    return [
        part
        for name, value in facts
        for part in wrap(line((f"{name:<12}", Tone.DIM), value), columns, indent=12)
    ]


def _settling(most_s: float) -> str:
    return (
        f", steady after {readable_duration(most_s)} at the most"
        if most_s
        else ", not settled before"
    )


def _runs(runs: Sequence[Run] | None, glyphs: Glyphs, columns: int) -> list[Line]:
    if runs is None:
        return [line(("loading its runs…", Tone.DIM))]
    if not runs:
        return [line(("never run", Tone.DIM))]
    lines = [line(("runs", Tone.STRONG))]
    for run in runs[:RUNS_SHOWN]:
        lines += wrap(run_line(run, glyphs), columns, indent=2)
    if len(runs) > RUNS_SHOWN:
        lines.append(line((f"and {len(runs) - RUNS_SHOWN} more", Tone.DIM)))
    if (row := best_of(runs[0])) is not None:
        told = f"best cell {row.cell}: {number(row.rps)} req/s, p90 {number(row.p90_ms)} ms"
        lines += wrap(line(told), columns)
    return lines
