"""Overrides are recorded and shown without secrets."""

from pathlib import Path

import pytest

from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.values.overrides import masked_override
from loadbench.engine.profile.values.secret_names import SecretNames
from loadbench.errors import ProfileError

GRID = "models: [1]\nusers: [1]\nspawn_rates: [1]\n"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("users=5,10", "users=5,10"),
        ("users=1..9 step 2", "users=1..9 step 2"),
        ("host=http://h:8", "host=http://h:8"),
        ("host=http://u:s3cret@h:8", "host=http://***@h:8"),
        ("stack.environment.API_KEY=s3cret", "stack.environment.API_KEY='***'"),
        ("stack.environment.API_KEY=${API_KEY}", "stack.environment.API_KEY=${API_KEY}"),
        ("stack.environment.SORT_KEY=7", "stack.environment.SORT_KEY=7"),
        ("stack.environment={A_KEY: s3cret, B: c}", "stack.environment={A_KEY: '***', B: c}"),
        ("stack.environment={A_KEY: s3cret", "stack.environment=***"),
        ("stack={environment: {A_KEY: s3cret}}", "stack={environment: {A_KEY: '***'}}"),
        ("load.options.api-key=s3cret", "load.options.api-key='***'"),
        ("load.options.api-key=[s3cret]", "load.options.api-key=['***']"),
        ("load.options.engine=vllm", "load.options.engine=vllm"),
        ("load.environment={HF_TOKEN: s3cret}", "load.environment={HF_TOKEN: '***'}"),
        ("load={options: {token: s3cret}}", "load={options: {token: '***'}}"),
        ("API_KEY=s3cret", "API_KEY='***'"),
        ("API_KEY=[s3cret", "API_KEY=***"),
        ("stack.enviroment.API_KEY=s3cret", "stack.enviroment.API_KEY='***'"),
        ("stack.environment.API_KEY=[s3cret]", "stack.environment.API_KEY=['***']"),
        ("host=u:s3cret@h", "host='***@h'"),
        ("nonsense", "nonsense"),
        ("=", "="),
    ],
)
def test_secrets_are_masked(text: str, masked: str) -> None:
    assert masked_override(text, SecretNames()) == masked


@pytest.mark.parametrize(
    "override",
    [
        "host=http://u:s3cret@h:8/path?q",
        "stack.health=[/a,ftp://u:s3cret@h]",
        "stack.headers.Authorization=[s3cret]",
        "host=u:s3cret@h",
        "host=http://u:s3/cret@h",
        "stack.health=u:s3cret@h",
        "stack.environment=[API_KEY=s3cret]",
        "stack.environment=API_KEY=s3cret",
        "stack.environment.API_KEY=[s3cret]",
        "stack.environment.API_KEY=${s3cret:?x}",
        "stack.environment.API.KEY=s3cret",
        "stack.enviroment.API_KEY=s3cret",
        "stack.environment={API_KEY: s3cret, B: {C: d}}",
        "load.options=--api-key=s3cret",
        "load.options=[--api-key, s3cret]",
        "load.environment.API_KEY=[s3cret]",
        "API_KEY=s3cret",
    ],
)
def test_errors_show_no_secrets(tmp_path: Path, override: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GRID)
    with pytest.raises(ProfileError) as by_override:
        load_profile(file, [override])
    assert "s3cret" not in str(by_override.value)


@pytest.mark.parametrize(
    "text",
    [
        "host: http://u:s3cret@h:8/path?q",
        "host: u:s3cret@h",
        "stack: {environment: [API_KEY=s3cret]}",
        "stack: {environment: {API_KEY: [s3cret]}}",
        "stack: {environment: {PIN: [s3cret]}}\nsecrets: [PIN]",
        "stack: {health: 'http://u:s3 cret@h'}",
    ],
)
def test_errors_of_files_show_no_secrets(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"{GRID}{text}\n")

    with pytest.raises(ProfileError) as caught:
        load_profile(file)

    assert "s3cret" not in str(caught.value)
    assert "cret" not in str(caught.value).replace("secrets", "")
