"""The tables of runs and studies that `runs` prints."""

from collections.abc import Sequence

from rich.cells import cell_len

from loadbench.cli.run import next_step
from loadbench.engine.run_reader import Run
from loadbench.engine.studies.ranked import RankedStudy
from loadbench.ui.lines.glyphs import UNICODE
from loadbench.ui.lines.run import traits_line
from loadbench.ui.lines.text import plain
from loadbench.wording import short_outcome, table, wrapped

_INDENT = "  "


def run_list(runs: Sequence[tuple[int, Run]], columns: int | None) -> list[str]:
    """Return the runs as a table.

    If the table is too wide, the settings of each run follow on a second line. If it is still too
    wide, the columns `next` and then `cells` are omitted.

    Args:
        runs: The numbers and runs, in order.
        columns: Maximum width of a line, or None for no limit.
    """
    header = ["#", "run", "status", "cells", "next ", "settings "]
    body = [
        [
            str(number),
            *(run.name, run.status.value, short_outcome(run.state)),
            *(next_step(run), _settings(run)),
        ]
        for number, run in runs
    ]
    lines = _table(header, body)
    if columns is None or _fits(lines, columns):
        return lines
    for shown in (5, 4, 3):
        head, *rows = _table(header[:shown], [row[:shown] for row in body])
        if _fits([head, *rows], columns):
            break
    settings = (_settings(run, columns - len(_INDENT)) for _, run in runs)
    pairs = zip(rows, settings, strict=True)
    lines = [head, *(part for row, text in pairs for part in (row, f"{_INDENT}{text}"))]
    return wrapped(lines, columns)


def study_list(studies: Sequence[RankedStudy], columns: int | None) -> list[str]:
    """Return the studies as a table: name, profiles with results, names of the profiles.

    Args:
        studies: The studies, in order.
        columns: Maximum width of a line, or None for no limit.
    """
    lines = _table(("study", "measured", "profiles "), [_study_row(one) for one in studies])
    return lines if columns is None else wrapped(lines, columns)


def _study_row(ranked: RankedStudy) -> tuple[str, ...]:
    members = ranked.ranking.members
    profiles = ", ".join(dict.fromkeys(member.entry.profile for member in members))
    measured = f"{len(ranked.ranking.measured)} of {len(members)}"
    return ranked.study.full_name, measured, profiles


def _table(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return table(header, body, left=len(header))


def _fits(lines: Sequence[str], columns: int) -> bool:
    return max(map(cell_len, lines)) <= columns


def _settings(run: Run, columns: int | None = None) -> str:
    return plain(traits_line(run.state, UNICODE, columns))
