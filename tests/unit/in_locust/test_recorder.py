"""Counting inside the Locust process, with a fake clock."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from loadbench.engine.run.space import SAMPLE_BYTES
from loadbench.in_locust.clean import clean_event
from loadbench.in_locust.names import MAX_ERROR_ROWS, MAX_NAMES_BYTES, OTHER_REQUESTS
from loadbench.in_locust.observed import MAX_NOTES
from loadbench.in_locust.recorder import MAX_AHEAD_S, MAX_DELAY_S, Recorder
from loadbench.in_locust.tally import MAX_ERRORS


class Clock:
    """A fake clock with CPU time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.cpu = 0.0
        self.offset = 500_000.0

    def monotonic(self) -> float:
        return self.now

    def process(self) -> float:
        return self.cpu

    def wall(self) -> float:
        return self.now + self.offset


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> Recorder:
    made = Recorder(clock.monotonic, clock.process, clock.wall)
    made.begin("m1_u2_s2.1")
    return made


def request(recorder: Recorder, latency_ms: float = 100.0, **changes: Any) -> bool:
    """Record a request that finishes now. Return whether Locust should count it."""
    fields: dict[str, Any] = {"request_type": "GET", "name": "/", "response_time": latency_ms}
    return recorder.record(clean_event(**{**fields, **changes})) is not None


def test_the_window_contains_requests_that_started_in_it_and_follows_them_to_the_end(
    recorder: Recorder, clock: Clock
) -> None:
    clock.now += 5
    recorder.measure(10, users=2)
    clock.now += 0.05
    before = request(recorder, 100)
    clock.now += 5
    inside = request(recorder, 100)
    clock.now += 6
    followed = request(recorder, 2000)
    after = request(recorder, 500)

    result = recorder.result()

    assert (before, inside, followed, after) == (False, True, True, False)
    assert result is not None
    assert result["requests"][0]["successes"] == [(100.0, 1), (2000.0, 1)]
    assert result["completed"] == 2  # the first two finished in the window, whenever they started
    assert result["measured_s"] == 10


def test_a_window_that_is_still_open_has_its_current_length(
    recorder: Recorder, clock: Clock
) -> None:
    recorder.measure(10, users=2)
    clock.now += 4

    result = recorder.result()

    assert result is not None
    assert result["measured_s"] == 4
    assert recorder.remaining_s() == 6


