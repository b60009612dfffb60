"""Studies on the command line: several profiles, of which some are refused."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.main import main
from loadbench.cli.report.study import study_text
from loadbench.engine.studies.model import STUDY_FILE, StudyEntry, read_study
from loadbench.engine.studies.ranked import rank_study
from tests.support.harness import FAST, Bench, until
from tests.support.study_runs import add_device_study, add_run, add_study

Call = Callable[..., Result]

NO_GPU = f"device: gpu\n{FAST}"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench.make(tmp_path)
    yield bench
    bench.close()


@pytest.fixture
def call(bench: Bench) -> Call:
    """Return a function that calls a command in the workspace of the test, in this process."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--workspace", str(bench.root), *arguments])

    return invoke


def entries(bench: Bench, name: str = "devices") -> list[tuple[str, bool, bool]]:
    """Profile, whether it has a run, and whether it was refused, of each entry of a study."""
    study = read_study(bench.reports / "studies" / name)
    return [(entry.profile, bool(entry.run), bool(entry.refused)) for entry in study.entries]


def test_profiles_are_ranked_and_a_refused_one_does_not_stop_the_others(bench: Bench) -> None:
    bench.save_profile(FAST.replace("models: [1]", "models: [2]"), "two")
    bench.save_profile(NO_GPU, "with_gpu")

    done = bench.call("run", "fast", "with_gpu", "two", "--study", "devices", "--plain")

    assert done.returncode == 3, done.stderr
    assert "with_gpu was refused and is left out: device: gpu requires" in done.stderr
    assert entries(bench) == [
        ("fast", True, False),
        ("with_gpu", False, True),
        ("two", True, False),
    ]
    study = read_study(bench.reports / "studies" / "devices")
    ranking = rank_study(study).ranking
    assert [member.run.status.value for member in ranking.members if member.run] == ["done"] * 2
    _, results = done.stdout.split(f"Page: {study.run_folder(study.entries[2]) / 'summary.html'}\n")
    assert re.match(
        r"\d CPU model process.* at batch 1 \(.*\) reach.* the highest", results.strip()
    )
    assert "with_gpu was refused: device: gpu requires" in results
    assert f"Study: {study.folder}" in results
    assert f"Page: {study.folder / 'summary.html'}" in done.stderr


def test_json_prints_only_the_summaries_of_the_runs(bench: Bench) -> None:
    add_study(bench.reports, "devices", [StudyEntry(profile="with_gpu", refused="no GPU")])

    done = bench.call("run", "fast", "--study", "devices", "--plain", "--json")

    assert done.returncode == 0, done.stderr
    (summary,) = done.stdout.splitlines()
    assert json.loads(summary)["profile_name"] == "fast"
    assert "The study devices exists with 1 profile. The new runs are added to it" in done.stderr
    assert str(bench.reports / "studies" / "devices" / STUDY_FILE) in done.stderr
    assert entries(bench) == [("with_gpu", False, True), ("fast", True, False)]


def test_if_all_profiles_are_refused_nothing_is_started(bench: Bench) -> None:
    bench.save_profile(NO_GPU, "with_gpu")

    done = bench.call("run", "with_gpu", "--study", "devices", "--plain")

    assert done.returncode == 3
    assert entries(bench) == [("with_gpu", False, True)]
    assert "No run of the study has results." in done.stdout
    assert not (bench.reports / "with_gpu").exists()


def test_a_stopped_run_ends_the_study(bench: Bench) -> None:
    bench.save_profile(FAST.replace("run_time: 1s", "run_time: 120s"), "slow")
    process = bench.start("run", "slow", "fast", "--study", "devices", "--plain")
    bench.when("m1_u2_s10", name="slow")
    assert entries(bench) == [("slow", True, False), ("fast", False, False)]

    process.terminate()

    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Not started: fast" in err
    assert "Not started: fast." in out
    assert entries(bench) == [("slow", True, False), ("fast", False, False)]


def test_a_killed_command_leaves_a_readable_study(bench: Bench) -> None:
    bench.save_profile(FAST.replace("run_time: 1s", "run_time: 120s"), "slow")
    process = bench.start("run", "slow", "fast", "--study", "devices", "--plain")
    file = bench.reports / "studies" / "devices" / STUDY_FILE
    until(lambda: file.exists() and entries(bench)[0][1], what="a started run")

    process.kill()

    assert entries(bench) == [("slow", True, False), ("fast", False, False)]


