"""The knee of a configuration: the load from which on throughput does not grow."""

from collections.abc import Sequence

from loadbench.engine.report.recommendation.loads import LoadOutcome

TIE = 0.05
"""Maximum relative difference of two throughputs that count as equal. The same tolerance defines
the knee in Triton's Model Analyzer and perf_analyzer."""
KNEE_POINTS = 3
"""Number of larger loads that must not exceed the knee. With the knee itself these are the four
points of Triton Model Analyzer's plateau rule
(https://github.com/triton-inference-server/model_analyzer, `model_analyzer/config/generate`)."""


def knee(loads: Sequence[LoadOutcome]) -> LoadOutcome | None:
    """Return the smallest load whose throughput the next three loads do not exceed by 5 %.

    At least one larger load is needed.

    Args:
        loads: The loads of one configuration, in ascending order.
    """
    known = [(load, load.rps) for load in loads if load.rps]
    for index, (load, rps) in enumerate(known[:-1]):
        following = known[index + 1 : index + 1 + KNEE_POINTS]
        if all(other < rps * (1 + TIE) for _, other in following):
            return load
    return None


def are_equal(one: float, other: float) -> bool:
    """Return whether two throughputs count as equal."""
    return abs(one - other) <= TIE * max(one, other)
