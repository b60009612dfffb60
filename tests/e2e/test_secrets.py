"""Secrets of a run: searched for in all of its files, its output and its command lines."""

import json
import os
import re
import shutil
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest
import yaml

from loadbench.engine.journal.lock import is_held
from loadbench.engine.run_reader import RunStatus
from tests.support import secret_search
from tests.support.harness import REPOSITORY, TIMEOUT_S, Bench, until

PASSWORD = "pa\"ss<wörd>&'\\ 1/+%"
KEY = "k3y-literal-9Xq\"<&>'\\ü/"
TOKEN = "t0ken-from-environment-7Rw"
GIVEN = "g1ven-on-the-command-line-5Kd"
OPTION = "0ption-of-the-locustfile-3Vz"
SECRETS = (PASSWORD, KEY, TOKEN, GIVEN, OPTION)
BEGINNINGS = b"x{99}(?:" + b"|".join(re.escape(text[:4].encode()) for text in SECRETS) + b")"

LOCUSTFILE = """
import json, logging, os, sys
from urllib.parse import quote
from locust import FastHttpUser, events, task

SECRETS = json.loads(os.environ["LEAKED"])
print("imported with", SECRETS, json.dumps(SECRETS), *SECRETS)
print(*SECRETS, file=sys.stderr)


@events.init_command_line_parser.add_listener
def options(parser):
    parser.add_argument("--api-key", default="")
    parser.add_argument("--login", default="")


class Leaky(FastHttpUser):
    count = 0

    def on_start(self):
        logging.info("starting with %s and %r at %s", SECRETS, SECRETS, self.host)

    @task
    def leak(self):
        secret = SECRETS[self.count % len(SECRETS)]
        self.count += 1
        name = f"/health?key={quote(secret)}"
        with self.client.get("/health", name=name, catch_response=True) as response:
            if self.count % 3 == 0:
                response.failure(f"wrong {secret!r}, {json.dumps(secret)} or {secret}")
            elif self.count % 3 == 1:
                response.failure("x" * 292 + secret)
        if self.count % 5 == 0:
            raise ValueError(secret)
"""


def leaks(data: bytes, secrets: Sequence[str] = SECRETS) -> list[str]:
    return secret_search.leaks(data, secrets)


def leaks_in(folder: Path) -> dict[str, list[str]]:
    return secret_search.leaks_in(folder, SECRETS)


