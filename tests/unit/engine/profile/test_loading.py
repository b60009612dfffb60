"""Loading of profiles, and the message for each kind of error."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadbench.engine.profile.loading import (
    add_locations,
    find_profile,
    load_profile,
    read_draft,
    saved_profiles,
)
from loadbench.engine.profile.model import ALIASES, Profile, known_keys
from loadbench.engine.profile.plan import plan_cells
from loadbench.engine.profile.reference import key_reference
from loadbench.engine.profile.source import read_source
from loadbench.errors import ProfileError

REPOSITORY = Path(__file__).resolve().parents[4]
SHIPPED = [
    REPOSITORY / "profiles" / f"{name}.yaml"
    for name in ("batch_10", "demo", "with_cpu", "with_gpu")
]
GRID = "models: [1, 2]\nusers: [5]\nspawn_rates: [5]\n"
DRIVERS = "expected 'auto', 'compose', 'local' or 'external'"
DURATION = "expected a duration such as 90s, 7m or 1h20m"
CHARACTERS = (
    "expected a URL without spaces, quotes, backslashes, angle brackets and control characters, "
    "such as http://127.0.0.1:8000"
)
URL = "expected a URL without a query, such as http://127.0.0.1:8000"
same_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a function that writes a profile file and returns its path."""

    def written(text: str) -> Path:
        file = tmp_path / "mine.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def error_of(file: Path, *overrides: str) -> str:
    """Return the error message of an invalid profile, without the folder."""
    with pytest.raises(ProfileError) as raised:
        load_profile(file, overrides)
    return str(raised.value).replace(f"{file.parent}/", "")


