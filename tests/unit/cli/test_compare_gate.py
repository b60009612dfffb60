"""`compare --max-regression`: its exit codes, messages and JUnit file."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.exit_codes import Exit
from loadbench.cli.main import main
from loadbench.engine.journal.events import Verdict
from loadbench.engine.studies.model import StudyEntry
from tests.support.builders import requests
from tests.support.compared_runs import CELLS, HARDWARE, add_compared_run, spread_latencies
from tests.support.harness import Bench
from tests.support.junit import parsed
from tests.support.study_runs import add_study

Call = Callable[..., Result]

FAILING = {
    f"{CELLS[0]}{suffix}": {
        "requests": requests(spread_latencies(100.0), failures=((1.0, 100),)),
    }
    for suffix in ("", "_r2", "_r3")
}
SLOW_TAIL = {key: {"requests": requests(((100.0, 970), (2000.0, 15)))} for key in FAILING}
"""Ten times as slow at the 99th percentile, with too few requests to measure it."""
NO_RESULTS = {key: {"verdict": Verdict.INVALID, "reasons": ("no success",)} for key in FAILING}
CANDIDATES: dict[str, tuple[Exit, dict[str, Any], str]] = {
    "unchanged": (Exit.DONE, {}, "Gate: passed, no regression beyond 10 % in 4 cells"),
    "better": (Exit.DONE, {"factors": 0.5}, "Gate: passed, no regression beyond 10 % in 4 cells"),
    "within the limit": (
        *(Exit.DONE, {"factors": 1.05}),
        "Gate: passed, no regression beyond 10 % in 4 cells",
    ),
    "all cells worse": (
        Exit.GATE_FAILED,
        {"factors": 1.5},
        "Regression: geometric mean p95 +50.0 %",
    ),
    "one cell worse": (
        *(Exit.GATE_FAILED, {"factors": {CELLS[1]: 1.5}}),
        f"Regression: {CELLS[1]} p99 +50.0 %",
    ),
    "rate": (Exit.GATE_FAILED, {"factors": 1.5}, "Regression: geometric mean req/s −33.3 %"),
    "failures": (
        *(Exit.GATE_FAILED, {"results": FAILING}),
        f"Regression: {CELLS[0]} failures 0 to 4.76 % of requests",
    ),
    "lost cell": (
        *(Exit.NOT_COMPARABLE, {"results": NO_RESULTS}),
        f"Not comparable: missing results: {CELLS[0]}, invalid in",
    ),
    "lost percentile": (
        *(Exit.NOT_COMPARABLE, {"results": SLOW_TAIL}),
        f"Missing p99: {CELLS[0]}, too few requests in the candidate",
    ),
    "lost percentile and worse": (
        *(Exit.GATE_FAILED, {"results": SLOW_TAIL, "factors": 1.5}),
        f"Missing p99: {CELLS[0]}, too few requests in the candidate",
    ),
    "lost and worse": (
        *(Exit.NOT_COMPARABLE, {"results": NO_RESULTS, "factors": 1.5}),
        f"Regression: {CELLS[1]} p95 +50.0 %",
    ),
    "other machine": (
        *(Exit.NOT_COMPARABLE, {"started": {"hardware": {**HARDWARE, "cpu": "Intel Xeon"}}}),
        "Not comparable: the machines differ",
    ),
    "other load": (
        *(Exit.NOT_COMPARABLE, {"run_time": "20s"}),
        "Not comparable: run_time differs",
    ),
    "no common cell": (
        *(Exit.NOT_COMPARABLE, {"spawn_rates": [20]}),
        "Not comparable: no cell has results in both runs",
    ),
}
"""Exit code, changes and a message, by what is compared with a run of three repeats."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench.make(tmp_path)
    add_compared_run(made.reports, "base")
    return made


@pytest.fixture
def call(bench: Bench) -> Call:
    """Return a function that compares with a limit of 10 %, in this process."""

    def invoke(*arguments: str, limit: str = "10%") -> Result:
        program = ["--workspace", str(bench.root), "compare", *arguments]
        return CliRunner().invoke(main, [*program, "--max-regression", limit])

    return invoke


@pytest.mark.parametrize("kind", CANDIDATES)
def test_candidates_exit_with_a_code_and_a_message(bench: Bench, call: Call, kind: str) -> None:
    code, changes, message = CANDIDATES[kind]
    add_compared_run(bench.reports, "head", **changes)

    result = call("base", "head")

    assert result.exit_code == code, result.stderr
    assert message in result.stderr
    decision = result.stderr.splitlines()[-1]
    assert decision.startswith("Gate: ")
    assert "Gate: " not in result.stdout


