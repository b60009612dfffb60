"""What a run would be, as its own process says, and what failed requests said."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench.engine.files import Tail
from loadbench.engine.journal.codec import FILE_NAME
from loadbench.engine.journal.events import Event, Result, RunFinished, RunResumed
from loadbench.engine.profile.loading import load_profile
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

FIRST, SECOND, THIRD = "m1_u2_s2", "m2_u2_s2", "m3_u2_s2"


PROFILE = make_profile(models=[1, 2, 3])


BEGUN = run_started(PROFILE)


RESUMED = RunResumed(pid=7, retry=(), hardware={}, versions={})


STOPPED = RunFinished(result=Result.STOPPED, reason="asked for")


KEYS = (FIRST, SECOND, THIRD)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Ten lines of ten bytes."""
    file = tmp_path / "stack.log"
    file.write_bytes(b"".join(b"line %04d\n" % number for number in range(10)))
    return file


# What a run would be

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
    """A workspace for a service that runs already."""
    made = Bench.make(tmp_path, EXTERNAL, "mine")
    yield made
    made.close()


def request(bench: Bench, file: Path | None = None, *overrides: str) -> RunRequest:
    """The request for a run of the bench's profile, which is read here."""
    file = file or bench.root / "profiles" / "mine.yaml"
    workspace = Workspace(bench.root, bench.reports)
    return RunRequest.to_run(workspace, file, load_profile(file, overrides), overrides)


def ask(bench: Bench, file: Path | None = None, *overrides: str) -> RunPlan:
    """Ask the runner's program what a run would be."""
    return preview(request(bench, file, *overrides))


def ask_to_resume(bench: Bench, folder: Path, *, retry_failed: bool = False) -> RunPlan:
    """Ask the runner's program what going on with a run would be."""
    workspace = Workspace(bench.root, bench.reports)
    return preview(RunRequest.to_resume(workspace, folder, retry_failed=retry_failed))


def test_a_preview_tells_the_driver_its_warnings_and_the_space(bench: Bench) -> None:
    found = ask(bench)

    preflight = found.preflight
    assert (preflight.driver, preflight.reason) == ("external", "the profile asks for it")
    assert found.preflight.warnings == (
        "settle.max is 0s: cells are measured without waiting for steady numbers",
    )
    assert found.needed_bytes == 20_000_000 + 2 * (1_000_000 + 10 * 3_000)
    assert found.free_bytes > 0


def test_a_preview_leaves_nothing_behind(bench: Bench, state_home: Path) -> None:
    before = sorted(bench.root.rglob("*"))

    ask(bench)

    assert sorted(bench.root.rglob("*")) == before
    assert not bench.reports.exists()
    assert not state_home.exists()


def test_a_preview_heeds_what_is_given_with_the_file(bench: Bench) -> None:
    found = ask(bench, None, "users=1,2,3", "settle.max=30s")

    assert found.preflight.warnings == ()
    assert found.needed_bytes == 20_000_000 + 3 * (1_000_000 + 40 * 3_000)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (EXTERNAL.replace("host: http://127.0.0.1:9\n", ""), r"external needs `host`"),
        (EXTERNAL.replace("[2, 4]", "[ten]"), r"mine\.yaml:3: users\[0\]: 'ten'"),
        (EXTERNAL + "load: {locustfile: gone.py}\n", r"load\.locustfile: .*gone\.py is not a file"),
        ("", "the file is empty"),
    ],
)
def test_a_preview_of_a_broken_profile_tells_its_mistake(
    bench: Bench, text: str, problem: str
) -> None:
    bench.save_profile(text, "mine")

    with pytest.raises(ProfileError, match=problem):
        ask(bench)
    assert not bench.reports.exists()


def test_a_preview_of_a_profile_that_is_gone_says_so(bench: Bench) -> None:
    with pytest.raises(ProfileError, match=r"gone\.yaml: No such file"):
        ask(bench, bench.root / "profiles" / "gone.yaml")


def resumable(bench: Bench, *events: Event, **recorded: object) -> Path:
    """A run of the bench's profile that is not live; keys were recorded with it besides."""
    file = bench.root / "profiles" / "mine.yaml"
    profile = make_profile(
        users=[2, 4],
        spawn_rates=[10],
        run_time="10s",
        settle={"max": "0s"},
        host="http://127.0.0.1:9",
        stack={"driver": "external"},
    )
    begun = replace(
        run_started(profile, workspace=str(bench.root)),
        profile_name="mine",
        profile_file=str(file),
        driver="external",
    )
    begun = replace(begun, profile={**begun.profile, **recorded})
    return write_journal(bench.reports / "mine" / begun.run, begun, *events)


