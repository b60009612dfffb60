"""What a run measures on all screens, and the requests by replica."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import ErrorCount, ReplicaRequests
from loadbench.engine.profile.target import Balance, LeftOut, Target
from loadbench.ui.lines.target import (
    replica_lines,
    sent_to_lines,
    target_line,
    target_lines,
    target_of,
)
from loadbench.ui.lines.text import Line, Tone, plain, width
from tests.support.builders import cell_finished, run_started, state_after

TARGET = Target(
    address="port 8000 of api",
    scaled="api",
    balance=Balance.CLIENTS,
    reason="the only port that it declares",
    files=("compose.yaml",),
    locustfile="locustfile.py",
    left_out=(
        LeftOut(service="flower", reason="dashboard"),
        LeftOut(service="grafana", reason="dashboard"),
    ),
    changes=("without container_name: api",),
)


REPLICAS = (
    ReplicaRequests(
        name="api-1", host="http://127.0.0.1:32775", successes=((10.0, 2000),), failures=()
    ),
    ReplicaRequests(
        name="api-2",
        host="http://127.0.0.1:32776",
        successes=((20.0, 950),),
        failures=((5.0, 50),),
    ),
    ReplicaRequests(host="", failures=((1.0, 1000),)),
)


FAILED = (ErrorCount(error="code=503", count=1050),)


def texts(lines: Iterable[Line]) -> list[str]:
    """The text of the lines, without trailing spaces."""
    return [plain(one).rstrip() for one in lines]


def test_facts_are_aligned_and_wrapped_beside_their_labels() -> None:
    lines = texts(target_lines(TARGET, 44, label_columns=12))

    assert lines == [
        "Requests to port 8000 of api (the only port",
        "            that it declares)",
        "Scaled      api; Locust assigns its users to",
        "            the replicas in turn",
        "Locustfile  locustfile.py",
        "Compose     compose.yaml",
        "Left out    flower, grafana (dashboard)",
        "Changed     without container_name: api",
    ]


def test_a_long_path_starts_beside_its_label() -> None:
    target = Target(address="http://a", locustfile="a" * 50)

    lines = texts(target_lines(target, 40, label_columns=12))

    assert lines[1:] == [f"Locustfile  {'a' * 28}", f"{'':12}{'a' * 22}"]


def test_one_line_has_as_much_as_fits() -> None:
    target = replace(TARGET, address="port 80 of api")
    full = "api; Locust assigns its users to the replicas in turn"

    assert [plain(target_line(target, columns)) for columns in (120, 90, 75, 60, 40, 24, 12)] == [
        f" Requests to port 80 of api · Scaled: {full} · Left out: flower, grafana",
        " Requests to port 80 of api · Scaled: api, users assigned in turn · 2 services left out",
        " Requests to port 80 of api · Scaled: api · 2 services left out",
        " Requests to port 80 of api · Scaled: api",
        " Requests to port 80 of api",
        " Requests to port 80 of…",
        " Requests t…",
    ]


def test_a_service_that_nothing_scales_has_only_an_address() -> None:
    assert plain(target_line(Target(address="http://10.0.0.1"), 80)) == (
        " Requests to http://10.0.0.1"
    )


def test_a_service_that_distributes_requests_is_described() -> None:
    target = replace(TARGET, balance=Balance.FRONT, scaled="worker", left_out=())

    assert plain(target_line(target, 90)) == (
        " Requests to port 8000 of api · Scaled: worker; the service distributes the requests"
    )


def test_older_journals_have_no_line() -> None:
    assert target_of(state_after()) is None
    assert target_of(state_after(run_started())) is None
    assert target_line(None, 80) == ()
    assert target_of(state_after(replace(run_started(), target=TARGET))) == TARGET


@given(columns=st.integers(min_value=10, max_value=200), address=st.text(max_size=80))
def test_the_line_is_never_wider_than_its_columns(columns: int, address: str) -> None:
    assert width(target_line(replace(TARGET, address=address), columns)) <= columns


def test_each_replica_has_a_row() -> None:
    lines = texts(replica_lines(cell_finished(replicas=REPLICAS), 120))

    assert lines == [
        "replica          requests   share  fails   p50   p95    p99  address",
        "api-1                2000  50.0 %      0  10.0  10.0   10.0  127.0.0.1:32775",
        "api-2                1000  25.0 %     50  20.0  20.0  ~20.0  127.0.0.1:32776",
        "other addresses      1000  25.0 %   1000     -     -      -",
    ]


def test_a_narrow_table_has_no_addresses() -> None:
    lines = texts(replica_lines(cell_finished(replicas=REPLICAS), 60))

    assert lines[0].endswith("p99")
    assert "127.0.0.1" not in "".join(lines)


def test_cells_without_replicas_have_no_table() -> None:
    assert replica_lines(cell_finished(), 80) == []


def test_failures_state_the_replicas_that_they_were_sent_to() -> None:
    finished = cell_finished(replicas=REPLICAS, errors=FAILED, host="http://127.0.0.1:32775")

    lines = sent_to_lines(finished, 80)

    assert texts(lines) == [
        "Sent to:",
        "     50  api-2 at http://127.0.0.1:32776",
        "   1000  other addresses",
    ]
    assert lines[1][0].tone is Tone.BAD


def test_failures_state_the_address_that_they_were_sent_to() -> None:
    finished = cell_finished(errors=FAILED, host="http://127.0.0.1:32775")

    assert texts(sent_to_lines(finished, 80)) == ["Sent to http://127.0.0.1:32775"]


def test_no_address_is_shown_without_failures_or_if_it_is_not_recorded() -> None:
    assert sent_to_lines(None, 80) == []
    assert sent_to_lines(cell_finished(host="http://a"), 80) == []
    assert sent_to_lines(cell_finished(errors=FAILED), 80) == []