@pytest.mark.parametrize(("limit", "code"), [("60%", Exit.DONE), ("20%", Exit.GATE_FAILED)])
def test_the_limit_decides(bench: Bench, call: Call, limit: str, code: Exit) -> None:
    add_compared_run(bench.reports, "head", 1.5)

    assert call("base", "head", limit=limit).exit_code == code


def test_an_estimate_beyond_the_limit_alone_does_not_fail(bench: Bench, call: Call) -> None:
    add_compared_run(bench.reports, "head", 1.12)

    result = call("base", "head")

    assert result.exit_code == Exit.DONE
    assert "Possible regression: " in result.stderr
    assert "Regression: " not in result.stderr


def test_only_the_named_metrics_are_checked(bench: Bench, call: Call) -> None:
    add_compared_run(bench.reports, "head", results=SLOW_TAIL)

    assert call("base", "head", "--metric", "p50", "--metric", "p95").exit_code == Exit.DONE
    assert call("base", "head", "--metric", "p99").exit_code == Exit.NOT_COMPARABLE


def test_a_page_that_cannot_be_written_does_not_keep_the_gate_from_deciding(
    bench: Bench, call: Call
) -> None:
    add_compared_run(bench.reports, "head", 1.5)
    page, file = bench.root / ("x" * 300), bench.root / "compared.xml"

    result = call("base", "head", "--html", str(page), "--junit", str(file))

    assert result.exit_code == Exit.FAILED
    assert "cannot write the page" in result.stderr
    assert result.stderr.splitlines()[-1] == "Gate: failed, 25 regressions beyond 10 %"
    assert list(parsed(file)) == ["compare head"]


@pytest.mark.parametrize("option", ["--html", "--junit"])
def test_only_regular_files_are_replaced(bench: Bench, call: Call, option: str) -> None:
    pipe, link, file = (bench.root / name for name in ("pipe", "link", "file"))
    os.mkfifo(pipe)
    file.write_text("old")
    link.symlink_to(file)

    refused = call("base", "base", option, str(pipe))
    assert refused.exit_code == Exit.USAGE
    assert f"{option}: {pipe} is not a regular file" in refused.stderr
    assert stat.S_ISFIFO(pipe.stat().st_mode)

    assert call("base", "base", option, str(link)).exit_code == Exit.DONE
    assert link.is_symlink()
    assert file.read_text() != "old"


def test_two_outputs_in_one_file_are_refused(bench: Bench, call: Call) -> None:
    file = bench.root / "compared"
    result = call(
        "base", "base", "--html", str(file), "--junit", str(bench.root / "." / "compared")
    )
    assert result.exit_code == Exit.USAGE
    assert "--html and --junit name the same file" in result.stderr


def test_one_measurement_each_is_too_few(bench: Bench, call: Call) -> None:
    for name, factor in (("once", 1.0), ("slow", 2.0)):
        add_compared_run(bench.reports, name, factor, repeats=(1.0,))

    result = call("once", "slow")

    assert result.exit_code == Exit.TOO_FEW_REPEATS
    assert result.stderr.endswith(
        "too few cells have repeats for a test. Measure both with `--set repeats=3`\n"
    )


def test_not_comparable_takes_precedence_over_too_few_repeats(bench: Bench, call: Call) -> None:
    add_compared_run(bench.reports, "once", repeats=(1.0,))
    add_compared_run(bench.reports, "other", repeats=(1.0,), run_time="20s")

    assert call("once", "other").exit_code == Exit.NOT_COMPARABLE


def test_a_run_against_itself_passes(bench: Bench, call: Call) -> None:
    add_compared_run(bench.reports, "once", repeats=(1.0,))

    result = call("once", "once")

    assert result.exit_code == Exit.DONE
    assert result.stderr == "Gate: passed. Both sides are the same run, so nothing differs\n"


def test_the_most_important_code_of_several_candidates_is_used(bench: Bench, call: Call) -> None:
    add_compared_run(bench.reports, "slow", 1.5)
    add_compared_run(bench.reports, "other", run_time="20s")
    file = bench.root / "compared.xml"

    result = call("base", "slow", "other", "base", "--junit", str(file))

    assert result.exit_code == Exit.NOT_COMPARABLE
    assert [line for line in result.stderr.splitlines() if line.endswith(":")] == [
        "slow against base:",
        "other against base:",
        "base/20261122-072100 against base/20261122-072100:",
    ]
    assert list(parsed(file)) == ["compare slow", "compare other", "compare base"]


