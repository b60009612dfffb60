"""The preview of the runner, and the errors of failed requests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.files import Tail
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Event
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.plan import REPORT_BYTES
from loadbench.engine.requests.launch import RunPlan, RunRequest, preview, start_runner
from loadbench.engine.run_reader import read_run
from loadbench.errors import JournalError, ProfileError, RefusedError, UsageError
from loadbench.in_locust.clean import clean_event
from loadbench.in_locust.recorder import Recorder
from loadbench.workspace import Workspace
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
    write_journal,
)
from tests.support.harness import Bench


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten lines of ten bytes."""
    file = tmp_path / "stack.log"
    file.write_bytes(b"".join(b"line %04d\n" % number for number in range(10)))
    return file


# Preview

EXTERNAL = """
models: [1]
users: [2, 4]
spawn_rates: [10]
run_time: 10s
settle: {max: 0s}
host: http://127.0.0.1:9
stack: {driver: external}
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A workspace with a profile for the external driver."""
    bench = Bench.make(tmp_path, EXTERNAL, "mine")
    yield bench
    bench.close()


def request(bench: Bench, file: Path | None = None, *overrides: str) -> RunRequest:
    """Read the bench's profile and return the request for a run of it."""
    file = file or bench.root / "profiles" / "mine.yaml"
    workspace = Workspace(bench.root, bench.reports)
    return RunRequest.to_run(workspace, file, load_profile(file, overrides), overrides)


def preview_profile(bench: Bench, file: Path | None = None, *overrides: str) -> RunPlan:
    """Preview a run of the bench's profile."""
    return preview(request(bench, file, *overrides))


def preview_resume(bench: Bench, folder: Path, *again: str) -> RunPlan:
    """Preview resuming a run."""
    workspace = Workspace(bench.root, bench.reports)
    return preview(RunRequest.to_resume(workspace, folder, again=again))


def test_a_preview_returns_the_driver_its_warnings_and_the_disk_space(bench: Bench) -> None:
    plan = preview_profile(bench)

    preflight = plan.preflight
    assert (preflight.driver, preflight.reason) == ("external", "requested by the profile")
    assert preflight.warnings == (
        "settle.max is 0s: cells are measured without waiting for steady numbers",
    )
    assert plan.needed_bytes == 20_000_000 + 2 * (REPORT_BYTES + 10 * 3_000)
    assert plan.free_bytes > 0


def test_a_preview_leaves_nothing_behind(bench: Bench, state_home: Path) -> None:
    before = sorted(bench.root.rglob("*"))

    preview_profile(bench)

    assert sorted(bench.root.rglob("*")) == before
    assert not bench.reports.exists()
    assert not state_home.exists()


def test_a_preview_applies_overrides(bench: Bench) -> None:
    plan = preview_profile(bench, None, "users=1,2,3", "settle.max=30s")

    assert plan.preflight.warnings == ()
    assert plan.needed_bytes == 20_000_000 + 3 * (REPORT_BYTES + 40 * 3_000)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (EXTERNAL.replace("host: http://127.0.0.1:9\n", ""), r"external requires `host`"),
        (
            EXTERNAL.replace("[2, 4]", "[ten]"),
            r"mine\.yaml:3: users\[0\]: expected a whole number, got 'ten'",
        ),
        (
            EXTERNAL + "load: {locustfile: gone.py}\n",
            r"load\.locustfile: file not found: .*gone\.py",
        ),
        ("", "empty file"),
    ],
)
def test_a_preview_of_an_invalid_profile_reports_its_error(
    bench: Bench, text: str, problem: str
) -> None:
    bench.save_profile(text, "mine")

    with pytest.raises(ProfileError, match=problem):
        preview_profile(bench)
    assert not bench.reports.exists()


def test_a_preview_of_a_deleted_profile_reports_the_missing_file(bench: Bench) -> None:
    with pytest.raises(ProfileError, match=r"gone\.yaml: No such file"):
        preview_profile(bench, bench.root / "profiles" / "gone.yaml")


def resumable(bench: Bench, *events: Event, **recorded: object) -> Path:
    """Write the journal of an interrupted run of the bench's profile; return its folder.

    `recorded` adds keys to the recorded profile.
    """
    file = bench.root / "profiles" / "mine.yaml"
    profile = make_profile(
        users=[2, 4],
        spawn_rates=[10],
        run_time="10s",
        settle={"max": "0s"},
        host="http://127.0.0.1:9",
        stack={"driver": "external"},
    )
    started = replace(
        run_started(profile, workspace=str(bench.root)),
        profile_name="mine",
        profile_file=str(file),
        driver="external",
    )
    started = replace(started, profile={**started.profile, **recorded})
    return write_journal(bench.reports / "mine" / started.run, started, *events)


