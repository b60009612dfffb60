"""The commands that start nothing, as a user types them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.main import main
from loadbench.engine.journal.events import Result as Outcome
from loadbench.engine.journal.events import RunFinished
from loadbench.engine.journal.writer import JournalWriter
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
)
from tests.support.harness import FAST, Bench

Call = Callable[..., Result]

FIVE_MISTAKES = """
devise: cpu
batch_size: none
models: [1, -2]
users: [2]
spawn_rates: [0]
run_time: soon
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.make(tmp_path)


@pytest.fixture
def call(bench: Bench) -> Call:
    """Call a command in the workspace of the test, in this process."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--workspace", str(bench.root), *arguments])

    return invoke


def save_run(bench: Bench, run: str = "20261122-072100", *, finished: bool = True) -> Path:
    """Save a run of two cells, one of which failed."""
    folder = bench.reports / "fast" / run
    folder.mkdir(parents=True)
    profile = make_profile(models=[1, 2])
    journal = JournalWriter(folder)
    for event in (
        run_started(profile, run=run, workspace=str(bench.root)),
        cell_started(),
        cell_finished(),
        cell_started("m2_u2_s2"),
        cell_failed("m2_u2_s2"),
    ):
        journal.append(event)
    if finished:
        journal.append(RunFinished(result=Outcome.DONE, reason="every cell is over"))
    journal.close()
    return folder


def test_help_teaches_and_names_only_what_is_built(call: Call) -> None:
    told = CliRunner().invoke(main, ["--help"]).output

    assert "run demo" in told
    assert "  attach" in told
    assert "  compare" not in told


@pytest.mark.parametrize("arguments", [(), ("attach", "fast")])
def test_without_a_terminal_the_screens_are_refused_with_what_to_do_instead(
    call: Call, bench: Bench, arguments: tuple[str, ...]
) -> None:
    save_run(bench)

    ended = call(*arguments)

    assert ended.exit_code == 2
    for hint in ("not all a terminal", "attach --plain", "--help"):
        assert hint in ended.output


def test_attach_tells_a_run_that_is_over_in_lines(call: Call, bench: Bench) -> None:
    save_run(bench)

    ended = call("attach", "fast", "--plain")

    assert ended.exit_code == 0
    assert "2 cells: 1 finished, 1 failed" in ended.output


def test_attach_without_a_name_shows_the_newest_run_where_none_is_live(
    call: Call, bench: Bench
) -> None:
    save_run(bench)

    ended = call("attach", "--plain")

    assert ended.exit_code == 0
    assert "2 cells: 1 finished, 1 failed" in ended.output


def test_attach_without_any_run_says_so(call: Call) -> None:
    ended = call("attach")

    assert ended.exit_code == 2
    assert "no run in" in ended.output


def test_profiles_are_listed_and_broken_ones_with_their_mistake(call: Call, bench: Bench) -> None:
    bench.save_profile("models: [x]", "broken")

    told = call("profiles")

    assert told.exit_code == 0
    assert "fast" in told.stdout
    assert "a fast one for tests" in told.stdout
    assert "broken.yaml:1: models[0]" in told.stderr


def test_an_empty_folder_of_profiles_says_what_to_do(call: Call, bench: Bench) -> None:
    (bench.root / "profiles" / "fast.yaml").unlink()

    assert "init DIR" in call("profiles").stderr


def test_five_mistakes_come_in_one_message_with_their_lines(call: Call, bench: Bench) -> None:
    bench.save_profile(FIVE_MISTAKES)

    told = call("validate", "fast")

    assert told.exit_code == 2
    for part in (
        "fast.yaml:2: devise: unknown key; did you mean device?",
        "fast.yaml:3: batch_size",
        "fast.yaml:4: models[1]",
        "fast.yaml:6: spawn_rates[0]",
        "fast.yaml:7: run_time: 'soon': a duration such as 90s",
    ):
        assert part in told.stderr
    assert call("run", "fast").exit_code == 2
    assert not bench.reports.exists()


def test_validate_looks_at_all_profiles_and_their_files(call: Call, bench: Bench) -> None:
    bench.save_profile(FAST + "\n", "good")
    bench.save_profile(FAST.replace("load: {", "load: {locustfile: gone.py, "), "lost")

    told = call("validate")

    assert told.exit_code == 2
    assert "good: valid, 1 cell\n" in told.stdout
    assert "gone.py is not a file" in told.stderr


def test_validate_looks_at_the_variables_of_our_service(call: Call, bench: Bench) -> None:
    local = FAST.replace("driver: local", "driver: local, environment: {%s}")
    bench.save_profile(local % "MODEL_PAHT: /net.onnx, MAX_QUEUE: 3", "misspelt")
    bench.save_profile(local % "BATCH_SIZE: 4", "twice")

    told = call("validate")

    assert told.exit_code == 2
    assert "has no variable MODEL_PAHT; is MODEL_PATH meant?" in told.stderr
    assert "MAX_QUEUE" not in told.stderr
    assert "twice.yaml:8: stack.environment: BATCH_SIZE is set by batch_size" in told.stderr
    assert "has no variable MODEL_PAHT" in call("plan", "misspelt").stderr


def test_plan_shows_cells_time_and_driver_and_starts_nothing(call: Call, bench: Bench) -> None:
    told = call("plan", "fast", "--set", "users=1,2,3", "--set", "models=1,64")

    assert told.exit_code == 0
    assert "m64_u3_s10" in told.stdout
    assert "64_3_10.html" in told.stdout
    assert "6 cells, about" in told.stdout
    assert "driver: local (" in told.stdout
    assert "64 models × 1 threads are more than" in told.stderr
    assert not bench.reports.exists()


def test_runs_tells_what_there_is_and_what_to_do_next(call: Call, bench: Bench) -> None:
    save_run(bench, "20261122-072100")
    save_run(bench, "20261122-072200", finished=False)
    (bench.reports / "fast" / "20261122-072300").mkdir()
    (bench.reports / "fast" / "20261122-072300" / "journal.jsonl").write_text("garbage\n")

    told = call("runs")

    assert "fast/20261122-072100  done" in told.stdout
    assert "fast/20261122-072200  interrupted" in told.stdout
    assert "1 of 2, 1 failed" in told.stdout
    assert "run --resume RUN --retry-failed" in told.stdout
    assert "20261122-072300/journal.jsonl" in told.stderr


def test_no_runs_says_how_to_begin(call: Call) -> None:
    assert "run demo" in call("runs").stderr


def test_report_rebuilds_and_shows(call: Call, bench: Bench) -> None:
    folder = save_run(bench)

    told = call("report")

    assert told.exit_code == 0
    assert (folder / "summary.csv").is_file()
    assert "m1_u2_s2" in told.stdout
    assert "m2_u2_s2 failed: model-1 ended (137)" in told.stdout
    assert f"reports: {folder}" in told.stdout


def test_report_as_json_is_one_line_of_the_summary(call: Call, bench: Bench) -> None:
    folder = save_run(bench)

    told = call("report", "fast", "--json")

    assert json.loads(told.stdout) == json.loads((folder / "summary.json").read_text())
    assert told.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], "run needs a PROFILE; there are: fast"),
        (["run", "fats"], "Did you mean fast?"),
        (["run", "fast", "--retry-failed"], "--retry-failed goes with --resume"),
        (["run", "fast", "fast", "--detach"], "--detach takes one PROFILE"),
        (["run", "fast", "--resume", "fast"], "takes no PROFILE"),
        (["run", "--resume", "nothing"], "no run 'nothing'"),
        (["run", "fast", "--set", "usrs=1"], "did you mean users?"),
        (["stop"], "no live run"),
        (["report", "nothing"], "no run 'nothing'"),
        (["plan", "fast", "--set", "load.images=nowhere"], "nowhere is not a folder"),
        (["dance"], "No such command 'dance'"),
    ],
)
def test_a_command_that_cannot_be_meant_is_one_message_and_exit_code_2(
    call: Call, arguments: list[str], expected: str
) -> None:
    told = call(*arguments)

    assert told.exit_code == 2
    assert expected in told.stderr
    assert "Traceback" not in told.output


def test_stopping_what_is_not_live_says_how_it_stands(call: Call, bench: Bench) -> None:
    save_run(bench, finished=False)

    told = call("stop", "fast")

    assert told.exit_code == 0
    assert "is not live, it is interrupted" in told.stderr


def test_a_run_with_nothing_left_is_not_resumed_but_can_retry(call: Call, bench: Bench) -> None:
    save_run(bench)

    told = call("run", "--resume", "fast")

    assert told.exit_code == 2
    assert "no cells left to measure; to retry" in told.stderr


def test_a_run_of_another_workspace_is_not_resumed_here(call: Call, bench: Bench) -> None:
    folder = save_run(bench, finished=False)
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace(str(bench.root), "/else/where"))

    told = call("run", "--resume", "fast")

    assert told.exit_code == 2
    assert "belongs to the workspace /else/where" in told.stderr


def test_words_of_a_service_do_not_steer_the_terminal(call: Call, bench: Bench) -> None:
    folder = save_run(bench)
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace("model-1 ended", "\\u001b[2J\\u0007"))

    told = call("report")

    assert "\x1b" not in told.stdout
    assert "\x07" not in told.stdout


def test_init_makes_a_workspace_that_works_and_overwrites_nothing(tmp_path: Path) -> None:
    target = tmp_path / "mine"

    made = CliRunner().invoke(main, ["init", str(target)])
    again = CliRunner().invoke(main, ["init", str(target)])

    assert made.exit_code == 0
    checked = CliRunner().invoke(main, ["--workspace", str(target), "validate"])
    assert checked.exit_code == 0, checked.output
    assert "demo: valid, 4 cells" in checked.stdout
    assert again.exit_code == 2
    assert "already there" in again.stderr


def test_a_workspace_that_is_none_is_said(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["--workspace", str(tmp_path), "profiles"])

    assert told.exit_code == 2
    assert "not a workspace" in told.stderr


def test_doctor_finds_what_is_wrong(call: Call, bench: Bench) -> None:
    assert call("doctor").exit_code == 0

    bench.save_profile("models: [x]", "broken")
    told = call("doctor")

    assert told.exit_code == 3
    assert "invalid: broken" in told.stdout


def test_the_command_and_the_module_are_the_same(tmp_path: Path) -> None:
    for argv in (
        [sys.executable, "-m", "loadbench"],
        [str(Path(sys.executable).parent / "loadbench-tui")],
    ):
        ended = subprocess.run([*argv, "--version"], capture_output=True, text=True, check=True)
        assert ended.stdout.startswith("loadbench-tui, version ")
