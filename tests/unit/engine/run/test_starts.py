"""Starts that fail in the same way end the run, or the cells with that number of models."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from loadbench.engine.journal.commands import send_command
from loadbench.engine.journal.events import Container, Result
from loadbench.engine.journal.state import CellStatus
from loadbench.engine.run import attempt
from loadbench.engine.run.starts import without_differences
from loadbench.errors import StackError
from tests.support.fakes import Trap
from tests.support.harness import until
from tests.support.sweeps import Sweep

EXITED = "model-# did not become ready: it exited with code 3 after #.5 s"

Make = Callable[..., Sweep]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Make a sweep with the given keys of the profile."""
    made: list[Sweep] = []

    def make_sweep(**keys: Any) -> Sweep:
        folder = tmp_path / "run"
        folder.mkdir()
        made.append(Sweep(folder, **keys))
        return made[-1]

    yield make_sweep
    for sweep in made:
        sweep.journal.close()


def starts(sweep: Sweep) -> list[str]:
    return [call for call in sweep.calls if call.startswith("scale")]


def outstanding(sweep: Sweep) -> list[str]:
    return [one.cell.key for one in sweep.state.outstanding]


def ending(sweep: Sweep) -> str:
    assert sweep.state.finished is not None
    return sweep.state.finished.reason


# The run ends


def test_the_same_start_failure_twice_ends_the_run_with_its_reason_once(make: Make) -> None:
    sweep = make(models=[1], users=[1, 2, 3, 4])
    sweep.stack.unstartable = {1: EXITED}

    assert sweep.run() is Result.ABORTED

    assert starts(sweep) == ["scale 1", "scale 1"]
    assert sweep.failed == ["m1_u1_s2", "m1_u2_s2"]
    assert outstanding(sweep) == ["m1_u3_s2", "m1_u4_s2"]
    failed = sweep.state.cells["m1_u2_s2"].failed
    assert failed is not None
    assert (failed.container, failed.exit_code) == ("model-1", 3)
    assert ending(sweep) == (
        f"{failed.reason} (2 starts failed in the same way); "
        f"fix this, then resume with `run --resume {sweep.folder.parent.name}/{sweep.folder.name} "
        "--retry-failed`"
    )
    assert ending(sweep).count("did not become ready") == 1


def test_failures_with_different_numbers_of_models_end_the_run_too(make: Make) -> None:
    sweep = make(models=[1, 2, 3])
    sweep.stack.unstartable = {1: EXITED, 2: EXITED, 3: EXITED}

    assert sweep.run() is Result.ABORTED

    assert starts(sweep) == ["scale 1", "scale 2"]
    assert outstanding(sweep) == ["m3_u2_s2"]


def test_a_skipped_start_is_neither_a_failure_nor_a_success(make: Make) -> None:
    sweep = make(models=[1], users=[1, 2, 3, 4])
    sweep.stack.unstartable = {1: EXITED}

    def skip_the_second() -> None:
        sweep.stack.traps["scale 1"] = lambda: send_command(sweep.folder, "skip")

    sweep.stack.traps["scale 1"] = skip_the_second

    assert sweep.run() is Result.ABORTED

    assert sweep.status("m1_u2_s2") is CellStatus.SKIPPED
    assert sweep.failed == ["m1_u1_s2", "m1_u3_s2"]
    assert outstanding(sweep) == ["m1_u4_s2"]


def test_a_pause_between_two_starts_changes_nothing(make: Make) -> None:
    sweep = make(models=[1], users=[1, 2, 3])
    sweep.stack.unstartable = {1: EXITED}

    def pause() -> None:
        send_command(sweep.folder, "pause")
        send_command(sweep.folder, "resume")

    sweep.stack.traps["scale 1"] = pause

    assert sweep.run() is Result.ABORTED

    assert starts(sweep) == ["scale 1", "scale 1"]


def test_a_run_whose_last_two_cells_fail_is_done(make: Make) -> None:
    sweep = make(models=[1], users=[1, 2])
    sweep.stack.unstartable = {1: EXITED}

    assert sweep.run() is Result.DONE

    assert ending(sweep) == "0 of 2 cells measured"


