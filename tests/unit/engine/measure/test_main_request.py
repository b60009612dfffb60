"""The results of one name of requests."""

from loadbench.engine.journal.events import Requests, Stages
from loadbench.engine.measure.main_request import full_name, of_name, results_of_name
from tests.support.builders import cell_finished

STAGES = Stages(count=2, latency_ms=200, total_ms=160, queue_ms=40, decode_ms=20, infer_ms=60)
PREDICT = Requests(
    method="POST",
    name="/predict",
    successes=((100.0, 2),),
    failures=((5.0, 1),),
    completed=3,
    stages=STAGES,
)
HOME = Requests(method="GET", name="/", successes=((2.0, 40),), completed=41)
OTHER = Requests(method="GET", name="/predict", successes=((1.0, 7),))
CELL = cell_finished(requests=(PREDICT, HOME, OTHER), completed=51, stages=STAGES, aborted=1)


def test_names_are_given_with_or_without_their_method() -> None:
    assert of_name(CELL.requests, "POST /predict") == (PREDICT,)
    assert of_name(CELL.requests, "/predict") == (PREDICT, OTHER)
    assert of_name(CELL.requests, "/predic") == ()
    assert of_name(CELL.requests, None) == CELL.requests


def test_a_name_that_starts_with_its_method_is_not_repeated() -> None:
    assert full_name(Requests(method="POST", name="POST /a")) == "POST /a"
    assert full_name(Requests(method="", name="other requests")) == "other requests"


def test_the_results_of_a_name_have_its_requests_and_stages_only() -> None:
    found = results_of_name(CELL, "POST /predict")

    assert found.requests == (PREDICT,)
    assert (found.completed, found.stages) == (3, STAGES)
    assert (found.aborted, found.circumstances) == (1, CELL.circumstances)
    assert results_of_name(CELL, "GET /").stages == Stages()
    assert results_of_name(CELL, "unknown").completed == 0
    assert results_of_name(CELL, None) is CELL


def test_journals_of_earlier_versions_do_not_have_the_number_of_completed_requests_by_name() -> (
    None
):
    assert results_of_name(CELL, "GET /predict").completed == 7
