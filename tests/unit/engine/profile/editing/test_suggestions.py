"""Suggested values of keys from the files of a workspace."""

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadbench.engine.profile.editing.compose_text import ComposeText
from loadbench.engine.profile.editing.suggestions import MAX_ENTRIES, MAX_SECONDS, suggestions
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace
from tests.support.harness import REPOSITORY

COMPOSE = """
x-base: &base
  image: me/app:2
  ports: ["8080:80", 9000-9001:90]
services:
  db:
    image: docker.io/library/postgres:16
    ports: ["5432:5432"]
  empty:
    command: x
  web:
    <<: *base
    healthcheck:
      test: curl -f http://localhost:80/live?x=1 || exit 1
  api:
    build: .
    ports:
      - target: 80
        published: "${PORT:-8000}"
      - target: 81
      - {target: 53, published: 53, protocol: udp}
      - "127.0.0.1:7000:70"
      - "192.168.1.5:7001:70"
      - "[::1]:7002:70"
      - "${ADDRESS:-127.0.0.1}:${OTHER:-}:71"
      - "$PORT:72"
      - "73"
      - 22:22
      - "53:53/udp"
    healthcheck:
      test: [CMD, python, -c, "c.request('GET', '/up')"]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(root=tmp_path, reports=tmp_path / "reports")


def write(workspace: Workspace, name: str, data: bytes = b"") -> None:
    path = workspace.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def test_compose_files_near_the_root_come_first(workspace: Workspace) -> None:
    for name in (
        *("a/b/compose.yaml", "stack/compose.gpu.yaml", "stack/compose.yaml", "docker-compose.yml"),
        *("a/b/c/compose.yaml", ".git/compose.yaml", "venv/compose.yaml", "venv/pyvenv.cfg"),
        *("node_modules/compose.yaml", "reports/compose.yaml", "compose.txt", "my-compose.yaml"),
    ):
        write(workspace, name)

    assert suggestions("stack.compose", {}, workspace) == (
        "docker-compose.yml",
        "stack/compose.yaml",
        "stack/compose.gpu.yaml",
        "a/b/compose.yaml",
    )


def test_services_of_the_named_files_are_suggested_and_databases_come_last(
    workspace: Workspace,
) -> None:
    write(workspace, "compose.yaml", COMPOSE.encode())
    write(workspace, "more.yaml", b"services: {extra: {image: x}, empty: {image: redis:7}}")

    one = suggestions("stack.service", {"stack.compose": "compose.yaml"}, workspace)
    both = suggestions("stack.service", {"stack.compose": ["compose.yaml", "more.yaml"]}, workspace)

    assert one == ("web", "api", "empty", "db")
    assert both == ("web", "api", "extra", "db", "empty")


def test_published_ports_are_suggested_as_hosts(workspace: Workspace) -> None:
    write(workspace, "compose.yaml", COMPOSE.encode())

    assert suggestions("host", {"stack.compose": ["compose.yaml"]}, workspace) == (
        *(f"http://127.0.0.1:{port}" for port in (8080, 9000, 9001, 8000, 7000)),
        "http://192.168.1.5:7001",
        "http://[::1]:7002",
        "http://127.0.0.1:22",
        "http://127.0.0.1:5432",
    )


def test_paths_of_health_checks_are_suggested(workspace: Workspace) -> None:
    write(workspace, "compose.yaml", COMPOSE.encode())
    values = {"stack.compose": ["compose.yaml"], "stack.service": "api"}
    usual = ("/health", "/healthz", "/ready")

    assert suggestions("stack.health", values, workspace) == ("/up", "/live?x=1", *usual)
    assert suggestions("stack.health", {}, workspace) == usual


def test_locustfiles_and_image_folders_are_suggested(workspace: Workspace) -> None:
    write(workspace, "locustfile.py", b"from locust import task\n")
    write(workspace, "load/users.py", b"def f():\n    import locust.user\n")
    write(workspace, "load/other.py", b"# import locust\nimport locusts\n")
    write(workspace, "images/a.jpg")
    write(workspace, "data/photos/b.jpeg")
    write(workspace, "data/notes.txt")

    assert suggestions("load.locustfile", {}, workspace) == ("locustfile.py", "load/users.py")
    assert suggestions("load.images", {}, workspace) == ("images", "data/photos")


def test_names_in_the_named_locustfiles_are_suggested(workspace: Workspace) -> None:
    text = b"""
class Base(object): ...
class ChatUser(Base, locust.FastHttpUser):
    @tag("fast", 'two words')
    @task
    def ask(self): ...