def test_a_window_can_end_early(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(600, users=2)
    clock.now += 4
    request(recorder, 100)

    assert recorder.end_window() == 4
    assert recorder.remaining_s() == 0
    # It started in the window, so it is followed to its end; the next one did not.
    clock.now += 1
    assert request(recorder, 1500)
    assert not request(recorder, 500)
    recorder.close_seconds(2)

    result = recorder.result()
    assert result is not None
    assert (result["measured_s"], result["completed"]) == (4, 1)
    assert result["circumstances"]["in_flight"] == (0.1 + 0.5) / 4
    assert recorder.end_window() == 4


def test_a_window_that_has_ended_keeps_its_length(recorder: Recorder, clock: Clock) -> None:
    assert recorder.end_window() == 0
    recorder.measure(10, users=2)
    clock.now += 12

    assert recorder.end_window() == 10


def test_samples_are_the_latencies_of_the_window_by_name(recorder: Recorder, clock: Clock) -> None:
    request(recorder)
    assert recorder.samples() == []
    clock.now += 5

    recorder.measure(10, users=2)
    clock.now += 5
    for _ in range(3):
        request(recorder)
    request(recorder, exception="no")
    request(recorder, request_type="POST", response_time=None)
    # It started before the window.
    request(recorder, 6000)

    assert recorder.samples() == [
        {"kind": "GET", "name": "/", "samples": 3, "others": 1},
        {"kind": "POST", "name": "/", "samples": 0, "others": 1},
    ]


def test_requests_before_the_window_count_for_locust_only(
    recorder: Recorder,
) -> None:
    assert request(recorder)
    assert recorder.result() is None
    assert recorder.remaining_s() is None


def test_failures_are_counted_separately_with_their_errors(
    recorder: Recorder, clock: Clock
) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    request(recorder, 5, exception=ValueError("no"))
    request(recorder, 5, exception=ValueError("no"))
    request(recorder, 5, exception=KeyError())
    request(recorder, 7)

    result = recorder.result()

    assert result is not None
    assert result["requests"][0]["failures"] == [(5.0, 3)]
    assert result["requests"][0]["successes"] == [(7.0, 1)]
    assert result["completed"] == 1
    assert result["errors"] == [{"error": "no", "count": 2}, {"error": "KeyError", "count": 1}]


def test_the_number_of_distinct_errors_is_limited(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    for number in range(1000):
        request(recorder, 5, exception=ValueError(f"id {number}"))

    result = recorder.result()

    assert result is not None
    assert len(result["errors"]) == MAX_ERRORS + 1
    assert sum(error["count"] for error in result["errors"]) == 1000


@pytest.mark.parametrize("name", ["/item/{}", "/é/{}/" + "x" * 280])
def test_the_size_of_all_names_is_limited_without_losing_counts(
    recorder: Recorder, clock: Clock, name: str
) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    for number in range(1000):
        request(recorder, 5, name=name.format(number))
    request(recorder, 5, name=name.format(0))

    result = recorder.result()

    assert result is not None
    *apart, others = result["requests"]
    names = [entry["name"] for entry in apart]
    assert names == [name.format(number) for number in range(len(apart))]
    assert 50 < len(apart) < 400
    assert sum(len(one.encode()) for one in names) < MAX_NAMES_BYTES
    assert apart[0]["successes"] == [(5.0, 2)]
    assert (others["method"], others["name"]) == OTHER_REQUESTS
    assert others["successes"] == [(5.0, 1000 - len(apart))]
    assert result["notes"] == [
        {
            "kind": "names",
            "method": "",
            "name": "other requests",
            "count": 1000 - len(apart),
            "example": name.format(len(apart)),
        }
    ]


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ("URL http://h/item/{}: code=503", "code=503"),
        ("503 Server Error: Busy for url: http://h/item/{}", "503 Server Error: Busy"),
        ("<Connection object at 0x7f3a{}>: refused", "<Connection object at 0x…>: refused"),
    ],
)
def test_failures_are_grouped_without_their_urls_and_memory_addresses(
    recorder: Recorder, clock: Clock, message: str, error: str
) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    for number in range(30):
        failed = ConnectionError(message.format(number))
        request(recorder, 5, exception=failed, url=f"http://h/item/{number}")

    result = recorder.result()

    assert result is not None
    assert result["errors"] == [{"error": error, "count": 30}]


def test_the_reported_start_time_counts_when_user_code_runs_after_the_response(
    recorder: Recorder, clock: Clock
) -> None:
    recorder.measure(10, users=2)
    clock.now += 0.2
    # 50 ms until the response, then 450 ms of user code: started before the window.
    assert not request(recorder, 50, start_time=clock.wall() - 0.5)


@pytest.mark.parametrize(
    ("start_time", "example"),
    [
        (1000.7, "1000.7"),  # monotonic
        (501_000_700.0, "501000700"),  # milliseconds
        (501_000.7 - 7200, "493800.7"),  # a local time west of UTC
        (501_000.7 + 3600, "504600.7"),  # a local time east of UTC
        (0, "0"),
    ],
)
def test_a_start_time_of_another_clock_is_ignored_and_noted(
    recorder: Recorder, clock: Clock, start_time: float, example: str
) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    assert request(recorder, 300, start_time=start_time)
    assert request(recorder, 300, start_time=start_time)

    result = recorder.result()

    assert result is not None
    assert result["circumstances"]["in_flight"] == pytest.approx(0.6)
    assert result["notes"] == [
        {"kind": "start_time", "method": "GET", "name": "/", "count": 2, "example": example}
    ]


def test_a_start_time_before_a_long_time_of_user_code_is_used(
    recorder: Recorder, clock: Clock
) -> None:
    started = clock.wall() + 1
    recorder.measure(1000, users=2)
    clock.now += MAX_DELAY_S
    assert request(recorder, 100, start_time=started)
    assert request(recorder, 100, start_time=clock.wall() + MAX_AHEAD_S / 2)

    result = recorder.result()

    assert result is not None
    assert result["notes"] == []


