"""The Docker command line, replaced by a shell script that simulates an engine."""

import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from loadbench.engine.drivers.compose import client as compose_cli
from loadbench.engine.drivers.compose import retrying
from loadbench.engine.drivers.compose.client import ComposeCli, tear_down
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
from tests.support.compose_projects import make_deployment, make_files
from tests.support.fake_docker import CONTEXT, FIXED, ON_GPU, PUBLISHED, Program, answers
from tests.support.harness import until

LOCAL = Endpoint("default", "unix:///var/run/docker.sock")


def processes(command: str) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if command in " ".join(process.info["cmdline"] or ())
    ]


def test_output_excludes_standard_error_by_default(program: Program) -> None:
    program('echo "$@"; echo careful >&2')
    assert Docker(LOCAL).run("ps", "--all") == f"--host {LOCAL.url} ps --all\n"
    assert "careful" in Docker(LOCAL).run("logs", merge_stderr=True)


def test_a_context_is_selected_by_name(program: Program) -> None:
    program('echo "$@"')
    assert Docker(Endpoint("far", "ssh://x")).run("ps") == "--context far ps\n"


def test_settings_override_and_unset_variables(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAX_QUEUE", "7")
    monkeypatch.setenv("GREETING", "hello")
    program('echo "${MAX_QUEUE-unset} $GREETING"')
    assert Docker(LOCAL, {"MAX_QUEUE": None, "GREETING": "bye"}).run("x") == "unset bye\n"


def test_a_failure_has_the_last_lines_of_its_output(program: Program) -> None:
    program("echo one >&2; echo two >&2; exit 1")
    with pytest.raises(DockerCommandError, match=r"^two$") as failed:
        Docker(LOCAL).run("ps")
    assert failed.value.lines == ("one", "two")


def test_a_hung_command_is_terminated_without_leftovers(program: Program) -> None:
    program("exec sleep 4711")
    started = time.monotonic()

    with pytest.raises(EngineTimeoutError, match=r"did not respond within 0.3 s"):
        Docker(LOCAL).run("ps", timeout_s=0.3)

    assert time.monotonic() - started < 4
    assert not processes("sleep 4711")


def test_a_missing_docker_command_is_reported_with_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match=r"Docker is not installed: .*docs.docker.com"):
        current_endpoint()
    with pytest.raises(EngineError, match="Docker is not installed"):
        Docker(LOCAL).run("ps")


def test_the_endpoint_comes_from_the_context(program: Program) -> None:
    program(f"echo '{CONTEXT}'")
    assert current_endpoint() == Endpoint("default", "unix:///x.sock")


@pytest.mark.parametrize("script", ["echo nonsense", "echo '[]'", "echo broken >&2; exit 1"])
def test_a_broken_context_is_reported(program: Program, script: str) -> None:
    program(script)
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
def test_an_engine_on_another_machine_is_remote(url: str, remote: bool) -> None:
    assert Endpoint("x", url).is_remote is remote


def test_missing_compose_is_reported(program: Program) -> None:
    program('case "$*" in *info*) echo "{}";; *) echo "unknown command" >&2; exit 1;; esac')
    assert engine_info(Docker(LOCAL)) == {}
    with pytest.raises(EngineError, match="Docker Compose v2 is not installed"):
        compose_version(Docker(LOCAL))


def test_server_errors_in_docker_info_are_raised(program: Program) -> None:
    program("""echo '{"ServerErrors": ["Cannot connect to the Docker daemon at x"]}'""")
    with pytest.raises(EngineError, match="cannot connect to the Docker engine at"):
        engine_info(Docker(LOCAL))


def workspace(folder: Path) -> Workspace:
    for name in ("api", "model"):
        (folder / "stack" / name).mkdir(parents=True)
    (folder / "stack" / "compose.yaml").touch()
    return Workspace(folder, folder / "reports")


def test_auto_selects_compose_if_the_engine_is_available(program: Program, tmp_path: Path) -> None:
    program(answers(config=PUBLISHED))
    found = preflight(workspace(tmp_path), make_profile(models=[1, 9]))

    assert (found.driver, found.reason) == (
        "compose",
        "Docker engine 99 is available at unix:///x.sock",
    )
    assert found.facts.project is not None
    assert found.lock == found.facts.project.name
    assert found.facts.engine["cores"] == 4
    assert found.warnings[0].startswith("9 models × 1 threads exceed the 4 available cores")


def test_auto_without_an_engine_is_local_unless_a_key_requires_containers(
    program: Program, tmp_path: Path
) -> None:
    program(f"case \"$*\" in *context*) echo '{CONTEXT}';; *) echo refused >&2; exit 1;; esac")
    made = workspace(tmp_path)

    found = preflight(made, make_profile())
    assert (found.driver, found.reason) == ("local", "compose is unavailable: refused")
    with pytest.raises(RefusedError, match=r"refused \(stack.memory_mb requires containers\)"):
        preflight(made, make_profile(stack={"memory_mb": 100}))
    with pytest.raises(RefusedError, match=r"^refused$"):
        preflight(made, make_profile(stack={"driver": "compose"}))


