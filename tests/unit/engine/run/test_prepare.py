"""Preparing a run, and cleaning up if it is refused."""

import json
from pathlib import Path

import pytest

from loadbench.engine.drivers import registry
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.requests.preflight import Facts
from loadbench.engine.run.prepare import prepare_run, preview_run
from loadbench.engine.run.resume import prepare_resume
from loadbench.engine.run_reader import read_run
from loadbench.errors import ProfileError, RefusedError
from loadbench.workspace import Workspace
from tests.support.fake_driver import FakeDriver
from tests.support.golden import JOURNALS

TEXT = """\
models: [1]
users: [2]
spawn_rates: [2]
stack: {driver: local}
"""


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    """Install a fake as the only driver."""
    fake = FakeDriver("local")
    monkeypatch.setattr(registry, "DRIVERS", {fake.name: fake})
    return fake


@pytest.fixture
def request_to_run(tmp_path: Path) -> RunRequest:
    """A request in a workspace that has all files that the profile needs."""
    (tmp_path / "images").mkdir()
    (tmp_path / "locustfile.py").touch()
    file = tmp_path / "mine.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return RunRequest.to_run(Workspace(tmp_path, tmp_path / "reports"), file, load_profile(file))


def test_the_stack_is_opened_before_the_run_folder_exists(
    driver: FakeDriver, request_to_run: RunRequest
) -> None:
    def is_absent() -> None:
        assert not driver.opened[0].exists()

    driver.trap = is_absent

    prepared = prepare_run(request_to_run)

    assert driver.opened == [prepared.folder]
    assert prepared.profile.resolved() == request_to_run.profile
    assert prepared.state.started is not None
    assert prepared.state.started.driver_reason == "requested by the profile"
    prepared.journal.close()
    prepared.lock.release()


def test_a_stack_that_cannot_be_opened_leaves_no_files(
    driver: FakeDriver, request_to_run: RunRequest
) -> None:
    def refuse() -> None:
        raise ProfileError("stack.compose: gone")

    driver.trap = refuse

    with pytest.raises(ProfileError, match="gone"):
        prepare_run(request_to_run)
    assert list(request_to_run.workspace.reports.iterdir()) == []


def test_hardware_is_recorded_with_the_docker_host(
    driver: FakeDriver, request_to_run: RunRequest
) -> None:
    driver.facts = Facts(engine={"docker": "99", "same_machine": False})

    prepared = prepare_run(request_to_run)
    prepared.journal.close()
    prepared.lock.release()

    started = prepared.state.started
    assert started is not None
    assert started.hardware["engine"] == {"docker": "99", "same_machine": False}
    assert started.hardware["cores"] >= 1
    assert None not in started.hardware.values()


def test_a_preview_opens_no_stack(driver: FakeDriver, request_to_run: RunRequest) -> None:
    plan = preview_run(request_to_run)

    assert plan.preflight.driver == "local"
    assert driver.asked == ["preflight"]
    assert driver.opened == []
    assert not request_to_run.workspace.reports.exists()


def test_a_changed_profile_is_refused_before_the_preflight(
    driver: FakeDriver, request_to_run: RunRequest
) -> None:
    Path(request_to_run.profile_file).write_text(TEXT.replace("[2]", "[3]", 1), encoding="utf-8")

    for function in (preview_run, prepare_run):
        with pytest.raises(RefusedError, match=r"users was \[2\], is \[3\]"):
            function(request_to_run)
    assert driver.asked == []


# Resuming a run of an earlier version


def test_a_run_of_an_earlier_version_is_resumed(driver: FakeDriver, tmp_path: Path) -> None:
    """A journal without findings, levels and clients can be resumed."""
    (tmp_path / "images").mkdir()
    (tmp_path / "locustfile.py").touch()
    folder = tmp_path / "reports" / "fast" / "interrupted"
    folder.mkdir(parents=True)
    recorded = (JOURNALS / "interrupted.jsonl").read_text(encoding="utf-8")
    first, *rest = recorded.splitlines()
    line = json.dumps({**json.loads(first), "workspace": str(tmp_path)}, separators=(",", ":"))
    (folder / FILE_NAME).write_text("\n".join((line, *rest, "")), encoding="utf-8")
    before = read_run(folder).state

    prepared = prepare_resume(
        RunRequest.to_resume(Workspace(tmp_path, tmp_path / "reports"), folder), folder
    )
    prepared.journal.close()
    prepared.lock.release()

    cells = [cell_state.cell for cell_state in prepared.state.outstanding]
    assert cells == [cell_state.cell for cell_state in before.outstanding]
    assert prepared.state.cells["m1_u2_s8"].finished == before.cells["m1_u2_s8"].finished
    assert prepared.profile == before.profile
    assert driver.opened == [folder]
