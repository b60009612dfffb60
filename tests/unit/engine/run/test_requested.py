"""A run request carries the profile that the user has seen; its file is only compared with it."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.profile.changes import digest_of
from loadbench.engine.profile.loading import load_profile
from loadbench.engine.requests.launch import RunRequest
from loadbench.engine.run.requested import read_request, requested_profile
from loadbench.errors import RefusedError
from loadbench.workspace import Workspace

TEXT = """\
models: [1, 2]
users: [1]
spawn_rates: [2.5]
run_time: 1m30s
stack: {environment: {GREETING: "grüß dich"}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of a profile."""
    path = tmp_path / "mine.yaml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def request_for(file: Path, *overrides: str) -> RunRequest:
    """Read a profile and return a request to run it."""
    workspace = Workspace(file.parent, file.parent / "reports")
    return RunRequest.to_run(workspace, file, load_profile(file, overrides), overrides)


def received(request: RunRequest) -> RunRequest:
    """Return the request as the runner's process receives it."""
    return read_request(json.dumps(asdict(request)))


def test_a_request_survives_the_transfer_to_the_runner(file: Path) -> None:
    request = request_for(file, "users=3")

    assert received(request) == request
    assert requested_profile(received(request)).written == load_profile(file, ("users=3",))


def test_a_request_to_resume_survives_the_transfer(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path / "reports", bundled=True)
    request = RunRequest.to_resume(workspace, tmp_path / "reports" / "x" / "1", again=["m1_u2_s2"])

    assert received(request) == request
    assert received(request).workspace == workspace


def test_the_digest_does_not_depend_on_how_the_profile_is_written(file: Path) -> None:
    first = request_for(file)
    lines = reversed(TEXT.splitlines())
    file.write_text("\n".join(lines).replace("1m30s", "90"), encoding="utf-8")

    assert request_for(file).digest == first.digest
    assert request_for(file, "users=2").digest != first.digest


def test_a_changed_comment_is_ignored(file: Path) -> None:
    request = request_for(file)
    file.write_text(f"# another comment\n{TEXT}\n", encoding="utf-8")

    assert requested_profile(request).written == load_profile(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            TEXT.replace("users: [1]", "users: [2]"),
            r"users was \[1\], is \[2\]\. Review the changes and try again$",
        ),
        (
            TEXT.replace("1m30s", "2m").replace("grüß dich", "hi"),
            r"run_time was 1m30s, is 2m; stack.environment.GREETING was grüß dich, is hi\. Review",
        ),
        (TEXT.replace("GREETING", "OTHER"), r"stack.environment was {'GREETING.*, is {'OTHER"),
        (f"{TEXT}batch_size: 4\n", r"batch_size was 1, is 4\. Review the"),
    ],
)
def test_a_changed_profile_is_refused_with_its_changes(file: Path, text: str, message: str) -> None:
    request = request_for(file)
    file.write_text(text, encoding="utf-8")

    with pytest.raises(RefusedError, match=rf"mine\.yaml has changed since it was read: {message}"):
        requested_profile(request)


def test_a_change_of_an_overridden_key_is_ignored(file: Path) -> None:
    request = request_for(file, "users=7")
    file.write_text(TEXT.replace("users: [1]", "users: [2]"), encoding="utf-8")

    assert requested_profile(request).written.users == (7,)


def test_a_removed_profile_is_refused(file: Path) -> None:
    request = request_for(file)
    file.unlink()

    with pytest.raises(RefusedError, match=r"mine\.yaml was removed after it was read\. Restore"):
        requested_profile(request)


def test_a_profile_that_has_become_invalid_is_refused_with_its_error(file: Path) -> None:
    request = request_for(file)
    file.write_text(TEXT.replace("[1]", "[ten]"), encoding="utf-8")

    message = r"changed since it was read and is no longer valid: .*mine\.yaml:2: users\[0\]"
    with pytest.raises(RefusedError, match=message):
        requested_profile(request)


@pytest.mark.parametrize(
    "damage",
    [
        {"digest": "0" * 64},
        {"profile": {}},
        {"profile": {"users": [2]}},
        {"profile": {"weather": "good"}},
        {"profile": {"run_time": "soon"}},
    ],
)
def test_a_corrupted_request_is_refused(file: Path, damage: dict[str, Any]) -> None:
    request = request_for(file)
    if profile := damage.get("profile"):
        damage = {"profile": {**request.profile, **profile}}

    with pytest.raises(
        RefusedError, match=r"the profile mine was corrupted .* \(digest mismatch\)"
    ):
        requested_profile(replace(request, **damage))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"workspace_root": 3}'])
def test_an_invalid_request_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="invalid request to the runner"):
        read_request(text)


def test_a_digest_does_not_depend_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": {"c": 2.0, "d": None}}) == digest_of(
        {"b": {"d": None, "c": 2.0}, "a": 1}
    )
    assert digest_of({"a": 1}) != digest_of({"a": 2})
