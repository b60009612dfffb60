"""Checks of compose files against a profile, and the generated override file."""

import json
import os
import platform
import re
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.drivers.compose import files as files_module
from loadbench.engine.drivers.compose.files import ComposeFiles, compose_paths, project_name
from loadbench.engine.drivers.compose.override_file import compose_override
from loadbench.engine.drivers.docker.inspect import RUN_LABEL
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace
from tests.support.builders import make_profile

GATEWAY = {"ports": [{"target": 80, "published": "8080", "protocol": "tcp"}]}
NO_ADDRESS = "host: required, because the compose files do not publish exactly one port"
PORT_PER_REPLICA = "host: required, because each replica of app publishes a port of its own"


def files(
    *, is_bundled: bool = False, top: dict[str, Any] | None = None, **services: Any
) -> ComposeFiles:
    config = {"services": services or {"app": {}, "gateway": GATEWAY}, **(top or {})}
    return ComposeFiles(
        paths=(Path("/x/compose.yaml"),), is_bundled=is_bundled, scaled="app", config=config
    )


def test_the_project_name_is_unique_to_its_files() -> None:
    names = {
        ComposeFiles(paths=paths, is_bundled=False, scaled="app", config={}).project
        for paths in [(Path("/x/a.yaml"),), (Path("/x/b.yaml"),), (Path("/x/a.yaml"), Path("/b"))]
    }
    assert len(names) == 3
    assert all(name.startswith("loadbench-") and len(name) == 18 for name in names)


def test_users_and_machines_have_projects_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = (Path("/x/compose.yaml"),)
    names = [project_name(paths), project_name(paths)]
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: 4711)
        names.append(project_name(paths))
    with monkeypatch.context() as patch:
        patch.setattr(platform, "node", lambda: "elsewhere")
        names.append(project_name(paths))
    # Cloned machines may share their id, and containers have none.
    for content in ("1" * 32, ""):
        (tmp_path / "machine-id").write_text(content)
        monkeypatch.setattr(files_module, "_MACHINE_ID", tmp_path / "machine-id")
        names.append(project_name(paths))
    assert names[0] == names[1]
    assert len(set(names)) == 5
    assert all(re.fullmatch("loadbench-[0-9a-f]{8}", name) for name in names)


def test_a_project_with_one_published_port_is_valid() -> None:
    assert files().errors(make_profile(models=[1, 2])) == []
    assert files().published == (("gateway", 80),)


@pytest.mark.parametrize(
    ("services", "message"),
    [
        (
            {"gateway": GATEWAY},
            "stack.service: no service 'app' in the compose files (services: gateway)",
        ),
        (
            {"app": {"container_name": "x"}, "gateway": GATEWAY},
            "stack.service: app cannot be scaled because it has container_name: x; remove it",
        ),
        (
            {"app": GATEWAY},
            "stack.service: app cannot be scaled because it has the fixed host port 8080",
        ),
        ({"app": {}}, NO_ADDRESS),
        ({"app": {"ports": [{"target": 80}]}}, PORT_PER_REPLICA),
        ({"app": {}, "a": GATEWAY, "b": GATEWAY}, NO_ADDRESS),
    ],
)
def test_obstacles_to_scaling_and_missing_addresses_are_reported(
    services: dict[str, Any], message: str
) -> None:
    found = files(**services).errors(make_profile(models=[1, 2]))
    assert found
    assert found[0].startswith(message)


@pytest.mark.parametrize(
    ("services", "host"),
    [
        ({"app": {"container_name": "x"}, "gateway": GATEWAY}, None),
        ({"app": GATEWAY}, None),
        ({"app": {}}, "http://127.0.0.1:1"),
        ({"app": {}, "a": GATEWAY, "b": GATEWAY}, "http://127.0.0.1:1"),
    ],
)
def test_one_model_requires_no_scaling_and_a_host_no_published_port(
    services: dict[str, Any], host: str | None
) -> None:
    assert files(**services).errors(make_profile(models=[1], host=host)) == []


def test_a_service_with_a_range_of_host_ports_can_be_scaled() -> None:
    ports = [{"target": 80, "published": "8080-8090", "protocol": "tcp"}]
    profile = make_profile(models=[1, 2], host="http://127.0.0.1:8080")
    assert files(app={"ports": ports}).errors(profile) == []


def test_resources_shared_with_other_copies_of_a_project_cause_warnings() -> None:
    project = files().project
    top = {
        "volumes": {
            "own": {"name": f"{project}_own"},
            "prod": {"name": "prod-data"},
            "outside": {"name": f"{project}_x", "external": True},
        },
        "networks": {"default": {"name": f"{project}_default"}},
    }
    mounts = [
        {"type": "bind", "source": "/srv/data"},
        {"type": "bind", "source": "/srv/code", "read_only": True},
        {"type": "volume", "source": "own"},
    ]

    found = files(top=top, app={"volumes": mounts}, gateway=GATEWAY).warnings(make_profile())

    assert [line.split(":")[0] for line in found] == [
        "volume prod-data has a fixed name",
        f"volume {project}_x has a fixed name",
        "app writes to /srv/data, which other copies of the project share",
    ]


def test_the_user_s_own_services_get_a_label_and_no_settings() -> None:
    added = json.loads(compose_override(files(), make_profile(), Path("/reports/run$1")))
    assert added == {
        "services": {
            name: {"labels": {RUN_LABEL: "/reports/run$$1"}} for name in ("app", "gateway")
        }
    }


