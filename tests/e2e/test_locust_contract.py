"""Checks that the patched and used names of Locust 2.47 and its clients behave as assumed.

The code runs in a subprocess, because importing locust patches the whole interpreter.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import cast

from loadbench.engine.profile.sections.locust_options import KEPT_OUT, PASSED_ON, plain_option

PROLOGUE = """
import json, sys
import gevent, locust.main
from locust import FastHttpUser, HttpUser, events, stats, web
from locust.env import Environment
"""


def in_locust(code: str, folder: Path) -> object:
    """Run the code in a process that has imported locust; return its JSON output."""
    result = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROLOGUE + code],
        capture_output=True,
        text=True,
        cwd=folder,
        timeout=60,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_locust_caches_its_statistics_for_two_seconds(tmp_path: Path) -> None:
    code = "print(json.dumps(web.DEFAULT_CACHE_TIME))"

    assert in_locust(code, tmp_path) == 2.0


def test_the_cache_time_is_read_when_the_web_ui_is_created(tmp_path: Path) -> None:
    code = """
web.DEFAULT_CACHE_TIME = 0
env = Environment(user_classes=[], events=events)
runner = env.create_local_runner()
ui = env.create_web_ui("127.0.0.1", 0, delayed_start=True)
client = ui.app.test_client()
first = client.get("/stats/requests").json["state"]
runner.state = "running"
print(json.dumps([first, client.get("/stats/requests").json["state"]]))
"""
    assert in_locust(code, tmp_path) == ["ready", "running"]


def test_the_bucket_function_is_looked_up_on_every_request(tmp_path: Path) -> None:
    code = """
stats.bucket_response_time = lambda ms: 42.5
env = Environment(events=events)
env.stats.log_request("GET", "/", 123.4, 0)
print(json.dumps(list(env.stats.total.response_times)))
"""
    assert in_locust(code, tmp_path) == [42.5]


def test_exactly_one_listener_of_the_runner_counts_requests_and_errors(tmp_path: Path) -> None:
    code = """
env = Environment(events=events)
env.create_local_runner()
handlers = env.events.request._handlers
counting = [handler for handler in handlers if handler.__module__ == "locust.runners"]
fields = dict(request_type="GET", name="/", response_time=1.0, response_length=0, context={},
              exception=ValueError("x"), start_time=0.0, url="", response=None)
env.events.request.fire(**fields)
handlers.remove(counting[0])
env.events.request.fire(**fields)
print(json.dumps([len(counting), env.stats.total.num_requests, env.stats.total.num_failures]))
"""
    assert in_locust(code, tmp_path) == [1, 1, 1]


def test_configuration_files_are_read_by_default_and_ignored_after_the_patch(
    tmp_path: Path,
) -> None:
    (tmp_path / "locust.conf").write_text("users = 7\n")
    code = """
from locust.argument_parser import get_parser
default = get_parser().parse_args([]).num_users
from loadbench.in_locust import patches
patches._ignore_configuration_files()
print(json.dumps([default, get_parser().parse_args([]).num_users]))
"""
    assert in_locust(code, tmp_path) == [7, None]


def test_patching_a_missing_name_is_an_error(tmp_path: Path) -> None:
    code = """
from loadbench.in_locust.clients.connections import replace_in
try:
    replace_in(stats, "bucket_response_times", None)
except AttributeError:
    print(json.dumps("refused"))
"""
    assert in_locust(code, tmp_path) == "refused"


def test_connections_with_large_descriptors_are_reused(tmp_path: Path) -> None:
    code = """
import os, resource, socket
from geventhttpclient.connectionpool import ConnectionPool
resource.setrlimit(resource.RLIMIT_NOFILE, (1200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1030)]
one, other = gevent.socket.socketpair()
assert one.fileno() >= 1024
pool = ConnectionPool("127.0.0.1", 1, "127.0.0.1", 1)
default = pool._is_socket_alive(one)
from loadbench.in_locust.clients import connections
connections._reuse_connections_beyond_1024()
idle = pool._is_socket_alive(one)
other.close()
print(json.dumps([default, idle, pool._is_socket_alive(one), pool._is_socket_alive(None)]))
"""
    assert in_locust(code, tmp_path) == [False, True, False, False]


def test_the_report_uses_nearest_ranks_and_counts_failures_without_a_latency(
    tmp_path: Path,
) -> None:
    code = """
from loadbench.in_locust import patches
env = Environment(events=events)
for ms in (10.0, 20.0):
    env.stats.log_request("GET", "/", ms, 0)
total = env.stats.total
default = total.get_response_time_percentile(0.5)
patches._use_nearest_rank()
env.stats.log_request("GET", "/", None, 0)
env.stats.log_error("GET", "/", ValueError("x"))
median = total.to_dict()["median_response_time"]
print(json.dumps([default, total.get_response_time_percentile(0.5), median,
                  total.num_requests, total.num_failures, total.avg_response_time]))
"""
    assert in_locust(code, tmp_path) == [20.0, 10.0, 10.0, 3, 1, 15.0]


def test_the_template_of_the_report_is_compiled_once(tmp_path: Path) -> None:
    code = """
from locust import html
from loadbench.in_locust import patches
runner = Environment(user_classes=[], events=events).create_local_runner()
runner.stats.log_request("GET", "/", 1.0, 0)
def compiled():
    import jinja2
    counts, compile = [], jinja2.Environment.compile
    def counting(self, *args, **kwargs):
        counts.append(1)
        return compile(self, *args, **kwargs)
    jinja2.Environment.compile = counting
    pages = [html.get_html_report(runner.environment) for _ in range(3)]
    jinja2.Environment.compile = compile
    return len(counts), pages[0] == pages[2]