def test_an_invalid_profile_stops_the_study_before_it_starts(call: Call, bench: Bench) -> None:
    bench.save_profile("models: [0]", "bad")

    result = call("run", "fast", "bad", "--study", "devices")

    assert result.exit_code == 2
    assert not bench.reports.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("fast", "--study", "a/b"), "cannot be the name of a study. Use at most 60 letters"),
        (("fast", "--study", ""), "cannot be the name of a study"),
        (("fast", "--study", "x", "--detach"), "--detach cannot be combined with --study"),
        (("--resume", "fast", "--study", "x"), "--resume RUN cannot be combined with --study"),
        (("--study", "x"), "run requires a PROFILE"),
    ],
)
def test_wrong_use_of_the_option_is_explained(
    call: Call, bench: Bench, arguments: tuple[str, ...], message: str
) -> None:
    result = call("run", *arguments)

    assert result.exit_code == 2
    assert message in result.output
    assert not bench.reports.exists()


def test_a_study_that_cannot_be_read_is_not_replaced(call: Call, bench: Bench) -> None:
    file = bench.reports / "studies" / "devices" / STUDY_FILE
    file.parent.mkdir(parents=True)
    file.write_text("{}")

    assert call("run", "fast", "--study", "devices").exit_code == 3
    assert call("report", "devices").exit_code == 3
    assert file.read_text() == "{}"
    assert not (bench.reports / "fast").exists()


@pytest.mark.parametrize("name", ["devices", "studies/devices"])
def test_report_prints_the_ranking_of_a_study(call: Call, bench: Bench, name: str) -> None:
    add_device_study(bench.reports)

    result = call("report", name)

    assert result.exit_code == 0, result.output
    assert (
        "2 GPU containers at batch 10 (with_gpu) carry the most, at least 200 users: p95 310 ms"
        in result.stdout
    )
    assert "two_gpus was refused: device: gpu requires a GPU" in result.stdout
    assert "rank  profile   configuration " in result.stdout
    assert "≥: no load failed, or throughput was still rising" in result.stdout


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_the_report_of_a_study_fits_the_terminal(bench: Bench, columns: int) -> None:
    lines = study_text(rank_study(add_device_study(bench.reports)), columns)

    assert max(map(len, lines)) <= columns
    assert len([line for line in lines if re.match(r"[1-4-]  +.* at batch ", line)]) == 6


def test_report_json_prints_a_study_on_one_line(call: Call, bench: Bench) -> None:
    add_device_study(bench.reports)

    (line,) = call("report", "devices", "--json").stdout.splitlines()

    record = json.loads(line)
    assert record["answer"].startswith("2 GPU containers")
    assert [one["rank"] for one in record["configurations"]] == [1, 2, 3, 4, None, None]
    assert record["configurations"][0]["load"]["load"] == "200 users"
    assert record["profiles"][3]["refused"].startswith("device: gpu requires")
    assert record["is_complete"] is True


def test_attach_plain_prints_the_ranking_of_a_study(call: Call, bench: Bench) -> None:
    add_device_study(bench.reports)

    result = call("attach", "studies/devices", "--plain")

    assert result.exit_code == 0
    assert "2 GPU containers at batch 10 (with_gpu) carry the most" in result.stdout


def test_attach_without_a_terminal_is_refused_for_a_study_too(call: Call, bench: Bench) -> None:
    add_device_study(bench.reports)

    result = call("attach", "studies/devices")

    assert result.exit_code == 2
    assert "must all be a terminal" in result.output


def test_a_run_takes_precedence_over_a_study_with_the_same_name(call: Call, bench: Bench) -> None:
    add_study(bench.reports, "with_cpu", [add_run(bench.reports, "with_cpu", {"m1_u2_s2": 10.0})])

    assert "Reports: " in call("report", "with_cpu").stdout
    assert "Study: " in call("report", "studies/with_cpu").stdout


def test_unknown_names_are_still_errors(call: Call, bench: Bench) -> None:
    add_device_study(bench.reports)

    assert call("report", "other").exit_code == 2
    assert call("report", "devices", "--series").exit_code == 2


def test_runs_lists_studies_after_the_runs(call: Call, bench: Bench) -> None:
    study = add_device_study(bench.reports)
    broken = bench.reports / "studies" / "broken"
    broken.mkdir()
    (broken / STUDY_FILE).write_text("{}")

    result = call("runs")

    table = result.stdout.partition("study ")[2]
    assert "studies/devices" in table
    assert "with_cpu, batch_10, with_gpu, two_gpus" in table
    assert "3 of 4" in table
    assert "Unreadable study: " in result.output
    shutil.rmtree(study.folder)
    shutil.rmtree(broken)
    assert "study " not in call("runs").stdout
