"""The note in Locust's HTML report of a cell."""

import pytest

from loadbench.engine.journal.events import Verdict
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.export.locust_html import with_note
from tests.support.builders import cell_finished, requests

ROOT = b'<div id="root"></div>'
PAGE = b"<html><script>var x = '" + ROOT + b"';</script><body>\n" + ROOT + b"</body>"
GOALS = Goals(p95_ms=10, min_rps=50)


def test_the_note_states_the_scope_of_the_report_and_its_differences() -> None:
    finished = cell_finished(verdict=Verdict.SUSPECT, reasons=("p50 < p90 & more",))

    page = with_note(PAGE, finished, Goals())

    head, _, tail = page.partition(b"<body>")
    assert head == PAGE.partition(b"<body>")[0]
    assert b">m1_u2_s2: suspect</strong><br>p50 &lt; p90 &amp; more<div" in tail
    assert b"measurement window of 10 s" in tail
    assert b"loadbench-tui reports 40.0 req/s" in tail
    assert tail.endswith(b'</div></div>\n    <div id="root"></div></body>')


def test_the_note_states_whether_each_goal_is_met() -> None:
    page = with_note(PAGE, cell_finished(), GOALS)

    assert b"<br>Goal passed: p95 10.0 ms (near the goal of 10 ms)" in page
    assert "<br>Goal missed: throughput 40.0 req/s (goal ≥ 50 req/s)".encode() in page


def test_goals_of_an_invalid_cell_are_not_checked() -> None:
    finished = cell_finished(verdict=Verdict.INVALID, requests=requests(()))

    assert b"<br>Goal" not in with_note(PAGE, finished, GOALS)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_colour_of_the_note_depends_on_the_verdict(verdict: Verdict) -> None:
    pages = {with_note(PAGE, cell_finished(verdict=one), Goals()) for one in Verdict}

    assert len(pages) == len(Verdict)
    assert verdict.value.encode() in with_note(PAGE, cell_finished(verdict=verdict), Goals())


def test_an_unknown_page_is_unchanged() -> None:
    assert with_note(b"<html>", cell_finished(), Goals()) == b"<html>"
