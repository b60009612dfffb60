"""The results of a run as JUnit XML."""

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.engine.journal.events import Result, RunFinished, RunLabelled, Verdict
from loadbench.engine.journal.state import RunState, fold
from loadbench.engine.report.export.junit import suite_of_refusal, suite_of_run
from loadbench.engine.report.export.junit_xml import (
    JUnitCase,
    JUnitOutcome,
    JUnitSuite,
    junit_xml,
    write_junit,
)
from loadbench.errors import JournalError
from loadbench.printable import REPLACEMENT
from tests.support.builders import (
    cell_failed,
    cell_finished,
    cell_skipped,
    cell_started,
    make_profile,
    requests,
    run_started,
    state_after,
    timed_entries,
)
from tests.support.hostile import HOSTILE
from tests.support.junit import ParsedCase, parsed

GOALS = {"p95_ms": 500, "min_rps": 1}
MIXED = make_profile(models=[1, 2, 3, 4, 5, 6], goals=GOALS)
FEW = requests(((10.0, 30),))


def mixed_run() -> RunState:
    """Return a run with a cell of each outcome: slow, suspect, invalid, failed, skipped, few."""
    slow = requests(((501.0, 400),))
    return state_after(
        run_started(MIXED),
        *(cell_started("m1_u2_s2"), cell_finished("m1_u2_s2", requests=slow)),
        cell_started("m2_u2_s2"),
        cell_finished("m2_u2_s2", requests=slow, verdict=Verdict.SUSPECT, reasons=("not settled",)),
        cell_started("m3_u2_s2"),
        cell_finished("m3_u2_s2", verdict=Verdict.INVALID, reasons=("no success",)),
        *(cell_started("m4_u2_s2"), cell_failed("m4_u2_s2")),
        cell_skipped("m5_u2_s2", 0),
        *(cell_started("m6_u2_s2"), cell_finished("m6_u2_s2", requests=FEW)),
        RunFinished(result=Result.DONE, reason="every cell has ended"),
    )


def cases_of(state: RunState) -> list[ParsedCase]:
    (cases,) = parsed(junit_xml([suite_of_run(state)])).values()
    return cases


def test_every_cell_and_every_goal_of_it_is_a_case() -> None:
    found = [(case.name, case.outcome, case.kind, case.message) for case in cases_of(mixed_run())]

    suspect, invalid = "suspect: not settled", "invalid: no success"
    failed, skipped = "failed: model-1 ended (137)", "skipped: asked for"
    assert found == [
        ("m1_u2_s2", "passed", "", ""),
        ("m1_u2_s2 p95_ms", "failure", "goal missed", "p95 501 ms (goal 500 ms)"),
        ("m1_u2_s2 min_rps", "passed", "", ""),
        ("m2_u2_s2", "skipped", "not valid", suspect),
        ("m2_u2_s2 p95_ms", "skipped", "not valid", f"{suspect}; p95 501 ms (goal 500 ms)"),
        (
            *("m2_u2_s2 min_rps", "skipped", "not valid"),
            f"{suspect}; throughput 40.0 req/s (goal ≥ 1 req/s)",
        ),
        ("m3_u2_s2", "skipped", "not valid", invalid),
        ("m3_u2_s2 p95_ms", "skipped", "not valid", invalid),
        ("m3_u2_s2 min_rps", "skipped", "not valid", invalid),
        ("m4_u2_s2", "error", "cell failed", failed),
        ("m4_u2_s2 p95_ms", "skipped", "not measured", failed),
        ("m4_u2_s2 min_rps", "skipped", "not measured", failed),
        ("m5_u2_s2", "skipped", "not measured", skipped),
        ("m5_u2_s2 p95_ms", "skipped", "not measured", skipped),
        ("m5_u2_s2 min_rps", "skipped", "not measured", skipped),
        ("m6_u2_s2", "passed", "", ""),
        (
            *("m6_u2_s2 p95_ms", "skipped", "goal undecided"),
            "p95 needs 200 requests, 30 measured",
        ),
        ("m6_u2_s2 min_rps", "passed", "", ""),
    ]