# Shipped profiles


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_profile_is_valid(file: Path) -> None:
    assert load_profile(file).description


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_profile_sets_every_key(file: Path) -> None:
    values = yaml.safe_load(file.read_text())
    given = {
        f"{key}.{inner}" if inner else key
        for key, value in values.items()
        for inner in (value if isinstance(value, dict) else [None])
    }
    assert given == set(known_keys())


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_profile_has_a_comment_for_every_key(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    keys = [line for line in lines if not line.endswith(":")]
    uncommented = {line.strip().partition(":")[0] for line in keys if "  # " not in line}
    assert uncommented <= {"description"}


def test_single_number_becomes_a_list_of_one(write: Write) -> None:
    profile = load_profile(write("models: 1\nspawn_rates: 2.5\nusers: [5]\n"))
    assert (profile.models, profile.spawn_rates) == ((1,), (2.5,))


def test_every_key_has_a_description() -> None:
    assert [key for key, text in known_keys().items() if not text] == []


def test_key_reference_has_a_row_for_every_key() -> None:
    rows = key_reference().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(known_keys())
    assert {row.count(" | ") for row in rows} == {2}


# Valid profiles


def test_missing_keys_get_their_defaults(write: Write) -> None:
    profile = load_profile(write(GRID))
    assert (profile.device, profile.batch_size, profile.repeats) == ("cpu", 1, 1)
    assert (profile.run_time, profile.settle.window, profile.load.timeout) == (30, 5, 30)


def test_resolved_profile_loads_as_the_same_profile(write: Write) -> None:
    text = f"{GRID}run_time: 12345.678s\nsettle: {{max: 1h, window: 90s}}\nhost: http://[::1]:80/\n"
    profile = load_profile(write(text))
    assert load_profile(write(yaml.safe_dump(profile.resolved()))) == profile
    assert Profile.model_validate(profile.resolved()) == profile


def test_aliases_are_accepted(write: Write) -> None:
    text = "num_models_list: [1, 2]\nnum_users_list: [5]\nspawn_rate_list: [0.5]\n"
    profile = load_profile(write(text))
    assert (profile.models, profile.users, profile.spawn_rates) == ((1, 2), (5,), (0.5,))


def test_yaml_anchors_are_accepted(write: Write) -> None:
    assert load_profile(write("models: &n [1, 2]\nusers: *n\nspawn_rates: *n\n")).users == (1, 2)


def test_byte_order_mark_is_ignored(write: Write) -> None:
    assert load_profile(write(f"\N{ZERO WIDTH NO-BREAK SPACE}{GRID}")).models == (1, 2)


# Errors and their locations


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("batch_size: 0", "batch_size: expected a value ≥ 1, got 0"),
        ("batch_size: many", "batch_size: expected a whole number, got 'many'"),
        ("device: tpu", "device: expected 'cpu' or 'gpu', got 'tpu'"),
        ("run_time: soon", f"run_time: {DURATION}, or auto, got 'soon'"),
        ("run_time: null", f"run_time: {DURATION}, or auto, got no value"),
        ("run_time: [5s]", f"run_time: {DURATION}, or auto, got ['5s']"),
        ("run_time: yes", f"run_time: {DURATION}, or auto, got True"),
        ("run_time: autom", f"run_time: {DURATION}, or auto, got 'autom'"),
        ("run_time: .nan", "run_time: expected a finite number, got nan"),
        ("run_time: 0s", "run_time: expected a value ≥ 1s, got '0s'"),
        ("run_time: 0", "run_time: expected a value ≥ 1, got 0"),
        ("run_time: 48h", "run_time: expected a value ≤ 24h, got '48h'"),
        ("min_run_time: auto", f"min_run_time: {DURATION}, got 'auto'"),
        ("max_run_time: 5s", "max_run_time: expected at least min_run_time (10s)"),
        ("repeats: 1.5", "repeats: expected a whole number, got 1.5"),
        ("settle: 30s", "settle: expected a section with keys indented below it, got '30s'"),
        ("settle: {max: 10s}", "settle: max must be 0s or at least 3 × window (3 × 5s)"),
        ("host: localhost", f"host: {URL}, got 'localhost'"),
        ("host: http://x/a?b", f"host: {URL}, got 'http://x/a?***'"),
        ("host: 'http://['", f"host: {URL}, got 'http://['"),
        ("host: 'http://a b'", f"host: {CHARACTERS}, got 'http://a b'"),
        ("host: http://x:99999", f"host: {URL}, got 'http://x:99999'"),
        ("stack: {driver: k8s}", f"stack.driver: {DRIVERS}, got 'k8s'"),
        ("stack: {driver: external}", "stack.driver: external requires `host`, the address"),
        ("stack: {driver: local, memory_mb: 9}", "stack.memory_mb: not supported by driver local"),
        ("stack: {memory_mb: 5}", "stack.memory_mb: expected a value ≥ 6, got 5"),
        ("stack: {health: x}", "stack.health[0]: expected a path such as /health, a URL"),
        ("stack: {health: 'ftp://x/'}", "stack.health[0]: expected a path such as /health, a URL"),
        ("stack: {compose: []}", "stack.compose: expected at least one file, such as"),
        ("stack: {compose: ['']}", "stack.compose[0]: expected a path, got ''"),
        ("stack: {environment: {A: [1]}}", "stack.environment.A: expected text, got [1]"),
        ("stack: {environment: {A=: b}}", "stack.environment: 'A=' is not a valid environment"),
        ("load: {images: ''}", "load.images: expected a path, got ''"),
        ("load: {main: ''}", "load.main: expected the name of requests, such as POST /predict"),
        ("load: {main: '${X}'}", "load.main: expected the name of requests, such as POST /predict"),
        ("load: {measurements: ' a'}", "load.measurements[0]: expected the type or the name of"),
        ("load: {tags: '${'}", "load.tags[0]: unsupported reference to an environment variable"),
        ("stack: {without: '${'}", "stack.without[0]: unsupported reference to an environment"),
        ("load: {measurements: '${'}", "load.measurements[0]: unsupported reference to an"),
        ("goals: {failure_ratio: 2}", "goals.failure_ratio: expected a value ≤ 1, got 2"),
        ("colour: red", "colour: unknown key"),
        ("description: 2024-13-45", "invalid YAML: '2024-13-45' is not a valid timestamp"),
        ("description: 'a", "invalid YAML: found unexpected end of stream"),
        ("description: a: b", "invalid YAML: mapping values are not allowed here"),
        ("batch_size: 0x1" + 300 * "0", "invalid YAML: number too large"),
        ('description: "\\ud800"', "invalid YAML: '\\ud800' contains an unpaired surrogate"),
        ("[a]: b", "invalid YAML: keys must be plain text"),
    ],
)
def test_error_contains_line_key_expected_value_and_found_value(
    write: Write, line: str, message: str
) -> None:
    assert f"mine.yaml:4: {message}" in error_of(write(f"{GRID}{line}"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[1, 0]", "users[1]: expected a value ≥ 1, got 0"),
        ("[1, few]", "users[1]: expected a whole number, got 'few'"),
        ("[5, 5]", "users: expected distinct values, got [5, 5]"),
        ("[]", "users: expected at least one value, got []"),
        ("[yes]", "users[0]: expected a number, got True"),
        ("yes", "users: expected a number, got True"),
        ("5, 10", "users: expected a list, got '5, 10'"),
        ("[9999999]", "users[0]: expected a value ≤ 1000000, got 9999999"),
    ],
)
def test_error_in_a_list_is_reported_once(write: Write, value: str, message: str) -> None:
    error = error_of(write(f"models: [1]\nspawn_rates: [1]\nusers: {value}\n"))
    assert error == f"mine.yaml:3: {message}. Example: users: [5, 10]"
    assert "\n" not in error


