"""The chat example with a real Locust process and a small streaming server."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from loadbench.engine.load.locust import LocustLoad
from loadbench.engine.load.protocol import Measured
from loadbench.engine.load.scenario import Scenario
from loadbench.engine.load.source.files import Locustfiles
from loadbench.engine.measure.buckets import count, num_failures, num_requests, percentile
from loadbench.engine.profile.levels import Closed
from loadbench.engine.profile.plan import Cell
from tests.support.chat_results import FIRST_TOKEN, first_tokens, measurement, window_of
from tests.support.harness import REPOSITORY, Bench, until
from tests.support.streaming_server import read_log, serving

EXAMPLE = REPOSITORY / "docs" / "examples" / "chat"
PATH = "/v1/chat/completions"
NAMES = {FIRST_TOKEN, "inter-token latency", "output tokens", "output tokens per second"}
TOKENS = 8


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench.make(tmp_path)
    yield made
    made.close()


def test_time_to_first_token_is_that_of_the_server(bench: Bench) -> None:
    assert bench.call("new", "--example", "chat").returncode == 0
    changes = ["users=8", "spawn_rates=50", "run_time=6s", "settle.max=0s"]
    changes += ["load.options={max-tokens: 8}", "stack.health=/health"]
    with serving(first_ms=200, jitter=0.3, token_ms=5, slots=8) as host:
        overrides = [part for one in (*changes, f"host={host}") for part in ("--set", one)]
        result = bench.call("run", "chat", "--plain", *overrides)
        with urllib.request.urlopen(f"{host}/log", timeout=5) as response:
            entries = read_log(response.read().decode())

    [(key, cell)] = bench.state("chat").cells.items()
    finished = cell.finished
    assert finished is not None, result.stdout + result.stderr
    assert [(one.method, one.name) for one in finished.requests] == [("POST", PATH)]
    assert num_failures(finished.requests) == 0
    assert {one.name for one in finished.measurements} == NAMES
    assert "mixed_events" not in {finding.rule for finding in finished.findings}
    window = window_of(bench.folder("chat"), key)
    assert first_tokens(finished, entries, window).problems() == []
    chats, tokens = num_requests(finished.requests), measurement(finished, "output tokens")
    assert abs(count(tokens.values) - chats) <= 16  # those of both edges
    assert (tokens.unit, percentile(tokens.values, 0.5)) == ("tokens", TOKENS)
    assert (percentile(finished.requests[0].successes, 0.5) or 0) > 200 + 7 * 5


def measured(tmp_path: Path, model: str, tokens: int = TOKENS) -> Measured:
    """Measure a second of chats with a kind of answers."""
    scenario = Scenario(
        files=Locustfiles((EXAMPLE / "locustfile.py",), tmp_path),
        options={"model": model, "max-tokens": str(tokens), "wait": "0.01 0.02"},
    )
    load = LocustLoad(scenario, images=tmp_path, timeout_s=5, log=tmp_path / "log")
    try:
        load.start()
        with serving(first_ms=20, token_ms=5) as host:
            load.swarm(Cell(models=1, level=Closed(users=2, spawn_rate=100)), host, "t")
            until(lambda: (now := load.state(0)) is not None and now.spawned)
            load.measure(1)
            until(lambda: (now := load.state(0)) is not None and now.remaining_s == 0)
            load.stop()
        return load.measured()
    finally:
        load.close()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("error", "HTTP 500: out of memory"),
        ("late-error", "error in the stream: the worker has died"),
        ("truncated", "the stream ended without finish_reason and without [DONE]"),
        ("broken", "connection lost during the answer: ProtocolError"),
        ("malformed", 'malformed chunk in the stream: {"choices": [{"delta": {"content": "cut'),
        ("empty", "the answer is empty"),
    ],
)
def test_an_incomplete_answer_is_a_failure(tmp_path: Path, model: str, message: str) -> None:
    result = measured(tmp_path, model)

    assert num_failures(result.requests) == num_requests(result.requests) > 0
    assert {one.error for one in result.errors} == {message}
    assert result.exceptions == ()
    found = {one.name for one in result.measurements}
    assert found.isdisjoint({"output tokens", "output tokens per second"})
    assert (FIRST_TOKEN in found) == (model not in {"error", "empty"})


@pytest.mark.parametrize("model", ["default", "close", "no-usage", "reasoning"])
def test_tokens_are_timed_in_every_kind_of_stream(tmp_path: Path, model: str) -> None:
    result = measured(tmp_path, model)

    assert num_failures(result.requests) == 0
    values = {one.name: one.values for one in result.measurements}
    assert {one.name: one.unit for one in result.measurements} == {
        FIRST_TOKEN: "ms",
        "inter-token latency": "ms",
        "output tokens": "tokens",
        "output tokens per second": "tokens/s",
    }
    assert 20 <= (percentile(values[FIRST_TOKEN], 0.5) or 0) < 80
    assert 4 < (percentile(values["inter-token latency"], 0.5) or 0) < 15
    assert 60 < (percentile(values["output tokens per second"], 0.5) or 0) < 220
    assert percentile(values["output tokens"], 0.01) == TOKENS


def test_an_answer_of_one_token_has_no_speed(tmp_path: Path) -> None:
    result = measured(tmp_path, "default", tokens=1)

    assert num_failures(result.requests) == 0
    assert {one.name for one in result.measurements} == {FIRST_TOKEN, "output tokens"}


def test_plain_locust_runs_the_example() -> None:
    with serving(first_ms=20, token_ms=5) as host:
        argv = [sys.executable, "-m", "locust", "--headless", "--json", "--host", host]
        argv += ["--users", "2", "--run-time", "3s", "-f", str(EXAMPLE / "locustfile.py")]
        done = subprocess.run([*argv, "--max-tokens", "8"], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {(row["method"], row["name"]) for row in rows} == {
        ("POST", PATH),
        *(("METRIC", name) for name in NAMES),
    }
    assert sum(row["num_failures"] for row in rows) == 0


PARSE = """
import json, runpy, sys
parts = runpy.run_path(sys.argv[1])
for line in json.load(sys.stdin):
    try:
        found = parts["parse"](line.encode())
        print(json.dumps(found and [found.has_text, found.is_end, found.tokens]))
    except parts["ChatError"] as error:
        print(json.dumps(str(error)))
