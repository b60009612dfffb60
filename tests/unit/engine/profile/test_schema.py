"""The JSON schema accepts and rejects the same files as the loader."""

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from loadbench.engine.profile.editing.keys import KeyKind, ProfileKey, profile_key, profile_keys
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.model import ALIASES
from loadbench.engine.profile.schema import SCHEMA_FILE, profile_schema, schema_text
from loadbench.errors import ProfileError
from tests.support.harness import REPOSITORY

PROFILES = REPOSITORY / "profiles"
GRID = "models: [1, 2]\nusers: [5]\nspawn_rates: [5]\n"
SINGLE = "models: 1\nusers: 5\nspawn_rates: 0.5\n"
BETWEEN_KEYS = re.compile(
    "max must be 0s or at least|cells exceed the limit|also in secrets|at least min_run_time"
)
"""Rules about several keys, which a schema cannot state."""
SCHEMA = Draft202012Validator(profile_schema())

VALID = [
    GRID,
    SINGLE,
    "num_models_list: [1]\nnum_users_list: 5\nspawn_rate_list: [0.5, 2]\n",
    f"{GRID}description: 2024\n",
    f"{GRID}run_time: 90\n",
    f"{GRID}run_time: 1h20m\n",
    f"{GRID}run_time: 1.5m\n",
    f"{GRID}run_time: '90'\n",
    f"{GRID}run_time: auto\n",
    f"{GRID}run_time: ' auto '\n",
    f"{GRID}run_time: auto\nmin_run_time: 1\nmax_run_time: 24h\n",
    f"{GRID}host: null\n",
    f"{GRID}host: https://user@[::1]:8443/\n",
    f"{GRID}stack: {{compose: a.yaml}}\n",
    f"{GRID}stack: {{compose: [a.yaml, b.yaml]}}\n",
    f"{GRID}stack: {{health: /ready}}\n",
    f"{GRID}stack: {{port: 8000}}\n",
    f"{GRID}stack: {{port: api:8000}}\n",
    f"{GRID}stack: {{port: 'https://api:8443'}}\n",
    f"{GRID}stack: {{port: 'http:80'}}\n",
    f"{GRID}stack: {{port: null, without: [], restart: false}}\n",
    f"{GRID}stack: {{without: grafana}}\n",
    f"{GRID}stack: {{health: 'http://127.0.0.1:9000/ready?deep=1'}}\n",
    f"{GRID}stack: {{environment: {{A: 1, B: x}}}}\n",
    f"{GRID}stack: {{memory_mb: null}}\n",
    f"{GRID}host: http://x/api/v1\n",
    f"{GRID}stack: {{health: [tcp, 'tcp://127.0.0.1:80', containers, /ready]}}\n",
    f"{GRID}stack: {{headers: {{Host: api.example.com, X-Count: 1}}, verify: false}}\n",
    f"{GRID}stack: {{headers: {{A: '', B: 'é x'}}}}\n",
    f"{GRID}stack: {{ca_file: ca.pem, healthcheck: off, count_workers: true}}\n",
    f"{GRID}stack: {{driver: local, compose: stack/compose.yaml, memory_mb: null}}\n",
    f"{SINGLE}host: http://x\nstack: {{driver: external, environment: {{}}}}\n",
    f"{GRID}goals: {{p95_ms: 0.5, failure_ratio: 0}}\n",
    f"{GRID}goals: {{requests: {{}}, measurements: {{}}}}\n",
    f"{GRID}goals: {{requests: {{POST /a: {{p50: 1, p90: 2, p95: 3.5, p99: 4, min_rps: 5}}}}}}\n",
    f"{GRID}goals: {{requests: {{'a, b: $c': {{failure_ratio: 0}}, p95: {{failure_ratio: 1}}}}}}\n",
    f"{GRID}goals: {{measurements: {{a b: {{p95: 3, min_p50: 4, min_p10: 1, min_p5: 2}}}}}}\n",
    f"{GRID}settle: {{}}\n",
    f"{GRID}load: {{locustfile: [a.py, load/chat], folder: ..}}\n",
    f"{GRID}load: {{locustfile: load, folder: null}}\n",
    f"{GRID}load: {{main: null, measurements: []}}\n",
    f"{GRID}load: {{main: POST /predict, measurements: '*token*'}}\n",
    f"{GRID}load: {{main: 'a, b$c', measurements: [METRIC, first token, '${{X}}']}}\n",
    f"{GRID}load: {{options: {{engine: vllm, -m: 1, stream: true, rate: 0.5}}}}\n",
    f"{GRID}load: {{options: {{hosts: [a, 1, 0.5, false], none: []}}}}\n",
    f"{GRID}load: {{environment: {{LOCUST_CSV_NAME: x, A: 1}}}}\n",
    f"{GRID}load: {{tags: fast, exclude_tags: [slow, two words]}}\n",
    f"{GRID}load: {{user_classes: ChatUser, keep_host: [_Admin, Größe2]}}\n",
    f"{GRID}load: {{start_timeout: 24h}}\n",
    f"{GRID}load: {{start_timeout: 0.1}}\n",
]
INVALID = [
    "users: [5]\nspawn_rates: [5]\n",
    f"{GRID}num_users_list: [5]\n",
    f"{GRID}colour: red\n",
    f"{GRID}stack: {{num_users_list: [5]}}\n",
    f"{GRID}stack: null\n",
    f"{GRID}settle: 30s\n",
    f"{GRID}batch_size: 0\n",
    f"{GRID}batch_size: many\n",
    f"{GRID}batch_size: true\n",
    f"{GRID}batch_size: null\n",
    f"{GRID}repeats: 1.5\n",
    f"{GRID}device: tpu\n",
    f"{GRID}run_time: soon\n",
    f"{GRID}run_time: ''\n",
    f"{GRID}run_time: 5d\n",
    f"{GRID}run_time: 0\n",
    f"{GRID}run_time: [5s]\n",
    f"{GRID}run_time: null\n",
    f"{GRID}run_time: autom\n",
    f"{GRID}run_time: automatic\n",
    f"{GRID}run_time: Auto\n",
    f"{GRID}min_run_time: auto\n",
    f"{GRID}min_run_time: 0\n",
    f"{GRID}max_run_time: 86401\n",
    f"{GRID}max_run_time: null\n",
    f"{GRID}recheck_first: maybe\n",
    f"{GRID}description: 2024-01-01\n",
    f"{GRID}description: null\n",
    f"{GRID}host: localhost\n",
    f"{GRID}host: http://x/api?a=b\n",
    f"{GRID}host: http://x/api#a\n",
    f"{GRID}host: 'http://['\n",
    f"{GRID}host: http://x:0\n",
    f"{GRID}host: ''\n",
    f"{GRID}host: 'http://a b'\n",
    f'{GRID}host: "http://x\\n"\n',
    f'{GRID}host: "http://x\\"y"\n',
    f"{GRID}host: http://x'y\n",
    f"{GRID}host: http://x`y\n",
    f"{GRID}host: http://x<y>\n",
    f"{GRID}host: http://x\\y\n",
    f"{GRID}host: http://a'b@x\n",
    f'{GRID}stack: {{health: "http://x/it\'s"}}\n',
    f"{GRID}stack: {{health: 'http://x/a b'}}\n",
    f"{GRID}stack: {{driver: k8s}}\n",
    f"{GRID}stack: {{health: x}}\n",
    f"{GRID}stack: {{health: 'ftp://x/'}}\n",
    f"{GRID}stack: {{health: []}}\n",
    f"{GRID}stack: {{health: [/a, x]}}\n",
    f"{GRID}stack: {{health: tcp://x}}\n",
    f"{GRID}stack: {{health: tcp://x:80/path}}\n",
    f"{GRID}stack: {{driver: local, health: containers}}\n",
    f"{GRID}stack: {{headers: {{A: [1]}}}}\n",
    f"{GRID}stack: {{headers: {{A b: x}}}}\n",
    f"{GRID}stack: {{headers: {{'': x}}}}\n",
    f'{GRID}stack: {{headers: {{"A\\n": x}}}}\n',
    f'{GRID}stack: {{headers: {{A: "x\\n"}}}}\n',
    f"{GRID}stack: {{headers: {{A: ' x'}}}}\n",
    f"{GRID}stack: {{headers: {{A: 'x '}}}}\n",
    f"{GRID}stack: {{headers: {{A: '€'}}}}\n",
    f"{GRID}stack: {{verify: ca.pem}}\n",
    f"{GRID}stack: {{ca_file: ''}}\n",
    f"{GRID}stack: {{healthcheck: none}}\n",
    f"{GRID}stack: {{compose: []}}\n",
    f"{GRID}stack: {{port: 0}}\n",
    f"{GRID}stack: {{port: 80.5}}\n",
    f"{GRID}stack: {{port: api}}\n",
    f"{GRID}stack: {{port: ':80'}}\n",
    f"{GRID}stack: {{port: 'https://8443'}}\n",
    f"{GRID}stack: {{port: 'ftp://api:80'}}\n",
    f"{GRID}stack: {{balance: random}}\n",
    f"{GRID}stack: {{without: ['']}}\n",
    f"{GRID}stack: {{driver: local, port: 80}}\n",
    f"{GRID}stack: {{compose: ['']}}\n",
    f"{GRID}stack: {{environment: {{A: [1]}}}}\n",
    f"{GRID}stack: {{environment: {{A: null}}}}\n",
    f"{GRID}stack: {{environment: {{A=: b}}}}\n",
    f'{GRID}stack: {{environment: {{A: "\\0"}}}}\n',
    f"{GRID}stack: {{memory_mb: 5}}\n",
    f"{GRID}stack: {{driver: local, memory_mb: 9}}\n",
    f"{GRID}stack: {{driver: local, service: web}}\n",
    f"{GRID}load: {{images: ''}}\n",
    f"{GRID}load: {{timeout: 0}}\n",
    f"{GRID}load: {{start_timeout: 0}}\n",
    f"{GRID}load: {{start_timeout: 86401}}\n",
    f"{GRID}load: {{start_timeout: null}}\n",
    f"{GRID}load: {{locustfile: []}}\n",
    f"{GRID}load: {{locustfile: [a.py, '']}}\n",
    f"{GRID}load: {{folder: ''}}\n",
    f"{GRID}load: {{main: ''}}\n",
    f"{GRID}load: {{main: ' a'}}\n",
    f"{GRID}load: {{main: 'a '}}\n",
    f"{GRID}load: {{main: [a]}}\n",
    f"{GRID}load: {{main: '${{A}}'}}\n",
    f'{GRID}load: {{main: "a\\n"}}\n',
    f"{GRID}load: {{measurements: ['']}}\n",
    f"{GRID}load: {{measurements: null}}\n",
    f"{GRID}load: {{measurements: {{a: b}}}}\n",
    f"{GRID}load: {{options: [a]}}\n",
    f"{GRID}load: {{options: {{'a b': c}}}}\n",
    f"{GRID}load: {{options: {{---a: c}}}}\n",
    f'{GRID}load: {{options: {{"a\\n": c}}}}\n',
    f'{GRID}load: {{options: {{a: "\\0"}}}}\n',
    f'{GRID}load: {{options: {{a: ["\\0"]}}}}\n',
    f"{GRID}load: {{options: {{a: null}}}}\n",
    f"{GRID}load: {{options: {{a: [null]}}}}\n",
    f"{GRID}load: {{options: {{a: [[b]]}}}}\n",
    f"{GRID}load: {{options: {{a: {{b: c}}}}}}\n",
    f"{GRID}load: {{environment: {{A: [1]}}}}\n",
    f"{GRID}load: {{environment: {{A=: b}}}}\n",
    f"{GRID}load: {{tags: ''}}\n",
    f"{GRID}load: {{tags: [' a']}}\n",
    f"{GRID}load: {{tags: 'fast,slow'}}\n",
    f'{GRID}load: {{exclude_tags: ["a\\n"]}}\n',
    f"{GRID}load: {{user_classes: [chat-user]}}\n",
    f"{GRID}load: {{user_classes: ['']}}\n",
    f"{GRID}load: {{keep_host: 1User}}\n",
    f'{GRID}load: {{keep_host: ["A\\n"]}}\n',
    f"{GRID}load: {{model: open}}\n",
    f"{GRID}goals: {{failure_ratio: 2}}\n",
    f"{GRID}goals: {{p95_ms: 0}}\n",
    f"{GRID}goals: {{requests: null}}\n",
    f"{GRID}goals: {{requests: [a]}}\n",
    f"{GRID}goals: {{requests: {{p95: 400}}}}\n",
    f"{GRID}goals: {{requests: {{A: {{}}}}}}\n",
    f"{GRID}goals: {{requests: {{A: {{p95: 0}}}}}}\n",
    f"{GRID}goals: {{requests: {{A: {{p95: null}}}}}}\n",
    f"{GRID}goals: {{requests: {{A: {{p95: true}}}}}}\n",
    f"{GRID}goals: {{requests: {{A: {{p95_ms: 1}}}}}}\n",
    f"{GRID}goals: {{requests: {{A: {{failure_ratio: 1.1}}}}}}\n",
    f"{GRID}goals: {{requests: {{A: {{failure_ratio: -1}}}}}}\n",
    f"{GRID}goals: {{requests: {{A: {{min_p50: 1}}}}}}\n",
    f"{GRID}goals: {{requests: {{'': {{p95: 1}}}}}}\n",
    f"{GRID}goals: {{requests: {{' a': {{p95: 1}}}}}}\n",
    f"{GRID}goals: {{measurements: {{A: {{min_rps: 1}}}}}}\n",
    f"{GRID}goals: {{measurements: {{A: {{p95: -1}}}}}}\n",
    "models: []\nusers: [5]\nspawn_rates: [5]\n",
    "models: [1]\nusers: [5, 5]\nspawn_rates: [5]\n",
    "models: [1]\nusers: [0]\nspawn_rates: [5]\n",
    "models: [1]\nusers: 0\nspawn_rates: [5]\n",
    "models: [1]\nusers: [9999999]\nspawn_rates: [5]\n",
    "models: [1]\nusers: 5, 10\nspawn_rates: [5]\n",
    "models: [1]\nusers: [few]\nspawn_rates: [5]\n",
    "models: null\nusers: [5]\nspawn_rates: [5]\n",
    f"{SINGLE}stack: {{driver: external}}\n",
    f"{SINGLE}host: null\nstack: {{driver: external}}\n",
    f"{GRID}host: http://x\nstack: {{driver: external}}\n",
    f"{SINGLE}host: http://x\nstack: {{driver: external, environment: {{A: b}}}}\n",
    "- models\n",
]
ONLY_THE_LOADER_REJECTS = [
    f"{GRID}run_time: 48h\n",
    f"{GRID}settle: {{max: 10s}}\n",
    f"{GRID}max_run_time: 5s\n",
    f"{GRID}goals: {{requests: {{A: {{p95: .inf}}}}}}\n",
    f"{GRID}host: http://x:99999\n",
    f"{GRID}stack: {{port: 'api:99999'}}\n",
    f"{GRID}goals: {{p95_ms: .inf}}\n",
    f"{GRID}stack: {{headers: {{Host: a, host: a}}}}\n",
    "models: [1]\nusers: [1]\nspawn_rates: [1.0000001, 1.0000002]\n",
    f"{GRID}secrets: [A]\nnot_secrets: A\n",
    f"{GRID}load: {{start_timeout: 25h}}\n",
    f"{GRID}load: {{options: {{a-b: 1, --a_b: 2}}}}\n",
    f"{GRID}load: {{options: {{headless: true}}}}\n",
    f"{GRID}load: {{environment: {{LOCUST_HTML: x}}}}\n",
    f"{GRID}load: {{environment: {{LOADBENCH_X: x}}}}\n",
    f"{GRID}load: {{tags: '${{'}}\n",
    f"{GRID}load: {{measurements: '${{'}}\n",
]


