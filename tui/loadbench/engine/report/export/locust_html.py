"""Add a note to Locust's HTML report of a cell that explains its scope and its differences."""

from html import escape

from loadbench.engine.journal.events import CellFinished, Verdict
from loadbench.engine.measure.main_request import results_of_name
from loadbench.engine.numbers import number
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.evidence.notes import note_text
from loadbench.engine.report.measurements.statistics import cell_measurements
from loadbench.engine.report.recommendation.goals import (
    GoalCheck,
    Outcome,
    check_goals,
    check_text,
    undecided_text,
)

_ROOT = b'<div id="root"></div>'
_BOX = "margin: 1em 2em; padding: 0.7em 1em; border-left: 0.5em solid {colour}; {font}"
_FONT = "font: 15px/1.5 sans-serif; color: #222; background: #f4f4f4"
_COLOURS = {Verdict.VALID: "#2e7d32", Verdict.SUSPECT: "#b26a00", Verdict.INVALID: "#c62828"}
_SMALL = "white-space: pre-line; font-size: 13px; color: #555"


def with_note(page: bytes, finished: CellFinished, goals: Goals, main: str | None = None) -> bytes:
    """Return Locust's report with the verdict, the goals and a note at the top.

    Args:
        page: The report as written by Locust.
        finished: The results of the cell.
        goals: The goals of its profile.
        main: Name of its main requests. None: all requests.

    Returns:
        The page with the note, or the unchanged page if it lacks the expected root element.
    """
    head, root, rest = page.rpartition(_ROOT)
    if not root:
        return page
    box = _BOX.format(colour=_COLOURS[finished.verdict], font=_FONT)
    notes = [f"Note: {note_text(note)}" for note in finished.notes]
    reasons = "".join(f"<br>{escape(reason)}" for reason in (*finished.reasons, *notes))
    note = (
        f'<div style="{box}"><strong style="font-size: 20px">{escape(finished.cell)}: '
        f"{finished.verdict.value}</strong>{reasons}{_goals(finished, goals, main)}"
        f'<div style="{_SMALL}">{escape(_note(finished, main))}</div></div>'
    )
    return head + note.encode() + b"\n    " + root + rest


def _goals(finished: CellFinished, goals: Goals, main: str | None) -> str:
    """Return a line per goal with its outcome, or an empty text without goals."""
    if finished.verdict is Verdict.INVALID:
        return ""
    return "".join(f"<br>{escape(_goal(check))}" for check in check_goals(finished, goals, main))


def _goal(check: GoalCheck) -> str:
    why = f", {undecided_text(check)}" if check.outcome is Outcome.UNDECIDED else ""
    return f"Goal {check.outcome.value}: {check_text(check)}{why}"


def _note(finished: CellFinished, main: str | None) -> str:
    rps = number(results_of_name(finished, main).completed / finished.measured_s)
    of_main = f" of {main}" if main else ""
    names = ", ".join(one.label for one in cell_measurements(finished))
    hosts = ", ".join([one.host for one in finished.replicas] or [finished.host])
    return (f"Requests went to {hosts}.\n" if hosts else "") + (
        f"This page covers all requests that started in the measurement window of "
        f"{finished.measured_s:g} s, including those that completed or timed out after it. "
        "Requests, failures and percentiles (successful requests only, nearest rank) match the "
        "tables of loadbench-tui. The average, minimum and maximum "
        "also cover successful requests only, but are not rounded. Goals cover all requests: a "
        "failed request counts as slower than any limit.\n"
        "RPS differs: this page divides all requests, including failures, by the time until the "
        f"last response. loadbench-tui reports {rps} req/s{of_main}, counting only successful "
        "requests completed in the window. On this page, charts are smoothed over ten seconds, and "
        "percentiles with few samples are not marked as estimates."
        + (f"\nMeasurements are not requests, so this page has none of {names}." if names else "")
    )
