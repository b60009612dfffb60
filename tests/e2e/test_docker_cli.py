"""Docker's command line from outside, with a program in its place that answers as it might."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from loadbench.engine.drivers.compose import client as compose_cli
from loadbench.engine.drivers.compose import stack as compose
from loadbench.engine.drivers.compose.client import ComposeCli, tear_down
from loadbench.engine.drivers.compose.files import ComposeFiles
from loadbench.engine.drivers.compose.stack import ComposeStack
from loadbench.engine.drivers.docker.client import (
    Docker,
    DockerCommandError,
    Endpoint,
    EngineTimeoutError,
    compose_version,
    current_endpoint,
    engine_info,
)
from loadbench.engine.drivers.docker.monitor import Monitor
from loadbench.engine.drivers.registry import preflight
from loadbench.errors import EngineError, ProfileError, RefusedError, StackError
from loadbench.workspace import Workspace
from tests.support.builders import make_profile
from tests.support.fake_docker import CONTEXT, ON_GPU, PUBLISHED, answers, write_docker
from tests.support.harness import until

HERE = Endpoint("default", "unix:///var/run/docker.sock")

Program = Callable[[str], None]


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Put a shell script in the place of docker."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def write(script: str) -> None:
        write_docker(folder, script)

    return write


def named(words: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if words in " ".join(process.info["cmdline"] or ())
    ]


def test_an_answer_is_standard_output_alone(program: Program) -> None:
    program('echo "$@"; echo careful >&2')
    assert Docker(HERE).run("ps", "--all") == f"--host {HERE.url} ps --all\n"
    assert "careful" in Docker(HERE).run("logs", merge_stderr=True)


def test_a_context_is_named_by_its_name(program: Program) -> None:
    program('echo "$@"')
    assert Docker(Endpoint("far", "ssh://x")).run("ps") == "--context far ps\n"


def test_settings_overrule_and_remove_variables(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_QUEUE", "7")
    monkeypatch.setenv("GREETING", "hello")
    program('echo "${MAX_QUEUE-unset} $GREETING"')
    assert Docker(HERE, {"MAX_QUEUE": None, "GREETING": "bye"}).run("x") == "unset bye\n"


def test_a_failure_has_its_last_lines(program: Program) -> None:
    program("echo one >&2; echo two >&2; exit 1")
    with pytest.raises(DockerCommandError, match=r"^two$") as failed:
        Docker(HERE).run("ps")
    assert failed.value.lines == ("one", "two")


def test_a_command_that_hangs_is_ended_and_leaves_nothing(program: Program) -> None:
    program("exec sleep 4711")
    started = time.monotonic()

    with pytest.raises(EngineTimeoutError, match=r"did not answer within 0.3 s"):
        Docker(HERE).run("ps", timeout_s=0.3)

    assert time.monotonic() - started < 4
    assert not named("sleep 4711")


def test_no_command_line_is_told_with_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"Docker is not installed: .*docs.docker.com"):
        current_endpoint()
    with pytest.raises(EngineError, match="Docker is not installed"):
        Docker(HERE).run("ps")


def test_the_engine_is_where_the_context_says(program: Program) -> None:
    program(f"echo '{CONTEXT}'")
    assert current_endpoint() == Endpoint("default", "unix:///x.sock")


@pytest.mark.parametrize("said", ["echo nonsense", "echo '[]'", "echo broken >&2; exit 1"])
def test_a_broken_context_is_told(program: Program, said: str) -> None:
    program(said)
    with pytest.raises(EngineError, match="`docker context inspect` failed"):
        current_endpoint()


@pytest.mark.parametrize(
    ("url", "remote"),
    [
        ("unix:///var/run/docker.sock", False),
        ("npipe:////./pipe/docker_engine", False),
        ("tcp://127.0.0.1:2375", False),
        ("tcp://gpu-box:2376", True),
        ("ssh://me@gpu-box", True),
    ],
)
def test_another_machine_s_engine_is_remote(url: str, remote: bool) -> None:
    assert Endpoint("x", url).is_remote is remote


def test_a_missing_compose_is_told(program: Program) -> None:
    program('case "$*" in *info*) echo "{}";; *) echo "unknown command" >&2; exit 1;; esac')
    assert engine_info(Docker(HERE)) == {}
    with pytest.raises(EngineError, match="Docker Compose v2 is missing"):
        compose_version(Docker(HERE))


def test_what_the_engine_complains_of_in_its_information_counts(program: Program) -> None:
    program("""echo '{"ServerErrors": ["Cannot connect to the Docker daemon at x"]}'""")
    with pytest.raises(EngineError, match="no Docker engine answers at"):
        engine_info(Docker(HERE))


def workspace(folder: Path) -> Workspace:
    for name in ("api", "model"):
        (folder / "stack" / name).mkdir(parents=True)
    (folder / "stack" / "compose.yaml").touch()
    return Workspace(folder, folder / "reports")


def test_auto_takes_the_engine_that_answers(program: Program, tmp_path: Path) -> None:
    program(answers(config=PUBLISHED))
    found = preflight(workspace(tmp_path), make_profile(models=[1, 9]))

    assert (found.driver, found.reason) == (
        "compose",
        "Docker engine 99 answers at unix:///x.sock",
    )
    assert found.facts.project is not None
    assert found.lock == found.facts.project.name
    assert found.facts.engine["cores"] == 4
    assert found.warnings[0].startswith("9 models × 1 threads are more than the 4 cores")


def test_auto_without_an_engine_is_local_unless_containers_are_needed(
    program: Program, tmp_path: Path
) -> None:
    program(f"case \"$*\" in *context*) echo '{CONTEXT}';; *) echo refused >&2; exit 1;; esac")
    here = workspace(tmp_path)

    found = preflight(here, make_profile())
    assert (found.driver, found.reason) == ("local", "no containers: refused")
    with pytest.raises(RefusedError, match=r"refused \(stack.memory_mb needs containers\)"):
        preflight(here, make_profile(stack={"memory_mb": 100}))
    with pytest.raises(RefusedError, match=r"^refused$"):
        preflight(here, make_profile(stack={"driver": "compose"}))


def test_a_run_goes_on_with_the_driver_that_it_was_begun_with(
    program: Program, tmp_path: Path
) -> None:
    program(answers(config=PUBLISHED))
    found = preflight(workspace(tmp_path), make_profile(), only="local")
    assert (found.driver, found.reason) == ("local", "the run was begun with local")


def test_a_gpu_needs_nvidia_s_toolkit_and_a_card(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = workspace(tmp_path)
    (here.stack / "compose.gpu.yaml").touch()
    profile = make_profile(device="gpu", stack={"driver": "compose"})

    program(answers(runtimes='{"runc": {}}', config=ON_GPU))
    with pytest.raises(RefusedError, match=r"Container Toolkit.*runtimes: runc.*nothing was sta"):
        preflight(here, profile)

    program(answers(runtimes='{"nvidia": {}}', config=ON_GPU))
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(RefusedError, match=r"this machine shows none \(no /dev/nvidia0\)"):
        preflight(here, profile)

    monkeypatch.setattr(Path, "glob", lambda *_: iter([Path("/dev/nvidia0")]))
    assert preflight(here, profile).driver == "compose"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"host": "http://10.0.0.9:80"}, "our stack listens on this machine's loopback alone"),
        ({"stack": {"environment": {"BATCH_SIZE": "3"}}}, "BATCH_SIZE is set by batch_size"),
    ],
)
def test_what_our_stack_cannot_do_is_refused(
    program: Program, tmp_path: Path, keys: dict[str, object], message: str
) -> None:
    program(answers(config=PUBLISHED))
    stack = {"driver": "compose", **dict(keys.get("stack", {}))}  # type: ignore[call-overload]  # a dict
    with pytest.raises(RefusedError, match=message):
        preflight(workspace(tmp_path), make_profile(**{**keys, "stack": stack}))


def test_compose_files_that_compose_refuses_are_the_profile_s_mistake(
    program: Program, tmp_path: Path
) -> None:
    mistake = "services.x additional properties are not allowed"
    refusing = f"*config*) echo '{mistake}' >&2; exit 15;; *never*)"
    program(answers(config="").replace("*config*)", refusing))
    with pytest.raises(ProfileError, match=r"stack.compose: services.x additional properties"):
        preflight(workspace(tmp_path), make_profile(stack={"driver": "compose"}))


def test_an_action_is_ended_in_its_time_and_leaves_nothing(program: Program) -> None:
    program("echo begun; exec sleep 4712")
    steps: list[str] = []

    failure = ComposeCli(Docker(HERE), "x").run(
        lambda client: client.compose.down(stream_logs=True), timeout_s=2.0, on_line=steps.append
    )

    assert failure is not None
    assert failure.timed_out
    assert steps == ["begun"]
    until(lambda: not named("sleep 4712"))


def test_files_that_compose_does_not_read_in_time_are_given_up(program: Program) -> None:
    program("exec sleep 4715")

    with pytest.raises(EngineError, match="Compose did not answer within 2 s"):
        ComposeCli(Docker(HERE), "x").config(timeout_s=2.0)

    until(lambda: not named("sleep 4715"))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no json", "docker compose config gave no JSON"),
        ("echo 'line 3: no such key' >&2; exit 15", "line 3: no such key"),
        ("exit 1", "docker failed and said nothing"),
    ],
)
def test_files_that_compose_cannot_read_are_told_in_its_words(
    program: Program, script: str, message: str
) -> None:
    program(script)

    with pytest.raises(DockerCommandError, match=message):
        ComposeCli(Docker(HERE), "x").config(timeout_s=30.0)


def test_a_cut_ends_what_is_under_way_and_allows_nothing_more(program: Program) -> None:
    program("echo begun; exec sleep 4713")
    cli = ComposeCli(Docker(HERE), "x")

    failure = cli.run(
        lambda client: client.compose.down(stream_logs=True),
        timeout_s=60,
        on_line=lambda _: cli.cancel(),
    )

    assert failure is not None
    assert not failure.timed_out
    until(lambda: not named("sleep 4713"))
    assert cli.run(lambda _: [], timeout_s=1, on_line=print) is not None


def test_what_cannot_be_taken_down_is_told(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program('case "$*" in *down*) exec sleep 4714;; esac')
    monkeypatch.setattr(compose_cli, "DOWN_TIMEOUT_S", 0.3)
    assert tear_down(Docker(HERE), "p") == "containers of p may still be up: not within 0.3 s"

    program("echo 'Cannot connect to the Docker daemon at x' >&2; exit 1")
    told = tear_down(Docker(HERE), "p")
    assert told is not None
    assert told.startswith("containers of p may still be up: no Docker engine answers at")

    program("exit 0")
    assert tear_down(Docker(HERE), "p") is None


def test_containers_that_do_not_end_in_time_are_killed(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tmp_path / "killed"
    program(
        f'case "$*" in *down*) test -e {done} || exec sleep 4715;; '
        f"*ps*) echo abc;; *rm*) touch {done};; esac"
    )
    monkeypatch.setattr(compose_cli, "DOWN_TIMEOUT_S", 0.5)
    assert tear_down(Docker(HERE), "p") is None
    assert done.exists()


def test_complaints_that_are_not_utf_8_are_no_fault_of_ours(program: Program) -> None:
    program(r"printf 'broken \351\n' >&2; exit 1")
    failure = ComposeCli(Docker(HERE), "x").run(
        lambda client: client.compose.down(stream_logs=True), timeout_s=5, on_line=lambda _: None
    )
    assert failure is not None
    assert failure.lines == ("broken �",)


def test_a_watch_that_fails_in_an_unknown_way_says_so(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("exit 0")
    monkeypatch.setattr("loadbench.engine.drivers.docker.monitor.UNREACHABLE_TIMEOUT_S", -1.0)

    def fail(_: Monitor) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(Monitor, "_follow_usage", fail)
    watch = Monitor(Docker(HERE), "p")
    watch.start()
    until(lambda: "containers cannot be looked at: KeyError" in str(watch.error))
    watch.close()


def stack(folder: Path) -> ComposeStack:
    files = ComposeFiles(
        paths=(folder / "compose.yaml",), is_bundled=False, scaled="app", config={"services": {}}
    )
    return ComposeStack(Docker(HERE), files, make_profile(), folder=folder)


def test_more_models_than_the_profile_has_are_refused_where_the_files_do_not_allow_them(
    program: Program, tmp_path: Path
) -> None:
    program(f"touch {tmp_path}/asked; exit 1")
    services = {"app": {"container_name": "x", "ports": [{"target": 80, "published": "8080"}]}}
    files = ComposeFiles(
        paths=(tmp_path / "compose.yaml",),
        is_bundled=False,
        scaled="app",
        config={"services": services},
    )
    made = ComposeStack(Docker(HERE), files, make_profile(), folder=tmp_path)

    with pytest.raises(StackError, match="cannot be scaled, since it has container_name: x"):
        made.scale(2, lambda *_: None)

    made.close()
    assert not (tmp_path / "asked").exists()


def test_an_engine_that_stays_away_ends_the_waiting_with_its_reason(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("echo 'Cannot connect to the Docker daemon at x' >&2; exit 1")
    monkeypatch.setattr(compose, "ENGINE_TIMEOUT_S", 0.2)
    made = stack(tmp_path)

    with pytest.raises(EngineError, match="no Docker engine answers"):
        made.scale(1, lambda *_: None)
    made.close()


def test_a_closed_stack_starts_nothing(program: Program, tmp_path: Path) -> None:
    program("exit 0")
    made = stack(tmp_path)
    assert made.close() is None
    with pytest.raises(StackError, match="closed while it was started"):
        made.scale(1, lambda *_: None)


def test_trouble_with_the_engine_is_told_once_it_has_lasted(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("echo 'Cannot connect to the Docker daemon at x' >&2; exit 1")
    watch = Monitor(Docker(HERE), "p")
    with pytest.raises(EngineError):
        watch.poll()
    assert watch.error is None

    monkeypatch.setattr("loadbench.engine.drivers.docker.monitor.UNREACHABLE_TIMEOUT_S", -1.0)
    assert "no Docker engine answers" in str(watch.error)

    program("exit 0")
    assert watch.poll() == ()
    assert watch.error is None


def test_containers_described_in_an_unknown_way_are_trouble_and_not_a_crash(
    program: Program,
) -> None:
    program("""case "$*" in *inspect*) echo '[{"Id": 5}]';; *) echo abc;; esac""")
    with pytest.raises(EngineError, match="told of a container in an unknown way"):
        Monitor(Docker(HERE), "p").poll()
