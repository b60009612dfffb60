"""Measurements as plain text."""

from loadbench.engine.journal.events import Requests
from loadbench.engine.report.measurements.statistics import measurement_statistics
from loadbench.wording import cells_table, event_line, progress_line
from loadbench.wording.measurements import (
    HEADING,
    MAX_LINES,
    measurement_lines,
    measurement_text,
    measurements_table,
)
from tests.support.builders import (
    cell_finished,
    cell_started,
    entries,
    make_profile,
    measurement,
    requests,
    run_started,
    sample,
    state_after,
    swept,
)
from tests.support.chat_cells import MAIN, chat_events, chat_run


def test_the_text_marks_estimates() -> None:
    texts = [
        measurement_text(one)
        for one in measurement_statistics(
            [
                measurement(values=((44.3, 2000), (70.0, 304))),
                measurement("size", "METRIC", "B", ((7.0, 1),), failures=2),
                measurement("void", "METRIC", "", (), failures=1),
            ],
            seconds=2.0,
        )
    ]

    assert texts == [
        "first token (TTFT): p50 44.3 ms, p95 70.0 ms, p99 70.0 ms, 2,304 values",
        "size (METRIC): p50 ~7.00 B, p95 ~7.00 B, p99 ~7.00 B, 3.50 B/s, 1 value, 2 failures",
        "void (METRIC): 0 values, 1 failure",
    ]


def test_the_line_of_a_cell_has_its_main_request() -> None:
    state = chat_run()
    finished = next(
        one for one in entries(chat_events()) if one.event == state.cells["m1_u2_s2"].finished
    )

    text = event_line(finished, state)

    assert text
    assert text.startswith(f"  Valid: {MAIN}: 23.6 req/s, p50 220")


def test_a_cell_has_a_line_for_each_measurement() -> None:
    finished = chat_run().cells["m1_u2_s2"].finished
    assert finished

    heading, first, tokens, speed = measurement_lines(finished)

    assert heading == f"{HEADING}:"
    assert first == "  first token (TTFT): p50 58.0 ms, p95 78.0 ms, p99 ~78.0 ms, 240 values"
    assert tokens.endswith("p99 ~64.0 tokens, 1440 tokens/s, 240 values")
    assert speed.endswith("p99 ~34.5 tokens/s, 240 values, 1 failure")


def test_the_number_of_lines_is_limited() -> None:
    many = tuple(measurement(f"value {number:02}") for number in range(MAX_LINES + 2))

    lines = measurement_lines(cell_finished(measurements=many))

    assert len(lines) == 1 + MAX_LINES + 1
    assert lines[-1] == "  and 2 more"
    assert "more" not in measurement_lines(cell_finished(measurements=many[:MAX_LINES]))[-1]


def test_line_breaks_in_names_do_not_break_lines() -> None:
    _, line = measurement_lines(cell_finished(measurements=(measurement("a\nb"),)))

    assert line.startswith("  a b (TTFT)")


def test_the_table_of_measurements_has_all_cells() -> None:
    heading, header, *rows, legend = measurements_table(chat_run())

    assert heading == f"{HEADING}:"
    assert header.split() == [
        *("cell", "measurement", "unit", "values", "fails", "p10", "p50", "p90", "p95"),
        *("p99", "max", "sum/s"),
    ]
    assert len(rows) == 18
    assert legend == "~ estimate: fewer than 10 samples beyond it"
    assert measurements_table(swept(make_profile())) == []


def test_the_table_of_cells_states_the_main_request() -> None:
    line = f"Main request: {MAIN}. Rate, latencies and failures are its results."

    assert line in cells_table(chat_run())
    assert not any("Main request" in one for one in cells_table(swept(make_profile())))


def test_the_progress_has_the_main_requests() -> None:
    ready = Requests(method="GET", name="/ready", successes=((1.0, 9),), failures=())
    profile = make_profile(load={"main": "POST /predict"})
    second = sample(requests=(*requests(), ready))
    state = state_after(run_started(profile), cell_started(), second)

    assert "40 req/s · p90 10.0 ms" in progress_line(state, 1.0)
