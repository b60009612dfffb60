"""Which charts a run has."""

from dataclasses import replace

from loadbench.engine.report.measurements.metric import measurement_metrics
from loadbench.page.charts.draw import drawn
from loadbench.page.charts.run_charts import run_charts
from tests.support.builders import make_profile, measurement, run_started, state_after, swept
from tests.support.chat_cells import chat_run
from tests.support.page_runs import hundred_run, run_of


def test_charts_are_in_the_order_of_the_page() -> None:
    keys = [chart.key for chart in run_charts(run_of(chat_run()))]
    assert keys == [
        *("latency", "throughput", "speedup", "stages", "heatmap"),
        *("measurement-1", "measurement-2", "measurement-3"),
    ]


def test_a_run_without_results_has_no_charts() -> None:
    assert run_charts(run_of(state_after(run_started()))) == ()


def test_a_single_cell_has_no_speedup() -> None:
    charts = run_charts(run_of(swept(make_profile())))
    assert [chart.key for chart in charts] == ["latency", "throughput", "heatmap"]
    assert len(drawn(charts)) == 3


def test_an_unreadable_profile_leaves_the_charts_without_goals() -> None:
    state = replace(hundred_run(models=(1, 2), users=(5, 10)).state, profile=None)
    charts = run_charts(run_of(state))
    assert [chart.key for chart in charts][:4] == ["latency", "throughput", "stages", "heatmap"]
    assert all("script>" not in chart.title for chart in charts[:4])
    assert len(drawn(charts)) == len(charts)


def test_four_measurements_have_a_chart_those_with_a_goal_first() -> None:
    names = [f"name {number}" for number in range(6)]
    profile = make_profile(goals={"measurements": {"name 5": {"p95": 100}}})
    state = swept(profile, m1_u2_s2={"measurements": tuple(map(measurement, names))})
    assert len(measurement_metrics(state)) == 6
    titles = [chart.title for chart in run_charts(run_of(state)) if "measurement" in chart.key]
    assert titles == [f"name {number} against load" for number in (5, 0, 1, 2)]


def test_control_characters_in_names_are_replaced() -> None:
    name = "first\n\x1b[31mtoken\u202e\ud800"
    state = swept(make_profile(), m1_u2_s2={"measurements": (measurement(name, unit="\x00"),)})
    chart = run_charts(run_of(state))[-1]
    assert chart.title == "first \ufffd[31mtoken\ufffd\ufffd against load"
    assert "\x1b" not in drawn([chart])[chart.key]
