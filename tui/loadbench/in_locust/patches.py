"""Changes to Locust 2.47 and its HTTP clients, each with its reason.

The patched names are not public API; `tests/e2e/test_locust_contract.py` checks that they exist.
Each comment states when to remove its patch. If it has no link, no upstream issue is known
(searched 2026-11).
"""

import os
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

import gevent
import gevent.socket
import urllib3
from geventhttpclient.client import HTTPClient
from geventhttpclient.useragent import CompatRequest
from jinja2 import Environment as JinjaEnvironment
from jinja2 import FileSystemLoader
from locust import FastHttpUser, User, html, stats, web
from locust.argument_parser import DEFAULT_CONFIG_FILES, get_empty_argument_parser, get_parser
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from requests.utils import default_headers

from loadbench.engine.measure.buckets import fine_bucket_ms, percentile, to_buckets
from loadbench.in_locust.clients import connections
from loadbench.in_locust.clients.connections import Call, replace_in
from loadbench.in_locust.clients.exchange import begin_exchange, keep_undelayed
from loadbench.in_locust.recorder import Recorder
from loadbench.in_locust.replicas import Replicas
from loadbench.in_locust.settings import ClientSettings, Settings

PERCENTILES = [0.5, 0.9, 0.95, 0.99]


def apply(settings: Settings, recorder: Recorder, replicas: Replicas) -> None:
    """Apply all patches. Call this before any user file is loaded."""
    _ignore_configuration_files()
    _disable_statistics_cache()
    _use_fine_buckets()
    _use_nearest_rank()
    _keep_report_template()
    connections.apply()
    _limit_requests(settings.timeout_s)
    _count_aborted(recorder)
    _count_pauses(recorder)
    _distribute_users(replicas)
    _configure_clients(settings.clients, replicas)


def _ignore_configuration_files() -> None:
    # ~/.locust.conf, ./locust.conf and ./pyproject.toml could change any setting of the run.
    # --config only adds a file: https://github.com/locustio/locust/issues/1381. Remove when there
    # is an option as in https://github.com/bw2/ConfigArgParse/issues/254.
    for function in (get_parser, get_empty_argument_parser):
        defaults = function.__defaults__ or ()
        emptied = [() if value == DEFAULT_CONFIG_FILES else value for value in defaults]
        replace_in(function, "__defaults__", tuple(emptied))


def _disable_statistics_cache() -> None:
    # /stats/requests is cached for 2 s, so it could return data of the previous cell.
    # Remove when Locust clears the cache on /swarm and /stop.
    replace_in(web, "DEFAULT_CACHE_TIME", 0)
    # Record a chart point every second. With the default of 5 s, reports of shorter cells have no
    # chart. 2.47 adds a last point only to a non-empty history:
    # https://github.com/locustio/locust/pull/2709. Remove when such reports have a chart.
    replace_in(stats, "HISTORY_STATS_INTERVAL_SEC", 1)


def _use_fine_buckets() -> None:
    # Locust rounds to two digits. Replacing this function is supported, so the patch can stay:
    # https://github.com/locustio/locust/pull/3373.
    replace_in(stats, "bucket_response_time", fine_bucket_ms)
    replace_in(stats, "PERCENTILES_TO_CHART", PERCENTILES)
    replace_in(stats, "PERCENTILES_TO_STATISTICS", PERCENTILES)


def _use_nearest_rank() -> None:
    # Locust uses the next higher rank, so its report would differ from loadbench's. The number of
    # requests that it passes may include failures, which have no latency here. Upstream has chosen
    # the higher rank: https://github.com/locustio/locust/pull/3508. Remove when there is an option.
    def nearest_rank(response_times: Mapping[float, int], _requests: int, fraction: float) -> float:
        return percentile(to_buckets(response_times), fraction) or 0.0

    replace_in(stats, "calculate_response_time_percentile", nearest_rank)


def _keep_report_template() -> None:
    # Locust compiles the template of its report, which has 950 kB, for each report. This blocks the
    # event loop for 40 ms. Remove when Locust keeps the compiled template.
    environments: dict[tuple[str, ...], JinjaEnvironment] = {}

    def kept(loader: FileSystemLoader) -> JinjaEnvironment:
        key = tuple(loader.searchpath)
        if key not in environments:
            environments[key] = JinjaEnvironment(loader=loader)  # noqa: S701  # as in Locust
        return environments[key]

    replace_in(html, "JinjaEnvironment", kept)