def test_rates_with_the_same_report_name_are_rejected(write: Write) -> None:
    text = "models: [1]\nusers: [1]\nspawn_rates: [1.0000001, 1.0000002]\n"
    assert "expected distinct values" in error_of(write(text))


def test_error_under_an_alias_contains_the_alias(write: Write) -> None:
    text = "num_models_list: [0]\nusers: [1]\nspawn_rates: [1]\n"
    assert error_of(write(text)).startswith(
        "mine.yaml:1: num_models_list[0]: expected a value ≥ 1, got 0"
    )


def test_external_driver_takes_one_models_value_and_no_stack_settings(write: Write) -> None:
    external = "host: http://127.0.0.1:8000\nstack: {driver: external%s}\n"
    grid = "users: [1]\nspawn_rates: [1]\n"

    error = error_of(write(f"{grid}models: [1, 2]\n{external % ''}"))
    assert error == (
        "mine.yaml:3: models: expected one value: driver external does not scale the service"
    )
    error = error_of(write(f"{grid}models: 2\n{external % ', environment: {A: b}'}"))
    assert error.startswith("mine.yaml:5: stack.environment: not supported by driver external")
    assert load_profile(write(f"{grid}models: 2\n{external % ''}")).models == (2,)


def test_single_compose_file_needs_no_list(write: Write) -> None:
    profile = load_profile(write(f"{GRID}stack: {{compose: ./theirs/compose.yaml}}\n"))
    assert profile.stack.compose == ("theirs/compose.yaml",)


@pytest.mark.parametrize(("alias", "key"), ALIASES.items())
def test_missing_key_is_reported_with_its_alias(write: Write, alias: str, key: str) -> None:
    rest = "".join(f"{other}: [1]\n" for other in ALIASES.values() if other != key)
    assert error_of(write(rest)) == f"mine.yaml: {key}: required key is missing (alias: {alias})"


@pytest.mark.parametrize(("alias", "key"), ALIASES.items())
def test_key_and_its_alias_together_are_rejected(write: Write, alias: str, key: str) -> None:
    error = error_of(write(f"{GRID}{alias}: [7]\n"))
    assert error == f"mine.yaml:4: {alias}: alias of {key}, which is also set. Remove one of them"


def test_all_errors_are_reported_at_once_with_their_lines(write: Write) -> None:
    text = f"{GRID}devize: cpu\nbatch_size: 0\nrun_time: soon\nstack:\n  driver: k8s\nhost: 5\n"
    first, *rest = error_of(write(text)).splitlines()
    assert first == "mine.yaml: 5 errors"
    assert [line.split()[0] for line in rest] == [
        "mine.yaml:5:",
        "mine.yaml:6:",
        "mine.yaml:9:",
        "mine.yaml:8:",
        "mine.yaml:4:",
    ]


