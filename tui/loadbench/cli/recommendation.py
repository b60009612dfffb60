"""The recommendation of a run as plain text."""

from loadbench.engine.report.recommendation.recommend import Recommendation
from loadbench.engine.report.recommendation.sentences import sentences
from loadbench.engine.report.recommendation.table import LEGEND, configuration_table
from loadbench.wording import table


def recommendation_text(found: Recommendation | None) -> list[str]:
    """Return the recommendation as lines, followed by an empty line.

    The first line is the answer, which can be quoted on its own. It is followed by the reasons, the
    doubts and a table of the configurations.

    Args:
        found: The recommendation. None if the profile of the run is unreadable.

    Returns:
        The lines, or no lines without a recommendation.
    """
    if found is None:
        return []
    lines = list(sentences(found))
    lines += [f"Doubt: {doubt}." for doubt in found.doubts]
    header, body = configuration_table(found)
    if body:
        rows = table(header, body)
        lines += ["", *rows]
        if any("≥" in row for row in rows):
            lines.append(LEGEND)
    return [*lines, ""]