def test_bundled_services_get_the_profile_s_settings_and_the_names_of_its_variables() -> None:
    stack = {"environment": {"MAX_QUEUE": "7", "X": "a$b"}, "model_threads": 3}
    profile = make_profile(batch_size=4, stack=stack)
    bundled = files(is_bundled=True, app={}, api={}, model={}, broker={})

    added = json.loads(compose_override(bundled, profile, Path("/run")))["services"]

    assert "environment" not in added["broker"]
    for name in ("api", "model"):
        environment = added[name]["environment"]
        assert environment["BATCH_SIZE"] == "4"
        assert environment["MODEL_THREADS"] == "3"
        # Compose takes these from its own environment, so that the file contains no secrets.
        assert environment["MAX_QUEUE"] is None
        assert environment["X"] is None


def test_a_built_image_is_named_after_the_project() -> None:
    own = files(app={"build": {"context": "."}, "image": "shop:latest"}, gateway={"image": "x"})
    added = json.loads(compose_override(own, make_profile(), Path("/run")))["services"]
    assert added["app"]["image"] == own.image("app") == f"{own.project}-app"
    assert "image" not in added["gateway"]
    assert own.image("gateway") == "x"


def test_a_folder_name_with_an_emoji_is_written_unescaped() -> None:
    assert "/runs/🚀" in compose_override(files(), make_profile(), Path("/runs/🚀"))


def test_keys_that_apply_only_to_the_bundled_stack_cause_warnings() -> None:
    profile = make_profile(batch_size=8, stack={"gpu_memory_mb": 5})
    assert files().warnings(profile) == [
        "batch_size has no effect with your own compose files",
        "stack.gpu_memory_mb has no effect with your own compose files",
    ]
    assert files(is_bundled=True).warnings(profile) == []


def test_a_port_published_for_ipv4_and_ipv6_counts_once() -> None:
    ports = [{"target": 80, "host_ip": ip, "protocol": "tcp"} for ip in ("127.0.0.1", "::1")]
    assert files(app={}, web={"ports": ports}).errors(make_profile(models=[1, 2])) == []


def test_a_published_service_with_replicas_requires_a_host() -> None:
    web = {**GATEWAY, "deploy": {"replicas": 2}}
    [error] = files(app={}, web=web).errors(make_profile())
    assert error.startswith(NO_ADDRESS)


def test_the_scaled_and_the_published_services_are_required() -> None:
    assert files(app={}, gateway=GATEWAY, seed={}).required == {"app", "gateway"}
    assert files(is_bundled=True, app={}, broker={}).required == {"app", "broker"}


def test_a_memory_limit_uses_the_notation_of_the_file() -> None:
    profile = make_profile(stack={"memory_mb": 100})
    limit = 100 * 2**20

    plain = json.loads(compose_override(files(), profile, Path("/run")))["services"]
    assert plain["app"]["mem_limit"] == plain["app"]["memswap_limit"] == limit
    assert "mem_limit" not in plain["gateway"]

    deploy = {"deploy": {"resources": {"limits": {"cpus": "1"}}}}
    swarm = json.loads(compose_override(files(app=deploy), profile, Path("/run")))["services"][
        "app"
    ]
    assert swarm["deploy"] == {"resources": {"limits": {"memory": str(limit)}}}
    assert "mem_limit" not in swarm


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, False),
        ({"runtime": "nvidia"}, True),
        ({"gpus": [{"count": -1}]}, True),
        ({"deploy": {"resources": {"reservations": {"devices": [{"driver": "nvidia"}]}}}}, True),
        ({"deploy": {"resources": {"reservations": {"devices": [{"driver": "tpu"}]}}}}, False),
    ],
)
def test_a_gpu_request_is_recognised(service: dict[str, Any], expected: bool) -> None:
    assert files(app=service).needs_nvidia is expected


def workspace(folder: Path) -> Workspace:
    (folder / "stack").mkdir()
    for name in ("compose.yaml", "compose.gpu.yaml"):
        (folder / "stack" / name).touch()
    return Workspace(folder, folder / "reports")


def test_the_bundled_stack_on_a_gpu_has_two_files(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    stack = tmp_path / "stack"

    assert compose_paths(made, make_profile()) == ((stack / "compose.yaml",), True)
    assert compose_paths(made, make_profile(device="gpu")) == (
        (stack / "compose.yaml", stack / "compose.gpu.yaml"),
        True,
    )


def test_own_compose_files_may_extend_the_bundled_ones_and_must_exist(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    own = tmp_path / "own.yaml"
    own.touch()

    extended = make_profile(device="gpu", stack={"compose": ["stack/compose.yaml", "own.yaml"]})
    stack = tmp_path / "stack"
    assert compose_paths(made, extended) == (
        (stack / "compose.yaml", stack / "compose.gpu.yaml", own),
        True,
    )

    profile = make_profile(device="gpu", stack={"compose": "own.yaml"})
    assert compose_paths(made, profile) == ((own,), False)

    with pytest.raises(ProfileError, match=r"stack.compose: .*/a.yaml is not a file; .*b.yaml"):
        compose_paths(made, make_profile(stack={"compose": ["a.yaml", "b.yaml"]}))