def test_a_resumed_run_counts_anew(make: Make) -> None:
    sweep = make(models=[1], users=[1, 2, 3, 4, 5, 6])
    sweep.stack.unstartable = {1: EXITED}
    sweep.run()
    sweep.calls.clear()

    assert sweep.resume() is Result.ABORTED

    assert starts(sweep) == ["scale 1", "scale 1"]
    assert outstanding(sweep) == ["m1_u5_s2", "m1_u6_s2"]
    sweep.stack.unstartable = {}
    assert sweep.resume(*set(sweep.failed)) is Result.DONE
    assert sweep.state.count(CellStatus.FINISHED) == 6


# Failures that do not end it


def test_different_start_failures_end_nothing(make: Make) -> None:
    sweep = make(models=[1], users=[1, 2, 3, 4])
    texts = iter(["no memory", "no port", "no memory", "no port"])

    def fail() -> None:
        sweep.stack.traps["scale 1"] = fail
        raise StackError(next(texts))

    sweep.stack.traps["scale 1"] = fail

    assert sweep.run() is Result.DONE

    assert sweep.state.count(CellStatus.FAILED) == 4
    assert len(starts(sweep)) == 4


def test_a_success_between_two_failures_ends_nothing(make: Make) -> None:
    sweep = make(models=[1], users=[1, 2, 3, 4])
    fails = iter([True, False, True, False])

    def sometimes_fail() -> None:
        sweep.stack.traps["scale 1"] = sometimes_fail
        if next(fails):
            raise StackError("no memory")

    sweep.stack.traps["scale 1"] = sometimes_fail

    assert sweep.run() is Result.DONE

    assert sweep.failed == ["m1_u1_s2", "m1_u3_s2"]
    assert sweep.state.count(CellStatus.FINISHED) == 2


def test_failures_during_measurements_end_nothing(make: Make) -> None:
    sweep = make(models=[1], users=[1, 2, 3])

    def fail() -> None:
        sweep.load.traps["measure"] = fail
        sweep.stack.broken = StackError("model-1 was killed")

    sweep.load.traps["measure"] = fail

    assert sweep.run() is Result.DONE

    assert sweep.state.count(CellStatus.FAILED) == 3


# A number of models ends


def test_after_a_success_only_the_number_of_models_ends(make: Make) -> None:
    sweep = make(models=[1, 2, 4], users=[1, 2, 3])
    sweep.stack.unstartable = {2: EXITED, 4: EXITED}

    assert sweep.run() is Result.DONE

    assert starts(sweep) == [*["scale 1"] * 3, *["scale 2"] * 2, "scale 4"]
    assert sweep.state.count(CellStatus.FINISHED) == 3
    assert sweep.state.count(CellStatus.FAILED) == 6
    assert sweep.reason("m2_u3_s2") == "not started: 2 starts failed in the same way, see m2_u1_s2"
    assert "it exited with code 3" in (sweep.reason("m4_u1_s2") or "")
    for key in ("m4_u2_s2", "m4_u3_s2"):
        assert sweep.reason(key) == "not started: 3 starts failed in the same way, see m2_u1_s2"
        assert sweep.state.cells[key].attempt == 0
    assert sweep.state == sweep.control.state


def test_cells_that_were_not_started_are_retried_on_request(make: Make) -> None:
    sweep = make(models=[1, 2], users=[1, 2, 3])
    sweep.stack.unstartable = {2: EXITED}
    sweep.run()
    sweep.stack.unstartable = {}

    assert sweep.resume(*sweep.failed) is Result.DONE

    assert sweep.state.count(CellStatus.FINISHED) == 6
    assert sweep.state.cells["m2_u3_s2"].attempt == 1


def test_another_failure_with_the_next_number_of_models_counts_anew(make: Make) -> None:
    sweep = make(models=[1, 2, 4], users=[1, 2, 3])
    sweep.stack.unstartable = {2: EXITED, 4: "no GPU"}

    assert sweep.run() is Result.DONE

    assert starts(sweep)[3:] == [*["scale 2"] * 2, *["scale 4"] * 2]
    assert sweep.reason("m4_u3_s2") == "not started: 2 starts failed in the same way, see m4_u1_s2"


