"""The command `compare`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from loadbench.cli.compare.text import comparison_text
from loadbench.cli.exit_codes import Exit
from loadbench.cli.main import main
from loadbench.engine.comparison.model import METRICS
from tests.support.compared_runs import CELLS, add_compared_run, compared
from tests.support.harness import Bench

Call = Callable[..., Result]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench.make(tmp_path)
    add_compared_run(bench.reports, "old", run="20261122-072100")
    add_compared_run(bench.reports, "new", 0.8, run="20261122-072200", batch_size=10)
    return bench


@pytest.fixture
def call(bench: Bench) -> Call:
    """Return a function that calls `compare` in the workspace of the test, in this process."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--workspace", str(bench.root), "compare", *arguments])

    return invoke


def test_differences_come_first_then_the_mean_then_the_cells(call: Call) -> None:
    result = call("old", "new")
    assert result.exit_code == Exit.DONE
    parts = ("compared with the baseline old", "batch_size", "Mean improvement at the 90th")
    places = [
        result.stdout.index(part) for part in (*parts, "mean of cells", "p50 (ms)", "p99 (ms)")
    ]
    assert places == sorted(places)
    assert result.stdout.count(CELLS[0]) == len(METRICS)
    assert result.stderr == ""


def test_numbers_and_one_metric(call: Call) -> None:
    result = call("2", "1", "--metric", "p95")
    assert "new (20261122-072200) compared with the baseline old" in result.stdout
    assert result.stdout.count(CELLS[0]) == 1
    assert "p95 (ms)" in result.stdout


def test_json_is_one_line(call: Call) -> None:
    result = call("old", "new", "new", "--json")
    record = json.loads(result.stdout)
    assert result.stdout.count("\n") == 1
    assert [one["after"]["name"] for one in record["comparisons"]] == ["new", "new"]


def test_markdown_leads_with_the_result(call: Call) -> None:
    result = call("old", "new", "--markdown")
    assert result.stdout.startswith("**Mean improvement at the 90th percentile: 20 %")
    assert "| profile | batch_size | 1 | 10 |" in result.stdout


@pytest.mark.parametrize(
    ("threshold", "word"),
    [("5%", "better"), ("0.05", "better"), ("30 %", "too small to matter"), (".3", "too small")],
)
def test_the_threshold_is_a_percentage_or_a_ratio(call: Call, threshold: str, word: str) -> None:
    result = call("old", "new", "--threshold", threshold, "--metric", "p90")
    assert result.stdout.count(word) >= len(CELLS)


@pytest.mark.parametrize("threshold", ["5", "1", "-5%", "", "x", "nan", "inf%", "1e2%", "٥%"])
def test_other_thresholds_are_rejected(call: Call, threshold: str) -> None:
    result = call("old", "new", "--threshold", threshold)
    assert result.exit_code == Exit.USAGE
    assert "--threshold: expected a percentage such as 5%" in result.stderr


def test_a_threshold_above_the_largest_is_rejected(call: Call) -> None:
    result = call("old", "new", "--threshold", "1001%")
    assert result.exit_code == Exit.USAGE
    assert "--threshold: expected at most 1000%, not 1001%" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "requires 2 runs"),
        (("old",), "requires 2 runs"),
        (("old", "missing"), "no run 'missing'"),
        (("old", "99"), "no run '99'"),
        (("old", "new", "--json", "--markdown"), "cannot be combined"),
    ],
)
def test_wrong_usage_is_reported(call: Call, arguments: tuple[str, ...], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == Exit.USAGE
    assert message in result.stderr


def test_control_characters_are_not_printed(call: Call, bench: Bench) -> None:
    name = "ev\x1b[31mil\n# x"
    hostile = {"versions": {name: name}, "hardware": {"cpu": name}}
    add_compared_run(bench.reports, "evil\x1b[31m", started=hostile, repeats=(1.0,))
    for options in ((), ("--markdown",), ("--json",)):
        result = call("old", "evil\x1b[31m", *options)
        assert result.exit_code == Exit.DONE
        assert "\x1b" not in result.stdout
        assert "\n# x" not in result.stdout


@pytest.mark.parametrize("columns", [80, 120])
def test_the_text_fits_the_terminal(bench: Bench, columns: int) -> None:
    folders = [next((bench.reports / name).glob("2026*")) for name in ("old", "new")]
    lines = comparison_text(compared(*folders), METRICS, columns)
    assert max(map(len, lines)) <= columns
    # Rows of tables are not wrapped.
    assert sum(line.startswith(CELLS[0]) for line in lines) == len(METRICS)
    assert next(line for line in lines if line.startswith(CELLS[0])).endswith("better")
