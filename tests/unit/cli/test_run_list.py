"""The commands `runs` and `label`, and labels of new runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from loadbench.cli.main import main
from loadbench.cli.report.run_list import run_list
from loadbench.engine.journal.events import Event, RunFinished, RunLabelled
from loadbench.engine.journal.events import Result as Outcome
from loadbench.engine.requests.labelling import set_label
from loadbench.engine.run_lookup import run_folders
from loadbench.engine.run_reader import Run, read_run
from tests.support.builders import make_profile, run_started, write_journal
from tests.support.harness import Bench
from tests.support.searches import search_profile

DONE = RunFinished(result=Outcome.DONE, reason="every cell has ended")
Call = Callable[..., Result]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.make(tmp_path)


@pytest.fixture
def call(bench: Bench) -> Call:
    """Return a function that calls a command in the workspace of the test, in this process."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["--workspace", str(bench.root), *arguments])

    return invoke


def save_run(bench: Bench, run: str, *events: Event, batch_size: int = 1) -> Path:
    profile = make_profile(batch_size=batch_size)
    overrides = (f"batch_size={batch_size}", "users=5,10")
    started = replace(run_started(profile, run=run), overrides=overrides)
    return write_journal(bench.reports / "fast" / run, started, *events, DONE)


@pytest.fixture
def runs(bench: Bench) -> list[Run]:
    """Save two runs that differ in their batch size only, and return them, newest first."""
    save_run(bench, "20261122-072100", batch_size=1)
    save_run(bench, "20261123-072100", RunLabelled(label="größer 試験"), batch_size=10)
    return [read_run(folder) for folder in run_folders(bench.reports)]


def test_runs_are_printed_newest_first_with_what_distinguishes_them(
    call: Call, runs: list[Run]
) -> None:
    head, newest, oldest = call("runs").stdout.splitlines()
    assert head.split() == ["#", "run", "status", "cells", "next", "settings"]
    assert newest.startswith(
        "1  fast/20261123-072100  done    0 of 1  run --resume RUN  größer 試験"
    )
    assert newest.endswith(" · cpu · batch 10 · local · users=5,10")
    assert oldest.endswith("run --resume RUN  cpu · batch 1 · local · users=5,10")


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 100, 120])
def test_the_list_fits_the_terminal_and_distinguishes_the_runs(
    runs: list[Run], columns: int
) -> None:
    lines = run_list(list(enumerate(runs, start=1)), columns)

    assert max(map(cell_len, lines)) <= columns
    text = "\n".join(lines)
    assert "größer 試験" in text
    assert "batch 10" in text
    assert "batch 1\n" in f"{text}\n" or "batch 1 ·" in text


def test_columns_are_omitted_only_if_they_do_not_fit(runs: list[Run]) -> None:
    numbered = list(enumerate(runs, start=1))
    heads = {columns: run_list(numbered, columns)[0].split() for columns in (None, 63, 43, 33)}
    assert heads == {
        None: ["#", "run", "status", "cells", "next", "settings"],
        63: ["#", "run", "status", "cells", "next"],
        43: ["#", "run", "status", "cells"],
        33: ["#", "run", "status"],
    }


def test_control_characters_of_an_override_are_not_printed(call: Call, bench: Bench) -> None:
    started = replace(run_started(), overrides=("description=\x1b[31mred\nline",))
    write_journal(bench.reports / "fast" / "20261122-072100", started, DONE)
    output = call("runs").stdout
    assert "\x1b" not in output
    assert len(output.splitlines()) == 2


# Labels


def test_label_sets_changes_and_removes_the_label(
    call: Call, bench: Bench, runs: list[Run]
) -> None:
    name, folder = runs[0].name, runs[0].folder
    assert call("label", name, "new images").stdout == f"{name}: new images\n"
    assert read_run(folder).state.label == "new images"
    assert call("label", "new images", "other").exit_code == 0
    assert read_run(folder).state.label == "other"
    assert call("label", "other", "").stdout == f"{name}: label removed\n"
    assert read_run(folder).state.label == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("label", "fast", "x" * 61), "the label is too long: at most 60 characters"),
        (("label", "fast", "\x07"), "the label has no printable characters"),
        (("label", "nothing", "a"), "no run 'nothing'"),
        (("label", "fast"), "Missing argument 'TEXT'"),
        (("run", "fast", "--label", "x" * 61), "the label is too long"),
        (("run", "--resume", "fast", "--label", "a"), "loadbench-tui label RUN TEXT"),
    ],
)
def test_a_bad_label_is_a_usage_error(
    call: Call, runs: list[Run], arguments: tuple[str, ...], message: str
) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_report_accepts_a_label_if_it_is_unique(call: Call, bench: Bench, runs: list[Run]) -> None:
    set_label(runs[1].folder, "images")
    assert f"Reports: {runs[1].folder}" in call("report", "images").stdout
    set_label(runs[0].folder, "images")
    result = call("report", "images")
    assert result.exit_code == 2
    assert "several runs have the label 'images'" in result.stderr


def test_a_search_that_has_not_ended_has_no_total(call: Call, bench: Bench) -> None:
    state = run_started(search_profile(), cells=())
    write_journal(bench.reports / "fast" / "20261122-072100", state)

    assert "  0 so far  " in call("runs").stdout
