"""A request carries the profile that was looked at; its file is read again only to compare."""

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
    """A profile's file."""
    made = tmp_path / "mine.yaml"
    made.write_text(TEXT, encoding="utf-8")
    return made


def look_at(file: Path, *overrides: str) -> RunRequest:
    """Read a profile, and request a run of what was read."""
    workspace = Workspace(file.parent, file.parent / "reports")
    return RunRequest.to_run(workspace, file, load_profile(file, overrides), overrides)


def arrived(request: RunRequest) -> RunRequest:
    """The request as the runner's process reads it."""
    return read_request(json.dumps(asdict(request)))


def test_a_request_arrives_as_it_was_sent(file: Path) -> None:
    request = look_at(file, "users=3")

    assert arrived(request) == request
    assert requested_profile(arrived(request)) == load_profile(file, ("users=3",))


def test_a_request_to_resume_arrives_as_it_was_sent(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, tmp_path / "reports", bundled=True)
    request = RunRequest.to_resume(workspace, tmp_path / "reports" / "x" / "1", retry_failed=True)

    assert arrived(request) == request
    assert arrived(request).workspace == workspace


def test_a_request_says_the_same_of_the_same_profile_however_it_is_written(file: Path) -> None:
    first = look_at(file)
    lines = reversed(TEXT.splitlines())
    file.write_text("\n".join(lines).replace("1m30s", "90"), encoding="utf-8")

    assert look_at(file).digest == first.digest
    assert look_at(file, "users=2").digest != first.digest


def test_a_changed_comment_is_no_change(file: Path) -> None:
    request = look_at(file)
    file.write_text(f"# another comment\n{TEXT}\n", encoding="utf-8")

    assert requested_profile(request) == load_profile(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("users: [1]", "users: [2]"), r"users was \[1\], is \[2\]; look at it again$"),
        (
            TEXT.replace("1m30s", "2m").replace("grüß dich", "hi"),
            r"run_time was 1m30s, is 2m; stack.environment.GREETING was grüß dich, is hi; look",
        ),
        (TEXT.replace("GREETING", "OTHER"), r"stack.environment was {'GREETING.*, is {'OTHER"),
        (f"{TEXT}batch_size: 4\n", "batch_size was 1, is 4; look at it again"),
    ],
)
def test_a_profile_that_has_changed_since_it_was_read_is_refused_with_what_changed(
    file: Path, text: str, message: str
) -> None:
    request = look_at(file)
    file.write_text(text, encoding="utf-8")

    with pytest.raises(RefusedError, match=rf"mine\.yaml has changed since it was read: {message}"):
        requested_profile(request)


def test_a_change_that_is_overridden_is_none(file: Path) -> None:
    request = look_at(file, "users=7")
    file.write_text(TEXT.replace("users: [1]", "users: [2]"), encoding="utf-8")

    assert requested_profile(request).users == (7,)


def test_a_profile_that_was_removed_after_it_was_read_is_refused(file: Path) -> None:
    request = look_at(file)
    file.unlink()

    with pytest.raises(RefusedError, match=r"mine\.yaml was removed after it was read; restore"):
        requested_profile(request)


def test_a_profile_that_is_broken_by_now_is_refused_with_its_mistake(file: Path) -> None:
    request = look_at(file)
    file.write_text(TEXT.replace("[1]", "[ten]"), encoding="utf-8")

    problem = r"changed since it was read, and is not valid any more: .*mine\.yaml:2: users\[0\]"
    with pytest.raises(RefusedError, match=problem):
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
def test_a_damaged_request_is_refused(file: Path, damage: dict[str, Any]) -> None:
    request = look_at(file)
    if profile := damage.get("profile"):
        damage = {"profile": {**request.profile, **profile}}

    with pytest.raises(RefusedError, match="the profile mine was damaged on its way to the runner"):
        requested_profile(replace(request, **damage))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"workspace_root": 3}'])
def test_what_is_no_request_is_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="the runner cannot read its request"):
        read_request(text)


def test_a_digest_is_of_values_and_not_of_their_order() -> None:
    assert digest_of({"a": 1, "b": {"c": 2.0, "d": None}}) == digest_of(
        {"b": {"d": None, "c": 2.0}, "a": 1}
    )
    assert digest_of({"a": 1}) != digest_of({"a": 2})
