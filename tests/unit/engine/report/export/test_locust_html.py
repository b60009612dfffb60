"""What is added to Locust's own report of a cell."""

from loadbench.engine.journal.events import Verdict
from loadbench.engine.report.export.locust_html import with_note
from tests.support.builders import cell_finished

ROOT = b'<div id="root"></div>'
PAGE = b"<html><script>var x = '" + ROOT + b"';</script><body>\n" + ROOT + b"</body>"


def test_a_paragraph_above_the_report_says_what_it_covers_and_where_it_differs() -> None:
    finished = cell_finished(verdict=Verdict.SUSPECT, reasons=("p50 < p90 & more",))

    page = with_note(PAGE, finished)

    head, _, tail = page.partition(b"<body>")
    assert head == PAGE.partition(b"<body>")[0]
    assert b">m1_u2_s2, suspect; p50 &lt; p90 &amp; more." in tail
    assert b"measured window of 10 s" in tail
    assert b"The table says 40.0 req/s" in tail
    assert tail.endswith(b'</p>\n    <div id="root"></div></body>')


def test_a_page_that_looks_different_stays_as_it_is() -> None:
    assert with_note(b"<html>", cell_finished()) == b"<html>"
