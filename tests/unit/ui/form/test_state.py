"""What the texts of a form mean: values, changes, errors and the profile."""

from pathlib import Path

import pytest

from loadbench.engine.profile.editing.keys import profile_keys
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.profile.source import parse_source, read_source
from loadbench.ui.form.state import Entered, file_warnings
from loadbench.workspace import Workspace
from tests.support.harness import REPOSITORY

SHIPPED = sorted((REPOSITORY / "profiles").glob("*.yaml"))
GRID = "models: [1, 2]\nusers: [5]\nspawn_rates: [5]\n"


def entered(text: str = GRID) -> Entered:
    return Entered(parse_source(Path("mine.yaml"), text))


def filled(form: Entered, **texts: str) -> Entered:
    """Return a form with texts in its fields; `__` stands for the dot of a key."""
    for key, text in texts.items():
        form = form.with_text(key.replace("__", "."), text)
    return form


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_an_unchanged_form_describes_the_profile_in_the_file(file: Path) -> None:
    form = Entered(read_source(file))
    assert form.changes == {}
    assert form.overrides == ()
    assert form.profile == load_profile(file)


def test_a_change_is_the_override_that_set_accepts(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(GRID)
    form = Entered(read_source(file))
    form = filled(form, device="gpu", users="10..30 step 10", run_time="90s", goals__p95_ms="200")
    assert form.overrides == (
        "device=gpu",
        "users=10,20,30",
        "run_time=1m30s",
        "goals.p95_ms=200",
    )
    assert form.profile == load_profile(file, form.overrides)


@pytest.mark.parametrize("text", ["5", " 5 ", "5,", "5..5"])
def test_the_same_value_in_another_notation_is_no_change(text: str) -> None:
    assert filled(entered(), users=text).changes == {}


def test_a_restored_text_is_no_change() -> None:
    form = filled(entered(), users="7", batch_size="x")
    assert form.is_changed
    assert not filled(form, users="5", batch_size="1").is_changed


@pytest.mark.parametrize(
    ("key", "text", "error"),
    [
        ("users", "ten", "expected a whole number, got 'ten'"),
        ("users", "", "expected at least one value"),
        ("users", "5 5", "expected distinct values"),
        ("batch_size", "0", "expected a value ≥ 1, got '0'"),
        ("run_time", "soon", "expected a duration such as 90s, 7m or 1h20m, or auto, got 'soon'"),
        ("host", "localhost", "expected a URL without a query, such as http://127.0.0.1:8000"),
    ],
)
def test_an_invalid_text_has_the_error_of_the_schema(key: str, text: str, error: str) -> None:
    form = entered().with_text(key, text)
    assert form.errors[key].startswith(error)
    assert form.profile is None
    assert form.changes == {}
    assert form.is_changed


def test_goals_by_name_are_a_field(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(f"{GRID}goals:\n  requests:\n    GET /v1.0:\n      p95: 400\n")
    form = Entered(read_source(file))
    assert form.text("goals.requests") == "{GET /v1.0: {p95: 400}}"
    assert filled(form, goals__requests="GET /v1.0: {p95: 400.0}").changes == {}

    form = filled(form, goals__requests="{GET /v1.0: {p95: 300}}", run_time="auto")
    assert form.overrides == ("run_time=auto", "goals.requests={GET /v1.0: {p95: 300}}")
    assert form.profile == load_profile(file, form.overrides)
    assert filled(form, goals__requests="").changes["goals.requests"] == {}


def test_an_error_inside_of_goals_by_name_is_shown_at_their_field() -> None:
    form = entered(f"{GRID}goals: {{requests: {{'A [b]': {{p95: 0}}}}}}\n")
    assert form.errors == {"goals.requests": "A [b].p95: expected a value > 0, got 0.0"}
    assert form.other_errors == ()

    form = filled(form, goals__requests="{'A [b]': {p95: 1}}")
    assert form.errors == {}
    assert form.changes == {"goals.requests": {"A [b]": {"p95": 1}}}


def test_an_error_between_keys_is_shown_at_the_key_to_change() -> None:
    form = filled(entered(), stack__driver="external")
    assert "requires `host`" in form.errors["stack.driver"]
    form = filled(form, host="http://127.0.0.1:8000")
    assert "expected one value" in form.errors["models"]
    assert filled(form, models="1").errors == {}


def test_an_invalid_file_keeps_its_texts_and_its_errors() -> None:
    form = entered("models: [1]\nusers: [5, ten]\nbach_size: 4\nspawn_rates: [5]\n")
    assert form.text("users") == "5 ten"
    assert "expected a whole number, got 'ten'" in form.errors["users"]
    assert form.other_errors == ("mine.yaml:3: bach_size: unknown key; did you mean batch_size?",)
    assert not form.is_changed
    assert filled(form, users="5 10").changes == {"users": [5, 10]}


@pytest.mark.parametrize("written", ["1..4 x2", "1, 2, 4", "1 2 4"])
def test_an_invalid_value_that_looks_valid_in_the_form_can_be_repaired(written: str) -> None:
    form = entered(f"models: [1]\nusers: {written}\nspawn_rates: [5]\n")
    assert form.errors["users"]
    form = filled(form, users="1 2 4 8")
    assert form.errors == {}
    form = filled(form, users=written)
    assert form.changes == {"users": [1, 2, 4]}
    assert form.errors == {}


def test_a_grid_that_is_too_large_is_an_error_and_has_no_cells() -> None:
    form = filled(entered(), users="1..1000", models="1..1000")
    assert form.errors == {
        "users": "1000000 cells exceed the limit of 10000. Shorten the lists, or raise max_cells "
        "(at most 100000)"
    }
    assert form.cells == ()


def test_max_cells_raises_the_limit_of_the_grid() -> None:
    form = filled(entered(), users="1..150", models="1..100")
    assert form.cells == ()
    assert len(filled(form, max_cells="15000").cells) == 15_000


def test_a_missing_required_key_is_an_error_until_it_is_entered() -> None:
    form = entered("models: [1]\nspawn_rates: [5]\n")
    assert form.text("users") == ""
    assert form.errors["users"]
    assert filled(form, users="3").changes == {"users": [3]}


def test_an_alternative_name_of_a_key_is_the_same_field() -> None:
    form = entered("num_models_list: [1]\nnum_users_list: [5]\nspawn_rate_list: [5]\n")
    assert form.text("users") == "5"
    form = filled(form, users="6")
    assert form.profile
    assert form.profile.users == (6,)


def test_changes_can_be_applied_to_another_version_of_the_file() -> None:
    form = filled(entered(), users="7", batch_size="wrong")
    other = form.with_source(parse_source(Path("mine.yaml"), GRID + "repeats: 3\n"))
    assert other.changes == {"users": [7]}
    assert other.text("repeats") == "3"
    assert other.text("batch_size") == "wrong"


def test_every_key_of_the_model_has_a_text() -> None:
    form = entered()
    assert {key.name: form.text(key.name) for key in profile_keys()}["stack.driver"] == "auto"


def test_missing_files_are_reported_at_the_keys_of_the_driver(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").touch()
    (tmp_path / "folder").mkdir()
    workspace = Workspace(tmp_path, tmp_path / "reports")
    form = entered()
    found = file_warnings(form.values, workspace)
    assert set(found) == {"load.images", "stack.compose"}
    assert found["load.images"] == "not found: images"
    long = filled(form, load__locustfile="x" * 5000)
    assert set(file_warnings(long.values, workspace)) == {*found, "load.locustfile"}
    folder = filled(form, stack__compose="folder")
    assert file_warnings(folder.values, workspace)["stack.compose"] == "not found: folder"
    local = filled(form, stack__driver="local")
    assert set(file_warnings(local.values, workspace)) == {"load.images"}
    values = {"load.locustfile": ["folder"], "load.folder": "gone", "stack.driver": "local"}
    assert file_warnings(values, workspace) == {"load.folder": "not found: gone"}


def test_a_service_that_the_compose_file_lacks_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {web: {image: x}, db: {image: redis}}\n")
    workspace = Workspace(tmp_path, tmp_path / "reports")
    form = filled(entered(), stack__compose="compose.yaml", stack__service="wbe")
    warning = file_warnings(form.values, workspace)["stack.service"]
    assert warning == "no such service. Services: web, db"
    form = filled(form, stack__service="web")
    assert "stack.service" not in file_warnings(form.values, workspace)


SECRETS = f"{GRID}host: http://tester:word@h:8\nstack: {{driver: external, environment: {{}}}}\n"


def test_a_masked_form_shows_no_secrets_and_changes_none() -> None:
    form = Entered(parse_source(Path("mine.yaml"), SECRETS.replace("[1, 2]", "1")), is_masked=True)

    assert form.text("host") == "http://***@h:8"
    assert not form.is_changed
    assert form.profile is not None
    assert form.profile.host == "http://tester:word@h:8"


def test_a_mask_in_a_masked_form_stands_for_the_value_in_the_file() -> None:
    text = f"{GRID}stack: {{environment: {{API_KEY: s3cret, MODE: fast}}}}\n"
    form = Entered(parse_source(Path("mine.yaml"), text), is_masked=True)
    assert form.text("stack.environment") == "API_KEY=*** MODE=fast"

    changed = filled(form, stack__environment="API_KEY=*** MODE=slow")

    assert changed.changes == {"stack.environment": {"API_KEY": "s3cret", "MODE": "slow"}}
    assert changed.profile is not None
    assert changed.profile.stack.environment == {"API_KEY": "s3cret", "MODE": "slow"}
    assert filled(form, stack__environment="MODE=fast API_KEY=***").changes == {}


def test_an_editor_of_the_file_shows_its_secrets() -> None:
    assert entered(f"{GRID}host: http://a:b@h\n").text("host") == "http://a:b@h"


def test_paths_with_references_are_not_checked(tmp_path: Path) -> None:
    values = {"load.locustfile": "${FILE}", "load.images": "${IMAGES:-x}", "stack.driver": "local"}

    assert file_warnings(values, Workspace(tmp_path, tmp_path / "reports")) == {}
