"""Preparing a run, and cleaning up if it is refused."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from loadbench.engine.drivers import registry
from loadbench.engine.hardware.revision import Revision
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Result, RunFinished, RunResumed, Verdict
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.plan import REPORT_BYTES
from loadbench.engine.report.export.summary import summary_json
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.requests.preflight import Facts
from loadbench.engine.run.prepare import prepare_run, preview_run
from loadbench.engine.run.resume import prepare_resume, preview_resume
from loadbench.engine.run.space import SPARE
from loadbench.engine.run_reader import read_run
from loadbench.errors import ProfileError, RefusedError, UsageError
from loadbench.workspace import Workspace
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_cell,
    run_started,
    write_journal,
)
from tests.support.fake_driver import FakeDriver
from tests.support.git_repositories import commit_all
from tests.support.golden import JOURNALS
from tests.support.small_disk import small_disk

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


def test_the_revision_of_the_workspace_is_recorded(
    driver: FakeDriver, request_to_run: RunRequest
) -> None:
    root = request_to_run.workspace.root
    commit = commit_all(root)

    prepared = prepare_run(request_to_run)
    prepared.journal.close()
    prepared.lock.release()

    started = prepared.state.started
    assert started is not None
    expected = Revision(folder=str(root), commit=commit, has_changes=False)
    assert started.revisions == (expected,)
    assert json.loads(summary_json(prepared.state))["revisions"] == [asdict(expected)]


def test_the_label_of_the_request_is_recorded(
    driver: FakeDriver, request_to_run: RunRequest
) -> None:
    prepared = prepare_run(replace(request_to_run, label="new images"))
    prepared.journal.close()
    prepared.lock.release()

    assert read_run(prepared.folder).state.label == prepared.state.label == "new images"


def test_a_run_is_refused_on_a_disk_with_too_few_inodes(
    driver: FakeDriver, request_to_run: RunRequest
) -> None:
    reports = request_to_run.workspace.reports
    with small_disk(reports, size=50_000_000, inodes=30):
        with pytest.raises(RefusedError) as raised:
            prepare_run(request_to_run)
        plan = preview_run(request_to_run)
        left = list(reports.iterdir())

    assert str(raised.value).startswith(
        f"{reports / 'mine'}: the file system at {reports} can hold only "
    )
    assert "more files (free inodes), about 5" in str(raised.value)
    assert "more files (free inodes), about 5" in plan.lack_of_space
    assert (driver.opened, left) == ([], [])


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


# Resuming


@pytest.fixture
def complete(request_to_run: RunRequest) -> Path:
    """The folder of a complete run with a suspect and a failed cell."""
    workspace, file = request_to_run.workspace, Path(request_to_run.profile_file)
    file.write_text(TEXT.replace("[1]", "[1, 2]"), encoding="utf-8")
    started = run_started(load_profile(file), workspace=str(workspace.root))
    return write_journal(
        workspace.reports / "mine" / started.run,
        replace(started, profile_file=str(file)),
        *(cell_started(), cell_finished(verdict=Verdict.SUSPECT)),
        *(cell_started("m2_u2_s2"), cell_failed("m2_u2_s2")),
        RunFinished(result=Result.DONE, reason="1 of 2 cells measured"),
    )


def test_a_resume_records_the_cells_measured_again_and_the_added_ones(
    driver: FakeDriver, request_to_run: RunRequest, complete: Path
) -> None:
    point = {"models": 2, "users": 8, "spawn_rate": 2}
    request = RunRequest.to_resume(
        request_to_run.workspace, complete, again=["m1_u2_s2"], added=[point]
    )

    assert preview_resume(request, complete).needed_bytes > SPARE.num_bytes + 2 * REPORT_BYTES
    prepared = prepare_resume(request, complete)
    prepared.journal.close()
    prepared.lock.release()

    event = JournalReader(complete).poll()[-1].event
    assert isinstance(event, RunResumed)
    assert event.retry == ("m1_u2_s2",)
    assert event.added == (make_cell(2, 8, 2),)
    outstanding = [one.cell.key for one in prepared.state.outstanding]
    assert outstanding == ["m1_u2_s2", "m2_u8_s2"]


def test_a_complete_run_names_the_options_that_find_cells(
    driver: FakeDriver, request_to_run: RunRequest, complete: Path
) -> None:
    request = RunRequest.to_resume(request_to_run.workspace, complete)
    before = (complete / FILE_NAME).read_bytes()

    for function in (preview_resume, prepare_resume):
        with pytest.raises(UsageError) as refusal:
            function(request, complete)
        assert str(refusal.value).endswith(
            ": no cells left to measure; to retry 1 failed cell, add --retry-failed; to measure 1 "
            "suspect or invalid cell again, add --retry-suspect; to measure any cell again, add "
            "--again CELL"
        )
    assert (complete / FILE_NAME).read_bytes() == before


def test_a_resume_with_an_unknown_cell_is_refused(
    driver: FakeDriver, request_to_run: RunRequest, complete: Path
) -> None:
    request = RunRequest.to_resume(request_to_run.workspace, complete, again=["m7_u2_s2"])

    with pytest.raises(UsageError, match="No such cell: m7_u2_s2"):
        prepare_resume(request, complete)


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
