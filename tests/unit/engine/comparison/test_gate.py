"""What a gate decides about a comparison."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadbench.cli.compare.gate import exit_for_gate
from loadbench.cli.exit_codes import Exit
from loadbench.engine.comparison.gating.gate import (
    GateOutcome,
    GateResult,
    gate,
    is_beyond,
    outcome_of,
)
from loadbench.engine.comparison.gating.junit import suite_of_gate
from loadbench.engine.comparison.gating.sentences import gate_sentences
from loadbench.engine.comparison.model import METRICS, Comparison, Estimate
from loadbench.engine.report.export.junit_xml import junit_xml
from tests.support.comparisons import (
    METRIC,
    UNCHANGED,
    compared_cell,
    comparison,
    estimate,
    loss,
    mean_of,
    unmatched_cell,
)
from tests.support.junit import ParsedCase, parsed

LIMIT = 0.1
UNDECIDED = (
    "Gate: no decision, because too few cells have repeats for a test. Measure both with `--set "
    "repeats=3`"
)
UNTESTED = estimate(1.5)
WORSE = estimate(1.2, 1.11, 1.3)
POINT_ONLY = estimate(1.2, 1.09, 1.32)
BELOW = estimate(1.09, 1.05, 1.13)


def gated(found: Comparison) -> GateResult:
    """Return the decision about the metrics of a comparison."""
    metrics = {mean.metric for mean in found.means}
    metrics |= {one.metric for cell in found.cells for one in cell.metrics}
    metrics |= {one.metric for one in found.losses if one.metric}
    return gate(found, LIMIT, [metric for metric in METRICS if metric in metrics])


def cases_of(found: Comparison) -> dict[str, ParsedCase]:
    (cases,) = parsed(junit_xml([suite_of_gate(gated(found))])).values()
    assert len({case.name for case in cases}) == len(cases)
    return {case.name: case for case in cases}


@pytest.mark.parametrize(
    ("key", "ratio", "low", "high", "outcome"),
    [
        ("p95_ms", 1.2, 1.11, 1.3, GateOutcome.REGRESSION),
        ("p95_ms", 1.2, 1.1, 1.3, GateOutcome.NOT_SHOWN),
        ("p95_ms", 1.2, 0.9, 1.6, GateOutcome.NOT_SHOWN),
        ("p95_ms", 1.09, 1.05, 1.13, GateOutcome.PASSED),
        ("p95_ms", 0.5, 0.45, 0.55, GateOutcome.PASSED),
        ("rps", 0.8, 0.7, 0.89, GateOutcome.REGRESSION),
        ("rps", 0.8, 0.7, 0.91, GateOutcome.NOT_SHOWN),
        ("rps", 0.92, 0.85, 0.98, GateOutcome.PASSED),
        ("rps", 2.0, 1.8, 2.2, GateOutcome.PASSED),
    ],
)
def test_only_a_whole_interval_beyond_the_limit_is_a_regression(
    key: str, ratio: float, low: float, high: float, outcome: GateOutcome
) -> None:
    assert outcome_of(METRIC[key], estimate(ratio, low, high), LIMIT) is outcome


@pytest.mark.parametrize("key", METRIC)
def test_every_metric_of_a_cell_and_every_mean_can_be_a_regression(key: str) -> None:
    worse = estimate(0.8, 0.7, 0.89) if key == "rps" else WORSE

    by_cell = gated(comparison(cells=(compared_cell({key: worse}),)))
    by_mean = gated(comparison(means=(mean_of(key, worse),)))

    assert [check.cell for check in by_cell.regressions] == ["m1_u2_s2"]
    assert [check.cell for check in by_mean.regressions] == [None]


@pytest.mark.parametrize(
    ("key", "limit", "ratio", "expected"),
    [
        ("p95_ms", 1.0, 2.0, False),
        ("p95_ms", 1.0, 2.01, True),
        ("rps", 0.5, 0.5, False),
        ("rps", 0.5, 0.49, True),
        ("rps", 1.0, 0.001, False),
    ],
)
def test_regressions_are_relative_to_the_baseline(
    key: str, limit: float, ratio: float, expected: bool
) -> None:
    assert is_beyond(limit, METRIC[key], ratio) is expected


@given(
    key=st.sampled_from(list(METRIC)),
    ends=st.lists(st.floats(0.01, 100), min_size=3, max_size=3).map(sorted),
    limit=st.floats(0, 10),
)
def test_a_regression_is_beyond_the_limit_by_its_point_and_is_not_an_improvement(
    key: str, ends: list[float], limit: float
) -> None:
    low, ratio, high = ends
    found = comparison(cells=(compared_cell({key: estimate(ratio, low, high)}),))

    result = gate(found, limit)

    if result.regressions:
        assert is_beyond(limit, METRIC[key], ratio)
        assert not low <= 1 <= high
    assert not set(result.regressions) & set(result.warnings)


def test_risen_failures_are_a_regression_even_without_repeats() -> None:
    risen = compared_cell(
        {"p95_ms": UNTESTED}, failures_before=0.0, failures_after=0.031, have_failures_risen=True
    )

    result = gated(comparison(means=(mean_of("p95_ms", UNTESTED),), cells=(risen,)))

    assert [check.cell for check in result.regressions] == ["m1_u2_s2"]
    assert result.is_untested
    assert gate_sentences(result) == [
        "Regression: m1_u2_s2 failures 0 to 3.1 % of requests",
        UNDECIDED,
    ]


def test_one_measurement_each_is_untested() -> None:
    untested = {"p95_ms": UNTESTED}
    result = gated(
        comparison(means=(mean_of("p95_ms", UNTESTED),), cells=(compared_cell(untested),))
    )

    assert result.is_untested
    assert result.is_comparable
    assert not result.regressions


def test_the_same_run_passes_without_a_test() -> None:
    same = estimate(1.0)
    result = gated(
        comparison(
            is_same_run=True,
            means=(mean_of("p95_ms", same),),
            cells=(compared_cell({"p95_ms": same}),),
        )
    )

    assert not result.is_untested
    assert {check.outcome for check in result.checks} == {GateOutcome.PASSED}
    assert gate_sentences(result) == [
        "Gate: passed. Both sides are the same run, so nothing differs"
    ]


def test_a_regression_and_a_lost_cell_are_both_printed() -> None:
    result = gated(
        comparison(
            cells=(compared_cell({"p95_ms": WORSE, "p99_ms": POINT_ONLY}),),
            unmatched=(unmatched_cell(), unmatched_cell("m3_u2_s2")),
            losses=(loss(), loss("m1_u2_s2", "p50_ms")),
            not_comparable=("missing results: m2_u2_s2, failed in after",),
        )
    )

    assert not result.is_comparable
    assert gate_sentences(result) == [
        "Regression: m1_u2_s2 p95 +20.0 % (99 % interval +11.0 to +30.0 %), limit 10 %",
        "Possible regression: m1_u2_s2 p99 +20.0 % (99 % interval +9.0 to +32.0 %), limit 10 %",
        "Not comparable: missing results: m2_u2_s2, failed in after",
        "Missing p50: m1_u2_s2, failed in after",
        "Gate: no decision, because the runs are not comparable",
    ]


def test_a_missing_metric_does_not_hide_the_regression_of_another() -> None:
    worse = comparison(
        means=(mean_of("p50_ms"),),
        cells=(compared_cell({"p50_ms": WORSE}),),
        losses=(loss("m1_u2_s2", "p99_ms"),),
    )
    assert gate_sentences(gated(worse))[-2:] == [
        "Missing p99: m1_u2_s2, failed in after",
        "Gate: failed, 1 regression beyond 10 %",
    ]
    assert {name: case.outcome for name, case in cases_of(worse).items()} == {
        "comparable": "passed",
        "geometric mean p50": "passed",
        "m1_u2_s2 p50": "failure",
        "m1_u2_s2 failures": "passed",
        "m1_u2_s2 p99": "error",
    }

    equal = comparison(losses=(loss("m1_u2_s2", "p99_ms"),))
    assert gate_sentences(gated(equal)) == [
        "Missing p99: m1_u2_s2, failed in after",
        "Gate: no decision, because results are missing in the candidate",
    ]
    assert cases_of(equal)["comparable"].outcome == "error"


def test_only_the_given_metrics_are_checked() -> None:
    found = comparison(
        means=(mean_of("p90_ms"), mean_of("p99_ms", WORSE)),
        cells=(compared_cell({"p90_ms": UNCHANGED, "p99_ms": WORSE}),),
        losses=(loss("m1_u2_s2", "p95_ms"),),
    )

    result = gate(found, LIMIT, [METRIC["p90_ms"]])
    assert (result.regressions, result.losses, result.reasons) == ((), (), ())
    assert gated(found).missing == ("missing p95: m1_u2_s2, failed in after",)
    assert gated(found).regressions

    without = gate(found, LIMIT, [METRIC["p50_ms"]])
    assert without.reasons == ("no cell has enough requests for p50 in both runs",)


def test_what_has_too_few_repeats_is_printed_beside_what_is_tested() -> None:
    found = comparison(
        means=(mean_of("p90_ms"), mean_of("p99_ms", UNTESTED)),
        cells=(compared_cell({"p90_ms": UNCHANGED, "p99_ms": UNTESTED}),),
    )
    assert gate_sentences(gated(found)) == [
        "Not tested: p99 of geometric mean, m1_u2_s2, too few repeats",
        "Gate: passed, no regression beyond 10 % in 1 cell",
    ]


def test_metrics_without_enough_requests_are_named_and_skipped() -> None:
    found = comparison(means=(mean_of("rps"),), cells=(compared_cell({"rps": UNCHANGED}),))
    metrics = [METRIC["p99_ms"], METRIC["rps"]]
    assert gate_sentences(gate(found, LIMIT, metrics)) == [
        "Not checked: p99, because no cell has enough requests in both runs",
        "Gate: passed, no regression beyond 10 % in 1 cell",
    ]
    (cases,) = parsed(junit_xml([suite_of_gate(gate(found, LIMIT, metrics))])).values()
    assert {case.name: case.outcome for case in cases}["geometric mean p99"] == "skipped"


def test_doubts_and_what_would_not_have_been_shown_are_printed() -> None:
    mean = replace(mean_of("p95_ms"), estimate=replace(UNCHANGED, smallest=0.15))
    found = comparison(means=(mean,), doubts=("m1_u2_s2: suspect in the candidate",))
    assert gate_sentences(gated(found)) == [
        "Doubt: m1_u2_s2: suspect in the candidate",
        "Detectable: only mean changes of 15 % or more (p95)",
        "Gate: passed, no regression beyond 10 % in 1 cell",
    ]


def test_cells_that_are_not_compared_are_counted() -> None:
    found = comparison(unmatched=(unmatched_cell(),))
    assert gate_sentences(gated(found))[-1].endswith("in 1 of 2 cells")


def test_a_regression_of_a_tested_cell_fails_even_if_the_mean_is_not_tested() -> None:
    found = comparison(
        means=(mean_of("p95_ms", UNTESTED),), cells=(compared_cell({"p95_ms": WORSE}),)
    )
    assert gate_sentences(gated(found))[-1] == "Gate: failed, 1 regression beyond 10 %"
    assert exit_for_gate(gated(found)) is Exit.GATE_FAILED


def test_a_level_is_not_rounded_to_certainty() -> None:
    certain = replace(WORSE, level=0.99987)
    found = comparison(cells=(compared_cell({"p95_ms": certain}),))
    assert "(99.99 % interval " in gate_sentences(gated(found))[0]


def test_many_regressions_are_counted() -> None:
    cells = tuple(compared_cell({"p95_ms": WORSE}, cell=f"m{i}_u2_s2") for i in range(60))

    sentences = gate_sentences(gated(comparison(cells=cells)))

    assert len(sentences) == 52
    assert sentences[-2:] == ["Regression: 10 more", "Gate: failed, 60 regressions beyond 10 %"]


def test_reasons_against_a_comparison_are_printed() -> None:
    result = gated(comparison(not_comparable=("the machines differ",)))

    assert not result.is_comparable
    assert gate_sentences(result)[0] == "Not comparable: the machines differ"


@pytest.mark.parametrize(
    ("found", "decision"),
    [
        (UNCHANGED, "Gate: passed, no regression beyond 10 % in 1 cell"),
        (BELOW, "Gate: passed, no regression beyond 10 % in 1 cell"),
        (WORSE, "Gate: failed, 1 regression beyond 10 %"),
    ],
)
def test_the_decision_is_the_last_sentence(found: Estimate, decision: str) -> None:
    result = gated(comparison(cells=(compared_cell({"p50_ms": found}),)))

    assert gate_sentences(result)[-1] == decision


def test_every_metric_cell_and_mean_is_a_junit_case() -> None:
    cases = cases_of(
        comparison(
            means=(mean_of("p95_ms", WORSE), mean_of("rps", UNTESTED)),
            cells=(
                compared_cell({"p95_ms": WORSE, "p99_ms": POINT_ONLY, "rps": UNTESTED}),
                compared_cell({}, cell="m4_u2_s2", have_failures_risen=True, failures_after=0.5),
            ),
            unmatched=(unmatched_cell(), unmatched_cell("m3_u2_s2")),
            losses=(
                *(loss(), loss("m1_u2_s2", "p95_ms"), loss("m1_u2_s2", "p99_ms")),
                *(loss("m1_u2_s2", "p50_ms"), loss("m4_u2_s2")),
            ),
            not_comparable=("m2_u2_s2 is lost", "the machines differ"),
        )
    )

    assert {name: (case.outcome, case.kind) for name, case in cases.items()} == {
        "comparable": ("error", "not comparable"),
        "geometric mean p95": ("failure", "regression"),
        "geometric mean req/s": ("skipped", "not tested"),
        "m1_u2_s2 p95": ("failure", "regression"),
        "m1_u2_s2 p99": ("error", "lost"),
        "m1_u2_s2 p50": ("error", "lost"),
        "m1_u2_s2 req/s": ("skipped", "not tested"),
        "m1_u2_s2 failures": ("passed", ""),
        "m4_u2_s2 failures": ("failure", "regression"),
        "m4_u2_s2": ("error", "lost"),
        "m2_u2_s2": ("error", "lost"),
        "m3_u2_s2": ("skipped", "not compared"),
    }
    assert cases["comparable"].message == (
        "m2_u2_s2 is lost; the machines differ; missing p95: m1_u2_s2, failed in after; missing "
        "p99: m1_u2_s2, failed in after; missing p50: m1_u2_s2, failed in after"
    )
    assert cases["m2_u2_s2"].message == "failed in after"
    assert "+20.0 %" in cases["m1_u2_s2 p95"].message


def test_runs_without_differences_have_only_passed_cases() -> None:
    assert {case.outcome for case in cases_of(comparison()).values()} == {"passed"}
