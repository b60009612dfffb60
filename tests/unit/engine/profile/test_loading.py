"""Profiles: what is read, and what is said of every kind of mistake."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loadbench.engine.profile.loading import find_profile, load_profile, placed, saved_profiles
from loadbench.engine.profile.model import ALIASES, Profile, key_reference, known_keys
from loadbench.errors import ProfileError

REPOSITORY = Path(__file__).resolve().parents[4]
SHIPPED = [
    REPOSITORY / "profiles" / f"{name}.yaml"
    for name in ("batch_10", "demo", "with_cpu", "with_gpu")
]
GRID = "models: [1, 2]\nusers: [5]\nspawn_rates: [5]\n"
NO_DRIVER = "not one of 'auto', 'compose', 'local' or 'external'"
same_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a profile file and returns its path."""

    def written(text: str) -> Path:
        file = tmp_path / "mine.yaml"
        file.write_text(text, encoding="utf-8")
        return file

    return written


def mistakes_of(file: Path, *overrides: str) -> str:
    """The message of a profile that is not valid, without the folder."""
    with pytest.raises(ProfileError) as raised:
        load_profile(file, overrides)
    return str(raised.value).replace(f"{file.parent}/", "")


# What is shipped


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_profile_is_valid(file: Path) -> None:
    assert load_profile(file).description


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_profile_gives_every_key(file: Path) -> None:
    values = yaml.safe_load(file.read_text())
    given = {
        f"{key}.{inner}" if inner else key
        for key, value in values.items()
        for inner in (value if isinstance(value, dict) else [None])
    }
    assert given == set(known_keys())


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_profile_explains_every_key(file: Path) -> None:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    keys = [line for line in lines if not line.endswith(":")]
    silent = {line.strip().partition(":")[0] for line in keys if "  # " not in line}
    assert silent <= {"description"}


def test_a_single_number_is_taken_for_a_list_of_one(write: Write) -> None:
    profile = load_profile(write("models: 1\nspawn_rates: 2.5\nusers: [5]\n"))
    assert (profile.models, profile.spawn_rates) == ((1,), (2.5,))


def test_every_key_has_a_description() -> None:
    assert [key for key, text in known_keys().items() if not text] == []


def test_the_reference_has_a_row_for_every_key() -> None:
    rows = key_reference().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(known_keys())
    assert {row.count(" | ") for row in rows} == {2}


# What is read


def test_what_is_not_given_has_its_default(write: Write) -> None:
    profile = load_profile(write(GRID))
    assert (profile.device, profile.batch_size, profile.repeats) == ("cpu", 1, 1)
    assert (profile.run_time, profile.settle.window, profile.load.timeout) == (30, 5, 30)


def test_a_profile_is_read_back_as_it_was_resolved(write: Write) -> None:
    text = f"{GRID}run_time: 12345.678s\nsettle: {{max: 1h, window: 90s}}\nhost: http://[::1]:80/\n"
    profile = load_profile(write(text))
    assert load_profile(write(yaml.safe_dump(profile.resolved()))) == profile
    assert Profile.model_validate(profile.resolved()) == profile


def test_the_names_of_the_original_script_are_read(write: Write) -> None:
    text = "num_models_list: [1, 2]\nnum_users_list: [5]\nspawn_rate_list: [0.5]\n"
    profile = load_profile(write(text))
    assert (profile.models, profile.users, profile.spawn_rates) == ((1, 2), (5,), (0.5,))


def test_an_anchor_may_be_used(write: Write) -> None:
    assert load_profile(write("models: &n [1, 2]\nusers: *n\nspawn_rates: *n\n")).users == (1, 2)


def test_a_byte_order_mark_does_no_harm(write: Write) -> None:
    assert load_profile(write(f"\N{ZERO WIDTH NO-BREAK SPACE}{GRID}")).models == (1, 2)