def test_requests_without_a_latency_count_but_are_neither_in_flight_nor_the_end_of_a_gap(
    recorder: Recorder, clock: Clock
) -> None:
    clock.now += 0.5
    assert request(recorder, response_time=None)
    recorder.begin_request()
    recorder.measure(10, users=2)
    clock.now += 1
    assert request(recorder, response_time=None)
    assert request(recorder, response_time=None, exception="refused")
    assert request(recorder, response_time=float("nan"))
    clock.now += 1
    assert request(recorder, 100)
    clock.now += 9
    assert not request(recorder, response_time=None)
    recorder.close_seconds(users=2)

    result = recorder.result()

    assert result is not None
    assert result["requests"] == [
        {
            "method": "GET",
            "name": "/",
            "successes": [(100.0, 1)],
            "failures": [],
            "untimed_successes": 2,
            "untimed_failures": 1,
            "completed": 3,
            "custom_events": 4,
        }
    ]
    assert result["completed"] == 3
    assert result["errors"] == [{"error": "refused", "count": 1}]
    assert result["circumstances"]["in_flight"] == pytest.approx(0.01)
    assert result["circumstances"]["gaps"][0] == (2000.0, 1)
    assert [(note["kind"], note["count"]) for note in result["notes"]] == [("response_time", 1)]
    seconds = [second["requests"] for second in recorder.seconds(0)]
    assert [one[0].get("untimed_successes") for one in seconds if one] == [1, 2, None]


