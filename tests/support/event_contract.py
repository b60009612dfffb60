"""Checks that events are counted as plain Locust counts them, with any values.

`tests/e2e/test_event_contract.py` runs it in a process of its own, because importing locust patches
the whole interpreter.
"""

import json
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gevent  # noqa: F401  # patches the interpreter before the imports below
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from locust import stats, web
from locust.env import Environment
from locust.event import Events

from loadbench.engine.load.answers import parse_measured, parse_state
from loadbench.engine.load.protocol import Measured
from loadbench.engine.measure.buckets import (
    bucket_ms,
    count,
    num_failures,
    num_requests,
    num_untimed,
    successes,
)
from loadbench.engine.profile.sections.measurements import MeasurementNames
from loadbench.in_locust import routes
from loadbench.in_locust.clean import MAX_LATENCY_MS
from loadbench.in_locust.clients.connections import replace_in
from loadbench.in_locust.deferred import DeferredStats
from loadbench.in_locust.event_loop_lag import LagTimer
from loadbench.in_locust.recorder import Recorder
from loadbench.in_locust.replicas import Replicas

EXAMPLES = settings(
    max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck)
)
NOW_S = 1_800_000_000.0


class HostileError(Exception):
    """An object whose methods raise."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__

    def __bool__(self) -> bool:
        raise RuntimeError("neither true nor false")

    def __float__(self) -> float:
        raise RuntimeError("no number")

    def __hash__(self) -> int:
        raise RuntimeError("no hash")

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


TEXTS = st.one_of(
    st.text(max_size=20),
    st.text(st.characters(categories=["Cs", "Cc", "Lu"]), max_size=5),
    st.integers(290, 310).map("ä".__mul__),
    st.just("x" * 10_000),
)
ANY = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(),
    st.decimals(),
    st.fractions(),
    st.timedeltas(),
    TEXTS,
    st.binary(max_size=5),
    st.lists(st.integers(), max_size=2),
    st.builds(HostileError),
    st.builds(ValueError, TEXTS),
    st.just(object()),
)
LATENCIES = st.one_of(
    st.floats(0, 2 * MAX_LATENCY_MS), st.integers(0, 100_000), st.decimals(0, 1000), st.none()
)


def mostly(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return usual values, and sometimes any other one, at which plain Locust often raises."""
    return st.integers(0, 7).flatmap(lambda number: ANY if number == 0 else usual)


EVENTS = st.fixed_dictionaries(
    {
        "request_type": mostly(st.sampled_from(["GET", "POST"])),
        "name": mostly(TEXTS),
        "response_time": mostly(LATENCIES),
        "response_length": mostly(st.integers(0, 10_000)),
        "exception": st.one_of(st.none(), ANY),
    },
    optional={
        "start_time": st.one_of(st.floats(NOW_S + 490, NOW_S + 502), ANY),
        "context": ANY,
        "url": st.one_of(ANY, TEXTS.map("http://{}/x".format)),
        "response": ANY,
        "additional": ANY,
    },
)
Event = Mapping[str, Any]


@dataclass
class Plain:
    """The counts of plain Locust for one event."""

    requests: int
    failures: int
    untimed: int
    latencies: Counter[float]


def count_plainly(fields: Event) -> Plain | None:
    """Count an event with Locust's own listener. Return None if it raises."""
    [on_request] = PLAIN.events.request._handlers  # no public access
    PLAIN.stats.clear_all()
    try:
        on_request(**fields)
    except Exception:  # noqa: BLE001  # any exception counts
        return None
    total = PLAIN.stats.total
    return Plain(
        total.num_requests,
        total.num_failures,
        total.num_none_requests,
        Counter(total.response_times),
    )


def new_environment() -> Environment:
    events: Events = Events()  # type: ignore[no-untyped-call]
    environment = Environment(events=events)
    environment.create_local_runner()
    return environment


