"""Goals by request and by measurement: values, errors with their locations, and overrides."""

from pathlib import Path

import pytest

from loadbench.engine.profile.loading import load_profile, read_draft
from loadbench.engine.profile.plan import warnings
from loadbench.engine.profile.sections.goals import MEASUREMENT_GOALS, REQUEST_GOALS
from loadbench.engine.profile.source import parse_source
from tests.support.builders import make_profile

GRID = "models: [1]\nusers: [5]\nspawn_rates: [5]\n"
EXAMPLE = "{NAME: {p95: 400}}"
KNOWN = "p50, p90, p95, p99, failure_ratio, min_rps"


def problems(text: str, *overrides: str) -> list[str]:
    draft = read_draft(parse_source(Path("mine.yaml"), GRID + text), overrides)
    return [f"{problem.location}: {problem.text}" for problem in draft.problems]


def goals(folder: Path, text: str = "", *overrides: str) -> dict[str, dict[str, float]]:
    file = folder / "mine.yaml"
    file.write_text(GRID + text, encoding="utf-8")
    return load_profile(file, overrides).goals.requests


def test_goals_have_names_and_limits(tmp_path: Path) -> None:
    text = """
goals:
  requests:
    POST /predict:
      p95: 400
      failure_ratio: 0
    '/a, b: c': {p50: 0.5, min_rps: 3}
  measurements:
    first token: {p95: 400, min_p5: 2}
"""
    (tmp_path / "mine.yaml").write_text(GRID + text, encoding="utf-8")
    found = load_profile(tmp_path / "mine.yaml").goals

    assert found.requests == {
        "POST /predict": {"p95": 400.0, "failure_ratio": 0.0},
        "/a, b: c": {"p50": 0.5, "min_rps": 3.0},
    }
    assert found.measurements == {"first token": {"p95": 400.0, "min_p5": 2.0}}


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("requests: [a]", f"requests: expected goals by name: {EXAMPLE}, got ['a']"),
        ("requests: null", f"requests: expected goals by name: {EXAMPLE}, got no value"),
        (
            "requests: {p95: 400}",
            f"requests: p95 stands outside of a name. Write it as in {EXAMPLE}",
        ),
        ("requests: {A b: 400}", "requests.A b: expected goals such as {p95: 400}, got 400"),
        ("requests: {A: {}}", "requests.A: there is no goal below this name"),
        ("requests: {'': {p95: 1}}", "requests: expected a name in one line, without spaces"),
        ("requests: {' a': {p95: 1}}", "requests: expected a name in one line, without spaces"),
        ('requests: {"a\\n": {p95: 1}}', "requests: expected a name in one line, without spaces"),
        ("requests: {A: {p96: 400}}", f"requests.A.p96: unknown goal. Goals: {KNOWN}"),
        ("requests: {A: {p95_ms: 400}}", f"requests.A.p95_ms: unknown goal. Goals: {KNOWN}"),
        ("requests: {A: {min_p50: 400}}", f"requests.A.min_p50: unknown goal. Goals: {KNOWN}"),
        ("requests: {A: {p95: few}}", "requests.A.p95: expected a number, got 'few'"),
        ("requests: {A: {p95: true}}", "requests.A.p95: expected a number, got True"),
        ("requests: {A: {p95: null}}", "requests.A.p95: expected a number, got no value"),
        ("requests: {A: {p95: [1]}}", "requests.A.p95: expected a number, got [1]"),
        ("requests: {A: {p95: .inf}}", "requests.A.p95: expected a finite number, got inf"),
        ("requests: {A: {p95: 0}}", "requests.A.p95: expected a value > 0, got 0.0"),
        ("requests: {A: {min_rps: -1}}", "requests.A.min_rps: expected a value > 0, got -1.0"),
        (
            "requests: {A: {failure_ratio: 1.5}}",
            "requests.A.failure_ratio: expected a value ≤ 1, got 1.5",
        ),
        (
            "requests: {A: {failure_ratio: -1}}",
            "requests.A.failure_ratio: expected a value ≥ 0, got -1.0",
        ),
        (
            "measurements: {A: {min_rps: 1}}",
            "measurements.A.min_rps: unknown goal. Goals: p50, p90, p95, p99, min_p50, min_p10, ",
        ),
        (
            "measurements: {min_p5: 1}",
            f"measurements: min_p5 stands outside of a name. Write it as in {EXAMPLE}",
        ),
    ],
)
def test_error_contains_line_key_and_what_to_write(written: str, message: str) -> None:
    (problem,) = problems(f"goals:\n  {written}\n")

    assert problem.startswith(f"mine.yaml:5: goals.{message}")


