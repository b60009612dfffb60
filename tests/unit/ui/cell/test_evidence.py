"""The evidence for a verdict, with the limits of the rules."""

from pathlib import Path

import pytest

from loadbench.engine.journal.events import ClientUse, Container, Sample, Stages
from loadbench.engine.report.evidence.collect import RECENT_S
from loadbench.ui.cell.evidence import evidence
from loadbench.ui.lines.cell import CellView
from loadbench.ui.lines.glyphs import ASCII, UNICODE
from loadbench.ui.lines.stages import stage_rows
from loadbench.ui.lines.text import plain, width
from tests.support.builders import cell_started, run_started, sample, state_after
from tests.support.golden import last_cell

BEYOND = {
    "valid": "!",
    "no_success": "successful requests",
    "users_missing": "min users running",
    "failures": "failed requests",
    "aborted": "aborted requests",
    "few_samples": "successful requests",
    "client_bound": "CPU used by Locust",
    "client_stalled": "event-loop lag max",
    "stalls": "longest stall",
    "throttled": "model-1",
    "containers": "min workers ready",
    "swap": "swapped",
    "clock": "clock jump",
    "stolen": "CPU stolen by hypervisor",
    "neighbours": "CPU used by other processes",
}
"""The figure beyond its limit, by recording."""


PANEL_COLUMNS = 56


@pytest.mark.parametrize("name", BEYOND)
def test_a_figure_beyond_its_limit_is_marked(name: str, tmp_path: Path) -> None:
    state, cell, finished = last_cell(name, tmp_path)
    window, lines = evidence(CellView(cell, state))
    marked = [text for text in map(plain, lines) if "!" in text]
    assert window == f"measurement window, {finished.measured_s:g} s"
    assert any(BEYOND[name] in text for text in marked) is (name != "valid"), marked
    assert max(map(width, lines)) <= PANEL_COLUMNS


def test_received_bytes_have_a_column_if_they_are_known() -> None:
    def at(second: int, *received: int | None) -> Sample:
        names = ("front-1", "app-1", "app-2")
        return sample(
            second=second,
            containers=tuple(
                Container(
                    name=name,
                    service=name[:-2],
                    state="running",
                    cpu_cores=0.25,
                    memory_bytes=1024 * 2**20,
                    received_bytes=count,
                )
                for name, count in zip(names, received, strict=True)
            ),
        )

    state = state_after(
        run_started(), cell_started(), at(0, 5, 10, 90), at(1, 2 * 10**10, 5_060_000, 180)
    )

    _, lines = evidence(CellView(state.cells["m1_u2_s2"], state))

    table = list(map(plain, lines))[-4:]
    assert table == [
        "container  cores   MiB  MB in  throttled  restarts  down",
        "front-1     0.25  1024  20000          -         0     0",
        "app-1       0.25  1024   5.06          -         0     0",
        "app-2       0.25  1024   0.00          -         0     0",
    ]
    assert max(map(width, lines)) <= PANEL_COLUMNS


def test_a_running_cell_has_evidence_of_its_last_seconds() -> None:
    state = state_after(
        run_started(),
        cell_started(),
        *(
            sample(second=second, clients=(ClientUse(cpu_cores=0.9 if second else 0.0),))
            for second in range(RECENT_S + 1)
        ),
    )
    window, lines = evidence(CellView(state.cells["m1_u2_s2"], state))
    assert window == f"last {RECENT_S} s"
    assert "! CPU used by Locust  0.90 cores  ≤ 0.8" in map(plain, lines)


def test_a_pending_cell_has_no_evidence() -> None:
    state = state_after(run_started())
    window, lines = evidence(CellView(state.cells["m1_u2_s2"], None))
    assert (window, list(map(plain, lines))) == ("", ["Not measured yet"])


def test_the_bars_of_stages_follow_each_other() -> None:
    stages = Stages(count=10, latency_ms=1000, total_ms=900, queue_ms=500, infer_ms=250)
    assert list(map(plain, stage_rows(stages, UNICODE, 50))) == [
        "■ queue    50.0  50 %  ██████████████",
        "■ decode      0   0 %                ",
        "■ infer    25.0  25 %                ██████",
        "■ api      15.0  15 %                      ████",
        "■ network  10.0  10 %                          ███",
        "  total     100      ",
    ]
    assert plain(stage_rows(stages, ASCII, 50)[0]) == "# queue    50.0  50 %  ##############"
    assert all(width(row) <= 30 for row in stage_rows(stages, UNICODE, 30))
