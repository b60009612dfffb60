"""The delay of requests by the load generator, with the time stamps of a real kernel."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gevent
import pytest

from loadbench.in_locust.clients import exchange as module
from loadbench.in_locust.clients.exchange import (
    Exchange,
    TimedSocket,
    begin_exchange,
    current_exchange,
    keep_undelayed,
    undelayed_ms,
)

BLOCKED_S = 0.05


class Clock:
    """A fake wall clock."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def stamp(seconds: float) -> list[tuple[int, int, bytes]]:
    """The control message of the kernel."""
    whole = int(seconds)
    return [(1, 35, struct.pack("@ll", whole, round((seconds - whole) * 1e9)))]


def test_the_turns_of_the_load_generator_are_before_sending_and_after_arrival(
    clock: Clock,
) -> None:
    exchange = Exchange()
    clock.now += 0.003  # builds the request
    exchange.leave()
    exchange.send()
    clock.now += 0.020  # the service
    arrived = clock.now
    clock.now += 0.007  # handles other responses
    exchange.arrive(stamp(arrived))

    assert exchange.end(30.0) == pytest.approx(20.0, abs=0.01)


def test_a_request_can_have_several_exchanges(clock: Clock) -> None:
    exchange = Exchange()
    for delay_s in (0.001, 0.002):
        clock.now += delay_s
        exchange.leave()
        clock.now += 0.005  # the send buffer was full
        exchange.send()
        clock.now += 0.010
        exchange.arrive(stamp(clock.now))
    clock.now += 0.004

    assert exchange.end(37.0) == pytest.approx(30.0, abs=0.01)


def test_data_without_a_stamp_makes_the_delay_unknown(clock: Clock) -> None:
    exchange = Exchange()
    exchange.leave()
    exchange.send()
    exchange.arrive(stamp(clock.now))
    exchange.arrive([])

    assert exchange.end(1.0) is None


@pytest.mark.parametrize("overlap_s", [0.0005, 0.005])
def test_a_response_can_arrive_before_the_call_that_sends_returns(
    clock: Clock, overlap_s: float
) -> None:
    exchange = Exchange()
    clock.now += 0.010
    exchange.leave()
    exchange.send()
    exchange.arrive(stamp(clock.now - overlap_s))
    clock.now += 0.001

    assert exchange.end(11.0) == 0.0


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
def test_a_clock_that_was_set_makes_the_delay_unknown(clock: Clock, seconds: float) -> None:
    exchange = Exchange()
    exchange.leave()
    exchange.send()
    clock.now += seconds
    exchange.arrive(stamp(clock.now))

    assert exchange.end(20.0) is None


def test_a_request_without_timed_sockets_is_unknown() -> None:
    exchange = begin_exchange()

    assert exchange is current_exchange()
    assert undelayed_ms(object(), 20.0) is None
    assert current_exchange() is None


def test_the_result_is_kept_for_an_event_that_is_fired_later(clock: Clock) -> None:
    exchange = begin_exchange()
    clock.now += 0.001
    exchange.leave()
    exchange.send()
    clock.now += 0.010
    exchange.arrive(stamp(clock.now))
    clock.now += 0.004
    response = SimpleNamespace()
    context = SimpleNamespace(request_meta={"response_time": 15.0, "response": response})

    keep_undelayed(context, exchange)
    begin_exchange().is_open = False  # another request, inside the `with` block

    assert undelayed_ms(response, 15.0) == pytest.approx(10.0, abs=0.01)
    assert undelayed_ms(response, 0.001) == 0.001  # the user's code reported another latency


@contextlib.contextmanager
def server(respond: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that responds to each request of its only connection."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(1 << 16):
                respond(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)


def blocked_exchange(read: Callable[[TimedSocket], Any]) -> tuple[float, float | None]:
    """Send a request, and block the event loop for a while after the response has arrived.

    Returns:
        Latency, and latency without the delay, in ms.
    """
    responded = threading.Event()

    def respond(connection: socket.socket) -> None:
        connection.sendall(b"response")
        responded.set()

    def block() -> None:
        assert responded.wait(10)
        until = time.monotonic() + BLOCKED_S
        while time.monotonic() < until:
            pass

    def request(port: int) -> tuple[float, float | None]:
        with contextlib.closing(TimedSocket()) as timed:
            timed.connect(("127.0.0.1", port))
            for _ in range(2):
                # The kernel stamps packets from shortly after the first socket has asked for it.
                exchange, started = begin_exchange(), time.perf_counter()
                responded.clear()
                timed.sendall(b"request")
                gevent.spawn(block)
                assert read(timed) == b"response"
                latency_ms = (time.perf_counter() - started) * 1000
                result = exchange.end(latency_ms)
            return latency_ms, result

    with server(respond) as port:
        found: tuple[float, float | None] = gevent.spawn(request, port).get(timeout=20)
        return found


def recv_into(timed: TimedSocket) -> bytes:
    buffer = bytearray(100)
    return bytes(buffer[: timed.recv_into(buffer)])


@pytest.mark.parametrize("read", [lambda timed: timed.recv(4096), recv_into])
def test_time_in_which_the_event_loop_is_blocked_is_not_that_of_the_service(
    read: Callable[[TimedSocket], Any],
) -> None:
    latency_ms, result_ms = blocked_exchange(read)

    assert latency_ms > 1000 * BLOCKED_S
    assert result_ms is not None
    assert 0 <= result_ms <= latency_ms - 1000 * BLOCKED_S


def test_large_data_is_sent_in_full_and_an_idle_connection_is_recognised() -> None:
    size, received = 30_000_000, 0

    def respond(connection: socket.socket) -> None:
        nonlocal received
        received += 1

    def send(port: int) -> list[bool]:
        with contextlib.closing(TimedSocket()) as timed:
            timed.connect(("127.0.0.1", port))
            begin_exchange()
            timed.sendall(bytes(size))
            idle = timed.is_idle()
            timed.shutdown(socket.SHUT_WR)
            while timed.is_idle():
                gevent.sleep(0.001)
            return [idle, timed.recv(1) == b""]

    with server(respond) as port:
        assert gevent.spawn(send, port).get(timeout=20) == [True, True]
    assert received >= size // (1 << 16)


def test_a_connection_is_adopted_with_its_timeout() -> None:
    one, other = socket.socketpair()
    with one, contextlib.closing(TimedSocket.adopt(other)) as adopted:
        one.sendall(b"x")

        assert other.fileno() == -1
        assert adopted.gettimeout() is None
        assert gevent.spawn(adopted.recv, 10).get(timeout=10) == b"x"


def test_a_timeout_is_reported_while_waiting_for_a_response() -> None:
    def request(port: int) -> str:
        with contextlib.closing(TimedSocket()) as timed:
            timed.connect(("127.0.0.1", port))
            timed.settimeout(0.01)
            begin_exchange()
            timed.sendall(b"request")
            try:
                timed.recv(10)
            except TimeoutError as error:
                return type(error).__name__
            return "data"

    with server(lambda _connection: None) as port:
        assert gevent.spawn(request, port).get(timeout=10) == "TimeoutError"