def test_a_preview_of_a_resume_counts_the_remaining_cells(bench: Bench) -> None:
    folder = resumable(bench, cell_started("m1_u2_s10"), cell_finished("m1_u2_s10"))
    before = (folder / FILE_NAME).read_bytes()

    plan = preview_resume(bench, folder)

    assert plan.needed_bytes == 20_000_000 + REPORT_BYTES + 10 * 3_000
    assert (folder / FILE_NAME).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_resuming_a_complete_run_is_refused_without_retry_failed(bench: Bench) -> None:
    failed_cells = [
        event
        for key in ("m1_u2_s10", "m1_u4_s10")
        for event in (cell_started(key), cell_failed(key))
    ]
    folder = resumable(bench, *failed_cells)

    with pytest.raises(
        UsageError, match="no cells left to measure; to retry 2 failed cells, add --retry-failed"
    ):
        preview_resume(bench, folder)
    again = preview_resume(bench, folder, "m1_u2_s10", "m1_u4_s10")
    assert again.needed_bytes == 20_000_000 + 2 * (REPORT_BYTES + 10 * 3_000)


def test_resuming_after_the_profile_has_changed_is_refused(bench: Bench) -> None:
    folder = resumable(bench, cell_started("m1_u2_s10"))
    bench.save_profile(EXTERNAL.replace("run_time: 10s", "run_time: 20s"), "mine")

    with pytest.raises(RefusedError, match=r"has changed since .*: run_time was 10s, is 20s"):
        preview_resume(bench, folder)


def test_resuming_a_run_with_unknown_profile_keys_is_refused(bench: Bench) -> None:
    folder = resumable(bench, cell_started("m1_u2_s10"), weather="good")

    with pytest.raises(JournalError, match=r"this version cannot read the profile \(weather\)"):
        preview_resume(bench, folder)


# The previewed profile is the one that starts


def test_a_profile_edited_between_preview_and_start_is_refused(bench: Bench) -> None:
    previewed = request(bench)
    preview(previewed)
    bench.save_profile(EXTERNAL.replace("[2, 4]", "[8]"), "mine")

    changed = r"mine\.yaml has changed since it was read: users was \[2, 4\], is \[8\]\. Review the"
    with pytest.raises(RefusedError, match=changed):
        start_runner(previewed)
    with pytest.raises(RefusedError, match=changed):
        preview(previewed)
    assert not bench.reports.exists()


def test_a_comment_edited_between_preview_and_start_changes_nothing(bench: Bench) -> None:
    previewed = request(bench, None, "users=3")
    preview(previewed)
    file = bench.save_profile(f"# a comment\n{EXTERNAL}", "mine")

    started = read_run(start_runner(previewed)).state.started

    assert started is not None
    assert started.profile == previewed.profile
    assert started.overrides == ("users=3",)
    assert (started.profile_name, started.profile_file) == ("mine", str(file))


def test_a_request_with_a_wrong_digest_starts_nothing(bench: Bench) -> None:
    previewed = request(bench)
    damaged = replace(previewed, profile={**previewed.profile, "users": [9]})

    with pytest.raises(RefusedError, match="the profile mine was corrupted in transit"):
        start_runner(damaged)
    assert not bench.reports.exists()


# Errors of each second


class Clock:
    """A clock that the test advances."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_second_counts_its_errors() -> None:
    clock = Clock()
    recorder = Recorder(clock, lambda: 0.0)
    recorder.begin("m1_u2_s2.1")

    def request(error: str | None) -> None:
        exception = ValueError(error) if error else None
        recorder.record(
            clean_event(request_type="GET", name="/", response_time=5.0, exception=exception)
        )

    for error in ("503", "late", "503", None):
        request(error)
    clock.now += 1
    request("late")
    clock.now += 1
    request(None)
    clock.now += 1
    recorder.close_seconds(users=2)

    assert [second["errors"] for second in recorder.seconds(0)] == [
        [{"error": "503", "count": 2}, {"error": "late", "count": 1}],
        [{"error": "late", "count": 1}],
        [],
    ]


def test_the_errors_of_a_second_add_up_to_its_failures() -> None:
    clock = Clock()
    recorder = Recorder(clock, lambda: 0.0)
    recorder.begin("m1_u2_s2.1")

    for number in range(100):
        failed = ValueError(str(number))
        recorder.record(
            clean_event(request_type="GET", name="/", response_time=5.0, exception=failed)
        )
    clock.now += 1
    recorder.close_seconds(users=2)

    (second,) = recorder.seconds(0)
    assert sum(error["count"] for error in second["errors"]) == 100
    assert len(second["errors"]) < 50
    assert second["requests"][0]["failures"] == [(5.0, 100)]


def test_a_tail_starts_at_a_line_even_if_the_line_is_incomplete(log: Path) -> None:
    log.write_bytes(b"first\n" + b"x" * 1000)
    tail = Tail(log, last_bytes=100)
    assert tail.poll() in ([], [b"first"])

    with log.open("ab") as file:
        file.write(b"yyy\nnext\n")

    assert tail.poll() == [b"x" * 1000 + b"yyy", b"next"]