def test_a_member_without_results_is_not_comparable(bench: Bench, call: Call) -> None:
    run = StudyEntry(profile="base", run="20261122-072100")
    add_study(bench.reports, "before", [run, StudyEntry(profile="gpu", refused="no GPU")])
    add_compared_run(bench.reports, "gpu")
    add_study(bench.reports, "after", [run, StudyEntry(profile="gpu", run="20261122-072100")])
    file = bench.root / "compared.xml"

    result = call("studies/before", "studies/after", "--junit", str(file))

    assert result.exit_code == Exit.NOT_COMPARABLE
    assert "warning: gpu has no results in studies/before" in result.stderr
    [case] = parsed(file)["compare"]
    assert (case.outcome, case.message) == ("error", "gpu has no results in studies/before")


@pytest.mark.parametrize("form", ["--markdown", "--json", None])
def test_messages_of_the_gate_do_not_mix_with_results(
    bench: Bench, call: Call, form: str | None
) -> None:
    add_compared_run(bench.reports, "head", 1.5)

    result = call("base", "head", *filter(None, [form]))

    assert result.exit_code == Exit.GATE_FAILED
    assert result.stderr.count("Regression: ") == 25
    assert "Regression: " not in result.stdout
    if form == "--json":
        assert json.loads(result.stdout)
    else:
        assert "p95" in result.stdout


def test_each_metric_is_a_case_of_the_file(bench: Bench, call: Call) -> None:
    add_compared_run(bench.reports, "head", {CELLS[1]: 1.5}, results=NO_RESULTS)
    file = bench.root / "compared.xml"

    call("base", "head", "--junit", str(file))

    cases = {case.name: case for case in parsed(file)["compare head"]}
    assert len(cases) == 1 + 5 + 3 * 6 + 1
    assert cases["comparable"].outcome == "error"
    assert cases[CELLS[0]].outcome == "error"
    assert cases[f"{CELLS[1]} p95"].outcome == "failure"
    assert "(limit" not in cases[f"{CELLS[1]} p95"].name
    assert cases[f"{CELLS[2]} p95"].outcome == "passed"
    assert cases[f"{CELLS[2]} failures"].outcome == "passed"


def test_a_file_that_cannot_be_written_is_named_after_the_results(bench: Bench, call: Call) -> None:
    add_compared_run(bench.reports, "head", 1.5)
    file = str(bench.root / ("x" * 250))

    result = call("base", "head", "--junit", file)

    assert result.exit_code == Exit.FAILED
    assert "p95" in result.stdout
    assert "Gate: failed" in result.stderr
    assert f"cannot write the JUnit file {file}: File name too long" in result.stderr


@pytest.mark.parametrize(
    "limit",
    ["-5%", "-0.1", "nan", "nan%", "inf", "ten", "", "10", "10%%", "1001%", "1e2%", "99999999999%"],
)
def test_a_limit_that_is_no_share_is_refused(call: Call, limit: str) -> None:
    result = call("base", "base", limit=limit)

    assert result.exit_code == Exit.USAGE
    assert "--max-regression: expected " in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("limit", ["0%", "0", "10%", "0.1", "10 %", "12.5%", "1000%"])
def test_percentages_and_ratios_are_limits(call: Call, limit: str) -> None:
    assert call("base", "base", limit=limit).exit_code == Exit.DONE


def test_a_file_without_a_limit_is_refused(bench: Bench) -> None:
    arguments = ["compare", "base", "base", "--junit", str(bench.root / "compared.xml")]

    result = CliRunner().invoke(main, ["--workspace", str(bench.root), *arguments])

    assert result.exit_code == Exit.USAGE
    assert "--junit requires --max-regression" in result.stderr
    assert not (bench.root / "compared.xml").exists()


def test_without_a_limit_a_regression_does_not_fail(bench: Bench) -> None:
    add_compared_run(bench.reports, "head", 1.5)

    result = CliRunner().invoke(main, ["--workspace", str(bench.root), "compare", "base", "head"])

    assert result.exit_code == Exit.DONE
    assert result.stderr == ""


def test_an_unreadable_run_is_a_failure(bench: Bench, call: Call) -> None:
    folder = add_compared_run(bench.reports, "broken")
    (folder / "journal.jsonl").write_text("garbage\n")

    result = call("base", "broken")

    assert result.exit_code == Exit.FAILED
    assert "journal.jsonl" in result.stderr
