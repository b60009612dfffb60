"""The note in Locust's HTML report of a cell."""

import pytest

from loadbench.engine.journal.events import Requests, Verdict
from loadbench.engine.profile.sections.goals import Goals
from loadbench.engine.report.export.locust_html import with_note
from tests.support.builders import cell_finished, measurement, requests

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


def test_the_note_names_the_measurements_that_the_page_lacks() -> None:
    measured = (measurement(), measurement("a<b", "METRIC"))
    page = with_note(PAGE, cell_finished(measurements=measured), Goals())

    note = b"\nMeasurements are not requests, so this page has none of a&lt;b (METRIC), first token"
    assert note in page
    assert b"Measurements" not in with_note(PAGE, cell_finished(), Goals())


def test_the_note_has_the_throughput_of_the_main_requests() -> None:
    ready = Requests(method="GET", name="/ready", successes=((1.0, 90),), failures=())
    finished = cell_finished(requests=(*requests(((10.0, 300),)), ready), completed=390)

    page = with_note(PAGE, finished, Goals(), "POST /predict")

    assert b"loadbench-tui reports 30.0 req/s of POST /predict, counting" in page


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
