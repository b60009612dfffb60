"""Adds routes to Locust's web API and an authentication check to all of its routes."""

import gc
import hmac
import sys
from typing import Any

import gevent
from flask import Flask, Response, abort, jsonify, request
from gevent import getcurrent
from locust import events
from locust.env import Environment
from locust.exception import StopTest, StopUser

from loadbench.engine.load.wire import (
    CELL_OPTION,
    END_PATH,
    INIT,
    MEASURE_PATH,
    REPLICAS_OPTION,
    RESULT_PATH,
    SAMPLES_PATH,
    STATE_PATH,
    TEST_START,
    TEST_STOP,
    TOKEN_HEADER,
)
from loadbench.engine.profile.sections.measurements import MeasurementNames
from loadbench.in_locust.clean import clean_event, clean_measurement, clean_text
from loadbench.in_locust.clients.connections import Call, replace_in
from loadbench.in_locust.clients.exchange import undelayed_ms
from loadbench.in_locust.deferred import DeferredStats
from loadbench.in_locust.event_loop_lag import LagTimer
from loadbench.in_locust.recorder import Recorder
from loadbench.in_locust.replicas import Replicas
from loadbench.in_locust.scenario import user_classes
from loadbench.in_locust.scenario.mistakes import Mistakes
from loadbench.in_locust.scenario.status import Status
from loadbench.in_locust.settings import Settings

_POLL_INTERVAL_S = 0.01


def install(
    settings: Settings, recorder: Recorder, replicas: Replicas, mistakes: Mistakes, status: Status
) -> None:
    """Register the routes, the authentication check and the recorder with Locust's events."""
    events.init_command_line_parser.add_listener(_add_options)

    @events.init.add_listener
    def on_init(environment: Environment, web_ui: Any, **_: Any) -> None:
        user_classes.drop_without_tasks(environment, status)
        # --stop-timeout accepts whole seconds only. No upstream issue known (searched 2026-11).
        # Remove when it accepts fractions.
        environment.stop_timeout = settings.stop_timeout_s
        _add_authentication(web_ui, settings)
        deferred, lag_timer = DeferredStats(environment.stats), LagTimer(recorder)
        _add_routes(web_ui.app, environment, recorder, mistakes, deferred)
        _report_phases(environment, mistakes, status, deferred)
        measurements = MeasurementNames(settings.scenario.measurements)
        _record(environment, recorder, replicas, measurements, deferred, lag_timer)
        mistakes.watch_users(environment)
        gevent.spawn(_notify_when_ready, web_ui, environment, settings, replicas, mistakes, status)
        gevent.spawn(_close_seconds, environment, recorder, deferred)
        lag_timer.start()
        # The first listener: those of the locustfile follow.
        status.enter(INIT)


def _add_options(parser: Any, **_: Any) -> None:
    # /swarm accepts every option of the parser, so these are sent with the start request.
    for option in (CELL_OPTION, REPLICAS_OPTION):
        parser.add_argument(f"--{option.replace('_', '-')}", default="", include_in_web_ui=False)


def _add_authentication(web_ui: Any, settings: Settings) -> None:
    """Reject requests without the runner's token, because any web page can reach a loopback port.

    Locust accepts every origin: https://github.com/locustio/locust/pull/1793. Remove when Locust
    checks the Host header and supports a token.
    """

    @web_ui.app.before_request
    def check() -> None:
        if request.headers.get("Host") != f"127.0.0.1:{web_ui.server.server_port}":
            abort(421)
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, ""), settings.token):
            abort(401)


def _record(
    environment: Environment,
    recorder: Recorder,
    replicas: Replicas,
    measurements: MeasurementNames,
    deferred: DeferredStats,
    lag_timer: LagTimer,
) -> None:
    assert environment.runner is not None
    recorder.users = environment.runner.user_greenlets.greenlets

    @environment.events.test_start.add_listener
    def on_test_start(**_: Any) -> None:
        # Loaded modules stay in memory. Without the freeze, each collection would scan them and
        # pause the users.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        options = environment.parsed_options
        replicas.begin(getattr(options, REPLICAS_OPTION), environment.host)
        recorder.begin(getattr(options, CELL_OPTION))

    @environment.events.spawning_complete.add_listener
    def on_spawning_complete(**_: Any) -> None:
        recorder.spawned = True
        recorder.user_classes = user_classes.counts(environment)

    # The recorder decides which requests Locust counts, so that its report covers the same
    # requests. Locust has no option to exclude failures:
    # https://github.com/locustio/locust/issues/1363 (wontfix). Remove when a listener can filter
    # requests before Locust counts them.
    handlers = environment.events.request._handlers  # noqa: SLF001  # no public access
    [index] = [i for i, handler in enumerate(handlers) if handler.__module__ == "locust.runners"]
    count = handlers[index]

    def on_request(**fields: Any) -> None:
        clean = clean_event(**fields)
        if clean.latency_ms is not None and clean.error is None:
            if not clean.is_custom:
                clean.undelayed_ms = undelayed_ms(fields.get("response"), clean.latency_ms)
            if clean.undelayed_ms is None:
                lag_timer.needs_detail()
        if measurements.matches(clean.key):
            # Locust does not count it either, so that its report has requests only.
            recorder.record_measurement(clean_measurement(**fields))
            return
        address = None
        if replicas.urls:
            users = getattr(getcurrent(), "args", ())
            place = replicas.address_of(fields.get("url"), users)
            address = None if place is None else clean_text(place)
        event = recorder.record(clean, address)
        if event is None:
            return
        # Locust gets the cleaned values: its statistics and its report fail with others.
        if event.error is None:
            deferred.add(event.key, event.latency_ms, event.bucket, event.response_bytes)
        else:
            method, name = event.key
            count(
                request_type=method,
                name=name,
                # Latencies of failures must not enter the percentiles of successes.
                response_time=None,
                response_length=event.response_bytes,
                exception=event.error,
            )

    handlers[index] = on_request