"""
LINES = {
    "": None,
    ": keep-alive": None,
    "event: message": None,
    "id:7\r": None,
    "data: [DONE]\r": [False, True, None],
    "data:[DONE]": [False, True, None],
    'data: {"choices": [{"delta": {"role": "assistant"}}]}': [False, False, None],
    'data: {"choices": [{"delta": {"content": ""}}]}': [False, False, None],
    'data: {"choices": [{"delta": {"content": "a"}}]}': [True, False, None],
    'data: {"choices": [{"delta": {"reasoning": "a"}}]}': [True, False, None],
    'data: {"choices": [{"delta": {"tool_calls": [{}]}}]}': [True, False, None],
    'data: {"choices": [{"delta": null, "finish_reason": "stop"}]}': [False, True, None],
    'data: {"choices": [], "usage": {"completion_tokens": 5}}': [False, False, 5],
    'data: {"choices": null, "usage": null}': [False, False, None],
    'data: {"error": "no memory"}': "error in the stream: no memory",
    'data: {"error": {"code": 1}}': 'error in the stream: {"error": {"code": 1}}',
    "data: [1]": "malformed chunk in the stream: [1]",
    'data: {"choices": [1]}': 'malformed chunk in the stream: {"choices": [1]}',
    "data:": "malformed chunk in the stream: ",
    '{"id": "x"}': 'expected `data:` in the stream, got {"id": "x"}',
}
"""Lines of a stream, and what they mean: text, end and tokens, or the failure."""


def test_each_line_of_a_stream_is_a_chunk_or_ignored_or_a_failure() -> None:
    argv = [sys.executable, "-c", PARSE, str(EXAMPLE / "locustfile.py")]
    done = subprocess.run(
        argv, input=json.dumps(list(LINES)), capture_output=True, text=True, check=True
    )
    assert [json.loads(line) for line in done.stdout.splitlines()] == list(LINES.values())
