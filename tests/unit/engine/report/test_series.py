"""A run by the second, as CSV."""

import csv
import io
from dataclasses import replace
from pathlib import Path

from loadbench.engine.journal.events import CellPhase, Phase, Requests, Stages
from loadbench.engine.journal.reader import JournalReader
from loadbench.engine.journal.samples import FULL_RESOLUTION_S
from loadbench.engine.report.series import write_series
from tests.support.builders import (
    cell_started,
    entries,
    requests,
    run_started,
    sample,
    write_journal,
)


def test_a_long_cell_has_one_row_per_second(tmp_path: Path) -> None:
    length = FULL_RESOLUTION_S + 25
    seconds = (sample(second=second, users=1 + second % 3) for second in range(length))
    measuring = CellPhase(cell="m1_u2_s2", phase=Phase.MEASURING)
    write_journal(tmp_path, run_started(), cell_started(), measuring, *seconds)
    reader, out = JournalReader(tmp_path), io.StringIO()

    write_series(reader.decode_all(reader.lines()), out)

    rows = list(csv.DictReader(out.getvalue().splitlines()))
    assert [int(row["second"]) for row in rows] == list(range(length))
    assert [int(row["users"]) for row in rows] == [1 + second % 3 for second in range(length)]
    assert {(row["phase"], row["rps"], row["p50_ms"]) for row in rows} == {
        ("measuring", "40", "10.0")
    }


def test_rows_cover_only_the_main_requests() -> None:
    fast = Requests(method="GET", name="/ready", successes=((1.0, 9),), failures=((1.0, 2),))
    [main] = requests()
    stages = Stages(count=40, latency_ms=400.0, total_ms=360.0, queue_ms=80.0)
    second = sample(requests=(replace(main, stages=stages), fast), stages=Stages(count=49))
    events = entries([run_started(), cell_started(), second])
    every, named = io.StringIO(), io.StringIO()

    write_series(events, every)
    write_series(events, named, "POST /predict")

    columns = ("rps", "failures", "p50_ms", "queue_ms")
    rows = [list(csv.DictReader(out.getvalue().splitlines())) for out in (every, named)]
    assert [[row[name] for name in columns] for [row] in rows] == [
        ["49", "2", "10.0", "0.0"],
        ["40", "0", "10.0", "2.0"],
    ]