def test_every_error_is_reported_with_its_line() -> None:
    text = "goals:\n  requests:\n    A:\n      p95: few\n      p99: 1\n    B:\n      x: 1\n    C: 5"

    assert [problem.split(": ")[:2] for problem in problems(text)] == [
        ["mine.yaml:7", "goals.requests.A.p95"],
        ["mine.yaml:10", "goals.requests.B.x"],
        ["mine.yaml:11", "goals.requests.C"],
    ]


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("goals.requests={POST /b: {p95: 3}}", {"POST /b": {"p95": 3.0}}),
        ("goals.requests={}", {}),
        ("goals.requests.A.p50=3", {"A": {"p95": 1.0, "p50": 3.0}}),
        ("goals.requests.A.p95=3", {"A": {"p95": 3.0}}),
        ("goals.requests.POST /b.p95=3", {"A": {"p95": 1.0}, "POST /b": {"p95": 3.0}}),
        ("goals.requests.GET /v1.0/b.p95=3", {"A": {"p95": 1.0}, "GET /v1.0/b": {"p95": 3.0}}),
        ("goals.requests.GET /v1.0={p99: 3}", {"A": {"p95": 1.0}, "GET /v1.0": {"p99": 3.0}}),
    ],
)
def test_override_sets_all_goals_those_of_a_name_or_one(
    tmp_path: Path, override: str, expected: dict[str, dict[str, float]]
) -> None:
    assert goals(tmp_path, "goals: {requests: {A: {p95: 1}}}", override) == expected


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("goals.requests.p95=4", "goals.requests: p95 stands outside of a name"),
        ("goals.requests.A=4", "goals.requests.A: expected goals such as {p95: 400}, got 4"),
        ("goals.requests.GET /v1.0.p96=4", "goals.requests.GET /v1.0.p96: unknown goal"),
        ("goals.requests={A: {p95: 1}, A: {p95: 2}}", "goals.requests: invalid YAML value"),
        ("goals.requests={A: {p95", "goals.requests: invalid YAML value"),
    ],
)
def test_invalid_override_is_reported_once(override: str, message: str) -> None:
    (problem,) = problems("", override)

    assert problem.startswith(f"--set {override}: {message}")


@pytest.mark.parametrize(
    ("override", "measurements"),
    [
        ("load.measurements=*token*", ("*token*",)),
        ("load.measurements=first token, *TTFT", ("first token", "*TTFT")),
        ("load.measurements=['a, b']", ("a, b",)),
        ('load.measurements="*x"', ("*x",)),
        ("load.measurements=[]", ()),
    ],
)
def test_override_of_measurements_needs_no_quotes(
    tmp_path: Path, override: str, measurements: tuple[str, ...]
) -> None:
    (tmp_path / "mine.yaml").write_text(GRID)

    assert load_profile(tmp_path / "mine.yaml", [override]).load.measurements == measurements


def test_resolved_goals_load_as_the_same_goals() -> None:
    profile = make_profile(
        goals={
            "requests": {"A": dict.fromkeys(REQUEST_GOALS, 0.5)},
            "measurements": {"B": dict.fromkeys(MEASUREMENT_GOALS, 7)},
        }
    )

    assert type(profile).model_validate(profile.resolved()) == profile


@pytest.mark.parametrize(
    ("load", "names", "warned"),
    [
        ({"main": "TTFT chat"}, [], ["load.main: TTFT chat is a measurement"]),
        ({"main": "POST /chat"}, ["POST /chat"], []),
        ({"main": "chat", "measurements": ["ch*"]}, [], ["load.main: chat is a measurement"]),
        ({"measurements": ["WAIT"]}, ["WAIT a b"], ["goals.requests: WAIT a b is a measurement"]),
        ({"measurements": ["a b"]}, ["WAIT a b"], ["goals.requests: WAIT a b is a measurement"]),
        ({"measurements": ["[a]*"]}, ["[a] b", "a"], ["goals.requests: [a] b is a measurement"]),
        ({"measurements": ["b"]}, ["a", "abc"], []),
    ],
)
def test_name_of_requests_that_is_a_measurement_is_a_warning(
    load: dict[str, object], names: list[str], warned: list[str]
) -> None:
    profile = make_profile(load=load, goals={"requests": {name: {"p95": 1} for name in names}})
    found = warnings(profile, cores=None)

    assert [text.partition(" (")[0] for text in found] == warned


def test_limits_of_a_fixed_run_time_are_a_warning() -> None:
    (warning,) = warnings(make_profile(run_time="5s", max_run_time="1h"), cores=None)

    assert warning == "min_run_time and max_run_time have no effect without run_time: auto"
    assert warnings(make_profile(run_time="auto", max_run_time="1h"), cores=None) == []