@pytest.mark.parametrize(
    ("line", "closest"),
    [
        ("user: [1]", "users"),
        ("num_user_list: [1]", "num_users_list"),
        ("runtime: 5s", "run_time"),
        ("spawnrates: [1]", "spawn_rates"),
        ("setle: {}", "settle"),
        ("stak: {}", "stack"),
        ("stack: {drivr: local}", "stack.driver"),
        ("load: {time_out: 5s}", "load.timeout"),
        ("p95_ms: 5", "goals.p95_ms"),
    ],
)
def test_unknown_key_suggests_the_closest_key(write: Write, line: str, closest: str) -> None:
    error = error_of(write(f"{GRID}{line}"))
    assert error.endswith(f": unknown key; did you mean {closest}?")


def test_unknown_key_without_a_close_match_has_no_suggestion(write: Write) -> None:
    assert error_of(write(f"{GRID}qqqq: 1")) == "mine.yaml:4: qqqq: unknown key"


def test_alias_inside_a_section_is_an_unknown_key(write: Write) -> None:
    error = error_of(write(f"{GRID}stack: {{num_users_list: [1]}}"))
    assert "stack.num_users_list: unknown key" in error


def test_duplicate_key_is_rejected_even_with_the_same_value(write: Write) -> None:
    assert error_of(write(f"{GRID}users: [5]")) == "mine.yaml:4: users: duplicate key"


def test_duplicate_key_in_a_section_is_rejected(write: Write) -> None:
    text = f"{GRID}stack:\n  driver: auto\n  model_threads: 1\n  driver: auto\n"
    assert error_of(write(text)) == "mine.yaml:7: stack.driver: duplicate key"


def test_long_value_is_truncated_in_the_message(write: Write) -> None:
    assert len(error_of(write(f"{GRID}run_time: {'x' * 5000}"))) < 300


def test_settle_max_must_cover_its_windows(write: Write) -> None:
    error = error_of(write(f"{GRID}settle:\n  max: 29s\n  window: 10s\n"))
    assert error.startswith("mine.yaml:4: settle: ")
    assert error.endswith("max must be 0s or at least 3 × window (3 × 10s)")
    assert load_profile(write(f"{GRID}settle: {{max: 30s, window: 10s}}")).settle.max == 30


# Files that are not profiles


def test_empty_file_is_reported_with_the_required_keys(write: Write) -> None:
    for text in ("", "# nothing here\n"):
        assert "Required keys: models, users, spawn_rates" in error_of(write(text))


def test_list_or_word_is_not_a_profile(write: Write) -> None:
    for text in ("- models\n", "models\n"):
        error = error_of(write(text))
        assert error == "mine.yaml:1: expected `key: value` lines"


def test_two_documents_are_not_a_profile(write: Write) -> None:
    assert error_of(write(f"{GRID}---\n{GRID}")).startswith("mine.yaml:4: invalid YAML: ")


def test_invalid_utf_8_is_reported_with_its_offset(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"description: caf\xe9\n")
    assert error_of(tmp_path / "mine.yaml") == "mine.yaml: not UTF-8: invalid byte at offset 16"


def test_missing_file_and_folder_are_reported(tmp_path: Path) -> None:
    assert error_of(tmp_path / "gone.yaml") == "gone.yaml: No such file or directory"
    (tmp_path / "folder.yaml").mkdir()
    assert error_of(tmp_path / "folder.yaml") == "folder.yaml: Is a directory"


# Large grids


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("models: {1000}\nusers: {1000}\nspawn_rates: {1000}\n", 10**9),
        ("models: {100}\nusers: {101}\nspawn_rates: [1]\n", 10_100),
        ("models: {10}\nusers: {10}\nspawn_rates: [1]\nrepeats: 101\n", 10_100),
        ("models: {100}\nusers: {100}\nspawn_rates: [1]\nrecheck_first: true\n", 10_001),
    ],
)
def test_profile_with_too_many_cells_is_refused(write: Write, line: str, cells: int) -> None:
    lists = {f"{{{size}}}": str(list(range(1, size + 1))) for size in (10, 100, 101, 1000)}
    for placeholder, values in lists.items():
        line = line.replace(placeholder, values)
    assert error_of(write(line)) == (
        f"mine.yaml:2: users: {cells} cells exceed the limit of 10000. Shorten the lists, or raise "
        "max_cells (at most 100000)"
    )
    lower = f"users: {cells} cells exceed the limit of 9. "
    assert lower in error_of(write(f"{line}max_cells: 9\n"))


