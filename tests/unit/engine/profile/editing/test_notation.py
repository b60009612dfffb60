"""Notation of values in forms and overrides."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadbench.engine.profile.editing.keys import KeyKind, ProfileKey, profile_key, profile_keys
from loadbench.engine.profile.editing.notation import (
    format_value,
    notation_hint,
    override_text,
    parse_value,
)
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.sections.goals import MEASUREMENT_GOALS, REQUEST_GOALS
from loadbench.errors import ProfileError

GRID = "models: [1, 2]\nusers: [5]\nspawn_rates: [5]\n"
DURATION = "expected a duration such as 90s, 7m or 1h20m"


def without_references(text: str) -> bool:
    return "${" not in text


texts = st.text(st.characters(exclude_categories=["Cs"])).filter(without_references)
plain_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")).filter(
    without_references
)
names = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0="), min_size=1
).filter(str.isprintable)
paths = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")).filter(
    lambda text: text.strip() and without_references(text)
)


EXACT_KINDS = (
    *(KeyKind.INTEGERS, KeyKind.NUMBERS, KeyKind.NUMBER),
    *(KeyKind.VARIABLES, KeyKind.GOALS),
)
"""Kinds whose values are not normalised."""
LISTS_OF_NAMES = {
    "secrets": st.lists(names),
    "not_secrets": st.lists(names),
    "stack.without": st.lists(names.filter(str.strip)),
    "stack.health": st.lists(
        st.sampled_from(["tcp", "containers", "tcp://[::1]:9000"])
        | plain_texts.map(lambda text: f"/{text}"),
        min_size=1,
    ),
}
event_names = (
    st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="$"), min_size=1)
    .filter(lambda text: text == text.strip())
    .filter(lambda text: text not in (*REQUEST_GOALS, *MEASUREMENT_GOALS, "null"))
)
tags = st.lists(st.text("abc é-_1", min_size=1).filter(lambda text: text == text.strip()))
class_names = st.lists(st.sampled_from(["ChatUser", "_Admin2", "Größe"]))
LISTS_OF_NAMES |= {
    "load.tags": tags,
    "load.exclude_tags": tags,
    "load.user_classes": class_names,
    "load.keep_host": class_names,
    "load.measurements": st.lists(event_names),
}
header_values = st.text(st.characters(max_codepoint=0xFF)).filter(str.isprintable)
MAPPINGS = {
    "stack.headers": st.dictionaries(
        st.sampled_from(["Host", "X-Api-Key", "x.y"]), header_values.filter(without_references)
    ),
    "load.options": st.dictionaries(st.sampled_from(["engine", "--m", "-n", "x.y_z"]), plain_texts),
    "load.environment": st.dictionaries(
        names.filter(lambda name: not name.startswith(("LOCUST_", "LOADBENCH_"))), plain_texts
    ),
}
TEXTS = {
    "host": st.sampled_from(["http://127.0.0.1:8000", "https://[::1]"]),
    "stack.port": st.integers(1, 65535).map(str) | st.just("api:8000"),
    "stack.service": texts,
    "description": texts,
    "load.main": event_names,
}
"""Strategies for texts with rules of their own. Other texts are paths."""


def values(key: ProfileKey) -> st.SearchStrategy[Any]:
    """Return a strategy for valid values of a key, before normalisation."""
    highest = int(key.maximum or 10**9)
    match key.kind:
        case KeyKind.CHOICE:
            strategy: st.SearchStrategy[Any] = st.sampled_from(key.choices)
        case KeyKind.BOOLEAN:
            strategy = st.booleans()
        case KeyKind.INTEGER:
            strategy = st.integers(int(key.minimum or 0), highest)
        case KeyKind.NUMBER:
            strategy = st.floats(key.minimum, key.maximum or 1e300, exclude_min=True)
        case KeyKind.DURATION:
            strategy = st.floats(60, min(highest, 3600)).map(lambda seconds: f"{seconds:f}s")
            strategy |= st.sampled_from(key.words) if key.words else st.nothing()
        case KeyKind.INTEGERS:
            strategy = st.lists(st.integers(1, 10**5), min_size=1, unique=True)
        case KeyKind.NUMBERS:
            numbers = st.integers(1, 10**5).map(lambda number: number / 100)
            strategy = st.lists(numbers, min_size=1, unique=True)
        case KeyKind.TEXTS:
            strategy = LISTS_OF_NAMES.get(key.name, st.lists(paths, min_size=1))
        case KeyKind.VARIABLES:
            strategy = MAPPINGS.get(key.name, st.dictionaries(names, plain_texts))
        case KeyKind.GOALS:
            limits = st.floats(0, 1, exclude_min=True) | st.just(1)
            goals = st.dictionaries(st.sampled_from(key.goals), limits, min_size=1)
            strategy = st.dictionaries(event_names, goals)
        case KeyKind.TEXT:
            strategy = TEXTS.get(key.name, paths)
    return strategy | st.none() if key.is_optional else strategy


keys_and_values = st.sampled_from(profile_keys()).flatmap(
    lambda key: st.tuples(st.just(key), values(key))
)


def loaded_value(file: Path, key: ProfileKey, override: str) -> Any:
    value: Any = load_profile(file, [override]).resolved()
    for part in key.name.split("."):
        value = value[part]
    return value


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("description", "a: b # c", "a: b # c"),
        ("description", "null", "null"),
        ("description", "", ""),
        ("device", " gpu ", "gpu"),
        ("recheck_first", "true", True),
        ("recheck_first", "no", False),
        ("batch_size", " 16 ", 16),
        ("users", "5 10", [5, 10]),
        ("users", "[5, 10]", [5, 10]),
        ("users", "10..30 step 10", [10, 20, 30]),
        ("users", "3 1", [3, 1]),
        ("spawn_rates", "0.5, 10", [0.5, 10]),
        ("spawn_rates", "0.1..0.3 step 0.1", [0.1, 0.2, 0.3]),
        ("run_time", "90s", "1m30s"),
        ("run_time", "90", "1m30s"),
        ("host", "", None),
        ("host", "null", None),
        ("host", "http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("stack.memory_mb", " ", None),
        ("stack.memory_mb", "512", 512),
        ("stack.compose", "a.yaml b.yaml", ["a.yaml", "b.yaml"]),
        ("stack.compose", "a.yaml, 'b c.yaml',", ["a.yaml", "b c.yaml"]),
        ("stack.compose", r'"a \"b\".yaml"', ['a "b".yaml']),
        ("stack.environment", "", {}),
        ("stack.environment", 'A=1 B="x y"', {"A": "1", "B": "x y"}),
        ("stack.environment", "A= B=a=b,c", {"A": "", "B": "a=b,c"}),
        ("stack.environment", "A='\"x\"'", {"A": '"x"'}),
        ("goals.p95_ms", "500", 500),
        ("goals.p95_ms", "null", None),
        ("goals.failure_ratio", "0.01", 0.01),
        ("run_time", " auto ", "auto"),
        ("load.main", "POST /a b", "POST /a b"),
        ("load.main", "", None),
        ("load.measurements", "*token* 'a b'", ["*token*", "a b"]),
        ("goals.requests", " ", {}),
        ("goals.requests", "{POST /b: {p95: 4}}", {"POST /b": {"p95": 4}}),
        ("goals.requests", "POST /b: {p95: 4.5}", {"POST /b": {"p95": 4.5}}),
    ],
)  # fmt: skip
def test_text_is_parsed_as_plain_data(name: str, text: str, value: Any) -> None:
    parsed = parse_value(profile_key(name), text)

    assert parsed == value
    assert type(parsed) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("batch_size", "x", "expected a whole number, got 'x'"),
        ("batch_size", "", "expected a whole number, got ''"),
        ("batch_size", "0", "expected a value ≥ 1, got '0'"),
        ("device", "tpu", "expected 'cpu' or 'gpu', got 'tpu'"),
        ("recheck_first", "maybe", "expected true or false, got 'maybe'"),
        ("users", "", "expected at least one value, got []"),
        ("users", "5 few", "expected a whole number, got 'few'"),
        ("users", "5 5", "expected distinct values, got ['5', '5']"),
        ("users", "1..3 x1.5", "expected a whole number, got 1.5"),
        ("users", "1..2000000 step 1000000", "expected a value ≤ 1000000, got 1000001"),
        ("users", "1..5 step 0", "expected a step above 0, got '1..5 step 0'"),
        ("run_time", "soon", f"{DURATION}, or auto, got 'soon'"),
        ("max_run_time", "auto", f"{DURATION}, got 'auto'"),
        ("goals.requests", "p95", "expected goals by name: {NAME: {p95: 400}}, got 'p95'"),
        ("goals.requests", "{p95: 4}", "p95 stands outside of a name. Write it as in {NAME: {p95"),
        ("goals.requests", "{A: {p95: x}}", "A.p95: expected a number, got 'x'"),
        ("goals.requests", "{A: {p95: 4}", "expected goals such as {NAME: {p95: 400}} (invalid YA"),
        ("goals.requests", "{A: {p9: 1}}", "A.p9: unknown goal. Goals: p50, p90, p95, p99, failu"),
        ("goals.requests", "{A: {}, A: {}}", "expected goals such as {NAME: {p95: 400}} (invalid"),
        ("run_time", "0s", "expected a value ≥ 1s, got '0s'"),
        ("goals.p95_ms", "nan", "expected a finite number, got 'nan'"),
        ("goals.p95_ms", "0", "expected a value > 0, got '0'"),
        ("host", "localhost", "expected a URL without a query, such as http://127.0.0.1:8000"),
        ("stack.compose", "", "expected at least one file, such as [stack/compose.yaml]"),
        ("stack.compose", 'a "b', 'expected values such as a.yaml "b c.yaml", got \'a "b\''),
        ("stack.compose", r'"a\z"', r'expected \" or \\ after a backslash in quotes, got "a\z"'),
        ("stack.environment", "A", "expected values such as A=1 B=\"x y\", got 'A'"),
        ("stack.environment", "=1", "expected values such as A=1"),
        ("stack.environment", "A=1 A=2", "'A': duplicate variable"),
        ("load.images", " ", "expected a path, got ' '"),
        ("load.images", "a\rb", "expected a path without line breaks, got"),
    ],
)
def test_invalid_text_is_reported_in_the_words_of_the_schema(
    name: str, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse_value(profile_key(name), text)

    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("users", [1, 2], "1 2"),
        ("spawn_rates", [10.0, 0.5], "10 0.5"),
        ("users", 5, "5"),
        ("goals.p95_ms", 500.0, "500"),
        ("goals.p95_ms", None, ""),
        ("recheck_first", False, "false"),
        ("stack.compose", ["a.yaml", "b c.yaml"], 'a.yaml "b c.yaml"'),
        ("stack.environment", {"A": "1", "B": "x y"}, 'A=1 B="x y"'),
        ("users", "few", "few"),
        ("run_time", "auto", "auto"),
        ("load.measurements", ["*a", "b c"], '*a "b c"'),
        ("goals.requests", {}, ""),
        ("goals.requests", {"POST /b": {"p95": 4.0}, "7": {}}, "{POST /b: {p95: 4}, '7': {}}"),
    ],
)
def test_value_is_formatted_for_people(name: str, value: Any, text: str) -> None:
    assert format_value(profile_key(name), value) == text


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("users", [5, 10], "users=5,10"),
        ("spawn_rates", [10.0, 0.5], "spawn_rates=10,0.5"),
        ("goals.p95_ms", None, "goals.p95_ms=null"),
        ("stack.environment", {"A": "b"}, "stack.environment={A: b}"),
        ("stack.compose", ["a.yaml", "b, c"], "stack.compose=[a.yaml, 'b, c']"),
        ("run_time", "7m", "run_time=7m"),
        ("run_time", "auto", "run_time=auto"),
        ("load.measurements", ["*a"], "load.measurements=['*a']"),
        ("goals.requests", {"POST /b": {"p95": 4}}, "goals.requests={POST /b: {p95: 4}}"),
        ("description", "", "description=''"),
        ("description", "yes", "description='yes'"),
        ("description", "a\nb", 'description="a\\nb"'),
    ],
)
def test_override_is_written_as_for_the_command_line(name: str, value: Any, text: str) -> None:
    assert override_text(profile_key(name), value) == text


@given(keys_and_values)
def test_formatted_value_is_parsed_to_the_same_value(pair: tuple[ProfileKey, Any]) -> None:
    key, value = pair
    parsed = parse_value(key, format_value(key, value))

    assert parse_value(key, format_value(key, parsed)) == parsed
    if key.kind in (
        KeyKind.INTEGERS,
        KeyKind.NUMBERS,
        KeyKind.NUMBER,
        KeyKind.VARIABLES,
        KeyKind.GOALS,
    ):
        assert parsed == value


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys_and_values)
def test_override_sets_exactly_the_value(tmp_path: Path, pair: tuple[ProfileKey, Any]) -> None:
    key, value = pair
    file = tmp_path / "mine.yaml"
    file.write_text(
        "models: 1\nusers: 5\nspawn_rates: 5\nhost: http://x\n"
        "settle: {max: 0s}\nmax_run_time: 24h\ngoals: {p50_ms: 5}\n"
    )
    parsed = parse_value(key, format_value(key, value))
    override = override_text(key, parsed)

    assert loaded_value(file, key, override) == parsed
    assert "\n" not in override


@given(st.sampled_from(profile_keys()), st.text())
def test_any_text_is_parsed_or_refused_with_a_message(key: ProfileKey, text: str) -> None:
    try:
        value = parse_value(key, text)
    except ValueError as error:
        assert str(error)  # noqa: PT017  # other texts are valid
    else:
        assert parse_value(key, format_value(key, value)) == value


def test_every_kind_with_a_notation_has_a_valid_hint() -> None:
    for key in profile_keys():
        hint = notation_hint(key)
        if key.kind in (KeyKind.TEXTS, KeyKind.VARIABLES, KeyKind.GOALS):
            assert parse_value(key, hint)
    assert notation_hint(profile_key("users")) == "1 2 4, 10..100 step 10 or 1..64 ×2"


@pytest.mark.parametrize(
    ("override", "users"),
    [
        ("users=5,10", (5, 10)),
        ("users=[5, 10]", (5, 10)),
        ("users=5 10", (5, 10)),
        ("users=10..30 step 10", (10, 20, 30)),
        ("num_users_list=1..8 x2", (1, 2, 4, 8)),
    ],
)
def test_override_of_a_list_takes_ranges(
    tmp_path: Path, override: str, users: tuple[int, ...]
) -> None:
    (tmp_path / "mine.yaml").write_text(GRID)

    assert load_profile(tmp_path / "mine.yaml", [override]).users == users


def test_invalid_range_in_an_override_is_reported_with_the_other_errors(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(f"{GRID}device: tpu\n")

    with pytest.raises(ProfileError, match="2 errors") as raised:
        load_profile(tmp_path / "mine.yaml", ["users=1..5 step 0"])

    assert ("--set users=1..5 step 0: users: expected a step above 0, got '1..5 step 0'") in str(
        raised.value
    )