def test_a_smaller_number_of_models_gets_a_start(make: Make) -> None:
    """The larger one may have needed too much memory."""
    sweep = make(models=[4, 2], users=[1, 2, 3])
    sweep.stack.unstartable = {4: EXITED}

    assert sweep.run() is Result.DONE

    assert starts(sweep) == [*["scale 4"] * 2, *["scale 2"] * 3]
    assert sweep.state.count(CellStatus.FINISHED) == 3


def test_the_run_ends_if_the_smaller_number_fails_in_the_same_way(make: Make) -> None:
    sweep = make(models=[4, 2], users=[1, 2, 3])
    sweep.stack.unstartable = {4: EXITED, 2: EXITED}

    assert sweep.run() is Result.ABORTED

    assert starts(sweep) == [*["scale 4"] * 2, "scale 2"]
    assert "(3 starts failed in the same way)" in ending(sweep)
    assert outstanding(sweep) == ["m2_u2_s2", "m2_u3_s2"]


def test_repeats_and_the_recheck_end_with_their_number_of_models(make: Make) -> None:
    sweep = make(models=[2, 1], users=[1, 2], repeats=2, recheck_first=True)
    sweep.stack.unstartable = {2: EXITED}

    assert sweep.run() is Result.DONE

    assert starts(sweep) == [*["scale 2"] * 2, *["scale 1"] * 4]
    assert sweep.reason("m2_u1_s2_recheck") == (
        "not started: 2 starts failed in the same way, see m2_u1_s2"
    )


def test_a_cell_added_later_gets_a_start(make: Make) -> None:
    sweep = make(models=[1, 2, 4], users=[1, 2, 3])
    sweep.stack.unstartable = {2: EXITED}
    point = {"models": 2, "users": 9, "spawn_rate": 2}
    sweep.load.traps["swarm m4_u3_s2"] = lambda: send_command(sweep.folder, "add", args=point)

    assert sweep.run() is Result.DONE

    assert starts(sweep)[-1] == "scale 2"
    assert "it exited with code 3" in (sweep.reason("m2_u9_s2") or "")


# Comparison of failures


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("app-1 exited with code 3", "app-2 exited with code 3"),
        ("port 127.0.0.1:32768 is in use", "port 127.0.0.1:32769 is in use"),
        ("no image sha256:0a1b2c3d4e5f", "no image sha256:9f8e7d6c5b4a"),
        ("not ready within 20 s: 1 of 2 running", "not ready within 20 s: 0 of 2 running"),
        ("app-1 is unhealthy", "app-1 is unhealthy, app-2 is unhealthy"),
        ("at 0x7f001234abcd", "at 0x7f00beef0001"),
    ],
)
def test_numbers_and_ids_do_not_distinguish_failures(one: str, other: str) -> None:
    assert without_differences(StackError(one)) == without_differences(StackError(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (StackError("app-1 exited"), StackError("db-1 exited")),
        (StackError("app-1 exited", exit_code=1), StackError("app-1 exited", exit_code=137)),
    ],
)
def test_words_and_exit_codes_distinguish_failures(one: StackError, other: StackError) -> None:
    assert without_differences(one) != without_differences(other)