# Mistakes, each with its place


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("batch_size: 0", "batch_size: 0: input should be greater than or equal to 1"),
        ("batch_size: many", "batch_size: 'many': a whole number is needed"),
        ("device: tpu", "device: 'tpu' is not one of 'cpu' or 'gpu'"),
        ("run_time: soon", "run_time: 'soon': a duration such as 90s, 7m or 1h20m is needed"),
        ("run_time: null", "run_time: nothing: a duration such as 90s, 7m or 1h20m is needed"),
        ("run_time: [5s]", "run_time: ['5s']: a duration such as 90s, 7m or 1h20m is needed"),
        ("run_time: yes", "run_time: True: a duration such as 90s, 7m or 1h20m is needed"),
        ("run_time: .nan", "run_time: nan: input should be a finite number"),
        ("run_time: 0s", "run_time: '0s': input should be greater than or equal to 1"),
        ("repeats: 1.5", "repeats: 1.5: a whole number is needed"),
        ("settle: 30s", "settle: '30s': keys of its own are needed, indented below it"),
        ("settle: {max: 10s}", "settle: {…}: max must be 0s or at least 3 × window (3 × 5s)"),
        ("host: localhost", "host: 'localhost': a URL such as http://127.0.0.1:8000 is needed"),
        ("host: http://x/api", "host: 'http://x/api': a URL such as http://127.0.0.1:8000"),
        ("host: 'http://['", "host: 'http://[': a URL such as http://127.0.0.1:8000 is needed"),
        ("host: http://x:99999", "host: 'http://x:99999': a URL such as http://127.0.0.1:8000"),
        ("stack: {driver: k8s}", f"stack.driver: 'k8s' is {NO_DRIVER}"),
        ("stack: {driver: external}", "stack.driver: external needs `host`: where the service"),
        ("stack: {driver: local, memory_mb: 9}", "stack.memory_mb: the local driver has no cont"),
        ("stack: {memory_mb: 5}", "stack.memory_mb: 5: input should be greater than or equal to 6"),
        ("stack: {health: x}", "stack.health: 'x': a path such as /health, or a URL such as"),
        ("stack: {health: 'ftp://x/'}", "stack.health: 'ftp://x/': a path such as /health, or"),
        ("stack: {compose: []}", "stack.compose: []: a file is needed, such as"),
        ("stack: {compose: ['']}", "stack.compose[0]: '': a path is needed"),
        ("stack: {environment: {A: [1]}}", "stack.environment.A: [1]: input should be a valid"),
        ("load: {images: ''}", "load.images: '': a path is needed"),
        ("goals: {failure_ratio: 2}", "goals.failure_ratio: 2: input should be less than or"),
        ("colour: red", "colour: unknown key"),
        ("description: 2024-13-45", "not valid YAML: '2024-13-45' is no timestamp"),
        ("description: 'a", "not valid YAML: found unexpected end of stream"),
        ("description: a: b", "not valid YAML: mapping values are not allowed here"),
        ("batch_size: 0x1" + 5000 * "0", "not valid YAML: a number too large for anything"),
        ('description: "\\ud800"', "not valid YAML: '\\ud800' is half a character"),
        ("[a]: b", "not valid YAML: a key must be plain text"),
    ],
)
def test_a_mistake_is_told_with_its_line_its_key_and_what_is_needed(
    write: Write, line: str, message: str
) -> None:
    assert f"mine.yaml:4: {message}" in mistakes_of(write(f"{GRID}{line}"))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[1, 0]", "users[1]: 0: input should be greater than or equal to 1"),
        ("[1, few]", "users[1]: 'few': a whole number is needed"),
        ("[5, 5]", "users: [5, 5]: the same value is given twice"),
        ("[]", "users: []: a list such as [1, 2] is needed"),
        ("[yes]", "users[0]: True: a number is needed"),
        ("yes", "users: True: a number is needed"),
        ("5, 10", "users: '5, 10': a list such as [1, 2] is needed"),
        ("[9999999]", "users[0]: 9999999: input should be less than or equal to 1000000"),
    ],
)
def test_a_mistake_in_a_list_is_told_once(write: Write, value: str, message: str) -> None:
    told = mistakes_of(write(f"models: [1]\nspawn_rates: [1]\nusers: {value}\n"))
    assert told.startswith(f"mine.yaml:3: {message}")
    assert "\n" not in told


def test_rates_that_would_share_a_report_are_refused(write: Write) -> None:
    text = "models: [1]\nusers: [1]\nspawn_rates: [1.0000001, 1.0000002]\n"
    assert "the same value is given twice" in mistakes_of(write(text))


def test_a_mistake_under_the_old_name_is_told_with_the_old_name(write: Write) -> None:
    text = "num_models_list: [0]\nusers: [1]\nspawn_rates: [1]\n"
    assert mistakes_of(write(text)).startswith("mine.yaml:1: num_models_list[0]: 0: ")