def loading_error(folder: Path, text: str) -> str:
    """Return the loader's message about a text, empty if it is a valid profile."""
    file = folder / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    try:
        load_profile(file)
    except ProfileError as error:
        return str(error)
    return ""


def schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and all schemas inside it."""
    if isinstance(schema, dict):
        yield schema
    if isinstance(schema, dict | list):
        for inner in schema.values() if isinstance(schema, dict) else schema:
            yield from schemas(inner)


def test_committed_schema_equals_the_generated_one() -> None:
    text = (PROFILES / SCHEMA_FILE).read_text(encoding="utf-8")

    assert text == schema_text(), f"run `loadbench-tui profiles --schema > profiles/{SCHEMA_FILE}`"
    assert json.loads(text) == profile_schema()


def test_schema_is_a_valid_schema_with_valid_patterns() -> None:
    Draft202012Validator.check_schema(profile_schema())

    patterns = [inner["pattern"] for inner in schemas(profile_schema()) if "pattern" in inner]
    assert all(re.compile(pattern) for pattern in patterns if isinstance(pattern, str))


def test_every_key_and_every_alias_has_a_title_a_description_and_a_default() -> None:
    properties = profile_schema()["properties"]
    for key in profile_keys():
        inner = properties
        for part in key.name.split(".")[:-1]:
            inner = inner[part]["properties"]
        schema = inner[key.name.rpartition(".")[2]]
        assert schema["title"] == key.label
        assert schema["description"] == key.help
        assert ("default" in schema) != key.is_required
    for alias, name in ALIASES.items():
        assert properties[alias]["items"] == properties[name]["items"]


@pytest.mark.parametrize("file", sorted(PROFILES.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_profile_is_accepted_and_names_the_schema(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert text.splitlines()[0] == f"# yaml-language-server: $schema={SCHEMA_FILE}"
    assert [error.message for error in SCHEMA.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("text", VALID)
def test_valid_profile_is_accepted(tmp_path: Path, text: str) -> None:
    assert loading_error(tmp_path, text) == ""
    assert [error.message for error in SCHEMA.iter_errors(yaml.safe_load(text))] == []


@pytest.mark.parametrize("text", INVALID)
def test_invalid_profile_is_rejected(tmp_path: Path, text: str) -> None:
    assert loading_error(tmp_path, text)
    assert not SCHEMA.is_valid(yaml.safe_load(text))


@pytest.mark.parametrize("text", ONLY_THE_LOADER_REJECTS)
def test_documented_exception_is_accepted_by_the_schema_only(tmp_path: Path, text: str) -> None:
    assert loading_error(tmp_path, text)
    assert SCHEMA.is_valid(yaml.safe_load(text))


scalars = st.sampled_from(
    [None, True, False, 0, 1, 5, 7.0, -1, 0.5, 0.0001, 1200, 10**7, dt.date(2024, 1, 1)]
) | st.sampled_from(
    ["", " ", "x", "cpu", "gpu", "auto", "local", "external", "closed", "90s", "7m", "1h", "h",
     "http://127.0.0.1:8000", "http://x/api", "ftp://x", "/ready", "stack/compose.yaml", "model",
     " x", "${X}"]
)  # fmt: skip
limits = st.dictionaries(
    st.sampled_from(["p95", "failure_ratio", "min_rps", "min_p5", "p96"]), scalars, max_size=2
)
written = (
    scalars
    | st.lists(scalars, max_size=3)
    | st.dictionaries(st.sampled_from(["A", "A=", "", "B", "p95"]), scalars | limits, max_size=2)
    | st.just([[1]])
)
written_keys = st.sampled_from([*(key.name for key in profile_keys()), *ALIASES, "colour"])


urls = st.builds(
    "{}{}".format,
    st.sampled_from(["http://", "https://x", "http://x:8", "http://u@x", "http://[::1]/", "/"]),
    st.text(st.characters(max_codepoint=0xFF), max_size=3)
    | st.text("ab/ :?#@'\"`\\<>\n\t\x00\x7f\x9b", max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=500)
@given(st.sampled_from(["host", "stack.health"]), urls)
def test_schema_and_loader_agree_about_characters_of_urls(
    tmp_path: Path, name: str, url: str
) -> None:
    section, _, last = name.rpartition(".")
    document = {**yaml.safe_load(GRID), **({section: {last: url}} if section else {last: url})}
    error = loading_error(tmp_path, yaml.safe_dump(document))
    is_forbidden = "without spaces, quotes" in error
    assert is_forbidden == (
        (name == "host" or not url.startswith("/"))
        and (not url.isprintable() or any(one in url for one in " '\"`\\<>"))
    )
    if is_forbidden:
        assert not SCHEMA.is_valid(document)


def is_coerced(name: str, value: object) -> bool:
    """Return whether only the loader accepts a value, which it converts to the type of the key."""
    if name == "colour":
        return False
    key: ProfileKey = profile_key(ALIASES.get(name, name))
    numbers = [item for item in (value if isinstance(value, list) else [value]) if item is not None]
    has_numbers = any(isinstance(item, int | float) for item in numbers)
    match key.kind:
        case KeyKind.NUMBER:
            return isinstance(value, bool)
        case KeyKind.BOOLEAN | KeyKind.TEXTS:
            return has_numbers
        case KeyKind.TEXT:
            return has_numbers and bool(key.pattern)
        case _:
            return False


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.sampled_from([GRID, SINGLE, "models: 1\n"]),
    st.dictionaries(written_keys, written, max_size=3),
    st.sampled_from([{}, {"driver": "local"}, {"driver": "external"}, {"driver": "compose"}]),
    st.booleans(),
)
def test_schema_and_loader_agree(
    tmp_path: Path, grid: str, keys: dict[str, Any], stack: dict[str, Any], has_host: bool
) -> None:
    document = yaml.safe_load(grid)
    document |= {"stack": dict(stack)} if stack else {}
    document |= {"host": "http://x"} if has_host else {}
    for name, value in keys.items():
        section, _, last = name.rpartition(".")
        target = document.setdefault(section, {}) if section else document
        target[last] = value
    text = yaml.safe_dump(document)
    error = loading_error(tmp_path, text)

    if SCHEMA.is_valid(yaml.safe_load(text)):
        assert error == "" or BETWEEN_KEYS.search(error)
    elif not error:
        assert any(is_coerced(name, value) for name, value in keys.items())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(written_keys, written, st.sampled_from([GRID, SINGLE]))
def test_schema_and_loader_agree_about_each_key(
    tmp_path: Path, name: str, value: Any, grid: str
) -> None:
    document = {**yaml.safe_load(grid), "host": "http://x"}
    document.pop(ALIASES.get(name, name), None)
    section, _, last = name.rpartition(".")
    target = document.setdefault(section, {}) if section else document
    target[last] = value
    error = loading_error(tmp_path, yaml.safe_dump(document))

    if SCHEMA.is_valid(document):
        assert error == "" or BETWEEN_KEYS.search(error)
    elif not error:
        assert is_coerced(name, value)