# Surplus replicas


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the clock of the start-up timeout."""
    clock = Clock()
    monkeypatch.setattr(attempt, "time", SimpleNamespace(monotonic=clock.monotonic))
    return clock


def miss_once(sweep: Sweep) -> None:
    """Let the service become ready at the second check of each start."""
    missing = iter(["app-1 is starting", None] * 9)
    sweep.stack.missing = lambda _models: next(missing)  # type: ignore[method-assign,assignment]


@pytest.mark.parametrize(("call", "status"), [("shrink 1", "finished"), ("scale 1", "failed")])
def test_only_the_start_itself_counts_towards_the_startup_timeout(
    make: Make, clock: Clock, call: str, status: str
) -> None:
    sweep = make(models=[2, 1])
    miss_once(sweep)
    sweep.stack.traps[call] = lambda: setattr(clock, "now", clock.now + 100_000)

    sweep.run()

    assert sweep.status("m1_u2_s2").value == status
    calls = [call for call in sweep.calls if call.startswith(("shrink", "scale"))]
    assert calls == ["scale 2", "shrink 1", "scale 1"]


def test_a_replica_that_does_not_stop_fails_the_cell(make: Make) -> None:
    sweep = make(models=[2, 1])

    def fail() -> None:
        raise StackError("app-2 did not stop within 40 s")

    sweep.stack.traps["shrink 1"] = fail

    assert sweep.run() is Result.DONE

    assert sweep.reason("m1_u2_s2") == "app-2 did not stop within 40 s"


# Waits


def until_shown(sweep: Sweep, text: str) -> Trap:
    """Return a trap that lasts until a progress line with a text is in the journal."""
    return lambda: until(lambda: any(text in line for line in sweep.progress), what=text)


def quiet(sweep: Sweep) -> Sweep:
    """Let a sweep report each wait at once."""
    sweep.control = sweep.new_control_loop(quiet_s=0)
    return sweep


def test_a_long_start_names_the_containers_that_it_waits_for(make: Make) -> None:
    sweep = quiet(make(models=[1], stack={"startup_timeout": "90s"}))
    shown = (
        Container(name="db-1", service="db", state="running", health="starting"),
        Container(name="api-1", service="api", state="created"),
        Container(name="job-1", service="job", state="exited", exit_code=0),
        Container(name="app-1", service="app", state="running", health="healthy"),
    )
    sweep.stack.show = lambda: shown
    text = "Waiting for the service to start, at most 90 s: db-1 is starting, api-1 is created"
    sweep.stack.traps["scale 1"] = until_shown(sweep, text)

    assert sweep.run() is Result.DONE

    assert sweep.progress.count(text) == 1


def test_a_wait_is_not_reported_while_there_is_progress(make: Make) -> None:
    sweep = make(models=[1])
    sweep.stack.traps["scale 1"] = until_shown(sweep, "1 models")

    assert sweep.run() is Result.DONE

    assert not [line for line in sweep.progress if line.startswith("Waiting")]


def test_a_changed_wait_is_reported_again(make: Make) -> None:
    sweep = quiet(make(models=[1]))
    health = ["starting"]
    sweep.stack.show = lambda: (
        Container(name="db-1", service="db", state="running", health=health[0]),
    )

    def change() -> None:
        until_shown(sweep, "db-1 is starting")()
        health[0] = "unhealthy"
        until_shown(sweep, "db-1 is unhealthy")()

    sweep.stack.traps["scale 1"] = change

    assert sweep.run() is Result.DONE

    text = "Waiting for the service to start, at most 180 s: db-1 is"
    shown = [line for line in sweep.progress if line.startswith(text)]
    assert shown == [f"{text} starting", f"{text} unhealthy"]


def test_a_cell_waits_for_the_start_of_a_skipped_one_and_names_it(make: Make) -> None:
    sweep = quiet(make(models=[1], users=[1, 2], stack={"startup_timeout": "90s"}))
    text = "Waiting for the skipped cell: the service to start, at most 90 s"

    def skip() -> None:
        send_command(sweep.folder, "skip")
        until_shown(sweep, text)()

    sweep.stack.traps["scale 1"] = skip

    assert sweep.run() is Result.DONE

    assert text in sweep.progress
    assert sweep.status("m1_u1_s2") is CellStatus.SKIPPED
    assert sweep.status("m1_u2_s2") is CellStatus.FINISHED


@pytest.mark.parametrize(
    ("part", "call", "text"),
    [
        ("load", "start load", "Waiting for Locust to start, at most 30 s"),
        ("load", "close load", "Waiting for model-1 to stop"),
        ("stack", "close stack", "Waiting for model-1 to stop"),
    ],
)
def test_a_long_wait_for_a_component_is_named(make: Make, part: str, call: str, text: str) -> None:
    sweep = quiet(make(models=[1]))
    getattr(sweep, part).traps[call] = until_shown(sweep, text)

    assert sweep.run() is Result.DONE

    assert text in sweep.progress


def test_a_restart_of_locust_is_named(make: Make) -> None:
    sweep = quiet(make(models=[1], users=[1, 2]))
    sweep.stack.unstartable = {1: EXITED}
    text = "Waiting for Locust to start, at most 30 s"
    sweep.load.traps["close load"] = lambda: sweep.load.traps.update(
        {"start load": until_shown(sweep, text)}
    )

    sweep.run()

    assert text in sweep.progress
