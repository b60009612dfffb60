"""What is added to Locust's own report of a cell: what it covers, and where it differs. Pure."""

from html import escape

from loadbench.engine.events import CellFinished
from loadbench.engine.numbers import number

_ROOT = b'<div id="root"></div>'
_STYLE = "margin: 1em 2em; font: 14px/1.5 sans-serif; color: #888"


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
        f"{finished.cell}, {verdict}. This page covers the requests that were started in the "
        f"measured window of {finished.measured_s:g} s, each followed to its end, as the summary "
        "of loadbench-tui does. Requests, failures and percentiles (nearest rank, three digits, of "
        "successes alone) are the same there; average, minimum and maximum are of successes too, "
        "not rounded. The rate differs: RPS is of all requests here, failed ones too, until the "
        f"last answer; there it is {rps} req/s, the successes that were completed in the window. "
        "The charts smooth over ten seconds."
    )
