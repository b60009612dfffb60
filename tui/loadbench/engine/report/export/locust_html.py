"""What is added to Locust's own report of a cell: what it covers, and where it differs. Pure."""

from html import escape

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.numbers import number

_ROOT = b'<div id="root"></div>'
_STYLE = "margin: 1em 2em; white-space: pre-line; font: 14px/1.5 sans-serif; color: #888"


def with_note(page: bytes, finished: CellFinished) -> bytes:
    """Return Locust's report with a paragraph above it.

    Args:
        page: The report, as Locust made it.
        finished: The cell that it is of.

    Returns:
        The page as it was, should Locust's pages look different one day.
    """
    head, root, rest = page.rpartition(_ROOT)
    if not root:
        return page
    note = f'<p style="{_STYLE}">{escape(_note(finished))}</p>'
    return head + note.encode() + b"\n    " + root + rest


def _note(finished: CellFinished) -> str:
    verdict = "; ".join((finished.verdict.value, *finished.reasons))
    rps = number(finished.completed / finished.measured_s)
    return (
        f"{finished.cell}, {verdict}.\n"
        f"This page covers the requests that were started in the measured window of "
        f"{finished.measured_s:g} s, each followed to its end. Requests, failures and percentiles "
        "(nearest rank, three digits, of successes alone) are those of the table of loadbench-tui; "
        "average, minimum and maximum are of successes too, not rounded.\n"
        "RPS differs: this page divides all requests, failed ones too, by the time to the last "
        f"answer. The table says {rps} req/s: successes that were completed in the window. The "
        "charts of this page smooth over ten seconds, and it does not mark percentiles that few "
        "samples are behind."
    )