def _limit_requests(timeout_s: float) -> None:
    # Requests to a hung service must time out and be counted before the remaining users are killed.
    # A timeout set by the user class takes precedence. HttpUser has no default timeout:
    # https://github.com/locustio/locust/issues/1246. Remove when one setting covers both classes.
    replace_in(FastHttpUser, "network_timeout", timeout_s)
    replace_in(FastHttpUser, "connection_timeout", timeout_s)
    request: Call = HttpSession.request

    def limited_request(*args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("timeout", timeout_s)
        return request(*args, **kwargs)

    replace_in(HttpSession, "request", limited_request)


def _count_aborted(recorder: Recorder) -> None:
    # Locust does not count the request of a user that is killed:
    # https://github.com/locustio/locust/issues/1936. Remove when Locust fires an event for it.
    for session in (FastHttpSession, HttpSession):
        replace_in(session, "request", _counting_aborts(session.request, recorder))


def _counting_aborts(request: Call, recorder: Recorder) -> Call:
    def counted_request(*args: Any, **kwargs: Any) -> Any:
        exchange = begin_exchange()
        started = recorder.begin_request()
        try:
            response = request(*args, **kwargs)
            if exchange.is_open:
                # Its event follows when the user's `with` block ends.
                keep_undelayed(response, exchange)
        except gevent.GreenletExit:
            recorder.abort(started)
            raise
        finally:
            exchange.is_open = False
            recorder.end_request()
        return response

    return counted_request


def _count_pauses(recorder: Recorder) -> None:
    sleep = gevent.sleep

    def counted_sleep(seconds: float = 0, ref: bool = True) -> None:
        # A sleep of 0 s is not a pause: Locust uses it to yield to other greenlets.
        if not seconds or gevent.getcurrent() not in recorder.users:
            sleep(seconds, ref)
            return
        started = recorder.now()
        try:
            sleep(seconds, ref)
        finally:
            recorder.record_pause(started, seconds)

    # Locust calls gevent.sleep; user code usually calls time.sleep.
    # Remove when Locust fires an event for each pause of a user.
    replace_in(gevent, "sleep", counted_sleep)
    replace_in(time, "sleep", counted_sleep)


def _distribute_users(replicas: Replicas) -> None:
    # Locust gives all users one host: https://github.com/locustio/locust/issues/99 (closed).
    # Remove when it accepts several.
    initialise: Call = User.__init__

    def initialise_assigned(self: User, *args: Any, **kwargs: Any) -> None:
        initialise(self, *args, **kwargs)
        # HTTP clients take the host from their user after this.
        replicas.assign(self)

    replace_in(User, "__init__", initialise_assigned)


def _configure_clients(settings: ClientSettings, replicas: Replicas) -> None:
    # Locust has no options for headers and certificates of all users; its classes have attributes.
    # Remove when it has.
    _trust_certificates(settings)
    if settings.headers:
        _send_headers_with_requests(settings.headers, replicas)
        _send_headers_with_geventhttpclient(settings.headers, replicas)


def _trust_certificates(settings: ClientSettings) -> None:
    if settings.verify and not settings.ca_file:
        return
    start_fast: Call = FastHttpSession.__init__
    start: Call = HttpSession.__init__

    def initialise_fast(self: FastHttpSession, *args: Any, **kwargs: Any) -> None:
        if not settings.verify:
            kwargs["insecure"] = True
        elif settings.ca_file and not kwargs.get("insecure", True):
            kwargs["ssl_context_factory"] = kwargs.get("ssl_context_factory") or _trusting(
                settings.ca_file
            )
        start_fast(self, *args, **kwargs)

    def initialise(self: HttpSession, *args: Any, **kwargs: Any) -> None:
        start(self, *args, **kwargs)
        self.verify = settings.ca_file if settings.verify else False

    replace_in(FastHttpSession, "__init__", initialise_fast)
    replace_in(HttpSession, "__init__", initialise)
    # For requests, they take precedence: https://github.com/psf/requests/issues/3829.
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        os.environ.pop(name, None)
    if not settings.verify:
        # It would be logged for every connection, although the profile asks for it.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def _send_headers_with_requests(headers: Mapping[str, str], replicas: Replicas) -> None:
    prepare: Call = HttpSession.prepare_request
    rebuild: Call = HttpSession.rebuild_auth
    defaults = default_headers()

    def prepare_request(self: HttpSession, request: Any) -> Any:
        prepared = prepare(self, request)
        if replicas.is_service(prepared.url):
            for name, value in headers.items():
                # Values of the user's code take precedence, those of the library do not.
                if prepared.headers.get(name) in (None, defaults.get(name)):
                    prepared.headers[name] = value
        return prepared

    def rebuild_auth(self: HttpSession, prepared: Any, response: Any) -> None:
        # Called for each redirect, with the headers of the request before it.
        rebuild(self, prepared, response)
        if not replicas.is_service(prepared.url):
            for name, value in headers.items():
                if prepared.headers.get(name) == value:
                    del prepared.headers[name]

    replace_in(HttpSession, "prepare_request", prepare_request)
    replace_in(HttpSession, "rebuild_auth", rebuild_auth)


def _send_headers_with_geventhttpclient(headers: Mapping[str, str], replicas: Replicas) -> None:
    send: Call = FastHttpSession.request
    follow: Call = CompatRequest.redirect
    defaults = HTTPClient.DEFAULT_HEADERS

    def request(
        self: FastHttpSession,
        method: str,
        url: str,
        *args: Any,
        headers: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> Any:
        own = dict(headers or {})
        if replicas.is_service(self._build_url(url)):
            of_class = self.client.default_headers
            names = {name.casefold() for name in own} | {
                name.casefold() for name in of_class if of_class[name] != defaults.get(name)
            }
            own = {**{n: value for n, value in added.items() if n.casefold() not in names}, **own}
        return send(self, method, url, *args, headers=own, **kwargs)

    def redirect(self: CompatRequest, code: int, location: str) -> None:
        follow(self, code, location)
        if not self._is_same_origin():
            for name, value in added.items():
                if self.headers.get(name) == value:
                    self.headers.discard(name)

    added = headers
    replace_in(FastHttpSession, "request", request)
    replace_in(CompatRequest, "redirect", redirect)


def _trusting(ca_file: str) -> Callable[..., ssl.SSLContext]:
    """Return a function that makes TLS settings in which a further CA is trusted."""

    def context(cafile: str | None = None) -> ssl.SSLContext:
        made: ssl.SSLContext = gevent.ssl.create_default_context(cafile=cafile)
        made.load_verify_locations(ca_file)
        return made

    return context