def _report_phases(
    environment: Environment, mistakes: Mistakes, status: Status, deferred: DeferredStats
) -> None:
    """Report when listeners of the locustfile run at the start and at the end of a cell.

    Also report if the locustfile ends a cell: by stopping the test, or because users cannot be
    created.
    """
    runner = environment.runner
    assert runner is not None
    spawn_users: Call = runner.spawn_users

    def current_cell() -> str:
        return str(getattr(environment.parsed_options, CELL_OPTION))

    def reporting(fire: Call, phase: str) -> Call:
        def fire_reporting(**fields: Any) -> None:
            is_start, cell = phase == TEST_START, current_cell()
            # Listeners may read Locust's statistics.
            deferred.flush()
            if is_start:
                mistakes.clear()
            mistakes.is_setup = is_start
            try:
                with status.during(phase, cell):
                    fire(**fields)
            except (SystemExit, StopTest, StopUser) as error:
                status.fail_cell(cell, mistakes.describe(error))
                raise
            finally:
                mistakes.is_setup = False

        return fire_reporting

    # Locust has no event before its test_start event, and none after it.
    for phase in (TEST_START, TEST_STOP):
        hook = getattr(environment.events, phase)
        hook.fire = reporting(hook.fire, phase)

    @environment.events.test_stopping.add_listener
    def on_test_stopping(**_: Any) -> None:
        # The tool stops tests over the web API, without code of the user in the stack.
        if place := mistakes.code.place_in_stack(sys._getframe()):  # noqa: SLF001  # no other way
            status.fail_cell(current_cell(), f"{place}: the locustfile stopped the test")

    def spawn_or_report(*args: Any, **kwargs: Any) -> Any:
        try:
            return spawn_users(*args, **kwargs)
        except Exception as error:
            reason = f"cannot create users: {mistakes.describe(error)}"
            status.fail_cell(current_cell(), reason)
            raise

    # Locust logs the exception and waits for users that will never start.
    replace_in(runner, "spawn_users", spawn_or_report)


def _add_routes(
    app: Flask,
    environment: Environment,
    recorder: Recorder,
    mistakes: Mistakes,
    deferred: DeferredStats,
) -> None:
    runner = environment.runner
    assert runner is not None

    @app.post(MEASURE_PATH)
    def measure() -> Response:
        seconds = float(request.form["seconds"])
        deferred.flush()
        # Unlike reset_all(), this removes the names of the ramp, so that their number is limited.
        runner.stats.clear_all()
        return jsonify(recorder.measure(seconds, users=runner.user_count))

    @app.post(END_PATH)
    def end() -> Response:
        return jsonify(recorder.end_window())

    @app.get(SAMPLES_PATH)
    def samples() -> Response:
        return jsonify(recorder.samples())

    @app.get(STATE_PATH)
    def state() -> Response:
        return jsonify(
            cell=recorder.cell,
            next_s=recorder.close_seconds(runner.user_count),
            spawned=recorder.spawned,
            remaining_s=recorder.remaining_s(),
            seconds=recorder.seconds(int(request.args["since"])),
        )

    @app.get(RESULT_PATH)
    def result() -> Response:
        deferred.flush()
        return jsonify(
            cell=recorder.cell,
            window=recorder.result(),
            exceptions=mistakes.counted(),
            user_classes=recorder.user_classes,
        )


def _notify_when_ready(
    web_ui: Any,
    environment: Environment,
    settings: Settings,
    replicas: Replicas,
    mistakes: Mistakes,
    status: Status,
) -> None:
    # Locust fires no event when its web API listens. No upstream issue known (searched 2026-11).
    # Remove when there is such an event with the port.
    while not (getattr(web_ui, "server", None) and web_ui.server.started):
        gevent.sleep(_POLL_INTERVAL_S)
    status.leave()
    hosts = user_classes.separate_hosts(environment, settings.scenario, replicas, status)
    status.is_ready, mistakes.is_setup = True, False
    status.send(port=web_ui.server.server_port, hosts=hosts)


def _close_seconds(environment: Environment, recorder: Recorder, deferred: DeferredStats) -> None:
    assert environment.runner is not None
    while True:
        due = recorder.close_seconds(environment.runner.user_count)
        deferred.flush()
        gevent.sleep(due)
