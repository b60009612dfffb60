"""Add a note to Locust's HTML report of a cell that explains its scope and its differences."""

from html import escape

from loadbench.engine.journal.events import CellFinished
from loadbench.engine.numbers import number

_ROOT = b'<div id="root"></div>'
_STYLE = "margin: 1em 2em; white-space: pre-line; font: 14px/1.5 sans-serif; color: #888"


def with_note(page: bytes, finished: CellFinished) -> bytes:
    """Return Locust's report with a note at the top.

    Args:
        page: The report as written by Locust.
        finished: The results of the cell.

    Returns:
        The page with the note, or the unchanged page if it lacks the expected root element.
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
        f"{finished.cell}: {verdict}\n"
        f"This page covers all requests that started in the measurement window of "
        f"{finished.measured_s:g} s, including those that completed or timed out after it. "
        "Requests, failures and percentiles (successful requests only, nearest rank, three "
        "significant digits) match the tables of loadbench-tui. The average, minimum and maximum "
        "also cover successful requests only, but are not rounded.\n"
        "RPS differs: this page divides all requests, including failures, by the time until the "
        f"last response. loadbench-tui reports {rps} req/s, counting only successful requests "
        "completed in the window. On this page, charts are smoothed over ten seconds, and "
        "percentiles with few samples are not marked as estimates."
    )