def command_lines(root: psutil.Process) -> bytes:
    """Return the command lines of a process and its descendants."""
    lines = b""
    for process in (root, *root.children(recursive=True)):
        with suppress(OSError):
            lines += Path(f"/proc/{process.pid}/cmdline").read_bytes()
    return lines


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A workspace whose models print their environment."""
    bench = Bench.make(tmp_path, "", "leaky")
    (bench.root / "stack").unlink()
    shutil.copytree(REPOSITORY / "stack", bench.root / "stack")
    worker = bench.root / "stack" / "model" / "worker.py"
    printing = "\nimport os\nfor _name, _value in os.environ.items():\n    print(_name, _value)\n"
    worker.write_text(f"{worker.read_text()}".replace("\nimport", f"{printing}import", 1))
    (bench.root / "leaky.py").write_text(LOCUSTFILE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    profile = {
        "models": [1],
        "users": [2, 3],
        "spawn_rates": [10],
        "run_time": "2s",
        "settle": {"max": "0s"},
        "host": f"http://tester:{quote(PASSWORD, safe='')}@127.0.0.1:{port}",
        "stack": {
            "driver": "local",
            "environment": {
                "API_KEY": KEY,
                "SERVICE": "${SERVICE_TOKEN}",
                "SORT_KEY": "17",
            },
        },
        "load": {
            "locustfile": "leaky.py",
            "timeout": "5s",
            "options": {"api-key": OPTION, "login": "${SERVICE_TOKEN}"},
            "environment": {"LOAD_TOKEN": "${SERVICE_TOKEN}"},
        },
    }
    bench.save_profile(yaml.safe_dump(profile, allow_unicode=True), "leaky")
    yield bench
    bench.close()


def environment(**more: str) -> dict[str, str]:
    return {"LEAKED": json.dumps(SECRETS), "SERVICE_TOKEN": TOKEN, **more}


def interrupt(bench: Bench) -> bytes:
    """Start the run, kill its runner in the second cell, and return all command lines."""
    given = f"stack.environment.OTHER_SECRET={GIVEN}"
    long = ["--set", "run_time=4s"]  # so that the second cell is not over when it is noticed
    viewer = bench.start("run", "leaky", "--plain", *long, "--set", given, **environment())
    bench.when("m1_u3_s10", name="leaky")
    runner = bench.runner("leaky")
    lines = command_lines(psutil.Process(viewer.pid)) + command_lines(runner)
    runner.kill()
    out, err = viewer.communicate(timeout=30)
    assert leaks((out + err).encode()) == []
    assert "Masked in all reports and logs: host, stack.environment.API_KEY" in err
    until(lambda: not is_held(bench.folder("leaky")))
    return lines


def test_secrets_are_in_no_file_and_no_command_line_of_a_run_and_its_resume(bench: Bench) -> None:
    lines = interrupt(bench)

    assert b"OTHER_SECRET=***" in lines
    assert leaks(lines) == []
    refused = bench.call("run", "--resume", "leaky", within_s=TIMEOUT_S, **environment())
    resumed = bench.call(
        "run", "--resume", "leaky", within_s=TIMEOUT_S, **environment(OTHER_SECRET=GIVEN)
    )

    assert refused.returncode != 0
    assert "stack.environment.OTHER_SECRET: set the environment variable OTHER" in refused.stderr
    assert resumed.returncode == 0, resumed.stderr
    assert leaks((refused.stderr + resumed.stdout + resumed.stderr).encode()) == []
    folder = bench.folder("leaky")
    assert leaks_in(bench.reports) == {}
    assert leaks_in(bench.home) == {}
    # Errors are cut to 300 characters, within a secret.
    assert b"x***" in (folder / "journal.jsonl").read_bytes()
    assert not [file for file in folder.iterdir() if re.search(BEGINNINGS, file.read_bytes())]
    # The secrets were there, and each file says so.
    for name in ("journal.jsonl", "locust.log", "stack.log", "1_2_10.html", "1_3_10.html"):
        assert b"***" in (folder / name).read_bytes(), name
    assert b"SORT_KEY 17" in (folder / "stack.log").read_bytes()
    recorded = yaml.safe_load((folder / "profile.yaml").read_text())
    assert recorded["host"].startswith("http://***@127.0.0.1:")
    assert recorded["stack"]["environment"] == {
        "API_KEY": "***",
        "SERVICE": "${SERVICE_TOKEN}",
        "OTHER_SECRET": "***",
        "SORT_KEY": "17",
    }
    assert recorded["load"]["options"] == {"api-key": "***", "login": "${SERVICE_TOKEN}"}
    assert recorded["load"]["environment"] == {"LOAD_TOKEN": "${SERVICE_TOKEN}"}


def test_a_run_without_its_profile_is_resumed_with_secrets_from_the_environment(
    bench: Bench,
) -> None:
    interrupt(bench)
    file = bench.root / "profiles" / "leaky.yaml"
    host = yaml.safe_load(file.read_text())["host"]
    file.unlink()
    given = environment(
        API_KEY=KEY,
        OTHER_SECRET=GIVEN,
        LOADBENCH_HOST=host,
        LOADBENCH_LOAD_OPTIONS_API_KEY=OPTION,
    )

    refused = bench.call("run", "--resume", "leaky", LEAKED="[]")
    resumed = bench.call("run", "--resume", "leaky", within_s=TIMEOUT_S, **given)

    assert refused.returncode != 0
    for name in (
        "LOADBENCH_HOST",
        "LOADBENCH_LOAD_OPTIONS_API_KEY",
        "API_KEY",
        "OTHER_SECRET",
        "SERVICE_TOKEN",
    ):
        assert f"environment variable {name}" in refused.stderr
    assert resumed.returncode == 0, resumed.stderr
    assert bench.run("leaky").status is RunStatus.DONE
    assert leaks_in(bench.reports) == {}


def test_the_search_finds_secrets_that_are_not_masked(bench: Bench) -> None:
    names = "not_secrets=[host,API_KEY,SERVICE,SERVICE_TOKEN]"

    done = bench.call(
        "run", "leaky", "--set", "users=2", "--set", names, within_s=TIMEOUT_S, **environment()
    )

    assert done.returncode == 0, done.stderr
    found = leaks_in(bench.folder("leaky"))
    for name in ("journal.jsonl", "locust.log", "stack.log", "1_2_10.html", "profile.yaml"):
        assert set(SECRETS[:3]) & set(found[str(bench.folder("leaky") / name)]), name
    assert "summary.json" in str(found)


def test_a_secret_in_an_error_of_the_locustfile_is_masked(bench: Bench) -> None:
    (bench.root / "leaky.py").write_text(
        "import os, json\nraise RuntimeError(json.loads(os.environ['LEAKED']))\n"
    )

    failed = bench.call("run", "leaky", within_s=TIMEOUT_S, **environment())

    assert failed.returncode == 3
    assert "RuntimeError: [" in failed.stderr
    assert leaks((failed.stdout + failed.stderr).encode(), SECRETS[:3]) == []
    found = {secret for secrets in leaks_in(bench.reports).values() for secret in secrets}
    assert found <= {GIVEN}
    assert "Traceback" in (bench.folder("leaky") / "locust.log").read_text()


def test_a_missing_variable_is_refused_by_name_before_anything_starts(bench: Bench) -> None:
    variables = {name: value for name, value in environment().items() if name != "SERVICE_TOKEN"}
    assert "SERVICE_TOKEN" not in os.environ

    for command in ("run", "plan", "validate"):
        refused = bench.call(command, "leaky", within_s=TIMEOUT_S, **variables)

        assert refused.returncode == 2
        assert "stack.environment.SERVICE: the environment variable SERVICE_TOKEN is not set" in (
            refused.stderr
        )
        assert leaks((refused.stdout + refused.stderr).encode()) == []
    assert "leaky.yaml:" in refused.stderr
    assert not bench.reports.exists()


def test_a_plan_lists_what_is_masked(bench: Bench) -> None:
    planned = bench.call("plan", "leaky", within_s=TIMEOUT_S, **environment())

    assert planned.returncode == 0, planned.stderr
    assert "Masked in all reports and logs: host, stack.environment.API_KEY, stack." in (
        planned.stdout
    )
    assert leaks((planned.stdout + planned.stderr).encode()) == []
