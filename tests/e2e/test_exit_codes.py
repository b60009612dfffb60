"""Every exit code of the gates, provoked in a process of the command.

The results are recorded, so that they are the same on every machine: the last cell of each run has
been measured, but the run has not ended. The runner that resumes it has only to end it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from loadbench.cli.exit_codes import Exit
from loadbench.engine.journal.events import Event, Verdict
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    requests,
    run_started,
    write_journal,
)
from tests.support.compared_runs import add_compared_run
from tests.support.harness import FAST, TIMEOUT_S, Bench
from tests.support.junit import ParsedCase, parsed

KEYS = ("m1_u2_s2", "m2_u2_s2")
PROFILE = make_profile(models=[1, 2], stack={"driver": "local"}, goals={"p95_ms": 500})
SLOW = {"requests": requests(((501.0, 400),))}
FAILING = {
    "requests": requests((), ((1.0, 400),)),
    "completed": 0,
    "verdict": Verdict.INVALID,
    "reasons": ("no successful requests",),
}
SUSPECT = {"verdict": Verdict.SUSPECT, "reasons": ("not settled",)}
FEW = {"requests": requests(((10.0, 30),))}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench.make(tmp_path_factory.mktemp("exits"))
    yield made
    made.close()


def save(bench: Bench, *events: Event) -> str:
    """Save a run of two cells that was killed after the last cell. Return its name."""
    run = f"20261122-{len(list(bench.reports.glob('gated/*'))):06}"
    folder = bench.reports / "gated" / run
    started = run_started(PROFILE, run=run, workspace=str(bench.root))
    write_journal(folder, replace(started, profile_name="gated"), *events)
    return f"gated/{run}"


def measured(*changes: Mapping[str, Any]) -> list[Event]:
    events: list[Event] = []
    for key, fields in zip(KEYS, changes, strict=True):
        events += [cell_started(key), cell_finished(key, **fields)]
    return events


def save_ended(bench: Bench) -> str:
    """Save a run that misses a goal."""
    return save(bench, *measured({}, SLOW))


RUNS: dict[str, tuple[Exit, Sequence[Event], str]] = {
    "done": (Exit.DONE, measured({}, {}), "passed passed passed passed"),
    "goal missed": (Exit.GATE_FAILED, measured({}, SLOW), "passed passed passed failure"),
    "suspect": (Exit.NOT_VALID, measured({}, SUSPECT), "passed passed skipped skipped"),
    "undecided": (Exit.NOT_VALID, measured(SLOW, FEW), "passed failure passed skipped"),
    "all requests failed": (
        *(Exit.NOT_VALID, measured(FAILING, FAILING)),
        "skipped skipped skipped skipped",
    ),
    "all skipped": (
        *(Exit.NOT_VALID, [cell_skipped(key, 0) for key in KEYS]),
        "skipped skipped skipped skipped",
    ),
    "cell failed": (
        *(Exit.FAILED, [*measured(SLOW, {})[:2], cell_started(KEYS[1]), cell_failed(KEYS[1])]),
        "passed failure error skipped",
    ),
}
"""Exit code with `--check`, events and outcomes of the cases of runs."""


@pytest.mark.parametrize("kind", RUNS)
def test_checked_runs_exit_with_a_code_and_write_their_cases(bench: Bench, kind: str) -> None:
    code, events, outcomes = RUNS[kind]
    file = bench.root / "results.xml"

    done = bench.call(
        "run", "--resume", save(bench, *events), "--plain", "--check", "--junit", str(file)
    )

    assert done.returncode == code, done.stderr
    assert ("Goal missed: " in done.stderr) == ("failure" in outcomes)
    assert [case.outcome for case in parsed(file)["gated"]] == outcomes.split()


def test_goals_are_cases_without_check_too(bench: Bench) -> None:
    file = bench.root / "unchecked.xml"

    done = bench.call("run", "--resume", save_ended(bench), "--plain", "--junit", str(file))

    assert done.returncode == Exit.DONE
    assert parsed(file)["gated"][-1] == ParsedCase(
        "m2_u2_s2 p95_ms", "failure", "goal missed", "p95 501 ms (goal 500 ms)"
    )


def test_a_file_that_cannot_be_written_is_named_after_the_results(bench: Bench) -> None:
    file = "x" * 250

    done = bench.call("run", "--resume", save_ended(bench), "--plain", "--check", "--junit", file)

    assert done.returncode == Exit.FAILED
    assert "m2_u2_s2" in done.stdout
    assert f"cannot write the JUnit file {file}: File name too long" in done.stderr
    assert "Goal missed: m2_u2_s2" in done.stderr


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("none/results.xml", "--junit: the folder none does not exist. Create it first"),
        ("profiles", "--junit: profiles is a folder. Name a file in it"),
        ("", "--junit: the path of the file is empty"),
    ],
)
def test_an_unusable_file_is_refused_before_the_run(bench: Bench, file: str, message: str) -> None:
    done = bench.call("run", "fast", "--plain", "--junit", file)

    assert done.returncode == Exit.USAGE
    assert message in done.stderr
    assert not (bench.reports / "fast").exists()


@pytest.mark.parametrize("arguments", [("fast",), ("--resume", "fast")])
def test_a_detached_run_has_no_results_to_write(bench: Bench, arguments: tuple[str, ...]) -> None:
    done = bench.call("run", *arguments, "--detach", "--junit", "results.xml")

    assert done.returncode == Exit.USAGE
    assert "--detach cannot be combined with --junit" in done.stderr
    assert not (bench.reports / "fast").exists()


def without_a_reader(bench: Bench, *arguments: str) -> tuple[int, str]:
    """Run a command whose results nothing reads. Return its exit code and messages."""
    shell = ("bash", "-o", "pipefail", "-c", '"$@" | exit 0', "bash")
    process = bench.start(*arguments, prefix=shell)
    _, messages = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, messages


def test_output_that_is_closed_takes_precedence_over_missed_goals(bench: Bench) -> None:
    name = save_ended(bench)

    code, messages = without_a_reader(
        bench, "run", "--resume", name, "--plain", "--check", "--junit", "closed.xml"
    )

    assert code == Exit.OUTPUT_CLOSED, messages
    assert "Goal missed: m2_u2_s2" in messages
    assert len(parsed(bench.root / "closed.xml")["gated"]) == 4


def test_output_that_is_closed_takes_precedence_over_a_regression(bench: Bench) -> None:
    add_compared_run(bench.reports, "base")
    add_compared_run(bench.reports, "head", 1.5)

    code, messages = without_a_reader(
        *(bench, "compare", "base", "head", "--max-regression", "10%", "--junit", "regression.xml")
    )

    assert code == Exit.OUTPUT_CLOSED, messages
    assert "Gate: failed" in messages
    assert "failure" in {
        case.outcome for case in parsed(bench.root / "regression.xml")["compare head"]
    }


def test_a_stopped_run_is_written_with_the_cells_that_it_lacks(bench: Bench) -> None:
    bench.save_profile(FAST.replace("run_time: 1s", "run_time: 120s"), "slow")
    process = bench.start("run", "slow", "fast", "--plain", "--check", "--junit", "stopped.xml")
    bench.when("m1_u2_s10", name="slow")

    process.terminate()

    _, messages = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == Exit.INTERRUPTED, messages
    assert parsed(bench.root / "stopped.xml") == {
        "slow": [ParsedCase("m1_u2_s10", "skipped", "not measured", "pending")]
    }


def test_every_run_of_a_study_is_a_suite(bench: Bench) -> None:
    bench.save_profile(f"device: gpu\n{FAST}", "with_gpu")
    file = bench.root / "study.xml"

    done = bench.call(
        *("run", "with_gpu", "fast", "--study", "devices", "--plain", "--junit", str(file))
    )

    assert done.returncode == Exit.FAILED, done.stderr
    suites = parsed(file)
    assert list(suites) == ["with_gpu", "fast"]
    assert [(case.name, case.outcome, case.kind) for case in suites["with_gpu"]] == [
        ("start", "error", "refused")
    ]
    assert [case.name for case in suites["fast"]] == ["m1_u2_s10"]
    assert suites["fast"][0].time_s > 1


def test_report_writes_the_cases_of_a_run(bench: Bench) -> None:
    name = save_ended(bench)

    done = bench.call("report", name, "--junit", "later.xml")

    assert done.returncode == Exit.DONE
    assert done.stdout == "later.xml\n"
    assert len(parsed(bench.root / "later.xml")["gated"]) == 4
