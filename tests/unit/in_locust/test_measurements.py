"""Measurements inside the Locust process, with a fake clock."""

from types import SimpleNamespace
from typing import Any

import pytest

from loadbench.engine.profile.sections.measurements import MeasurementNames
from loadbench.in_locust.clean import clean_event, clean_measurement, unit_of
from loadbench.in_locust.measurements import (
    MAX_MEASUREMENTS,
    MAX_SECOND_BYTES,
    round_value,
)
from loadbench.in_locust.recorder import Recorder
from tests.unit.in_locust.test_recorder import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(clock: Clock) -> Recorder:
    made = Recorder(clock.monotonic, clock.process, clock.wall)
    made.begin("m1_u2_s2.1")
    return made


def report(recorder: Recorder, value: object, name: str = "first token", **fields: Any) -> None:
    """Report a measurement now."""
    event = {"request_type": "TTFT", "name": name, "response_time": value, **fields}
    recorder.record_measurement(clean_measurement(**event))


def measured(recorder: Recorder) -> list[dict[str, Any]]:
    result = recorder.result()
    assert result is not None
    return list(result["measurements"])


@pytest.mark.parametrize(
    ("patterns", "name", "is_measurement"),
    [
        ((), ("METRIC", "tokens"), True),
        ((), ("TTFT", "first token"), True),
        ((), ("ttft", "first token"), True),
        ((), ("GET", "/"), False),
        ((), ("GET", "METRIC"), False),
        (("first token",), ("LLM", "first token"), True),
        (("first token",), ("LLM", "first token of chat"), False),
        (("first*",), ("LLM", "first token of chat"), True),
        (("LLM",), ("LLM", "anything"), True),
        (("LLM first*",), ("LLM", "first token"), True),
        (("LLM first*",), ("CHAT", "first token"), False),
        (("tokens [1/s]",), ("LLM", "tokens [1/s]"), True),
        (("t.kens",), ("LLM", "tokens"), False),
        (("a", "*b"), ("LLM", "bb"), True),
        (("a*",), ("LLM", "a\nb"), True),
    ],
)
def test_types_and_names_decide_what_a_measurement_is(
    patterns: tuple[str, ...], name: tuple[str, str], is_measurement: bool
) -> None:
    assert MeasurementNames(patterns).matches(name) is is_measurement


@pytest.mark.parametrize(
    ("kind", "name", "unit"),
    [
        ("METRIC", "first token (ms)", "ms"),
        ("METRIC", "speed [tokens/s]", "tokens/s"),
        ("METRIC", "time_to_first_token_ms", "ms"),
        ("METRIC", "prefill (s)", "s"),
        ("METRIC", "tokens_per_s", "tokens/s"),
        ("METRIC", "output tokens per second", "tokens/s"),
        ("METRIC", "requests_per_ms", ""),
        ("METRIC", "retries s", ""),
        ("TTFT", "chat (stream)", "ms"),
        ("METRIC", "SET:[k]", ""),
        ("METRIC", "memory (MiB)", "MiB"),
        ("METRIC", "tokens/s", "tokens/s"),
        ("METRIC", "output tokens/s", "tokens/s"),
        ("METRIC", "num_tokens", ""),
        ("METRIC", "tokens", ""),
        ("TTFT", "chat", "ms"),
        ("TTFT", "chat (s)", "s"),
        ("METRIC", "", ""),
    ],
)
def test_the_unit_is_taken_from_the_name(kind: str, name: str, unit: str) -> None:
    assert unit_of(kind, name) == unit


@pytest.mark.parametrize(
    ("context", "unit"),
    [
        ({"unit": "tokens"}, "tokens"),
        ({}, "ms"),
        (None, "ms"),
        ({"unit": 5}, "ms"),
        ({"unit": "x" * 1_000}, "x" * 19 + "…"),
        (7, "ms"),
    ],
)
def test_the_unit_may_be_reported(context: object, unit: str) -> None:
    assert clean_measurement(request_type="TTFT", name="chat", context=context).unit == unit


def test_values_are_counted_in_the_window_only_and_apart_from_requests(
    recorder: Recorder, clock: Clock
) -> None:
    report(recorder, 1)
    recorder.measure(10, users=2)
    clock.now += 1
    report(recorder, 123.456)
    report(recorder, 123.456)
    report(recorder, -0.25, "temperature", request_type="METRIC", context={"unit": "K"})
    report(recorder, None)
    report(recorder, float("nan"))
    report(recorder, 5.0, exception=RuntimeError("lost"))
    report(recorder, "12")
    clock.now += 9
    report(recorder, 2)

    assert measured(recorder) == [
        {
            "kind": "TTFT",
            "name": "first token",
            "unit": "ms",
            "values": [(123.0, 2)],
            "failures": 4,
        },
        {
            "kind": "METRIC",
            "name": "temperature",
            "unit": "K",
            "values": [(-0.25, 1)],
            "failures": 0,
        },
    ]
    result = recorder.result()
    assert result is not None
    assert result["requests"] == []
    assert result["completed"] == 0