def test_max_cells_raises_the_limit(write: Write) -> None:
    file = write(f"{GRID}max_cells: 20000\n")
    profile = load_profile(file, ["users=1..100", "models=1..200"])
    assert len(plan_cells(profile)) == 20_000
    assert "20100 cells exceed the limit of 20000" in error_of(
        file, "users=1..100", "models=1..201"
    )


def test_range_with_many_values_is_refused(write: Write) -> None:
    assert "expected at most 10000 values" in error_of(write(GRID), "users=1..1000000000")


# Malicious files


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("description: !!python/object:os.system {}", "unsupported tag !!python/object:os.system"),
        ("models: !!python/tuple [1]", "unsupported tag !!python/tuple"),
        ("stack: !mine {driver: local}", "unsupported tag !mine"),
        ("description: !!python/name:os.system ''", "could not determine a constructor"),
        ("description: !!bool maybe", "'maybe' is not a valid bool"),
        ("description: !!int ''", "'' is not a valid int"),
        ("description: !!timestamp never", "'never' is not a valid timestamp"),
    ],
)
def test_yaml_tags_are_rejected(write: Write, line: str, message: str) -> None:
    error = error_of(write(f"{GRID}{line}\n"))
    assert error.startswith("mine.yaml:4: invalid YAML: ")
    assert message in error


def test_nested_yaml_aliases_do_not_exhaust_the_memory(write: Write) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "more than 10000 values" in error_of(write("\n".join(rows)))


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}"])
def test_recursive_nesting_is_rejected(write: Write, text: str) -> None:
    assert error_of(write(text)) == "mine.yaml: nested too deeply"


