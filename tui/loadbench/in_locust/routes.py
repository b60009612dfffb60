"""What is added to Locust's web API, and the guard in front of all of it."""

import gc
import hmac
from typing import Any

import gevent
from flask import Flask, Response, abort, jsonify, request
from locust import events
from locust.env import Environment

from loadbench.engine.load.wire import (
    CELL_OPTION,
    MEASURE_PATH,
    RESULT_PATH,
    STATE_PATH,
    TOKEN_HEADER,
)
from loadbench.in_locust import event_loop_lag
from loadbench.in_locust.clean import clean_event, clean_exception
from loadbench.in_locust.recorder import Recorder
from loadbench.in_locust.settings import Settings

_STEP_S = 0.01


def install(settings: Settings, recorder: Recorder) -> None:
    """Register the routes, the guard and the recorder with Locust's events."""
    events.init_command_line_parser.add_listener(_add_cell_option)

    @events.init.add_listener
    def on_init(environment: Environment, web_ui: Any, **_: Any) -> None:
        # --stop-timeout takes no fractions of a second. No upstream issue known (searched 2026-11).
        # Can go when it does.
        environment.stop_timeout = settings.stop_timeout_s
        _guard(web_ui, settings)
        _add_routes(web_ui.app, environment, recorder)
        _record(environment, recorder)
        gevent.spawn(_tell_when_ready, web_ui, settings)
        gevent.spawn(_close_seconds, environment, recorder)
        gevent.spawn(event_loop_lag.follow, recorder)


def _add_cell_option(parser: Any, **_: Any) -> None:
    # /swarm passes on any option that the parser knows: so the cell's key travels with its start.
    parser.add_argument(f"--{CELL_OPTION.replace('_', '-')}", default="", include_in_web_ui=False)


def _guard(web_ui: Any, settings: Settings) -> None:
    """Refuse requests that are not the runner's: any web page could reach a loopback port.

    Locust answers every origin: https://github.com/locustio/locust/pull/1793. Can go when Locust
    checks Host and takes a token.
    """

    @web_ui.app.before_request
    def check() -> None:
        if request.headers.get("Host") != f"127.0.0.1:{web_ui.server.server_port}":
            abort(421)
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, ""), settings.token):
            abort(401)


def _record(environment: Environment, recorder: Recorder) -> None:
    assert environment.runner is not None
    recorder.users = environment.runner.user_greenlets.greenlets

    @environment.events.test_start.add_listener
    def on_test_start(**_: Any) -> None:
        # What was loaded stays: looking through it for garbage again and again would stop users.
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        recorder.begin(getattr(environment.parsed_options, CELL_OPTION))

    @environment.events.spawning_complete.add_listener
    def on_spawning_complete(**_: Any) -> None:
        recorder.spawned = True

    # The recorder decides, so that Locust's report covers the very same requests. Locust has no
    # option that leaves failures out: https://github.com/locustio/locust/issues/1363 (wontfix).
    # Can go when a listener can filter requests before Locust counts them.
    handlers = environment.events.request._handlers  # noqa: SLF001  # there is no other way in
    [counting] = [i for i, it in enumerate(handlers) if it.__module__ == "locust.runners"]
    count = handlers[counting]

    def on_request(**fields: Any) -> None:
        if recorder.record(clean_event(**fields)):
            # A failure is counted, but its latency is not one of the successes'.
            failed = fields.get("exception") is not None
            count(**{**fields, "response_time": None} if failed else fields)

    handlers[counting] = on_request


def _add_routes(app: Flask, environment: Environment, recorder: Recorder) -> None:
    runner = environment.runner
    assert runner is not None

    @app.post(MEASURE_PATH)
    def measure() -> Response:
        seconds = float(request.form["seconds"])
        runner.stats.reset_all()
        return jsonify(recorder.measure(seconds, users=runner.user_count))

    @app.get(STATE_PATH)
    def state() -> Response:
        return jsonify(
            cell=recorder.cell,
            spawned=recorder.spawned,
            remaining_s=recorder.remaining_s(),
            seconds=recorder.seconds(int(request.args["since"])),
        )

    @app.get(RESULT_PATH)
    def result() -> Response:
        exceptions = [clean_exception(entry) for entry in runner.exceptions.values()]
        return jsonify(cell=recorder.cell, window=recorder.result(), exceptions=exceptions)


def _tell_when_ready(web_ui: Any, settings: Settings) -> None:
    # No event says that the web API listens, or on which port. No upstream issue known (searched
    # 2026-11). Can go when Locust fires one.
    while not (getattr(web_ui, "server", None) and web_ui.server.started):
        gevent.sleep(_STEP_S)
    settings.tell_runner({"port": web_ui.server.server_port})


def _close_seconds(environment: Environment, recorder: Recorder) -> None:
    assert environment.runner is not None
    while True:
        due = recorder.close_seconds(environment.runner.user_count)
        gevent.sleep(min(due, 0.25))
