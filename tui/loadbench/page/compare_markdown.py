"""Comparisons as Markdown, for a job summary or a comment on GitHub."""

from collections.abc import Sequence

from loadbench.engine.bounds.texts import one_line
from loadbench.engine.comparison.model import ComparedMetric, Comparison
from loadbench.engine.comparison.sentences import sentences
from loadbench.engine.comparison.table import (
    LEGENDS,
    cells_table,
    differences_table,
    means_table,
    unmatched_table,
)
from loadbench.engine.report.recommendation.table import Table
from loadbench.page.markdown import cut
from loadbench.page.markdown_text import paragraph, table, text

MAX_ROWS = 100
"""Maximum number of rows of a table."""
MAX_TEXTS = 20
"""Maximum number of doubts, and of members that are not compared."""
MAX_TEXT_CHARACTERS = 500


def markdown_of_comparisons(
    comparisons: Sequence[Comparison], missing: Sequence[str], metrics: Sequence[ComparedMetric]
) -> str:
    """Return comparisons as Markdown, at most as long as that of a run, with a newline at its end.

    Args:
        comparisons: The comparisons.
        missing: The members of studies that are not compared, as sentences without a full stop.
        metrics: The metrics whose cells are shown.
    """
    # The means of all comparisons come before the cells of any, which may be cut off.
    blocks = [block for one in comparisons for block in _summary(one)]
    blocks.append([f"- {text(one, MAX_TEXT_CHARACTERS)}." for one in missing[:MAX_TEXTS]])
    blocks.append(_more(missing, MAX_TEXTS, "missing result"))
    blocks += [block for one in comparisons for block in _details(one, metrics)]
    blocks.append([paragraph([f"{'; '.join(LEGENDS)}."])])
    return cut("\n\n".join("\n".join(lines) for lines in blocks if any(lines)) + "\n")


def _summary(comparison: Comparison) -> list[list[str]]:
    subject, *results = sentences(comparison)
    lead, *rest = results or [""]
    doubts = comparison.doubts
    return [
        [f"**{text(one)}**" for one in (lead or subject,)],
        [paragraph([subject, *rest])] if lead else [],
        *_table(means_table(comparison), "metric"),
        [f"- Doubt: {text(one, MAX_TEXT_CHARACTERS)}." for one in doubts[:MAX_TEXTS]],
        _more(doubts, MAX_TEXTS, "doubt"),
        *_table(differences_table(comparison), "difference", left=4),
    ]


def _details(comparison: Comparison, metrics: Sequence[ComparedMetric]) -> list[list[str]]:
    before, after = comparison.before.name, comparison.after.name
    title = [paragraph([f"Cells of {after}, compared with the baseline {before}:"])]
    blocks = [
        block for metric in metrics for block in _table(cells_table(comparison, metric), "cell")
    ]
    return [
        title if blocks else [],
        *blocks,
        *_table(unmatched_table(comparison), "cell"),
    ]


def _table(rows: Table, thing: str, *, left: int = 1) -> list[list[str]]:
    """Return a table of at most `MAX_ROWS`, and how many rows it lacks. Nothing if it is empty."""
    header, body = rows
    if not body:
        return []
    shown = [tuple(one_line(value, MAX_TEXT_CHARACTERS) for value in row) for row in body]
    return [table(header, shown[:MAX_ROWS], left=left), _more(body, MAX_ROWS, thing)]


def _more(items: Sequence[object], maximum: int, thing: str) -> list[str]:
    number = len(items) - maximum
    if number <= 0:
        return []
    return [f"{number} more {thing if number == 1 else f'{thing}s'}, see `loadbench-tui compare`."]