def test_an_external_service_is_not_scaled(write: Write) -> None:
    external = "host: http://127.0.0.1:8000\nstack: {driver: external%s}\n"
    grid = "users: [1]\nspawn_rates: [1]\n"

    told = mistakes_of(write(f"{grid}models: [1, 2]\n{external % ''}"))
    assert told == (
        "mine.yaml:3: models: one value with stack.driver external, a label: nothing is scaled"
    )
    told = mistakes_of(write(f"{grid}models: 2\n{external % ', environment: {A: b}'}"))
    assert told.startswith("mine.yaml:5: stack.environment: nothing is started with stack.driver")
    assert load_profile(write(f"{grid}models: 2\n{external % ''}")).models == (2,)


def test_one_compose_file_needs_no_list(write: Write) -> None:
    profile = load_profile(write(f"{GRID}stack: {{compose: ./theirs/compose.yaml}}\n"))
    assert profile.stack.compose == ("theirs/compose.yaml",)


@pytest.mark.parametrize(("alias", "key"), ALIASES.items())
def test_a_missing_key_is_told_with_its_other_name(write: Write, alias: str, key: str) -> None:
    rest = "".join(f"{other}: [1]\n" for other in ALIASES.values() if other != key)
    assert mistakes_of(write(rest)) == f"mine.yaml: {key}: missing (also: {alias})"


@pytest.mark.parametrize(("alias", "key"), ALIASES.items())
def test_a_key_under_both_its_names_is_refused(write: Write, alias: str, key: str) -> None:
    told = mistakes_of(write(f"{GRID}{alias}: [7]\n"))
    assert told == f"mine.yaml:4: {alias}: another name for {key}, which is given too"


def test_five_mistakes_are_told_at_once_each_with_its_line(write: Write) -> None:
    text = f"{GRID}devize: cpu\nbatch_size: 0\nrun_time: soon\nstack:\n  driver: k8s\nhost: 5\n"
    first, *rest = mistakes_of(write(text)).splitlines()
    assert first == "mine.yaml: 5 mistakes"
    assert [line.split()[0] for line in rest] == [
        "mine.yaml:5:",
        "mine.yaml:6:",
        "mine.yaml:9:",
        "mine.yaml:8:",
        "mine.yaml:4:",
    ]


@pytest.mark.parametrize(
    ("line", "nearest"),
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
def test_an_unknown_key_names_the_nearest_known_one(write: Write, line: str, nearest: str) -> None:
    told = mistakes_of(write(f"{GRID}{line}"))
    assert told.endswith(f": unknown key; did you mean {nearest}?")


def test_an_unknown_key_that_is_near_to_none_names_none(write: Write) -> None:
    assert mistakes_of(write(f"{GRID}qqqq: 1")) == "mine.yaml:4: qqqq: unknown key"


def test_an_alias_inside_a_section_is_an_unknown_key(write: Write) -> None:
    told = mistakes_of(write(f"{GRID}stack: {{num_users_list: [1]}}"))
    assert "stack.num_users_list: unknown key" in told


def test_a_key_that_is_given_twice_is_a_mistake_even_with_the_same_value(write: Write) -> None:
    assert mistakes_of(write(f"{GRID}users: [5]")) == "mine.yaml:4: users: given twice"


def test_a_key_of_a_section_that_is_given_twice_is_a_mistake(write: Write) -> None:
    text = f"{GRID}stack:\n  driver: auto\n  model_threads: 1\n  driver: auto\n"
    assert mistakes_of(write(text)) == "mine.yaml:7: stack.driver: given twice"


def test_a_long_value_is_cut_in_the_message(write: Write) -> None:
    assert len(mistakes_of(write(f"{GRID}run_time: {'x' * 5000}"))) < 300


def test_settling_must_hold_its_windows(write: Write) -> None:
    told = mistakes_of(write(f"{GRID}settle:\n  max: 29s\n  window: 10s\n"))
    assert told.startswith("mine.yaml:4: settle: ")
    assert told.endswith("max must be 0s or at least 3 × window (3 × 10s)")
    assert load_profile(write(f"{GRID}settle: {{max: 30s, window: 10s}}")).settle.max == 30


# Files that are no profiles


def test_an_empty_file_is_told_with_what_is_needed(write: Write) -> None:
    for text in ("", "# nothing here\n"):
        assert "`models`, `users`, `spawn_rates` are needed" in mistakes_of(write(text))


def test_a_list_or_a_word_is_not_a_profile(write: Write) -> None:
    for text in ("- models\n", "models\n"):
        told = mistakes_of(write(text))
        assert told == "mine.yaml:1: a profile is a list of `key: value` lines"


def test_two_documents_are_not_a_profile(write: Write) -> None:
    assert mistakes_of(write(f"{GRID}---\n{GRID}")).startswith("mine.yaml:4: not valid YAML: ")


def test_what_is_not_utf_8_is_told_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_bytes(b"description: caf\xe9\n")
    assert mistakes_of(tmp_path / "mine.yaml") == "mine.yaml: not UTF-8 text (byte 16)"


def test_a_missing_file_and_a_folder_are_told_as_such(tmp_path: Path) -> None:
    assert mistakes_of(tmp_path / "gone.yaml") == "gone.yaml: No such file or directory"
    (tmp_path / "folder.yaml").mkdir()
    assert mistakes_of(tmp_path / "folder.yaml") == "folder.yaml: Is a directory"


# Files that mean harm


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("description: !!python/object:os.system {}", "!!python/object:os.system means nothing"),
        ("models: !!python/tuple [1]", "!!python/tuple means nothing here"),
        ("stack: !mine {driver: local}", "!mine means nothing here"),
        ("description: !!python/name:os.system ''", "could not determine a constructor"),
        ("description: !!bool maybe", "'maybe' is no bool"),
        ("description: !!int ''", "'' is no int"),
        ("description: !!timestamp never", "'never' is no timestamp"),
    ],
)
def test_a_tag_is_never_followed(write: Write, line: str, message: str) -> None:
    told = mistakes_of(write(f"{GRID}{line}\n"))
    assert told.startswith("mine.yaml:4: not valid YAML: ")
    assert message in told


