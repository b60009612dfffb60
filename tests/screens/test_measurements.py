"""Snapshots of a run with measurements and a main request."""

from loadbench.ui.terminal.capabilities import Terminal
from tests.screens.test_looks import sizes, snapshot
from tests.support.chat_cells import add_chat_run, live_chat_events
from tests.support.ui_harness import NARROW, Looks, Stage, held


@sizes
def test_cell_with_measurements(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = add_chat_run(stage.root)
    snapshot(stage, looks, "chat-cell", size, "enter", folder=folder)


@sizes
def test_live_run_with_measurements(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = add_chat_run(stage.root, live_chat_events())
    with held(folder):
        snapshot(stage, looks, "chat-live", size, "2", folder=folder)


@sizes
def test_sweep_with_a_measurement(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    # The measurements follow the bottleneck.
    folder = add_chat_run(stage.root)
    keys = ["percent_sign"] * 5
    snapshot(stage, looks, "chat-sweep", size, *keys, folder=folder)


def test_curves_of_a_measurement_over_users(stage: Stage, looks: Looks) -> None:
    folder = add_chat_run(stage.root)
    keys = ["percent_sign"] * 5
    snapshot(stage, looks, "chat-curves", (160, 45), *keys, folder=folder)


@sizes
def test_chart_of_a_measurement(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = add_chat_run(stage.root)
    keys = ["enter", *(["5"] if size == NARROW else []), "percent_sign"]
    snapshot(stage, looks, "chat-chart", size, *keys, folder=folder)


@sizes
def test_reports_with_a_measurement(stage: Stage, looks: Looks, size: tuple[int, int]) -> None:
    folder = add_chat_run(stage.root)
    # From p95, which has a goal, to the first measurement.
    keys = ["v", *(["3"] if size == NARROW else []), *["percent_sign"] * 3]
    snapshot(stage, looks, "chat-reports", size, *keys, folder=folder)


@sizes
def test_maximised_sweep_with_a_measurement(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    folder = add_chat_run(stage.root)
    snapshot(stage, looks, "chat-maximised", size, *["percent_sign"] * 5, "z", folder=folder)


@sizes
def test_recommendation_about_a_main_request(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    folder = add_chat_run(stage.root)
    snapshot(stage, looks, "chat-recommendation", size, "i", folder=folder)


def test_cell_with_measurements_in_ascii(stage: Stage, looks: Looks) -> None:
    folder = add_chat_run(stage.root)
    plain = Terminal(ascii=True, signs=True)
    snapshot(stage, looks, "chat-ascii", NARROW, "enter", folder=folder, terminal=plain)


@sizes
def test_finished_run_with_a_main_request(
    stage: Stage, looks: Looks, size: tuple[int, int]
) -> None:
    folder = add_chat_run(stage.root)
    snapshot(stage, looks, "chat-run", size, folder=folder)