@pytest.mark.parametrize("text", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_rejected(write: Write, text: str) -> None:
    assert error_of(write(100_000 * text)) == "mine.yaml:1: invalid YAML: nested too deeply"


@pytest.mark.parametrize(
    "number",
    [
        "1:" * 100_000 + "1",
        "1:" * 100_000 + "1.5",
        "9" * 1000,
        "-0x" + "f" * 1000,
        "1" * 1000 + ".5",
        "!!int 0b" + "1" * 1000,
        "!!float '" + "1:" * 1000 + "1'",
    ],
    ids=lambda text: text[:12],
)
def test_number_with_many_digits_is_rejected(write: Write, number: str) -> None:
    # PyYAML would take minutes for the first of them, and raise an `OverflowError` for the second.
    file = write(f"{GRID}batch_size: {number}\n")
    assert error_of(file) == "mine.yaml:4: invalid YAML: number too long"
    (problem,) = read_draft(read_source(write(GRID)), [f"batch_size={number}"]).problems
    assert problem.text == "batch_size: invalid YAML value. Example: --set users=5,10"


def test_file_that_is_too_large_is_not_read(write: Write) -> None:
    assert error_of(write(GRID + "#" * 1_000_000)) == "mine.yaml: larger than 1 MB"


def test_long_list_is_rejected_before_the_rest_is_parsed(write: Write) -> None:
    # The rest is not valid YAML.
    numbers = ", ".join(map(str, range(30_000)))
    assert "more than 10000 values" in error_of(write(f"users: [{numbers}]\n]"))


def test_pipe_and_device_are_not_profiles(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    for name in ("pipe.yaml", "zero.yaml"):
        assert error_of(tmp_path / name) == f"{name}: Not a regular file"


def test_errors_after_the_hundredth_are_counted_only(write: Write) -> None:
    unknown = "".join(f"key{index}: 1\n" for index in range(5000))
    lines = error_of(write(GRID + unknown)).splitlines()
    assert lines[0] == "mine.yaml: 5000 errors"
    assert len(lines) == 102
    assert lines[-1] == "  and 4900 more"


lines = st.lists(
    st.tuples(
        st.sampled_from([*known_keys(), *ALIASES, "stack", "settle", "load", "goals", "<<", "? "]),
        st.sampled_from([": ", ": !!int ", ": !!bool ", ": !!binary ", ": &a ", ": *a ", ":\n  "]),
        st.sampled_from(
            ["[1, 2]", "[]", "{}", "[*a]", "5", "0x1F", "1e9", "-1", "yes", "~", "30s", "1:30",
             ".inf", "2024-01-01", "'", '"\\ud800"', "|", "\t", "cpu", "auto", "{max: 1s}"]
        ),
    ).map("".join)
)  # fmt: skip


@same_file
@given(st.text() | lines.map("\n".join) | lines.map(lambda more: GRID + "\n".join(more)))
def test_any_text_loads_or_raises_profile_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        profile = load_profile(file)
    except ProfileError:
        return
    assert Profile.model_validate(profile.resolved()) == profile


@same_file
@given(st.binary())
def test_any_bytes_raise_profile_error(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(data)
    with pytest.raises(ProfileError):
        load_profile(file)


@pytest.mark.parametrize("text", ["*token", "*token*", "[*token*]", "*"])
def test_text_that_starts_with_a_star_needs_quotes(write: Write, text: str) -> None:
    error = error_of(write(f"{GRID}load: {{measurements: {text}}}"))

    assert error.startswith("mine.yaml:4: invalid YAML: ")
    assert error.endswith('. Write a text that starts with * in quotes, such as "*token*"')


# Overrides


def test_override_of_a_list_takes_commas(write: Write) -> None:
    profile = load_profile(write(GRID), ["users=5,10", "spawn_rates=[0.5, 2]", "models=3"])
    assert (profile.users, profile.spawn_rates, profile.models) == ((5, 10), (0.5, 2), (3,))


def test_override_of_a_dotted_key_changes_only_that_key(write: Write) -> None:
    file = write(f"{GRID}stack: {{driver: auto, model_threads: 2}}")
    profile = load_profile(file, ["stack.driver=local", "settle.max=0s", "load.timeout=5"])
    assert (profile.stack.driver, profile.stack.model_threads) == ("local", 2)
    assert (profile.settle.max, profile.load.timeout) == (0, 5)


def test_environment_variable_can_be_overridden(write: Write) -> None:
    profile = load_profile(write(GRID), ["stack.environment.OMP_NUM_THREADS=1"])
    assert profile.stack.environment == {"OMP_NUM_THREADS": "1"}


def test_last_override_of_a_key_wins(write: Write) -> None:
    assert load_profile(write(GRID), ["run_time=5s", "run_time=1m"]).run_time == 60


def test_override_value_can_contain_an_equals_sign(write: Write) -> None:
    assert load_profile(write(GRID), ["description=a=b"]).description == "a=b"


def test_override_value_can_be_null(write: Write) -> None:
    file = write(f"{GRID}goals: {{p95_ms: 5}}")
    assert load_profile(file, ["goals.p95_ms=null"]).goals.p95_ms is None


def test_override_replaces_a_key_and_its_alias(write: Write) -> None:
    aliases = "num_models_list: [1]\nnum_users_list: [1]\nspawn_rate_list: [1]\n"
    assert load_profile(write(aliases), ["users=5"]).users == (5,)
    assert load_profile(write(aliases), ["num_users_list=5"]).users == (5,)
    assert load_profile(write(GRID), ["num_users_list=6"]).users == (6,)


def test_override_replaces_an_invalid_value_in_the_file(write: Write) -> None:
    assert load_profile(write(f"{GRID}device: tpu"), ["device=gpu"]).device == "gpu"


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("load.tags=fast", "tags", ("fast",)),
        ("load.tags=fast, two words", "tags", ("fast", "two words")),
        ("load.user_classes=A,B", "user_classes", ("A", "B")),
        ("load.keep_host=[A]", "keep_host", ("A",)),
        ("load.locustfile=a.py", "locustfile", ("a.py",)),
        ("load.locustfile=[a.py, 'b,c.py']", "locustfile", ("a.py", "b,c.py")),
        ("load.folder=..", "folder", ".."),
        ("load.options.engine=vllm", "options", {"engine": "vllm"}),
        (
            "load.options={stream: true, n: [1, b c]}",
            "options",
            {"stream": "true", "n": "1\nb c\n"},
        ),
        ("load.environment.MODE=1", "environment", {"MODE": "1"}),
        ("load.start_timeout=2m", "start_timeout", 120.0),
    ],
)
def test_overrides_steer_locust(write: Write, override: str, key: str, value: object) -> None:
    assert getattr(load_profile(write(GRID), [override]).load, key) == value


@pytest.mark.parametrize(
    ("load", "message"),
    [
        ("options: {headless: true}", "headless cannot be set here: Locust is controlled over its"),
        ("options: {--web_port: 1}", "--web_port cannot be set here: Locust is controlled over"),
        ("options: {users: 5}", "users cannot be set here: set the key users"),
        (
            "options: {user-classes: A}",
            "user-classes cannot be set here: set the key load.user_classes",
        ),
        ("options: {a b: 1}", "'a b' is not a valid name of an option: expected letters, digits,"),
        ("options: {a-b: 1, a_b: 2}", "expected distinct options: in their names, - and _ are the"),
        (
            "environment: {LOCUST_HTML: x}",
            "LOCUST_HTML cannot be set here: reports and logs",
        ),
        ("environment: {LOADBENCH_X: x}", "LOADBENCH_X cannot be set here: names that start with"),
        ("tags: ['a,b']", "expected a tag without commas and spaces around it, such as fast, got"),
        ("user_classes: chat-user", "expected the name of a user class, such as ChatUser, got"),
        ("start_timeout: 0s", "expected a value > 0s, got '0s'"),
        ("start_timeout: 25h", "expected a value ≤ 24h, got '25h'"),
    ],
)
def test_settings_of_locust_are_checked(write: Write, load: str, message: str) -> None:
    key = load.partition(":")[0]
    assert f"mine.yaml:4: load.{key}" in (error := error_of(write(f"{GRID}load: {{{load}}}\n")))
    assert message in error


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("users", "expected KEY=VALUE. Example: --set users=5,10"),
        ("=5", "expected KEY=VALUE. Example: --set users=5,10"),
        ("stack.=5", "expected KEY=VALUE. Example: --set users=5,10"),
        ("users=", "users: expected at least one value, got []. Example: --set users=5,10"),
        ("users=a", "users[0]: expected a whole number, got 'a'. Example: --set users=5,10"),
        ("users=0", "users[0]: expected a value ≥ 1, got '0'"),
        ("users.most=5", "users: expected a list, got a section"),
        ("user=5", "user: unknown key; did you mean users?"),
        ("stack.drivr=local", "stack.drivr: unknown key; did you mean stack.driver?"),
        ("stack.driver=k8s", f"stack.driver: {DRIVERS}, got 'k8s'"),
        ("stack=local", "stack: expected a section with keys indented below it, got 'local'"),
        ("settle.max=1s", "settle: max must be 0s or at least 3 × window (3 × 5s)"),
        ("run_time=", f"run_time: {DURATION}, or auto, got no value"),
        ("run_time=2024-13-45", "run_time: invalid YAML value"),
        ("description=[", "description: invalid YAML value"),
        ("description=!!bool maybe", "description: invalid YAML value"),
        ("description=!!python/object:os.system {}", "description: invalid YAML value"),
        ("users=" + 1500 * "[", "users: expected"),
        ("goals=" + 1500 * "[", "goals: invalid YAML value"),
    ],
)
def test_invalid_override_is_reported_once_as_given(
    write: Write, override: str, message: str
) -> None:
    error = error_of(write(GRID), override)
    given = override if len(override) <= 80 else f"{override[:79]}…"
    assert error.startswith(f"--set {given}: {message}")
    assert "\n" not in error