def test_aliases_of_aliases_do_not_fill_the_memory(write: Write) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "more than 10000 values" in mistakes_of(write("\n".join(rows)))


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}", "a: " + 1500 * "["])
def test_bottomless_nesting_is_refused(write: Write, text: str) -> None:
    assert mistakes_of(write(text)) == "mine.yaml: not valid YAML: nested too deeply"


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
def test_any_text_is_a_profile_or_one_message(tmp_path: Path, text: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        profile = load_profile(file)
    except ProfileError:
        return
    assert Profile.model_validate(profile.resolved()) == profile


@same_file
@given(st.binary())
def test_any_bytes_are_a_profile_or_one_message(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "any.yaml"
    file.write_bytes(data)
    with pytest.raises(ProfileError):
        load_profile(file)


# Overrides


def test_a_list_may_be_given_with_commas(write: Write) -> None:
    profile = load_profile(write(GRID), ["users=5,10", "spawn_rates=[0.5, 2]", "models=3"])
    assert (profile.users, profile.spawn_rates, profile.models) == ((5, 10), (0.5, 2), (3,))


def test_a_dotted_key_changes_that_key_alone(write: Write) -> None:
    file = write(f"{GRID}stack: {{driver: auto, model_threads: 2}}")
    profile = load_profile(file, ["stack.driver=local", "settle.max=0s", "load.timeout=5"])
    assert (profile.stack.driver, profile.stack.model_threads) == ("local", 2)
    assert (profile.settle.max, profile.load.timeout) == (0, 5)


def test_an_environment_variable_may_be_given(write: Write) -> None:
    profile = load_profile(write(GRID), ["stack.environment.OMP_NUM_THREADS=1"])
    assert profile.stack.environment == {"OMP_NUM_THREADS": "1"}


def test_the_last_override_of_a_key_wins(write: Write) -> None:
    assert load_profile(write(GRID), ["run_time=5s", "run_time=1m"]).run_time == 60


def test_a_value_may_hold_an_equals_sign(write: Write) -> None:
    assert load_profile(write(GRID), ["description=a=b"]).description == "a=b"


def test_null_may_be_given(write: Write) -> None:
    file = write(f"{GRID}goals: {{p95_ms: 5}}")
    assert load_profile(file, ["goals.p95_ms=null"]).goals.p95_ms is None


def test_an_override_replaces_either_name_of_a_key(write: Write) -> None:
    old = "num_models_list: [1]\nnum_users_list: [1]\nspawn_rate_list: [1]\n"
    assert load_profile(write(old), ["users=5"]).users == (5,)
    assert load_profile(write(old), ["num_users_list=5"]).users == (5,)
    assert load_profile(write(GRID), ["num_users_list=6"]).users == (6,)


def test_an_override_mends_what_the_file_has_wrong(write: Write) -> None:
    assert load_profile(write(f"{GRID}device: tpu"), ["device=gpu"]).device == "gpu"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("users", "KEY=VALUE is needed, as in --set users=5,10"),
        ("=5", "KEY=VALUE is needed, as in --set users=5,10"),
        ("stack.=5", "KEY=VALUE is needed, as in --set users=5,10"),
        ("users=", "users: []: a list such as [1, 2] is needed"),
        ("users=a", "users[0]: 'a': a whole number is needed"),
        ("users=0", "users[0]: '0': input should be greater than or equal to 1"),
        ("users.most=5", "users: {…}: a list such as [1, 2] is needed"),
        ("user=5", "user: unknown key; did you mean users?"),
        ("stack.drivr=local", "stack.drivr: unknown key; did you mean stack.driver?"),
        ("stack.driver=k8s", f"stack.driver: 'k8s' is {NO_DRIVER}"),
        ("stack=local", "stack: 'local': keys of its own are needed, indented below it"),
        ("settle.max=1s", "settle: {…}: max must be 0s or at least 3 × window (3 × 5s)"),
        ("run_time=", "run_time: nothing: a duration such as 90s, 7m or 1h20m is needed"),
        ("run_time=2024-13-45", "run_time: not a YAML value"),
        ("description=[", "description: not a YAML value"),
        ("description=!!bool maybe", "description: not a YAML value"),
        ("description=!!python/object:os.system {}", "description: not a YAML value"),
        ("stack.environment=" + 1500 * "[", "stack.environment: not a YAML value"),
    ],
)
def test_a_bad_override_is_told_once_as_it_was_given(
    write: Write, override: str, message: str
) -> None:
    told = mistakes_of(write(GRID), override)
    assert told.startswith(f"--set {override}: {message}")
    assert "\n" not in told


def test_mistakes_of_the_file_and_of_overrides_are_told_together(write: Write) -> None:
    told = mistakes_of(write(f"{GRID}device: tpu"), "repeats=0", "nonsense")
    assert told.startswith("mine.yaml: 3 mistakes\n")
    assert "mine.yaml:4: device: " in told
    assert "--set repeats=0: repeats: 0: " in told
    assert "--set nonsense: KEY=VALUE" in told


@same_file
@given(st.text() | st.builds("{}={}".format, st.sampled_from([*known_keys(), *ALIASES]), st.text()))
def test_any_override_gives_a_profile_or_one_message(tmp_path: Path, text: str) -> None:
    file = tmp_path / "any.yaml"
    file.write_text(GRID, encoding="utf-8")
    try:
        profile = load_profile(file, [text])
    except ProfileError:
        return
    assert Profile.model_validate(profile.resolved()) == profile


# Finding one


def test_a_profile_is_found_by_its_name_its_file_name_and_its_path(tmp_path: Path) -> None:
    file = tmp_path / "with_cpu.yaml"
    file.touch()
    for name in ("with_cpu", "with_cpu.yaml", str(file)):
        assert find_profile(name, tmp_path) == file


def test_a_file_elsewhere_is_found_by_its_path_alone(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "mine.yml").touch()
    assert find_profile(str(tmp_path / "mine.yml"), tmp_path / "profiles").stem == "mine"
    with pytest.raises(ProfileError):
        find_profile("mine", tmp_path / "profiles")


def test_an_unknown_name_is_answered_with_the_nearest_and_all_there_are(tmp_path: Path) -> None:
    for name in ("with_cpu", "with_gpu", "demo"):
        (tmp_path / f"{name}.yaml").touch()
    with pytest.raises(ProfileError, match=r"Did you mean demo\?.*demo, with_cpu, with_gpu"):
        find_profile("dem0", tmp_path)
    with pytest.raises(ProfileError) as raised:
        find_profile("zzz", tmp_path)
    assert "Did you mean" not in str(raised.value)


def test_a_folder_without_profiles_is_told_as_such(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "gone"):
        with pytest.raises(ProfileError, match="That folder holds no profile"):
            find_profile("demo", folder)


def test_other_files_and_folders_are_not_saved_profiles(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", "README.md"):
        (tmp_path / name).touch()
    (tmp_path / "folder.yaml").mkdir()
    assert [file.name for file in saved_profiles(tmp_path)] == ["a.yml", "b.yaml"]


def test_a_mistake_that_is_found_later_gets_the_place_of_its_key(write: Write) -> None:
    file = write(f"{GRID}stack:\n  service: ap\n")
    message = "stack.service: no such service\nhost: an address is needed\nnothing with a key"
    assert placed(file, message).splitlines() == [
        f"{file}:5: stack.service: no such service",
        f"{file}: host: an address is needed",
        f"{file}: nothing with a key",
    ]
