"""Prints a study: its ranking, its doubts and a table of its configurations."""

from pathlib import Path

from loadbench.cli import output
from loadbench.engine.requests.pages import build_page
from loadbench.engine.run_lookup import find_run_folder
from loadbench.engine.studies.doubts import doubts
from loadbench.engine.studies.model import STUDIES, Study, find_study
from loadbench.engine.studies.ranked import RankedStudy, rank_study
from loadbench.engine.studies.record import record_of_study
from loadbench.engine.studies.sentences import sentences
from loadbench.engine.studies.table import MAX_OMITTED, num_left, ranking_legend, ranking_table
from loadbench.errors import LoadbenchError, UsageError
from loadbench.wording import table, wrapped


def study_instead_of_run(name: str | None, reports: Path) -> Study | None:
    """Return the study with a name, or None if a run has that name or there is no such study.

    Args:
        name: The name that the user entered. None selects the newest run.
        reports: The reports folder.

    Raises:
        StudyError: The study exists and cannot be read.
    """
    # A number is that of a run only if no study has that name.
    is_study = name is not None and (name.startswith(f"{STUDIES}/") or name.isdecimal())
    if name and is_study and (study := find_study(name, reports)):
        return study
    try:
        find_run_folder(name, reports)
    except UsageError:
        return find_study(name or "", reports)
    return None


def report_study(study: Study, *, as_json: bool) -> None:
    """Print a study. Then rebuild its page, unless JSON is printed.

    Args:
        study: The study.
        as_json: Whether to print it as one line of JSON.
    """
    ranked = rank_study(study)
    if as_json:
        output.json_line(record_of_study(ranked))
    else:
        print_study(ranked)
        write_study_page(study)


def print_study(ranked: RankedStudy) -> None:
    """Print the ranking of a study and its folder."""
    columns = output.columns()
    output.data("\n".join(["", *study_text(ranked, columns), ""]))
    output.data(f"Study: {ranked.study.folder}")


def write_study_page(study: Study) -> None:
    """Write the page of a study, and print its path or why it was not written."""
    try:
        page = build_page(study.folder)
    except LoadbenchError as error:
        output.message(f"warning: {error}")
        return
    output.message(f"Page: {page.path}" + (f". {page.note}" if page.note else ""))


def study_text(ranked: RankedStudy, columns: int | None) -> list[str]:
    """Return a study as lines: its sentences, its doubts and the table of its configurations.

    Args:
        ranked: The study with its ranking.
        columns: Width at which lines wrap, and for which columns of the table are omitted. None for
            no limit.
    """
    found = ranked.ranking
    lines = [*sentences(found), *(f"Doubt: {doubt}." for doubt in doubts(found))]
    if columns is not None:
        lines = wrapped(lines, columns)
    if not found.configurations:
        return lines
    rows: list[str] = []
    for omitted in range(MAX_OMITTED + 1):
        header, body = ranking_table(found, omitted)
        rows = table(header, body, left=num_left(header))
        if columns is None or max(map(len, rows)) <= columns:
            break
    return [*lines, "", *rows, *filter(None, [ranking_legend(rows)])]
