"""What is added to Locust's web API, and the guard in front of all of it."""

import hmac
from typing import Any

import gevent
from flask import Flask, Response, abort, jsonify, request
from locust import events
from locust.env import Environment

from loadbench.in_locust.patches import replace_in
from loadbench.in_locust.recorder import Recorder
from loadbench.in_locust.settings import Settings

TOKEN_HEADER = "X-Loadbench-Token"  # noqa: S105  # the name of a header, not a token
CELL_OPTION = "loadbench_cell"
_STEP_S = 0.01


def install(settings: Settings, recorder: Recorder) -> None:
    """Register the routes, the guard and the recorder with Locust's events."""
    events.init_command_line_parser.add_listener(_add_cell_option)

    @events.init.add_listener
    def on_init(environment: Environment, web_ui: Any, **_: Any) -> None:
        # The option of that name takes no fractions of a second.
        environment.stop_timeout = settings.stop_timeout_s
        _guard(web_ui, settings)
        _add_routes(web_ui.app, environment, recorder)
        _record(environment, recorder)
        gevent.spawn(_tell_when_ready, web_ui, settings)
        gevent.spawn(_close_seconds, environment, recorder)


def _add_cell_option(parser: Any, **_: Any) -> None:
    # /swarm passes on any option that the parser knows: so the cell's key travels with its start.
    parser.add_argument(f"--{CELL_OPTION.replace('_', '-')}", default="", include_in_web_ui=False)


def _guard(web_ui: Any, settings: Settings) -> None:
    """Refuse requests that are not the runner's: any web page could reach a loopback port."""

    @web_ui.app.before_request
    def check() -> None:
        if request.headers.get("Host") != f"127.0.0.1:{web_ui.server.server_port}":
            abort(421)
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, ""), settings.token):
            abort(401)


def _record(environment: Environment, recorder: Recorder) -> None:
    @environment.events.test_start.add_listener
    def on_test_start(**_: Any) -> None:
        recorder.begin(getattr(environment.parsed_options, CELL_OPTION))

    @environment.events.spawning_complete.add_listener
    def on_spawning_complete(**_: Any) -> None:
        recorder.spawned = True

    stats = environment.stats
    log_request, log_error = stats.log_request, stats.log_error
    counted = True

    def on_request(**fields: Any) -> None:
        nonlocal counted
        counted = recorder.record(**fields)

    # The recorder decides first, so that Locust's report covers the very same requests.
    environment.events.request._handlers.insert(0, on_request)  # noqa: SLF001
    replace_in(stats, "log_request", lambda *args: log_request(*args) if counted else None)
    replace_in(stats, "log_error", lambda *args: log_error(*args) if counted else None)


def _add_routes(app: Flask, environment: Environment, recorder: Recorder) -> None:
    runner = environment.runner
    assert runner is not None

    @app.post("/loadbench/measure")
    def measure() -> str:
        seconds = float(request.form["seconds"])
        runner.stats.reset_all()
        runner.exceptions = {}
        recorder.measure(seconds)
        return "ok"

    @app.get("/loadbench/state")
    def state() -> Response:
        return jsonify(
            cell=recorder.cell,
            state=runner.state,
            users=runner.user_count,
            spawned=recorder.spawned,
            remaining_s=recorder.remaining_s(),
            seconds=recorder.seconds(int(request.args["since"])),
        )

    @app.get("/loadbench/result")
    def result() -> Response:
        exceptions = [
            {"error": entry["msg"], "count": entry["count"]} for entry in runner.exceptions.values()
        ]
        return jsonify(cell=recorder.cell, window=recorder.result(), exceptions=exceptions)


def _tell_when_ready(web_ui: Any, settings: Settings) -> None:
    while not (getattr(web_ui, "server", None) and web_ui.server.started):
        gevent.sleep(_STEP_S)
    settings.tell_runner({"port": web_ui.server.server_port})


def _close_seconds(environment: Environment, recorder: Recorder) -> None:
    assert environment.runner is not None
    while True:
        due = recorder.close_seconds(environment.runner.user_count)
        gevent.sleep(min(due, 0.25))
