"""The commands that start nothing."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.commands import COMMAND_ORDER
from loadbench.cli.exit_codes import PRECEDENCE, Exit
from loadbench.cli.main import main
from loadbench.engine.journal.events import Result as Outcome
from loadbench.engine.journal.events import RunFinished
from loadbench.engine.journal.writer import JournalWriter
from loadbench.engine.locks import StackLock
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_started,
    make_profile,
    run_started,
)
from tests.support.harness import FAST, REPOSITORY, Bench

Call = Callable[..., Result]

FIVE_ERRORS = """
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
    """Return a function that calls a command in the workspace of the test, in this process."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--workspace", str(bench.root), *arguments])

    return invoke


def save_run(bench: Bench, run: str = "20261122-072100", *, finished: bool = True) -> Path:
    """Save a run with one measured and one failed cell, or one that was killed in between."""
    folder = bench.reports / "fast" / run
    folder.mkdir(parents=True)
    profile = make_profile(models=[1, 2])
    journal = JournalWriter(folder)
    for event in (
        run_started(profile, run=run, workspace=str(bench.root)),
        cell_started(),
        cell_finished(),
        cell_started("m2_u2_s2"),
    ):
        journal.append(event)
    if finished:
        journal.append(cell_failed("m2_u2_s2"))
        journal.append(RunFinished(result=Outcome.DONE, reason="every cell has ended"))
    journal.close()
    return folder


def test_help_contains_examples_and_existing_commands_only() -> None:
    output = CliRunner().invoke(main, ["--help"]).output

    assert "run demo" in output
    assert "  attach" in output
    assert "  worker" not in output


def test_help_lists_commands_by_use() -> None:
    output = CliRunner().invoke(main, ["--help"]).output

    listed = re.findall(r"^  ([a-z]+)  ", output.partition("Commands:")[2], re.MULTILINE)
    assert tuple(listed) == COMMAND_ORDER


@pytest.mark.parametrize("name", COMMAND_ORDER)
def test_help_of_every_command_contains_examples_of_it(name: str) -> None:
    output = CliRunner().invoke(main, [name, "--help"]).output

    examples = re.findall(
        r"^    (loadbench-tui .*)", output.partition("Examples:")[2], re.MULTILINE
    )
    assert len(examples) >= 2
    assert all(name in example for example in examples)


@pytest.mark.parametrize(
    ("command", "others"),
    [
        ("run", {Exit.NOT_COMPARABLE, Exit.TOO_FEW_REPEATS}),
        ("compare", {Exit.INTERRUPTED, Exit.NOT_VALID}),
    ],
)
def test_help_of_gates_lists_their_exit_codes_by_precedence(
    command: str, others: set[Exit]
) -> None:
    output = CliRunner().invoke(main, [command, "--help"]).output

    table = output.partition("Exit codes")[2].partition("Options:")[0]
    listed = re.findall(r"^    (\d+) ", table, re.MULTILINE)
    assert listed == [str(code.value) for code in PRECEDENCE if code not in others]


def test_page_lists_every_exit_code_by_precedence() -> None:
    page = (REPOSITORY / "docs" / "ci.md").read_text(encoding="utf-8")

    table = page.partition("## Exit codes")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| (\d+) \|", table, re.MULTILINE)
    assert listed == [str(code.value) for code in PRECEDENCE]


@pytest.mark.parametrize("arguments", [(), ("attach", "fast")])
def test_screens_without_a_terminal_are_refused_with_an_alternative(
    call: Call, bench: Bench, arguments: tuple[str, ...]
) -> None:
    save_run(bench)

    result = call(*arguments)

    assert result.exit_code == 2
    for hint in ("must all be a terminal", "attach --plain", "--help"):
        assert hint in result.output


def test_attach_plain_prints_an_ended_run(call: Call, bench: Bench) -> None:
    save_run(bench)

    result = call("attach", "fast", "--plain")

    assert result.exit_code == 0
    assert "2 cells: 1 measured, 1 failed" in result.output


def test_attach_without_a_name_shows_the_newest_run_if_none_is_live(
    call: Call, bench: Bench
) -> None:
    save_run(bench)

    result = call("attach", "--plain")

    assert result.exit_code == 0
    assert "2 cells: 1 measured, 1 failed" in result.output


def test_attach_without_any_run_is_an_error(call: Call) -> None:
    result = call("attach")

    assert result.exit_code == 2
    assert "no run in" in result.output


def test_profiles_lists_valid_profiles_and_errors_of_invalid_ones(call: Call, bench: Bench) -> None:
    bench.save_profile("models: [x]", "broken")

    result = call("profiles")

    assert result.exit_code == 0
    assert "fast" in result.stdout
    assert "a fast one for tests" in result.stdout
    assert "broken.yaml:1: models[0]" in result.stderr


def test_empty_profiles_folder_suggests_init(call: Call, bench: Bench) -> None:
    (bench.root / "profiles" / "fast.yaml").unlink()

    assert "init DIR" in call("profiles").stderr


def test_all_profile_errors_are_printed_in_one_message_with_their_lines(
    call: Call, bench: Bench
) -> None:
    bench.save_profile(FIVE_ERRORS)

    result = call("validate", "fast")

    assert result.exit_code == 2
    for part in (
        "fast.yaml:2: devise: unknown key; did you mean device?",
        "fast.yaml:3: batch_size",
        "fast.yaml:4: models[1]",
        "fast.yaml:6: spawn_rates[0]",
        "fast.yaml:7: run_time: expected a duration such as 90s",
    ):
        assert part in result.stderr
    assert call("run", "fast").exit_code == 2
    assert not bench.reports.exists()


def test_validate_checks_all_profiles_and_their_files(call: Call, bench: Bench) -> None:
    bench.save_profile(FAST + "\n", "good")
    bench.save_profile(FAST.replace("load: {", "load: {locustfile: gone.py, "), "lost")

    result = call("validate")

    assert result.exit_code == 2
    assert "good: valid, 1 cell\n" in result.stdout
    assert "load.locustfile: file not found: " in result.stderr


def test_validate_checks_the_variables_of_the_bundled_service(call: Call, bench: Bench) -> None:
    local = FAST.replace("driver: local", "driver: local, environment: {%s}")
    bench.save_profile(local % "MODEL_PAHT: /net.onnx, MAX_QUEUE: 3", "misspelt")
    bench.save_profile(local % "BATCH_SIZE: 4", "twice")

    result = call("validate")

    assert result.exit_code == 2
    assert "has no variable MODEL_PAHT; did you mean MODEL_PATH?" in result.stderr
    assert "MAX_QUEUE" not in result.stderr
    assert "twice.yaml:8: stack.environment: BATCH_SIZE is set by batch_size" in result.stderr
    assert "has no variable MODEL_PAHT" in call("plan", "misspelt").stderr


def test_plan_prints_cells_time_and_driver_and_starts_nothing(call: Call, bench: Bench) -> None:
    result = call("plan", "fast", "--set", "users=1,2,3", "--set", "models=1,64")

    assert result.exit_code == 0
    assert "m64_u3_s10" in result.stdout
    assert "64_3_10.html" in result.stdout
    assert "6 cells, about" in result.stdout
    assert "Driver: local (" in result.stdout
    assert "64 models × 1 threads exceed" in result.stderr
    assert not bench.reports.exists()


def test_runs_prints_status_and_next_step_of_each_run(call: Call, bench: Bench) -> None:
    save_run(bench, "20261122-072100")
    save_run(bench, "20261122-072200", finished=False)
    (bench.reports / "fast" / "20261122-072300").mkdir()
    (bench.reports / "fast" / "20261122-072300" / "journal.jsonl").write_text("garbage\n")

    result = call("runs")

    assert "fast/20261122-072100  done" in result.stdout
    assert "fast/20261122-072200  interrupted" in result.stdout
    assert "1 of 2, 1 failed" in result.stdout
    assert "run --resume RUN --retry-failed" in result.stdout
    assert "20261122-072300/journal.jsonl" in result.stderr


def test_runs_without_any_run_suggests_the_demo(call: Call) -> None:
    assert "run demo" in call("runs").stderr


def test_report_rebuilds_and_prints_the_summary(call: Call, bench: Bench) -> None:
    folder = save_run(bench)

    result = call("report")

    assert result.exit_code == 0
    assert (folder / "summary.csv").is_file()
    assert "m1_u2_s2" in result.stdout
    assert "m2_u2_s2 failed: model-1 ended (137)" in result.stdout
    assert f"Reports: {folder}" in result.stdout


def test_report_keeps_a_summary_with_results_that_the_journal_lost(
    call: Call, bench: Bench
) -> None:
    folder = save_run(bench)
    call("report")
    before = (folder / "summary.json").read_bytes()
    journal = folder / "journal.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    journal.write_text("".join(line for line in lines if '"cell_finished"' not in line))

    result = call("report")

    assert result.exit_code == 0
    assert "summary.json are kept" in result.stderr
    assert "the results of m1_u2_s2. To measure them again: loadbench-tui run --resume" in (
        result.stderr
    )
    assert (folder / "summary.json").read_bytes() == before


def test_report_json_prints_the_summary_on_one_line(call: Call, bench: Bench) -> None:
    folder = save_run(bench)

    result = call("report", "fast", "--json")

    assert json.loads(result.stdout) == json.loads((folder / "summary.json").read_text())
    assert result.stdout.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], "run requires a PROFILE. Available profiles: fast"),
        (["run", "fats"], "Did you mean fast?"),
        (["run", "fast", "--retry-failed"], "--retry-failed requires --resume"),
        (["run", "fast", "--retry-suspect"], "--retry-suspect requires --resume"),
        (["run", "fast", "--again", "m1_u2_s10"], "--again requires --resume"),
        (["run", "fast", "fast", "--detach"], "--detach allows one PROFILE only"),
        (["run", "fast", "--resume", "fast"], "cannot be combined with PROFILE"),
        (["run", "--resume", "nothing"], "no run 'nothing'"),
        (["run", "fast", "--set", "usrs=1"], "did you mean users?"),
        (["stop"], "no live run"),
        (["report", "nothing"], "no run 'nothing'"),
        (["plan", "fast", "--set", "load.images=nowhere"], "load.images: folder not found: "),
        (["dance"], "No such command 'dance'"),
    ],
)
def test_invalid_arguments_give_one_message_and_exit_code_2(
    call: Call, arguments: list[str], expected: str
) -> None:
    result = call(*arguments)

    assert result.exit_code == 2
    assert expected in result.stderr
    assert "Traceback" not in result.output


def test_stop_of_an_ended_run_prints_its_status(call: Call, bench: Bench) -> None:
    save_run(bench, finished=False)

    result = call("stop", "fast")

    assert result.exit_code == 0
    assert "is not live (status: interrupted)" in result.stderr


def test_complete_run_is_not_resumed_but_can_retry_failed_cells(call: Call, bench: Bench) -> None:
    save_run(bench)

    result = call("run", "--resume", "fast")

    assert result.exit_code == 2
    assert "no cells left to measure; to retry" in result.stderr
    unknown = call("run", "--resume", "fast", "--again", "m1_u9_s10")
    assert unknown.exit_code == 2
    assert "No such cell: m1_u9_s10" in unknown.stderr


def test_plan_warns_that_another_run_uses_the_service(call: Call, bench: Bench) -> None:
    lock = StackLock("local")
    lock.acquire()
    lock.record_holder(save_run(bench))

    result = call("plan", "fast", "--set", "stack.driver=local")

    lock.release()
    assert result.exit_code == 0
    assert "in use by the run fast/20261122-072100" in result.stderr


def test_run_of_another_workspace_is_not_resumed(call: Call, bench: Bench) -> None:
    folder = save_run(bench, finished=False)
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace(str(bench.root), "/else/where"))

    result = call("run", "--resume", "fast")

    assert result.exit_code == 2
    assert "belongs to the workspace /else/where" in result.stderr


def test_control_characters_of_the_service_are_not_printed(call: Call, bench: Bench) -> None:
    folder = save_run(bench)
    journal = folder / "journal.jsonl"
    journal.write_text(journal.read_text().replace("model-1 ended", "\\u001b[2J\\u0007"))

    result = call("report")

    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout


def test_init_creates_a_working_workspace_and_overwrites_nothing(tmp_path: Path) -> None:
    target = tmp_path / "mine"

    created = CliRunner().invoke(main, ["init", str(target)])
    again = CliRunner().invoke(main, ["init", str(target)])

    assert created.exit_code == 0
    checked = CliRunner().invoke(main, ["--workspace", str(target), "validate"])
    assert checked.exit_code == 0, checked.output
    assert "demo: valid, 4 cells" in checked.stdout
    assert again.exit_code == 2
    assert "already contains profiles" in again.stderr


def test_folder_without_a_workspace_is_an_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["--workspace", str(tmp_path), "profiles"])

    assert result.exit_code == 2
    assert "not a workspace" in result.stderr


def test_doctor_reports_problems(call: Call, bench: Bench) -> None:
    assert call("doctor").exit_code == 0

    bench.save_profile("models: [x]", "broken")
    result = call("doctor")

    assert result.exit_code == 3
    assert "invalid: broken" in result.stdout


def test_command_and_module_print_the_same_version(tmp_path: Path) -> None:
    for argv in (
        [sys.executable, "-m", "loadbench"],
        [str(Path(sys.executable).parent / "loadbench-tui")],
    ):
        result = subprocess.run([*argv, "--version"], capture_output=True, text=True, check=True)
        assert result.stdout.startswith("loadbench-tui, version ")
