"""Journals of real runs: every version must read the events that happened in them."""

import math
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from loadbench import wording
from loadbench.engine.journal.state import CellState, CellStatus
from loadbench.engine.report.export.summary import summary_csv, summary_json
from loadbench.engine.report.rows import rows
from loadbench.engine.run_reader import Run, read_run
from tests.support.harness import REPOSITORY
from tests.support.replay import Replay

JOURNALS = REPOSITORY / "tests" / "journals"


def read(name: str, folder: Path) -> Run:
    run = folder / "fast" / name
    run.mkdir(parents=True)
    shutil.copy(JOURNALS / f"{name}.jsonl", run / "journal.jsonl")
    return read_run(run)


def test_the_demo_has_four_cells_with_all_numbers(tmp_path: Path) -> None:
    run = read("demo", tmp_path)

    assert run.status == "done"
    assert run.state.count(CellStatus.FINISHED) == 4
    for row in rows(run.state):
        assert row.rps
        assert row.p50_ms
        assert row.requests
        stages = (row.queue_ms, row.decode_ms, row.infer_ms, row.api_ms, row.network_ms)
        assert all(stage is not None and stage >= 0 for stage in stages)
    assert [line.split()[0] for line in wording.cells_table(run.state)[1:5]] == list(
        run.state.cells
    )


def test_faults_are_read_as_recorded(tmp_path: Path) -> None:
    run = read("faults", tmp_path)
    cells = run.state.cells

    assert run.status == "stopped"
    assert cells["m1_u1_s8"].failed is not None
    assert (cells["m1_u1_s8"].failed.container, cells["m1_u1_s8"].failed.exit_code) == (
        "model-1",
        -9,
    )
    assert (cells["m1_u2_s8"].status, cells["m1_u2_s8"].attempt) == (CellStatus.FINISHED, 2)
    assert cells["m1_u3_s8"].status is CellStatus.SKIPPED
    assert cells["m1_u4_s8"].status is CellStatus.FINISHED
    assert cells["m2_u4_s8"].status is CellStatus.SKIPPED
    assert [cell.cell.key for cell in run.state.outstanding] == ["m2_u2_s8", "m2_u3_s8"]


def test_an_interrupted_run_has_the_state_of_its_last_entry(tmp_path: Path) -> None:
    run = read("interrupted", tmp_path)

    assert run.status == "interrupted"
    assert run.state.current == "m1_u8_s8"
    assert run.state.cells["m1_u8_s8"].attempt == 2
    assert {sample.attempt for sample in run.state.samples} == {2}
    assert [sample.second for sample in run.state.samples] == list(range(len(run.state.samples)))
    assert {container.name for container in run.state.containers} == {"broker", "api", "model-1"}


def test_containers_are_read_with_their_outcome(tmp_path: Path) -> None:
    run = read("containers", tmp_path)
    cells = run.state.cells

    assert run.state.started is not None
    assert run.state.started.project is not None
    assert set(run.state.images) == {"api", "broker", "model"}
    for key in ("m1_u16_s20", "m2_u16_s20"):
        failed = cells[key].failed
        assert failed is not None
        assert failed.exit_code == 137
        assert "out of memory" in failed.reason
    killed = cells["m1_u2_s20"].failed
    assert killed is not None
    assert killed.reason == "model-1 was killed (exit code 137)"
    assert run.state.count(CellStatus.FINISHED) == 3
    for container in run.state.containers:
        assert container.image is not None
        assert container.memory_bytes


def _without_times(cells: Mapping[str, CellState]) -> list[CellState]:
    return [replace(cell, began_at="", ended_at="") for cell in cells.values()]


def test_a_recorded_run_can_be_replayed_in_steps(tmp_path: Path) -> None:
    replay = Replay(JOURNALS / "eight.jsonl", tmp_path / "eight" / "again", until_s=40.0)
    before = read_run(replay.folder)
    assert replay.advance(1.0) == 1
    after = read_run(replay.folder)

    assert before.status == after.status == "live"
    assert after.state.phase == "measuring"
    assert len(after.state.containers) == 8
    assert len(after.state.samples) == len(before.state.samples) + 1

    replay.advance(math.inf)
    replay.close()
    over = read_run(replay.folder)
    assert over.status == "stopped"
    recorded = read("eight", tmp_path).state.cells
    assert _without_times(over.state.cells) == _without_times(recorded)


@pytest.mark.parametrize("name", ["demo", "faults", "interrupted", "containers", "eight"])
def test_every_journal_has_a_summary(name: str, tmp_path: Path) -> None:
    run = read(name, tmp_path)

    assert len(summary_csv(run.state).splitlines()) == 1 + len(run.state.cells)
    assert f'"run": "{run.state.started.run}"' in summary_json(run.state)  # type: ignore[union-attr]  # the run has started
