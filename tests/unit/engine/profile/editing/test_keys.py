"""Labels, kinds and limits of keys, derived from the model."""

import pytest

from loadbench.engine.profile.editing.keys import (
    FIRST_KEYS,
    KeyKind,
    ProfileKey,
    _kind,
    key_groups,
    profile_key,
    profile_keys,
    profile_sections,
)
from loadbench.engine.profile.model import Profile, known_keys
from loadbench.engine.profile.sections.goals import MEASUREMENT_GOALS, REQUEST_GOALS


def test_every_key_of_the_model_is_there_in_its_order() -> None:
    assert [key.name for key in profile_keys()] == list(known_keys())


@pytest.mark.parametrize("key", profile_keys(), ids=lambda key: key.name)
def test_every_key_has_a_unique_short_label_and_a_description(key: ProfileKey) -> None:
    assert 0 < len(key.label) <= 28
    assert key.label[0].isupper() or key.label[0] == "p"
    assert key.help == known_keys()[key.name]
    assert [other.name for other in profile_keys() if other.label == key.label] == [key.name]


@pytest.mark.parametrize("key", profile_keys(), ids=lambda key: key.name)
def test_every_key_but_the_description_has_a_one_line_comment(key: ProfileKey) -> None:
    assert bool(key.comment) == (key.name != "description")
    assert all(len(line) <= 72 for line in key.comment.splitlines())


def test_every_section_has_a_heading_and_a_description() -> None:
    assert [section.name for section in profile_sections()] == [
        "settle",
        "stack",
        "load",
        "goals",
        "search",
    ]
    assert all(section.heading and section.help for section in profile_sections())


def test_keys_are_either_first_or_in_one_group() -> None:
    grouped = [key.name for group in key_groups() for key in group.keys]

    assert sorted([*FIRST_KEYS, *grouped]) == sorted(known_keys())
    assert [group.name for group in key_groups()] == [
        "general",
        "settle",
        "stack",
        "load",
        "search",
    ]
    assert [key.name for key in key_groups()[0].keys] == [
        "description",
        "min_run_time",
        "max_run_time",
        "repeats",
        "recheck_first",
        "max_cells",
        "host",
        "secrets",
        "not_secrets",
    ]


@pytest.mark.parametrize(
    ("name", "kind", "limits", "unit"),
    [
        ("description", KeyKind.TEXT, "", ""),
        ("device", KeyKind.CHOICE, "", ""),
        ("batch_size", KeyKind.INTEGER, "1 to 4096", ""),
        ("users", KeyKind.INTEGERS, "1 to 1000000", ""),
        ("spawn_rates", KeyKind.NUMBERS, "0.001 to 1000", "users/s"),
        ("run_time", KeyKind.DURATION, "1s to 24h or auto", ""),
        ("max_run_time", KeyKind.DURATION, "1s to 24h", ""),
        ("load.timeout", KeyKind.DURATION, "above 0s, up to 1h", ""),
        ("load.start_timeout", KeyKind.DURATION, "above 0s, up to 24h", ""),
        ("load.locustfile", KeyKind.TEXTS, "", ""),
        ("load.folder", KeyKind.TEXT, "", ""),
        ("load.options", KeyKind.VARIABLES, "", ""),
        ("load.environment", KeyKind.VARIABLES, "", ""),
        ("load.main", KeyKind.TEXT, "", ""),
        ("load.measurements", KeyKind.TEXTS, "", ""),
        ("load.tags", KeyKind.TEXTS, "", ""),
        ("load.keep_host", KeyKind.TEXTS, "", ""),
        ("recheck_first", KeyKind.BOOLEAN, "", ""),
        ("stack.compose", KeyKind.TEXTS, "", ""),
        ("stack.port", KeyKind.TEXT, "", ""),
        ("stack.without", KeyKind.TEXTS, "", ""),
        ("stack.environment", KeyKind.VARIABLES, "", ""),
        ("stack.memory_mb", KeyKind.INTEGER, "at least 6", "MB"),
        ("goals.p95_ms", KeyKind.NUMBER, "above 0", "ms"),
        ("goals.failure_ratio", KeyKind.NUMBER, "0 to 1", ""),
        ("goals.requests", KeyKind.GOALS, "", ""),
        ("goals.measurements", KeyKind.GOALS, "", ""),
        ("search.strategy", KeyKind.CHOICE, "", ""),
        ("search.budget", KeyKind.DURATION, "1s to 168h", ""),
    ],
)
def test_kind_limits_and_unit_come_from_the_model(
    name: str, kind: KeyKind, limits: str, unit: str
) -> None:
    key = profile_key(name)

    assert (key.kind, key.limits, key.unit) == (kind, limits, unit)


def test_choices_come_from_the_model() -> None:
    assert profile_key("stack.driver").choices == ("auto", "compose", "local", "external")
    assert profile_key("users").choices == ()


def test_goals_by_name_and_words_come_from_the_model() -> None:
    assert profile_key("goals.requests").goals == REQUEST_GOALS
    assert profile_key("goals.measurements").goals == MEASUREMENT_GOALS
    assert profile_key("goals.p95_ms").goals == ()
    assert [key.name for key in profile_keys() if key.words] == ["run_time"]
    assert profile_key("run_time").words == ("auto",)


def test_null_is_allowed_for_addresses_limits_and_goals() -> None:
    optional = {key.name for key in profile_keys() if key.is_optional}
    goals = {name for name in FIRST_KEYS if name.startswith("goals.")}
    goals -= {"goals.requests", "goals.measurements"}

    limits = {"stack.memory_mb", "stack.gpu_memory_mb", "search.budget"}
    load = {"load.folder", "load.main"}
    assert optional == {"host", "stack.port", "stack.ca_file", *load, *limits, *goals}


def test_default_is_the_value_of_a_profile_without_the_key() -> None:
    resolved = Profile(models=(1,), users=(1,), spawn_rates=(1.0,)).resolved()

    for key in profile_keys():
        value = resolved
        for part in key.name.split("."):
            value = value[part]
        assert key.default == (None if key.is_required else value)
    assert [key.name for key in profile_keys() if key.is_required] == [
        "models",
        "users",
        "spawn_rates",
    ]


@pytest.mark.parametrize("kind", [complex, tuple[complex, ...], dict[str, int]])
def test_key_of_an_unsupported_type_is_an_error(kind: object) -> None:
    with pytest.raises(TypeError, match="no kind of key for"):
        _kind(kind, ())
