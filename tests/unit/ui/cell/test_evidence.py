"""The evidence for a verdict, beside what the rules want."""

from pathlib import Path

import pytest

from loadbench.engine.journal.events import ClientUse, Stages
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
    "no_success": "successes",
    "users_missing": "fewest users",
    "failures": "failed requests",
    "aborted": "endless requests",
    "few_samples": "successes",
    "client_bound": "CPU of Locust",
    "client_stalled": "Locust late, most",
    "stalls": "longest silence",
    "throttled": "model-1",
    "containers": "ready workers",
    "swap": "swapped",
    "clock": "clock jump",
    "stolen": "CPU of other machines",
    "neighbours": "CPU of neighbours",
}
"""What stands out where one thing was wrong."""


HALF_A_SCREEN = 56


@pytest.mark.parametrize("name", BEYOND)
def test_what_a_rule_does_not_want_stands_out(name: str, tmp_path: Path) -> None:
    state, cell, finished = last_cell(name, tmp_path)
    of, lines = evidence(CellView(cell, state))
    marked = [text for text in map(plain, lines) if "!" in text]
    assert of == f"measured, {finished.measured_s:g} s"
    assert any(BEYOND[name] in text for text in marked) is (name != "valid"), marked
    assert max(map(width, lines)) <= HALF_A_SCREEN


def test_of_a_cell_without_a_verdict_the_last_seconds_are_told() -> None:
    state = state_after(
        run_started(),
        cell_started(),
        *(
            sample(second=it, clients=(ClientUse(cpu_cores=0.9 if it else 0.0),))
            for it in range(RECENT_S + 1)
        ),
    )
    of, lines = evidence(CellView(state.cells["m1_u2_s2"], state))
    assert of == f"the last {RECENT_S} s"
    assert "! CPU of Locust      0.90 cores  ≤ 0.8" in map(plain, lines)


def test_of_a_cell_that_was_never_begun_there_is_none() -> None:
    state = state_after(run_started())
    of, lines = evidence(CellView(state.cells["m1_u2_s2"], None))
    assert (of, list(map(plain, lines))) == ("", ["not measured yet"])


def test_stages_add_up_one_behind_the_other() -> None:
    stages = Stages(count=10, latency_ms=1000, total_ms=900, queue_ms=500, infer_ms=250)
    assert list(map(plain, stage_rows(stages, UNICODE, 50))) == [
        "■ queue    50.0 ms  50 %  ████████████",
        "■ decode      0 ms   0 %              ",
        "■ infer    25.0 ms  25 %              ██████",
        "■ api      15.0 ms  15 %                    ████",
        "■ network  10.0 ms  10 %                        ██",
        "  all       100 ms      ",
    ]
    assert plain(stage_rows(stages, ASCII, 50)[0]) == "# queue    50.0 ms  50 %  ############"
    assert all(width(it) <= 30 for it in stage_rows(stages, UNICODE, 30))