def test_the_number_of_notes_is_limited(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    for number in range(100):
        request(recorder, response_time="x", name=f"/item/{number}")

    result = recorder.result()

    assert result is not None
    *apart, others = result["notes"]
    assert len(apart) == MAX_NOTES
    assert (others["name"], others["count"]) == ("", 100 - MAX_NOTES)


def test_a_second_has_the_most_frequent_names_of_the_cell_and_all_others_together(
    recorder: Recorder, clock: Clock
) -> None:
    for _ in range(3):
        for number in range(100):
            for _ in range(1 + number // 90):
                request(recorder, 5, name=f"/item/{number}")
        clock.now += 1
    recorder.close_seconds(users=1)

    for second in recorder.seconds(0):
        *apart, others = second["requests"]
        names = [entry["name"] for entry in apart]
        assert names[-10:] == [f"/item/{number}" for number in range(90, 100)]
        assert len(json.dumps(second)) < SAMPLE_BYTES
        assert others["name"] == "other requests"
        assert sum(entry["successes"][0][1] for entry in second["requests"]) == 110


def test_the_errors_of_a_second_are_limited_without_losing_counts(
    recorder: Recorder, clock: Clock
) -> None:
    for number in range(MAX_ERRORS):
        for _ in range(number + 1):
            request(recorder, 5, exception=f"{number} {'x' * 200}")
    clock.now += 1
    recorder.close_seconds(users=1)

    [second] = recorder.seconds(0)
    errors = {entry["error"].split(" ")[0]: entry["count"] for entry in second["errors"]}
    assert errors == {"19": 20, "18": 19, "other": sum(range(19))}


def test_the_rows_of_locust_s_errors_are_limited(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    rows = set()
    for number in range(1000):
        event = clean_event(
            request_type="GET", name=number % 10, response_time=1, exception=f"id {number}"
        )
        counted = recorder.record(event)
        assert counted is not None
        rows.add((counted.key, counted.error))

    assert len(rows) <= MAX_ERROR_ROWS + 10
    assert {error for _, error in rows} >= {"id 1", "other failures"}


def test_seconds_are_closed_in_order_without_gaps(recorder: Recorder, clock: Clock) -> None:
    clock.now += 0.5
    request(recorder)
    clock.now += 3
    clock.cpu += 0.7
    request(recorder)

    due = recorder.close_seconds(users=5)

    seconds = recorder.seconds(0)
    assert [second["second"] for second in seconds] == [0, 1, 2]
    assert [len(second["requests"]) for second in seconds] == [1, 0, 0]
    assert due == pytest.approx(0.5)
    assert sum(second["clients"][0]["cpu_cores"] for second in seconds) == pytest.approx(
        0.7, abs=0.01
    )
    assert {second["users"] for second in seconds} == {5}
    assert [second["second"] for second in recorder.seconds(2)] == [2]
    clock.now += 1
    recorder.close_seconds(users=5)
    assert [second["second"] for second in recorder.seconds(2)] == [2, 3]


def test_a_late_close_loses_no_request(recorder: Recorder, clock: Clock) -> None:
    for _ in range(25):
        clock.now += 0.1
        request(recorder)
    recorder.close_seconds(users=1)
    clock.now += 2
    recorder.close_seconds(users=1)

    counted = [
        number
        for second in recorder.seconds(0)
        for entry in second["requests"]
        for _, number in entry["successes"]
    ]
    assert sum(counted) == 25


def test_stages_are_summed_over_successes_that_report_them(
    recorder: Recorder, clock: Clock
) -> None:
    class Response:
        headers = {"server-timing": "queue;dur=1, infer;dur=2, total;dur=4"}  # noqa: RUF012

    recorder.measure(10, users=2)
    clock.now += 1
    request(recorder, 10, response=Response())
    request(recorder, 20, response=Response())
    request(recorder, 30)
    request(recorder, 40, response=Response(), exception=ValueError("late"))

    result = recorder.result()

    assert result is not None
    assert result["stages"] == {
        "count": 2,
        "latency_ms": 30,
        "queue_ms": 2,
        "infer_ms": 4,
        "total_ms": 8,
    }


def test_aborted_requests_count_if_they_started_in_the_window(
    recorder: Recorder, clock: Clock
) -> None:
    recorder.abort(clock.now)
    early = clock.now
    clock.now += 1
    recorder.measure(10, users=2)
    recorder.abort(early)
    recorder.abort(clock.now + 5)

    result = recorder.result()

    assert result is not None
    assert result["aborted"] == 1


def test_the_client_s_cpu_time_is_limited_to_the_window(recorder: Recorder, clock: Clock) -> None:
    clock.cpu += 100
    recorder.measure(10, users=2)
    clock.now += 10
    clock.cpu += 4
    recorder.close_seconds(users=1)
    clock.cpu += 50

    result = recorder.result()

    assert result is not None
    assert result["clients"][0]["cpu_cores"] == pytest.approx(0.4)


def test_the_minimum_of_users_is_limited_to_the_window(recorder: Recorder, clock: Clock) -> None:
    recorder.close_seconds(users=0)
    recorder.measure(3, users=5)
    for users in (5, 3, 4):
        clock.now += 0.9
        recorder.close_seconds(users=users)
    clock.now += 1
    recorder.close_seconds(users=0)

    result = recorder.result()

    assert result is not None
    assert result["fewest_users"] == 3


def test_long_errors_are_truncated(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    for _ in range(MAX_ERRORS + 5):
        request(recorder, 5, exception=ValueError("x" * 1000))

    result = recorder.result()

    assert result is not None
    assert result["errors"] == [{"error": f"{'x' * 299}…", "count": MAX_ERRORS + 5}]


def conditions(recorder: Recorder) -> dict[str, Any]:
    """Return the conditions of the window."""
    result = recorder.result()
    assert result is not None
    found: dict[str, Any] = result["circumstances"]
    return found


def test_requests_and_pauses_count_for_their_time_in_the_window(
    recorder: Recorder, clock: Clock
) -> None:
    paused = clock.now
    clock.now += 1
    recorder.measure(10, users=3)
    clock.now += 1
    request(recorder, 2000)  # the first of its two seconds is before the window
    recorder.record_pause(paused, 5)  # interrupted after 2 s, 1 s of it in the window
    clock.now += 10
    request(recorder, 8000)  # its last second is after the window
    recorder.abort(clock.now - 3)
    recorder.record_pause(clock.now - 4, 2)  # it lasted until 1 s before the end

    found = conditions(recorder)

    assert found["in_flight"] == pytest.approx((1 + 7 + 2) / 10)
    assert found["thinking"] == pytest.approx((1 + 2) / 10)


def test_gaps_cover_the_window_from_begin_to_end(recorder: Recorder, clock: Clock) -> None:
    recorder.begin_request()
    recorder.measure(10, users=2)
    for wait in (2, 1, 1):
        clock.now += wait
        request(recorder, exception=ValueError("a failure is a response too"))
    clock.now += 20
    request(recorder, 20_000)

    assert conditions(recorder)["gaps"] == [(1000.0, 2), (2000.0, 1), (6000.0, 1)]


def test_there_is_no_gap_while_no_request_is_in_flight(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=1)
    for pause in (0, 3, 3):
        clock.now += pause
        recorder.begin_request()
        clock.now += 0.02
        recorder.end_request()
        clock.now += 0.5  # user code, before the request is counted
        request(recorder, 20, start_time=clock.wall() - 0.52)
    clock.now += 20

    assert conditions(recorder)["gaps"] == [(20.0, 3)]


def test_lag_is_counted_in_the_window_and_its_maximum_reported_every_second(
    recorder: Recorder, clock: Clock
) -> None:
    recorder.record_lag(clock.now - 0.5)
    recorder.measure(10, users=2)
    for lag_s in (0.0002, 0.0304, 0.0002):
        clock.now += 0.5
        recorder.record_lag(clock.now - lag_s)
    recorder.close_seconds(users=2)
    clock.now += 1
    recorder.close_seconds(users=2)

    clock.now += 9
    recorder.record_lag(clock.now - 2)

    assert conditions(recorder)["lag"] == [(0.2, 2), (30.4, 1), (2000.0, 1)]
    assert [second["clients"][0]["lag_ms"] for second in recorder.seconds(0)] == [500.0, 0.0]


def test_a_clock_jump_is_detected_and_a_clock_adjustment_is_not(
    recorder: Recorder, clock: Clock
) -> None:
    recorder.measure(10, users=2)
    for step in (0.0001, 0.0001, -3.5, 0.0001):
        clock.now += 0.25
        clock.offset += step
        recorder.close_seconds(users=2)

    assert conditions(recorder)["clock_jump_ms"] == 3500


def test_the_begin_of_the_window_is_reported(recorder: Recorder, clock: Clock) -> None:
    clock.now += 4.25

    assert recorder.measure(10, users=2) == 4.25
    assert conditions(recorder)["begin_s"] == 4.25


def test_the_main_requests_are_counted_apart_even_if_they_are_late_and_rare(clock: Clock) -> None:
    recorder = Recorder(clock.monotonic, clock.process, clock.wall, main="POST /predict")
    recorder.begin("")
    recorder.measure(10, users=1)
    clock.now += 1.5
    for number in range(2_000):
        request(recorder, 1, name=f"{number:0>300}")
    request(recorder, 1, request_type="POST", name="/predict")
    clock.now += 1
    recorder.close_seconds(users=1)

    result = recorder.result()
    assert result is not None
    names = [one["name"] for one in result["requests"]]
    assert {"other requests", "/predict"} <= set(names)
    assert len(names) < 500
    [_, second] = recorder.seconds(0)
    assert {one["name"] for one in second["requests"]} >= {"/predict", "other requests"}
    assert len(json.dumps(second)) < SAMPLE_BYTES


def test_names_with_stages_take_more_space_in_a_second(recorder: Recorder, clock: Clock) -> None:
    timing = "total;dur=80, queue;dur=20, decode;dur=10, infer;dur=30"
    response = SimpleNamespace(headers={"server-timing": timing})
    clock.now += 0.5
    for number in range(40):
        request(recorder, 100, name=f"/{number}", response=response)
    clock.now += 1
    recorder.close_seconds(users=1)

    [second] = recorder.seconds(0)

    assert len(json.dumps(second)) < SAMPLE_BYTES
    assert second["stages"]["count"] == 40
    assert sum(one["stages"]["count"] for one in second["requests"]) == 40
