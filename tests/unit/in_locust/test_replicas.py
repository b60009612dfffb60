"""Distribution of users among replicas, and requests by replica."""

import json
from collections import Counter

import pytest

from loadbench.in_locust.clean import clean_event
from loadbench.in_locust.recorder import Recorder
from loadbench.in_locust.replicas import Replicas
from loadbench.in_locust.window import MAX_ADDRESSES, OTHER_ADDRESSES

URLS = ("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3")


class Reader:
    """Stands for a user: only its class and its host matter."""

    host: str | None = "http://elsewhere"


class Writer(Reader):
    pass


def assigned(replicas: Replicas, *kinds: type[Reader]) -> list[str | None]:
    """Return the hosts of new users, one of each kind."""
    users = [kind() for kind in kinds]
    for user in users:
        replicas.assign(user)
    return [user.host for user in users]


def test_users_are_assigned_in_turn() -> None:
    replicas = Replicas()
    replicas.begin(json.dumps(URLS), URLS[0])
    assert assigned(replicas, *[Reader] * 6) == [*URLS, *URLS]


def test_each_class_is_spread_and_so_is_the_total() -> None:
    replicas = Replicas()
    replicas.begin(json.dumps(URLS[:2]), URLS[0])
    hosts = assigned(replicas, *[Reader, Writer] * 5)
    by_class = [Counter(hosts[0::2]), Counter(hosts[1::2])]
    assert all(abs(one[URLS[0]] - one[URLS[1]]) == 1 for one in by_class)
    assert Counter(hosts) == {URLS[0]: 5, URLS[1]: 5}


def test_each_cell_starts_with_the_first_replica() -> None:
    replicas = Replicas()
    for _ in range(2):
        replicas.begin(json.dumps(URLS), URLS[0])
        assert assigned(replicas, Reader) == [URLS[0]]


def test_without_replicas_users_keep_their_host() -> None:
    replicas = Replicas()
    replicas.begin("", URLS[0])
    assert assigned(replicas, Reader) == [Reader.host]
    assert replicas.address_of("http://x/y", ()) is None


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://127.0.0.1:2/predict?x=1", "http://127.0.0.1:2"),
        ("http://127.0.0.1:2", "http://127.0.0.1:2"),
        ("http://127.0.0.1:2?x=1/2", "http://127.0.0.1:2"),
        ("https://example.com/a/b", "https://example.com"),
        ("", URLS[0]),
        (None, URLS[0]),
        (b"http://x/", URLS[0]),
    ],
)
def test_a_request_counts_for_the_address_in_its_url_or_for_its_user(
    url: object, address: str
) -> None:
    replicas, user = Replicas(), Reader()
    replicas.begin(json.dumps(URLS), URLS[0])
    replicas.assign(user)
    assert replicas.address_of(url, (user,)) == address


def test_a_request_of_an_unknown_greenlet_has_no_address() -> None:
    replicas = Replicas()
    replicas.begin(json.dumps(URLS), URLS[0])
    assert replicas.address_of(None, ()) == ""
    assert replicas.address_of(None, (object(),)) == ""


def record(recorder: Recorder, address: str | None, exception: object = None) -> None:
    event = clean_event(
        request_type="GET", name="/", response_time=10.0, exception=exception, start_time=None
    )
    recorder.record(event, address)


def test_requests_of_the_window_are_counted_by_replica() -> None:
    now = [100.0]
    recorder = Recorder(clock=lambda: now[0], cpu_seconds=lambda: 0.0, wall=lambda: now[0])
    recorder.begin("m2_u2_s2")
    record(recorder, URLS[0])
    recorder.measure(5.0, users=2)
    now[0] += 1.0
    for address in (URLS[0], URLS[1], URLS[1]):
        record(recorder, address)
    record(recorder, URLS[1], exception=ValueError("x"))

    result = recorder.result()
    assert result is not None
    assert result["replicas"] == [
        {"host": URLS[0], "successes": [(10.0, 1)], "failures": []},
        {"host": URLS[1], "successes": [(10.0, 2)], "failures": [(10.0, 1)]},
    ]


def test_many_addresses_are_counted_together() -> None:
    now = [100.0]
    recorder = Recorder(clock=lambda: now[0], cpu_seconds=lambda: 0.0, wall=lambda: now[0])
    recorder.begin("m2_u2_s2")
    recorder.measure(5.0, users=2)
    now[0] += 1.0
    for number in range(MAX_ADDRESSES + 10):
        record(recorder, f"http://host{number}")

    result = recorder.result()
    assert result is not None
    assert len(result["replicas"]) == MAX_ADDRESSES + 1
    assert result["replicas"][-1]["host"] == OTHER_ADDRESSES
    assert result["replicas"][-1]["successes"] == [(10.0, 10)]