"""
    write(workspace, "load/chat/users.py", text)
    write(workspace, "load/more/b.py", b"class Admin(HttpUser):\n    @locust.tag('slow')\n")
    values = {"load.locustfile": ["load/chat/users.py", "load/more", "gone.py"]}

    assert suggestions("load.user_classes", values, workspace) == ("ChatUser", "Admin")
    assert suggestions("load.keep_host", values, workspace) == ("ChatUser", "Admin")
    assert suggestions("load.tags", values, workspace) == ("fast", "two words", "slow")
    assert suggestions("load.exclude_tags", values, workspace) == ("fast", "two words", "slow")
    found = suggestions("load.folder", {"load.locustfile": "load/chat/users.py"}, workspace)
    assert found == ("load/chat", "load", ".")
    assert suggestions("load.user_classes", {"load.locustfile": 5}, workspace) == ()


def test_bundled_workspace_has_suggestions() -> None:
    workspace = Workspace(root=REPOSITORY, reports=REPOSITORY / "reports")
    values = {"stack.compose": ["stack/compose.yaml"]}

    assert suggestions("stack.compose", values, workspace)[0] == "stack/compose.yaml"
    assert suggestions("stack.service", values, workspace) == ("api", "model", "broker")
    assert suggestions("load.locustfile", values, workspace)[0] == "locustfile.py"
    assert suggestions("load.images", values, workspace)[0] == "images"
    # The bundled service has a free port each time.
    assert suggestions("host", values, workspace) == ()


@pytest.mark.parametrize("key", ["users", "stack.driver", "recheck_first", "nothing", ""])
def test_other_keys_have_no_suggestions(workspace: Workspace, key: str) -> None:
    assert suggestions(key, {}, workspace) == ()


@pytest.mark.parametrize(
    "compose",
    [None, 5, [], ["none.yaml", 5, None], "a\0b", "pipe", "folder", ["bad.yaml"], "x" * 5000],
)
def test_unusable_compose_files_are_skipped(workspace: Workspace, compose: object) -> None:
    os.mkfifo(workspace.root / "pipe")
    (workspace.root / "folder").mkdir()
    write(workspace, "bad.yaml", b"\xff[")

    assert suggestions("stack.service", {"stack.compose": compose}, workspace) == ()


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b"services: [a]",
        b"services: {a: 5, b: [x], c: {ports: 5, healthcheck: [], image: []}}",
        b"services: {a: {ports: [{published: [1]}, [1], 70000:1, 1-99999999999:1]}}",
        b"services: &s {a: &a {<<: [*a, *a], ports: *s, image: *s}}",
        b"x" * 1_000_001,
        b"services:\n" + b" a: {image: x}\n" * 60_000,
        b"services: {a: {image: '${" + b"a" * 200_000 + b"'}}",
        b"services: {a: {image: '${a-" + b"b" * 200_000 + b"'}}",
        b"x: &x {ports: [" + b"1-9:1," * 4000 + b"]}\nservices: {" + b"a: *x," * 2000 + b"}",
    ],
    ids=lambda data: data[:30],
)
def test_unusual_compose_files_neither_fail_nor_take_long(
    workspace: Workspace, data: bytes
) -> None:
    write(workspace, "compose.yaml", data)
    values = {"stack.compose": ["compose.yaml"]}
    for key in ("stack.service", "host", "stack.health"):
        start = time.monotonic()
        suggestions(key, values, workspace)
        assert time.monotonic() - start < MAX_SECONDS + 5


def test_number_of_suggestions_is_limited(workspace: Workspace) -> None:
    services = "".join(f"  s{number}: {{image: x}}\n" for number in range(MAX_ENTRIES + 50))
    write(workspace, "compose.yaml", f"services:\n{services}".encode())
    for number in range(MAX_ENTRIES + 50):
        write(workspace, f"many/{number:04}.txt")

    assert (
        len(suggestions("stack.service", {"stack.compose": "compose.yaml"}, workspace))
        == MAX_ENTRIES
    )
    assert suggestions("stack.compose", {}, workspace) == ("compose.yaml",)


def test_unreadable_workspace_has_no_suggestions(tmp_path: Path) -> None:
    workspace = Workspace(root=tmp_path / "none", reports=tmp_path)

    assert suggestions("load.images", {}, workspace) == ()


@settings(max_examples=100, deadline=None)
@given(st.text("services:aimgeport-[]{},&*<\n \"'80$", max_size=80))
def test_any_compose_text_is_read_or_refused(text: str) -> None:
    try:
        found = ComposeText().with_file(
            f"services:\n a:\n  {text}", deadline_s=time.monotonic() + 5
        )
    except ProfileError:
        return
    for service in found.services:
        list(service.addresses())
        list(service.health_paths())
