"""A study as lines: its ranking, the table of its configurations, and its entry in a list."""

from collections.abc import Sequence

from loadbench.engine.studies.doubts import doubts
from loadbench.engine.studies.ranked import RankedStudy
from loadbench.engine.studies.ranking import RankedConfiguration, Ranking
from loadbench.engine.studies.sentences import sentences
from loadbench.engine.studies.table import MAX_OMITTED, num_left, ranking_legend, ranking_table
from loadbench.ui.lines.text import Line, MenuEntry, Piece, Tone, line, plain, table, width, wrap
from loadbench.wording import counted

_ENTRY_INDENT = 3
"""Columns before the profiles of a study in a list, as for the settings of runs."""


def study_lines(ranked: RankedStudy, columns: int) -> list[Line]:
    """Return a study in full: its ranking, its configurations and its doubts.

    Args:
        ranked: The study.
        columns: Maximum width of a line. Only the table may be wider.
    """
    first, *rest = sentences(ranked.ranking)
    lines = wrap(line((first, _tone(ranked.ranking))), columns)
    if rows := configuration_rows(ranked.ranking, columns):
        legend = ranking_legend([plain(row) for row in rows])
        lines += [(), *rows, *(wrap(line((legend, Tone.DIM)), columns) if legend else ())]
    lines += [(), *(part for text in rest for part in wrap(line(text), columns, indent=2))]
    return [*lines, *_doubts(ranked.ranking, columns)]


def ranking_lines(ranked: RankedStudy, columns: int) -> list[Line]:
    """Return the ranking of a study and its doubts, without the configurations.

    Args:
        ranked: The study.
        columns: Maximum width of a line.
    """
    first, *rest = sentences(ranked.ranking)
    lines = wrap(line((first, _tone(ranked.ranking))), columns)
    lines += [part for text in rest for part in wrap(line(text), columns, indent=2)]
    return [*lines, *_doubts(ranked.ranking, columns)]


def configuration_rows(ranking: Ranking, columns: int) -> list[Line]:
    """Return the table of configurations with its header. Empty if no run has results.

    Args:
        ranking: The ranking.
        columns: Width for which the least important columns are omitted.
    """
    rows: list[Line] = []
    for omitted in range(MAX_OMITTED + 1):
        header, body = ranking_table(ranking, omitted)
        pieces = [
            [_piece(one, text) for text in texts]
            for one, texts in zip(ranking.configurations, body, strict=True)
        ]
        names = [name.strip() for name in header]
        is_text = header[-1].endswith(" ")
        rows = table(names, pieces, left=num_left(header), last_is_text=is_text)
        if max(map(width, rows)) <= columns:
            break
    return rows if ranking.configurations else []


def configuration_entries(ranking: Ranking, columns: int) -> list[MenuEntry]:
    """Return the table of configurations as the entries of a list, with its header as a heading.

    Args:
        ranking: The ranking.
        columns: Width of the list.
    """
    rows = configuration_rows(ranking, columns)
    keys = ["", *map(configuration_key, ranking.configurations)]
    return [MenuEntry(key, (row,)) for key, row in zip(keys, rows, strict=False)]


def configuration_key(one: RankedConfiguration) -> str:
    """Return the key of a configuration in a list."""
    entry = one.member.entry
    return f"{entry.profile}/{entry.run}/{one.configuration.models}"


def entries_legend(entries: Sequence[MenuEntry]) -> str:
    """Return the legend of a table of configurations. Empty if it needs none."""
    return ranking_legend([plain(row) for entry in entries for row in entry.lines])


def study_entry(ranked: RankedStudy, columns: int) -> MenuEntry:
    """Return a study as an entry of a list: its name, how much is measured, its profiles.

    Args:
        ranked: The study.
        columns: Width of the list.
    """
    members = ranked.ranking.members
    measured = f"{len(ranked.ranking.measured)} of {counted(len(members), 'profile')} measured"
    profiles = ", ".join(dict.fromkeys(member.entry.profile for member in members))
    indent = Piece(" " * _ENTRY_INDENT)
    return MenuEntry(
        ranked.study.full_name,
        (
            *wrap(line(f" {ranked.study.name}  ", (measured, Tone.DIM)), columns, indent=1),
            *wrap((indent, *line((profiles, Tone.DIM))), columns, indent=_ENTRY_INDENT),
        ),
    )


def _tone(ranking: Ranking) -> Tone:
    """Return the tone of the first sentence: a warning if it ranks nothing."""
    if not ranking.measured:
        return Tone.DIM
    return Tone.STRONG if ranking.best else Tone.WARN


def _piece(one: RankedConfiguration, text: str) -> Piece:
    return Piece(text, Tone.STRONG if one.rank == 1 else Tone.PLAIN)


def _doubts(ranking: Ranking, columns: int) -> list[Line]:
    found = doubts(ranking)
    lines = [(), line(("Doubts", Tone.STRONG))] if found else []
    for doubt in found:
        lines += wrap(line(("! ", Tone.WARN), doubt), columns, indent=2)
    return lines