def test_a_measurement_belongs_to_the_window_in_which_its_request_started(
    recorder: Recorder, clock: Clock
) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    report(recorder, 1, start_time=clock.wall() - 2)
    report(recorder, 2, start_time=clock.wall() - 0.5)
    report(recorder, 3, start_time=clock.now)
    report(recorder, 4, start_time=clock.wall() * 1000)
    clock.now += 12
    report(recorder, 5, start_time=clock.wall() - 4)
    report(recorder, 6, start_time=clock.wall() - 1)

    [one] = measured(recorder)

    assert one["values"] == [(2.0, 1), (3.0, 1), (4.0, 1), (5.0, 1)]


def test_each_second_has_its_measurements(recorder: Recorder, clock: Clock) -> None:
    clock.now += 0.5
    report(recorder, 40)
    clock.now += 1
    report(recorder, 50)
    clock.now += 1
    recorder.close_seconds(users=1)

    seconds = recorder.seconds(0)

    assert [second["measurements"][0]["values"] for second in seconds[:2]] == [
        [(40.0, 1)],
        [(50.0, 1)],
    ]


def test_the_number_of_measurements_is_limited_and_noted(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=1)
    clock.now += 1
    for number in range(MAX_MEASUREMENTS + 7):
        report(recorder, 1, f"{number:0>300}")
    clock.now += 1
    recorder.close_seconds(users=1)

    result = recorder.result()
    assert result is not None
    assert len(result["measurements"]) == MAX_MEASUREMENTS
    [note] = result["notes"]
    assert (note["count"], note["name"], note["example"][:9]) == (7, "", "TTFT 0000")
    names = [one["name"] for one in recorder.seconds(0)[1]["measurements"]]
    assert 0 < sum(len(name) + len("TTFT") for name in names) <= MAX_SECOND_BYTES


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(0, 0.0), (1234.5, 1230.0), (-9.996, -10.0), (0.0123456, 0.0123), (1e-9, 0.0), (1e15, 1e15)],
)
def test_values_have_three_significant_digits(value: float, rounded: float) -> None:
    assert round_value(value) == rounded


def test_requests_have_their_own_completed_number_stages_and_kind_of_event(
    recorder: Recorder, clock: Clock
) -> None:
    timing = "total;dur=80, queue;dur=20, decode;dur=10, infer;dur=30"
    response = SimpleNamespace(headers={"server-timing": timing})

    def request(name: str, latency_ms: float, **fields: Any) -> None:
        recorder.record(
            clean_event(request_type="GET", name=name, response_time=latency_ms, **fields)
        )

    clock.now += 5
    recorder.measure(10, users=2)
    clock.now += 0.05
    request("/slow", 100.0, response=response)
    clock.now += 1
    request("/slow", 100.0, response=response)
    request("/", 2.0, url="http://127.0.0.1/")
    request("rpc", 2.0)
    clock.now += 9
    request("/slow", 100.0, response=response)

    result = recorder.result()

    assert result is not None
    slow, root, rpc = result["requests"]
    # The first request started before the window, and the last one ended after it.
    assert (slow["successes"], slow["completed"]) == ([(100.0, 2)], 2)
    assert slow["stages"] == {
        "count": 2,
        "latency_ms": 200.0,
        "total_ms": 160.0,
        "queue_ms": 40.0,
        "decode_ms": 20.0,
        "infer_ms": 60.0,
    }
    assert result["stages"] == slow["stages"]
    assert "stages" not in root
    assert [one["custom_events"] for one in (slow, root, rpc)] == [0, 0, 1]
    assert result["completed"] == 4


def test_values_count_as_samples(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    report(recorder, 1)
    report(recorder, None)

    assert recorder.samples() == [
        {"kind": "TTFT", "name": "first token", "samples": 1, "others": 1, "is_measurement": True}
    ]


def test_values_of_several_units_stay_apart(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    for context, value in (({"unit": "ms"}, 5), ({"unit": "s"}, 5), ({}, None)):
        report(recorder, value, "t", request_type="METRIC", context=context)

    found = [(one["unit"], one["values"], one["failures"]) for one in measured(recorder)]

    assert found == [("ms", [(5.0, 1)], 0), ("s", [(5.0, 1)], 1)]


def test_the_number_of_distinct_values_is_limited(recorder: Recorder, clock: Clock) -> None:
    recorder.measure(10, users=2)
    clock.now += 1
    for number in range(18_000):
        report(recorder, (100 + number % 900) * 10.0 ** (number // 900 - 8))

    [one] = measured(recorder)

    assert sum(times for _, times in one["values"]) == 18_000
    assert len(one["values"]) < 7_000