def test_a_run_resumes_with_its_original_driver(program: Program, tmp_path: Path) -> None:
    program(answers(config=PUBLISHED))
    found = preflight(workspace(tmp_path), make_profile(), only="local")
    assert (found.driver, found.reason) == ("local", "the run was started with local")


def test_a_gpu_profile_requires_the_nvidia_toolkit_and_a_gpu(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workspace(tmp_path)
    (made.stack / "compose.gpu.yaml").touch()
    profile = make_profile(device="gpu", stack={"driver": "compose"})

    program(answers(runtimes='{"runc": {}}', config=ON_GPU))
    with pytest.raises(RefusedError, match=r"Container Toolkit.*runtimes: runc.*nothing was sta"):
        preflight(made, profile)

    program(answers(runtimes='{"nvidia": {}}', config=ON_GPU))
    monkeypatch.setattr(Path, "glob", lambda *_: iter(()))
    with pytest.raises(RefusedError, match=r"this machine has none \(no /dev/nvidia0\)"):
        preflight(made, profile)

    monkeypatch.setattr(Path, "glob", lambda *_: iter([Path("/dev/nvidia0")]))
    assert preflight(made, profile).driver == "compose"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            {"host": "http://10.0.0.9:80"},
            "the bundled stack listens only on the loopback interface",
        ),
        ({"stack": {"environment": {"BATCH_SIZE": "3"}}}, "BATCH_SIZE is set by batch_size"),
        (
            {"stack": {"environment": {"BROKER_PASSWORD": "x"}}},
            "BROKER_PASSWORD is set by the driver",
        ),
    ],
)
def test_settings_that_the_bundled_stack_does_not_support_are_refused(
    program: Program, tmp_path: Path, keys: dict[str, object], message: str
) -> None:
    program(answers(config=PUBLISHED))
    stack = {"driver": "compose", **dict(keys.get("stack", {}))}  # type: ignore[call-overload]  # a dict
    with pytest.raises(RefusedError, match=message):
        preflight(workspace(tmp_path), make_profile(**{**keys, "stack": stack}))


def test_invalid_compose_files_are_a_profile_error(program: Program, tmp_path: Path) -> None:
    message = "services.x additional properties are not allowed"
    failing = f"*config*) echo '{message}' >&2; exit 15;; *never*)"
    program(answers(config="").replace("*config*)", failing))
    with pytest.raises(ProfileError, match=r"stack.compose: services.x additional properties"):
        preflight(workspace(tmp_path), make_profile(stack={"driver": "compose"}))


def test_settings_reach_compose_without_a_command_line(program: Program) -> None:
    # The script prints its parent's command line: that of the supervisor.
    program("""echo "$TOKEN"; tr '\\0' ' ' </proc/$PPID/cmdline; echo""")
    lines: list[str] = []

    failure = ComposeCli(Docker(LOCAL, {"TOKEN": "hidden"}), "x").run(
        lambda client: client.compose.down(stream_logs=True), timeout_s=10, on_line=lines.append
    )

    assert failure is None
    token, command_line = lines
    assert token == "hidden"
    assert "compose" in command_line
    assert "hidden" not in command_line


def test_an_action_is_terminated_after_its_timeout_without_leftovers(program: Program) -> None:
    program("echo begun; exec sleep 4712")
    steps: list[str] = []

    failure = ComposeCli(Docker(LOCAL), "x").run(
        lambda client: client.compose.down(stream_logs=True), timeout_s=2.0, on_line=steps.append
    )

    assert failure is not None
    assert failure.timed_out
    assert steps == ["begun"]
    until(lambda: not processes("sleep 4712"))


def test_reading_compose_files_times_out(program: Program) -> None:
    program("exec sleep 4715")

    with pytest.raises(EngineError, match="docker compose config timed out after 2 s"):
        ComposeCli(Docker(LOCAL), "x").config(timeout_s=2.0)

    until(lambda: not processes("sleep 4715"))


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo no json", "docker compose config did not return JSON"),
        ("echo 'line 3: no such key' >&2; exit 15", "line 3: no such key"),
        ("exit 1", "docker failed without an error message"),
    ],
)
def test_invalid_compose_files_are_reported_with_the_message_of_compose(
    program: Program, script: str, message: str
) -> None:
    program(script)

    with pytest.raises(DockerCommandError, match=message):
        ComposeCli(Docker(LOCAL), "x").config(timeout_s=30.0)


def test_cancel_terminates_the_running_action_and_rejects_later_ones(program: Program) -> None:
    program("echo begun; exec sleep 4713")
    cli = ComposeCli(Docker(LOCAL), "x")

    failure = cli.run(
        lambda client: client.compose.down(stream_logs=True),
        timeout_s=60,
        on_line=lambda _: cli.cancel(),
    )

    assert failure is not None
    assert not failure.timed_out
    until(lambda: not processes("sleep 4713"))
    assert cli.run(lambda _: [], timeout_s=1, on_line=print) is not None


