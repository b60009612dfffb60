"""The recommendation of a run as plain text."""

from collections.abc import Sequence

from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.sentences import sentences
from loadbench.engine.report.recommendation.table import (
    configuration_legend,
    configuration_table,
)
from loadbench.wording import table, wrapped
from loadbench.wording.recommendation import UNREADABLE


def recommendation_text(
    found: Recommendation | None, columns: int | None, search: Sequence[str] = ()
) -> list[str]:
    """Return the recommendation as lines, followed by an empty line.

    The first line is the answer, which can be quoted on its own. It is followed by the reasons, the
    doubts and a table of the configurations.

    Args:
        found: The recommendation. None if the profile of the run is unreadable.
        columns: Width at which lines wrap. None disables wrapping.
        search: Sentences about the search of the run.
    """
    if found is None:
        return [UNREADABLE, ""]
    lines = [*sentences(found), *search, *(f"Doubt: {doubt}." for doubt in found.doubts)]
    if columns is not None:
        lines = wrapped(lines, columns)
    if not found.configurations:
        return [*lines, ""]
    rows = table(*configuration_table(found))
    if columns is not None and max(map(len, rows)) > columns:
        rows = table(*configuration_table(found, is_short=True))
    return [*lines, "", *rows, configuration_legend(rows), ""]