def test_errors_in_file_and_overrides_are_reported_together(write: Write) -> None:
    error = error_of(write(f"{GRID}device: tpu"), "repeats=0", "nonsense")
    assert error.startswith("mine.yaml: 3 errors\n")
    assert "mine.yaml:4: device: " in error
    assert "--set repeats=0: repeats: expected a value ≥ 1, got 0" in error
    assert "--set nonsense: expected KEY=VALUE" in error


@same_file
@given(st.text() | st.builds("{}={}".format, st.sampled_from([*known_keys(), *ALIASES]), st.text()))
def test_any_override_loads_or_raises_profile_error(tmp_path: Path, text: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(GRID, encoding="utf-8")
    try:
        profile = load_profile(file, [text])
    except ProfileError:
        return
    assert Profile.model_validate(profile.resolved()) == profile


# Finding profiles


def test_profile_is_found_by_name_file_name_and_path(tmp_path: Path) -> None:
    file = tmp_path / "with_cpu.yaml"
    file.touch()
    for name in ("with_cpu", "with_cpu.yaml", str(file)):
        assert find_profile(name, tmp_path) == file


def test_file_outside_the_folder_is_found_only_by_path(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "mine.yml").touch()
    assert find_profile(str(tmp_path / "mine.yml"), tmp_path / "profiles").stem == "mine"
    with pytest.raises(ProfileError):
        find_profile("mine", tmp_path / "profiles")


def test_unknown_name_suggests_the_closest_and_lists_all(tmp_path: Path) -> None:
    for name in ("with_cpu", "with_gpu", "demo"):
        (tmp_path / f"{name}.yaml").touch()
    with pytest.raises(
        ProfileError, match=r"Did you mean demo\? Available: demo, with_cpu, with_gpu"
    ):
        find_profile("dem0", tmp_path)
    with pytest.raises(ProfileError) as raised:
        find_profile("zzz", tmp_path)
    assert "Did you mean" not in str(raised.value)


def test_folder_without_profiles_is_reported(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(ProfileError, match="The folder contains no profiles"):
            find_profile("demo", folder)


def test_other_files_and_folders_are_not_saved_profiles(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "README.md"):
        (tmp_path / name).touch()
    (tmp_path / "folder.yaml").mkdir()
    assert [file.name for file in saved_profiles(tmp_path)] == ["a.yml", "b.yaml"]


def test_later_errors_get_the_location_of_their_key(write: Write) -> None:
    file = write(f"{GRID}stack:\n  service: ap\n")
    message = "stack.service: no such service\nhost: required\na message without a key"
    assert add_locations(file, message).splitlines() == [
        f"{file}:5: stack.service: no such service",
        f"{file}: host: required",
        f"{file}: a message without a key",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "host: [http://bob:s3cr3tpw@h]",
        "host: {a: http://bob:s3cr3tpw@h}",
        "host: http://h/?token=s3cr3tpw",
        "host: http://h#s3cr3tpw",
        "stack: {health: [ftp://bob:s3cr3tpw@h/]}",
        "stack: {health: [[http://bob:s3cr3tpw@h/]]}",
        "stack: {headers: [Authorization=s3cr3tpw]}",
        "stack: {headers: {Cookie: [s3cr3tpw]}}",
        'stack: {headers: {X-Api-Key: "s3cr3tpw\\n"}}',
    ],
)
def test_invalid_address_is_reported_without_its_secrets(tmp_path: Path, line: str) -> None:
    file = tmp_path / "secret.yaml"
    file.write_text(f"models: [1]\nusers: [1]\nspawn_rates: [1]\n{line}\n")
    assert "s3cr3tpw" not in error_of(file)


@pytest.mark.parametrize("value", ["[http://bob:s3cr3tpw@h]", "http://h/?token=s3cr3tpw"])
def test_invalid_override_of_an_address_is_reported_without_its_secrets(
    tmp_path: Path, value: str
) -> None:
    file = tmp_path / "valid.yaml"
    file.write_text("models: [1]\nusers: [1]\nspawn_rates: [1]\n")
    assert "s3cr3tpw" not in error_of(file, f"host={value}")


@pytest.mark.parametrize(
    "line",
    [
        '"x: ok\\nloadbench-tui: FAKE LINE": 1',
        'stack: {compose: ["x\\ny"]}',
        'stack: {environment: {"a\\nb": y}}',
    ],
)
def test_line_breaks_in_keys_and_paths_do_not_break_the_message(tmp_path: Path, line: str) -> None:
    file = tmp_path / "lines.yaml"
    file.write_text(f"models: [1]\nusers: [1]\nspawn_rates: [1]\n{line}\n")
    assert "\n" not in error_of(file)


def test_long_override_is_shortened_in_its_message(tmp_path: Path) -> None:
    file = tmp_path / "valid.yaml"
    file.write_text("models: [1]\nusers: [1]\nspawn_rates: [1]\n")
    assert len(error_of(file, f"users={'1,' * 30_000}")) < 1_000