def test_cells_without_goals_and_without_results_are_cases() -> None:
    state = state_after(run_started(make_profile(models=[1, 2])), cell_started(), cell_finished())

    assert [(case.name, case.outcome, case.message) for case in cases_of(state)] == [
        ("m1_u2_s2", "passed", ""),
        ("m2_u2_s2", "skipped", "pending"),
    ]


def test_the_case_of_a_cell_has_the_duration_of_its_attempt() -> None:
    profile = make_profile(goals=GOALS)
    entries = timed_entries(run_started(profile), 3.0, cell_started(), 12.5, cell_finished(), 4.0)

    suite = suite_of_run(fold(entries))

    assert [case.time_s for case in cases_of(fold(entries))] == [12.5, 0, 0]
    (element,) = ET.fromstring(junit_xml([suite]))
    assert element.attrib["time"] == "12.500"
    assert element.attrib["timestamp"] == "2026-11-22T07:21:00"


def test_the_suite_names_its_run_and_label() -> None:
    state = state_after(run_started(), RunLabelled(label="new images"), cell_started())

    (suite,) = ET.fromstring(junit_xml([suite_of_run(state)]))

    assert suite.attrib["name"] == "demo"
    properties = [(one.attrib["name"], one.attrib["value"]) for one in suite.iter("property")]
    assert properties == [("run", "20261122-072100"), ("label", "new images")]
    assert {case.attrib["classname"] for case in suite.iter("testcase")} == {"loadbench.demo"}


def test_an_unreadable_profile_is_an_error() -> None:
    started = run_started()
    newer = replace(started, profile={**started.profile, "run_time": "some"})

    *_, goals = cases_of(state_after(newer, cell_started(), cell_finished()))

    assert (goals.name, goals.outcome, goals.kind) == ("goals", "error", "unreadable profile")
    assert goals.message


def test_several_runs_and_refusals_are_suites_of_one_document() -> None:
    refused = suite_of_refusal("with_gpu", "device: gpu requires a GPU")

    suites = parsed(junit_xml([suite_of_run(mixed_run()), refused]))

    assert len(suites["demo"]) == 18
    assert suites["with_gpu"] == [
        ParsedCase("start", "error", "refused", "device: gpu requires a GPU")
    ]


def test_a_document_without_suites_is_valid() -> None:
    assert parsed(junit_xml([])) == {}


def one_case(text: str) -> JUnitSuite:
    case = JUnitCase(name=text, outcome=JUnitOutcome.ERROR, kind="cell failed", message=text)
    return JUnitSuite(name=text, group=text, cases=(case,), properties=(("label", text),))


def test_hostile_text_is_replaced() -> None:
    ((case,),) = parsed(junit_xml([one_case(HOSTILE)])).values()

    assert case.message.startswith(f"A{REPLACEMENT}]0;OSC{REPLACEMENT}")
    assert len(case.message) == len(HOSTILE)
    assert "\x1b" not in case.message


@given(st.text(st.characters(), min_size=1, max_size=60))
def test_every_text_results_in_a_valid_document(text: str) -> None:
    ((case,),) = parsed(junit_xml([one_case(text)])).values()

    assert len(case.message) == len(text)


@given(st.sampled_from(["<&>\"'", "]]>", "a\nb\tc", "é€😀", "<!--", "&#0;"]))
def test_printable_text_stays_as_it_is(text: str) -> None:
    ((case,),) = parsed(junit_xml([one_case(text)])).values()

    assert case.message == text
    assert case.name == text


def test_long_texts_are_shortened() -> None:
    ((case,),) = parsed(junit_xml([one_case("a" * 5000 + "b")])).values()

    assert len(case.name) == 200
    assert case.name.endswith("ab")
    assert len(case.message) == 2000


def test_the_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "results.xml"
    file.write_text("old")

    write_junit(file, [suite_of_run(mixed_run())])

    assert len(parsed(file)["demo"]) == 18
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "none" / "results.xml"

    with pytest.raises(JournalError, match=f"{file}: No such file"):
        write_junit(file, [])