before = compiled()
patches._keep_report_template()
print(json.dumps([before, compiled()]))
"""
    assert in_locust(code, tmp_path) == [[3, True], [1, True]]


def test_only_pauses_of_users_are_recorded(tmp_path: Path) -> None:
    code = """
from loadbench.in_locust import patches
from loadbench.in_locust.recorder import Recorder
recorder = Recorder()
pauses = []
recorder.record_pause = lambda started, seconds: pauses.append(seconds)
patches._count_pauses(recorder)
import time
from gevent import sleep
from locust import User, constant, task
class Person(User):
    wait_time = constant(0.001)
    @task
    def pause(self):
        time.sleep(0.002)
        sleep(0.003)
        self.environment.runner.quit() if len(pauses) > 4 else None
env = Environment(user_classes=[Person], events=events)
runner = env.create_local_runner()
recorder.users = runner.user_greenlets.greenlets
runner.start(1, spawn_rate=1)
gevent.sleep(0.0001)
runner.greenlet.join()
print(json.dumps(pauses[:5]))
"""
    assert in_locust(code, tmp_path) == [0.002, 0.003, 0.001, 0.002, 0.003]


def test_names_that_are_replaced_for_locustfiles_are_used(tmp_path: Path) -> None:
    code = """
import inspect
from locust import event
source = inspect.getsource(locust.main.main)
used = [f"{name}(" in source for name in (
    "get_locustfiles_locally", "merge_locustfiles_content", "get_parser")]
class Logging:
    def error(self, *args): used.append(type(sys.exc_info()[1]).__name__)
event.logging = Logging()
def fail(**_): raise KeyError("x")
hook = events.test_start
hook.add_listener(fail)
hook.fire(environment=None)
fire = hook.fire
hook.fire = lambda **fields: used.append("replaced")
env = Environment(events=events, user_classes=[])
env.create_local_runner().start(0, 1)
gevent.sleep(0.1)
print(json.dumps(used))
"""
    assert in_locust(code, tmp_path) == [True, True, True, "KeyError", "replaced"]


def test_every_option_of_locust_is_either_passed_on_or_kept_out_by_name(tmp_path: Path) -> None:
    code = """
from locust.argument_parser import get_parser
actions = get_parser(default_config_files=[])._actions
options = [name for action in actions for name in action.option_strings or [action.dest]]
print(json.dumps([options, [action.env_var for action in actions if action.env_var]]))
"""
    options, variables = cast("list[list[str]]", in_locust(code, tmp_path))
    kept_out = {name for one in KEPT_OUT for name in one.names}
    without_effect = {
        variable for one in KEPT_OUT for variable in (*one.variables, *one.without_effect)
    }

    # Each new option of a new version of Locust must be added to one of the two.
    assert {plain_option(name) for name in options} == kept_out | set(PASSED_ON)
    assert set(variables) - without_effect == {
        *("LOCUST_TAGS", "LOCUST_EXCLUDE_TAGS", "LOCUST_CONFIG_USERS", "LOCUST_PRINT_STATS"),
        *("LOCUST_ONLY_SUMMARY", "LOCUST_RESET_STATS", "LOCUST_SKIP_LOG_SETUP"),
        *("LOCUST_LOGLEVEL", "LOCUST_EXIT_CODE_ON_ERROR", "LOCUST_ENABLE_OPENTELEMETRY"),
    }
    assert kept_out.isdisjoint(PASSED_ON)
    assert without_effect <= set(variables)


def test_deferred_successes_count_in_locust_as_if_they_were_logged_one_by_one(
    tmp_path: Path,
) -> None:
    code = """
from loadbench.in_locust.deferred import DeferredStats
from loadbench.engine.measure.buckets import bucket_ms
stats.bucket_response_time = bucket_ms
one_by_one, at_once = stats.RequestStats(), stats.RequestStats()
deferred = DeferredStats(at_once)
latencies = [12.34, 5.0, None, 250.1, 12.34]
for name in ("a", "b"):
    for ms in latencies:
        one_by_one.log_request("GET", name, ms, 7)
        deferred.add(("GET", name), ms, None if ms is None else bucket_ms(ms), 7)
    deferred.flush()
deferred.flush()
def fields(entry):
    return [entry.num_requests, entry.num_none_requests, round(entry.total_response_time, 6),
            entry.min_response_time, entry.max_response_time, entry.total_content_length,
            sorted(entry.response_times.items()), sum(entry.num_reqs_per_sec.values()),
            entry.get_response_time_percentile(0.5)]
print(json.dumps([[fields(s.total), fields(s.get("a", "GET")), sorted(map(str, s.entries))]
                  for s in (one_by_one, at_once)]))
"""
    one_by_one, at_once = cast(list[object], in_locust(code, tmp_path))

    assert at_once == one_by_one


def test_cookies_are_stored_and_sent_as_before(tmp_path: Path) -> None:
    code = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from loadbench.in_locust.clients import connections
connections.apply()
received = []
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        received.append(self.headers.get("Cookie"))
        self.send_response(200)
        if self.path == "/login":
            self.send_header("Set-Cookie", "session=1; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
gevent.spawn(server.serve_forever)
env = Environment(events=events)
host = f"http://127.0.0.1:{server.server_port}"
for kind in (FastHttpUser, HttpUser):
    kind.host = host
    user = kind(env)
    for path in ("/", "/login", "/"):
        user.client.get(path)
print(json.dumps(received))
"""
    assert in_locust(code, tmp_path) == [None, None, "session=1"] * 2
