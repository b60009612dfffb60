"""The note in Locust's HTML report of a cell."""

from loadbench.engine.journal.events import Verdict
from loadbench.engine.report.export.locust_html import with_note
from tests.support.builders import cell_finished

ROOT = b'<div id="root"></div>'
PAGE = b"<html><script>var x = '" + ROOT + b"';</script><body>\n" + ROOT + b"</body>"


def test_the_note_states_the_scope_of_the_report_and_its_differences() -> None:
    finished = cell_finished(verdict=Verdict.SUSPECT, reasons=("p50 < p90 & more",))

    page = with_note(PAGE, finished)

    head, _, tail = page.partition(b"<body>")
    assert head == PAGE.partition(b"<body>")[0]
    assert b">m1_u2_s2: suspect; p50 &lt; p90 &amp; more\n" in tail
    assert b"measurement window of 10 s" in tail
    assert b"loadbench-tui reports 40.0 req/s" in tail
    assert tail.endswith(b'</p>\n    <div id="root"></div></body>')


def test_an_unknown_page_is_unchanged() -> None:
    assert with_note(b"<html>", cell_finished()) == b"<html>"