def test_a_failed_removal_is_reported(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    program('case "$*" in *down*) exec sleep 4714;; esac')
    monkeypatch.setattr(compose_cli, "DOWN_TIMEOUT_S", 0.3)
    left = tear_down(Docker(LOCAL), "p")
    assert left is not None
    assert left.endswith("may still be running: `docker compose down` timed out after 0.3 s")

    program("echo 'Cannot connect to the Docker daemon at x' >&2; exit 1")
    left = tear_down(Docker(LOCAL), "p")
    assert left is not None
    assert left.startswith("containers of p may still be running: cannot connect to the Docker")

    program("exit 0")
    assert tear_down(Docker(LOCAL), "p") is None


def test_containers_that_do_not_stop_in_time_are_killed(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tmp_path / "killed"
    program(
        f'case "$*" in *down*) test -e {done} || exec sleep 4715;; '
        f"*ps*) echo abc;; *rm*) touch {done};; esac"
    )
    monkeypatch.setattr(compose_cli, "DOWN_TIMEOUT_S", 0.5)
    assert tear_down(Docker(LOCAL), "p") is None
    assert done.exists()


def test_error_output_that_is_not_utf_8_is_decoded(program: Program) -> None:
    program(r"printf 'broken \351\n' >&2; exit 1")
    failure = ComposeCli(Docker(LOCAL), "x").run(
        lambda client: client.compose.down(stream_logs=True), timeout_s=5, on_line=lambda _: None
    )
    assert failure is not None
    assert failure.lines == ("broken �",)


def test_an_unexpected_error_of_the_monitor_is_reported(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("exit 0")
    monkeypatch.setattr("loadbench.engine.drivers.docker.monitor.UNREACHABLE_TIMEOUT_S", -1.0)

    def fail(_: Monitor) -> None:
        raise KeyError("oops")

    monkeypatch.setattr(Monitor, "_follow_usage", fail)
    monitor = Monitor(Docker(LOCAL), "p")
    monitor.start()
    until(lambda: "cannot monitor the containers: KeyError" in str(monitor.error))
    monitor.close()


@pytest.mark.parametrize(
    ("version", "is_refused"),
    [("2.24.3", True), ("v2.17.0-desktop.1", True), ("2.24.4", False), ("5.0.0", False)],
)
def test_a_compose_that_cannot_replace_names_is_refused(
    program: Program, tmp_path: Path, version: str, is_refused: bool
) -> None:
    file = tmp_path / "compose.yaml"
    file.touch()
    program(answers(config=FIXED, compose=version))
    profile = make_profile(stack={"driver": "compose", "compose": [str(file)], "service": "app"})
    workspace = Workspace(tmp_path, tmp_path / "reports")
    if not is_refused:
        assert preflight(workspace, profile).target is not None
        return
    with pytest.raises(ProfileError, match=f"Docker Compose {version} cannot replace.*2.24.4"):
        preflight(workspace, profile)


def stack(folder: Path, **app: object) -> ComposeStack:
    files = replace(make_files(app={"expose": ["80"], **app}), paths=(folder / "compose.yaml",))
    return ComposeStack(Docker(LOCAL), make_deployment(files), root=folder, folder=folder)


def test_an_added_cell_that_the_compose_files_cannot_scale_to_is_rejected(
    program: Program, tmp_path: Path
) -> None:
    program(f"touch {tmp_path}/called; exit 1")
    made = stack(tmp_path, network_mode="host")

    with pytest.raises(StackError, match="cannot be scaled because it has network_mode: host"):
        made.scale(2, lambda *_: None)

    made.close()
    assert not (tmp_path / "called").exists()


def test_waiting_for_an_unreachable_engine_times_out(
    program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("echo 'Cannot connect to the Docker daemon at x' >&2; exit 1")
    monkeypatch.setattr(retrying, "ENGINE_TIMEOUT_S", 0.2)
    made = stack(tmp_path)

    with pytest.raises(EngineError, match="cannot connect to the Docker engine"):
        made.scale(1, lambda *_: None)
    made.close()


def test_a_closed_stack_cannot_be_scaled(program: Program, tmp_path: Path) -> None:
    program("exit 0")
    made = stack(tmp_path)
    assert made.close() is None
    with pytest.raises(StackError, match="closed during startup"):
        made.scale(1, lambda *_: None)


def test_an_engine_error_is_reported_after_a_delay(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("echo 'Cannot connect to the Docker daemon at x' >&2; exit 1")
    monitor = Monitor(Docker(LOCAL), "p")
    with pytest.raises(EngineError):
        monitor.poll()
    assert monitor.error is None

    monkeypatch.setattr("loadbench.engine.drivers.docker.monitor.UNREACHABLE_TIMEOUT_S", -1.0)
    assert "cannot connect to the Docker engine" in str(monitor.error)

    program("exit 0")
    assert monitor.poll() == ()
    assert monitor.error is None


def test_unexpected_output_of_docker_inspect_is_an_engine_error(program: Program) -> None:
    program("""case "$*" in *inspect*) echo '[{"Id": 5}]';; *) echo abc;; esac""")
    with pytest.raises(EngineError, match="unexpected output of `docker inspect`"):
        Monitor(Docker(LOCAL), "p").poll()