def test_a_preview_of_going_on_counts_what_is_left(bench: Bench) -> None:
    folder = resumable(bench, cell_started("m1_u2_s10"), cell_finished("m1_u2_s10"))
    before = (folder / FILE_NAME).read_bytes()

    found = ask_to_resume(bench, folder)

    assert found.needed_bytes == 20_000_000 + 1_000_000 + 10 * 3_000
    assert (folder / FILE_NAME).read_bytes() == before
    assert [path.name for path in folder.iterdir()] == [FILE_NAME]


def test_a_preview_of_going_on_with_a_run_that_is_over_is_refused(bench: Bench) -> None:
    over = [
        event
        for key in ("m1_u2_s10", "m1_u4_s10")
        for event in (cell_started(key), cell_failed(key))
    ]
    folder = resumable(bench, *over)

    with pytest.raises(
        UsageError, match="no cells left to measure; to retry 2 failed cells, add --retry-failed"
    ):
        ask_to_resume(bench, folder)
    again = ask_to_resume(bench, folder, retry_failed=True)
    assert again.needed_bytes == 20_000_000 + 2 * (1_000_000 + 10 * 3_000)


def test_a_preview_of_going_on_after_the_profile_has_changed_is_refused(bench: Bench) -> None:
    folder = resumable(bench, cell_started("m1_u2_s10"))
    bench.save_profile(EXTERNAL.replace("run_time: 10s", "run_time: 20s"), "mine")

    with pytest.raises(RefusedError, match=r"has changed since .*: run_time was 10s, is 20s"):
        ask_to_resume(bench, folder)


def test_a_preview_of_going_on_with_a_profile_of_a_newer_version_is_refused(bench: Bench) -> None:
    folder = resumable(bench, cell_started("m1_u2_s10"), weather="good")

    with pytest.raises(JournalError, match=r"this version cannot read the profile \(weather\)"):
        ask_to_resume(bench, folder)


# What was looked at is what starts


def test_a_profile_that_is_edited_between_preview_and_start_is_refused(bench: Bench) -> None:
    looked_at = request(bench)
    preview(looked_at)
    bench.save_profile(EXTERNAL.replace("[2, 4]", "[8]"), "mine")

    changed = r"mine\.yaml has changed since it was read: users was \[2, 4\], is \[8\]\. Review it"
    with pytest.raises(RefusedError, match=changed):
        start_runner(looked_at)
    with pytest.raises(RefusedError, match=changed):
        preview(looked_at)
    assert not bench.reports.exists()


def test_a_comment_that_is_edited_between_preview_and_start_changes_nothing(bench: Bench) -> None:
    looked_at = request(bench, None, "users=3")
    preview(looked_at)
    file = bench.save_profile(f"# what a day\n{EXTERNAL}", "mine")

    begun = read_run(start_runner(looked_at)).state.started

    assert begun is not None
    assert begun.profile == looked_at.profile
    assert begun.overrides == ("users=3",)
    assert (begun.profile_name, begun.profile_file) == ("mine", str(file))


def test_a_request_that_was_damaged_on_its_way_starts_nothing(bench: Bench) -> None:
    looked_at = request(bench)
    damaged = replace(looked_at, profile={**looked_at.profile, "users": [9]})

    with pytest.raises(RefusedError, match="the profile mine was corrupted on its way"):
        start_runner(damaged)
    assert not bench.reports.exists()


# Errors by the second


class Clock:
    """A clock that the test turns."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_each_second_tells_what_failed_in_it() -> None:
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


def test_a_second_s_errors_are_as_many_as_its_failures() -> None:
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


def test_a_tail_begins_with_no_rest_of_a_line_that_is_not_whole_yet(log: Path) -> None:
    log.write_bytes(b"first\n" + b"x" * 1000)
    tail = Tail(log, last_bytes=100)
    assert tail.poll() in ([], [b"first"])

    with log.open("ab") as file:
        file.write(b"yyy\nnext\n")

    assert tail.poll() == [b"x" * 1000 + b"yyy", b"next"]