class Ours:
    """Locust with our listener, as in a run."""

    def __init__(self) -> None:
        self.now = 0.0
        self.recorder = Recorder(
            clock=lambda: self.now, cpu_seconds=lambda: 0.0, wall=lambda: self.now + NOW_S
        )
        self.environment = new_environment()
        self.replicas = Replicas()
        self.deferred = DeferredStats(self.environment.stats)
        routes._record(
            self.environment,
            self.recorder,
            self.replicas,
            MeasurementNames(),
            self.deferred,
            LagTimer(self.recorder),
        )  # its wiring

    def begin(self, *, replicas: str = "") -> None:
        """Begin a cell, in the middle of its window."""
        self.now = 0.0
        self.replicas.begin(replicas, None)
        self.recorder.begin("")
        self.recorder.measure(1000, users=1)
        self.environment.stats.clear_all()
        self.now = 500.0

    def count(self, fields: Event) -> None:
        [on_request] = self.environment.events.request._handlers  # as above
        on_request(**fields)
        self.deferred.flush()

    def measured(self) -> Measured:
        """Return the results as the runner receives them."""
        self.now += 1
        self.recorder.close_seconds(users=1)
        state = {
            "cell": self.recorder.cell,
            "spawned": True,
            "remaining_s": self.recorder.remaining_s(),
            "seconds": self.recorder.seconds(0),
        }
        parsed = parse_state(encoded(state))
        result: dict[str, Any] = {
            "cell": "",
            "window": self.recorder.result(),
            "exceptions": [],
            "user_classes": [],
        }
        measured = parse_measured(encoded(result))
        in_seconds = sum(num_requests(second.requests) for second in parsed.seconds)
        assert in_seconds >= num_requests(measured.requests)
        return measured


def encoded(value: object) -> bytes:
    return json.dumps(value, allow_nan=False, ensure_ascii=False).encode()


def with_usable_time(fields: Event) -> Event:
    """Return an event without a response time that is documented to count as None."""
    try:
        is_usable = 0 <= fields["response_time"] <= MAX_LATENCY_MS
    except Exception:  # noqa: BLE001  # Locust raises too
        return fields
    return fields if is_usable else {**fields, "response_time": None}


@EXAMPLES
@given(EVENTS)
def an_event_counts_as_in_plain_locust(fields: Event) -> None:
    OURS.begin()
    OURS.count(fields)
    measured = OURS.measured()

    if not num_requests(measured.requests):
        # It started before the window, so it is only counted in its second.
        assert float(fields["response_time"]) > 1000
        return
    timed = sum(count(one.successes) + count(one.failures) for one in measured.requests)
    assert num_requests(measured.requests) == 1
    assert timed + num_untimed(measured.requests) == 1
    own = OURS.environment.stats.total
    assert own.num_requests == 1
    assert own.num_failures == num_failures(measured.requests)
    assert dict(own.response_times) == dict(successes(measured.requests))

    plain = count_plainly(with_usable_time(fields))
    if plain is None:
        RAISED.append(fields)
        return
    AGREED.append(fields)
    assert plain.requests == 1
    assert plain.failures == num_failures(measured.requests)
    assert plain.untimed == num_untimed(measured.requests)
    if not plain.failures:
        assert plain.latencies == Counter(dict(successes(measured.requests)))


@settings(EXAMPLES, max_examples=20)
@given(st.lists(EVENTS, min_size=20, max_size=50))
def locust_can_report_any_events(events: list[Event]) -> None:
    OURS.begin(replicas='["http://127.0.0.1:1", "http://127.0.0.1:2"]')
    for fields in events:
        OURS.count(fields)
    measured = OURS.measured()
    requests = num_requests(measured.requests)

    replace_in(web, "DEFAULT_CACHE_TIME", 0)
    web_ui: Any = OURS.environment.create_web_ui("127.0.0.1", 0, delayed_start=True)
    client = web_ui.app.test_client()
    *rows, total = json.loads(client.get("/stats/requests").data)["stats"]
    names = {(one["method"], one["name"]) for one in rows}
    assert total["num_requests"] == requests
    assert names == {(one.method, one.name) for one in measured.requests}
    assert client.get("/stats/report").status_code == 200


PLAIN = new_environment()
OURS = Ours()
AGREED: list[Event] = []
"""Events that plain Locust counts."""
RAISED: list[Event] = []
"""Events at which it raises."""


def main() -> None:
    """Check all properties, and print how many events plain Locust counts, and at how many it
    raises.
    """
    replace_in(stats, "bucket_response_time", bucket_ms)
    an_event_counts_as_in_plain_locust()
    locust_can_report_any_events()
    sys.stdout.write(f"{json.dumps([len(AGREED), len(RAISED)])}\n")


if __name__ == "__main__":
    main()
