"""What is changed in Locust 2.47 and in its HTTP clients, each with its reason.

None of this is a promised API; `tests/e2e/test_locust_contract.py` holds every name to its place.
Each comment says when its patch can go. Where it links no issue, none is known (searched 2026-11).
"""

import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.monkey import get_original
from geventhttpclient.connectionpool import ConnectionPool
from locust import FastHttpUser, stats, web
from locust.argument_parser import DEFAULT_CONFIG_FILES, get_empty_argument_parser, get_parser
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession

from loadbench.engine.measure.buckets import bucket_ms, percentile, to_buckets
from loadbench.in_locust.recorder import Recorder
from loadbench.in_locust.settings import Settings

PERCENTILES = [0.5, 0.9, 0.95, 0.99]

Call = Callable[..., Any]


def apply(settings: Settings, recorder: Recorder) -> None:
    """Apply all patches, before any user file is loaded."""
    _ignore_configuration_files()
    _answer_with_the_present()
    _keep_three_digits()
    _rank_like_us()
    _reuse_connections_beyond_1024()
    _limit_requests(settings.timeout_s)
    _count_aborted(recorder)
    _count_pauses(recorder)


def replace_in(owner: Any, name: str, value: Any) -> None:
    """Replace something of somebody else's by ours.

    Raises:
        AttributeError: It is not there any more, so that replacing it would change nothing.
    """
    getattr(owner, name)
    setattr(owner, name, value)


def _ignore_configuration_files() -> None:
    # ~/.locust.conf, ./locust.conf and ./pyproject.toml could turn the run into anything.
    # --config adds a file to them and replaces none: https://github.com/locustio/locust/issues/1381.
    # Can go with an option as in https://github.com/bw2/ConfigArgParse/issues/254.
    for function in (get_parser, get_empty_argument_parser):
        defaults = function.__defaults__ or ()
        emptied = [() if value == DEFAULT_CONFIG_FILES else value for value in defaults]
        replace_in(function, "__defaults__", tuple(emptied))


def _answer_with_the_present() -> None:
    # /stats/requests is cached for 2 s, past /swarm and /stop: it would answer with the last cell.
    # Can go when Locust clears that cache on /swarm and /stop.
    replace_in(web, "DEFAULT_CACHE_TIME", 0)
    # A point each second: at the stock 5 s the report of a short cell has no chart. 2.47 adds a
    # last point, but not to an empty history: https://github.com/locustio/locust/pull/2709.
    # Can go when the report of less than 5 s has a chart.
    replace_in(stats, "HISTORY_STATS_INTERVAL_SEC", 1)


def _keep_three_digits() -> None:
    # Stock rounds to two digits. Replacing the function is the supported way, and may stay:
    # https://github.com/locustio/locust/pull/3373.
    replace_in(stats, "bucket_response_time", bucket_ms)
    replace_in(stats, "PERCENTILES_TO_CHART", PERCENTILES)
    replace_in(stats, "PERCENTILES_TO_STATISTICS", PERCENTILES)


def _rank_like_us() -> None:
    # Stock takes the next higher rank, so that its report would differ from ours. The number of
    # requests that it passes may count failures, which have no latency here. Upstream has settled
    # on the higher rank: https://github.com/locustio/locust/pull/3508. Can go with such an option.
    def nearest_rank(response_times: Mapping[float, int], _requests: int, fraction: float) -> float:
        return percentile(to_buckets(response_times), fraction) or 0.0

    replace_in(stats, "calculate_response_time_percentile", nearest_rank)


def _reuse_connections_beyond_1024() -> None:
    # Stock asks select(), which refuses descriptors from 1024 on; that is taken for a dead
    # connection, and every request of such a user opens a new one. The system's own poll() asks
    # without waiting, so it need not be gevent's, which would set up watchers for each request.
    # select() came with https://github.com/geventhttpclient/geventhttpclient/pull/240.
    # Can go when geventhttpclient uses poll().
    system_poll = get_original("select", "poll")

    def is_socket_alive(_pool: ConnectionPool, sock: socket.socket | None) -> bool:
        if sock is None or sock.fileno() < 0:
            return False
        try:
            poll = system_poll()
            poll.register(sock.fileno(), select.POLLIN)
            return not poll.poll(0)
        except OSError:
            return False

    replace_in(ConnectionPool, "_is_socket_alive", is_socket_alive)


def _limit_requests(timeout_s: float) -> None:
    # A hung service must become failures that are counted, before users are killed at the end.
    # A user class that sets its own timeout keeps it. HttpUser has no timeout of its own:
    # https://github.com/locustio/locust/issues/1246. Can go when one setting covers both classes.
    replace_in(FastHttpUser, "network_timeout", timeout_s)
    replace_in(FastHttpUser, "connection_timeout", timeout_s)
    request: Call = HttpSession.request

    def limited_request(*args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("timeout", timeout_s)
        return request(*args, **kwargs)

    replace_in(HttpSession, "request", limited_request)


def _count_aborted(recorder: Recorder) -> None:
    # A user that is killed in the middle of a request leaves no trace in Locust's statistics:
    # https://github.com/locustio/locust/issues/1936. Can go when Locust fires an event for it.
    for session in (FastHttpSession, HttpSession):
        replace_in(session, "request", _counting_aborts(session.request, recorder))


def _counting_aborts(request: Call, recorder: Recorder) -> Call:
    def counted_request(*args: Any, **kwargs: Any) -> Any:
        started = recorder.ask()
        try:
            return request(*args, **kwargs)
        except gevent.GreenletExit:
            recorder.abort(started)
            raise
        finally:
            recorder.stop_asking()

    return counted_request


def _count_pauses(recorder: Recorder) -> None:
    sleep = gevent.sleep

    def counted_sleep(seconds: float = 0, ref: bool = True) -> None:
        # Nobody pauses for no time: that is how Locust lets others go first.
        if not seconds or gevent.getcurrent() not in recorder.users:
            sleep(seconds, ref)
            return
        began = recorder.now()
        try:
            sleep(seconds, ref)
        finally:
            recorder.think(began, seconds)

    # Locust pauses by the first, most people's code by the second.
    # Can go when Locust fires an event for each pause of a user.
    replace_in(gevent, "sleep", counted_sleep)
    replace_in(time, "sleep", counted_sleep)
