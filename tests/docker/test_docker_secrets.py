"""Secrets with the `compose` driver: exact in containers, and in no file or command line."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from loadbench.engine.profile.values.references import resolve_text
from tests.support.docker_harness import LONG, OURS, DockerBench, docker
from tests.support.secret_search import leaks, leaks_in

LITERAL = "l1teral $HOME $$ ${x} 'ü\" 4Vm"
REFERENCED = "r3ferenced $HOME ${x:-y} $$ 8Tc"
SECRETS = (LITERAL, REFERENCED)
ENVIRONMENT = {"API_KEY": LITERAL.replace("${", "$${"), "GREETING": "${MY_TOKEN}"}


@contextmanager
def command_lines() -> Iterator[set[bytes]]:
    """Collect the command lines of all processes of this machine during the block."""
    seen: set[bytes] = set()
    stop = threading.Event()

    def watch() -> None:
        while not stop.is_set():
            for folder in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    seen.add((folder / "cmdline").read_bytes())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def variables_of(container: str) -> dict[str, str]:
    config = json.loads(docker("inspect", "--format", "{{json .Config.Env}}", container))
    return dict(line.split("=", 1) for line in config)


def test_a_foreign_project_gets_its_secrets(foreign: DockerBench) -> None:
    app = foreign.root / "foreign" / "app.py"
    printing = "import os; print('started with', os.environ['GREETING'], flush=True); import"
    app.write_text(app.read_text().replace("import", printing, 1))
    foreign.save_foreign_profile(models=[1], stack={"environment": ENVIRONMENT})

    with command_lines() as lines:
        done = foreign.call("run", "theirs", within_s=120, MY_TOKEN=REFERENCED)

    assert done.returncode == 0, done.stderr
    assert leaks(b"\n".join(lines), SECRETS) == []
    assert any(b"compose" in line and b"up" in line for line in lines)
    assert leaks_in(foreign.reports, SECRETS) == {}
    assert "started with ***" in (foreign.folder("theirs") / "stack.log").read_text()


def test_the_bundled_containers_get_their_secrets(bundled: DockerBench) -> None:
    profile = yaml.safe_load(OURS)
    profile["stack"]["environment"] = ENVIRONMENT
    bundled.save_profile(yaml.safe_dump(profile, allow_unicode=True))

    with command_lines() as lines:
        bundled.start("run", "fast", *LONG, MY_TOKEN=REFERENCED)
        bundled.when("m1_u2_s10")

    assert leaks(b"\n".join(lines), SECRETS) == []
    for name in ("api-1", "model-1"):
        variables = variables_of(bundled.container(name))
        assert variables["API_KEY"] == LITERAL
        assert variables["GREETING"] == REFERENCED
    assert leaks_in(bundled.reports, SECRETS) == {}
    assert (bundled.folder() / "compose.loadbench.yaml").is_file()


@pytest.mark.parametrize(
    "text",
    [
        "${SET}",
        "a ${SET} b ${EMPTY} c",
        "${EMPTY:-default}",
        "${UNSET:-de fault:-x}",
        "${SET:-default}",
        "${UNSET:-}",
        "$${SET} $$$${SET}",
        "$$${SET}",
        "{SET} %{SET} }{",
    ],
)
def test_references_are_resolved_as_by_compose(tmp_path: Path, text: str) -> None:
    environ = {"SET": "va$lue ${x}", "EMPTY": ""}
    file = tmp_path / "compose.yaml"
    file.write_text(yaml.safe_dump({"services": {"a": {"image": "x", "labels": {"text": text}}}}))

    output = subprocess.run(
        ["docker", "compose", "--file", file, "config", "--format", "json"],
        env={**os.environ, **environ},
        capture_output=True,
        check=True,
    ).stdout

    # The output can be used as a Compose file, so Compose escapes the dollar signs again.
    expected = json.loads(output)["services"]["a"]["labels"]["text"].replace("$$", "$")
    assert resolve_text(text, environ) == expected
