"""What compose files say, what of it cannot be scaled, and what is added to it."""

import json
from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.drivers.compose.files import ComposeFiles, compose_paths
from loadbench.engine.drivers.compose.override_file import compose_override
from loadbench.engine.drivers.docker.inspect import RUN_LABEL
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace
from tests.support.builders import make_profile

GATEWAY = {"ports": [{"target": 80, "published": "8080", "protocol": "tcp"}]}


def files(
    *, ours: bool = False, top: dict[str, Any] | None = None, **services: Any
) -> ComposeFiles:
    config = {"services": services or {"app": {}, "gateway": GATEWAY}, **(top or {})}
    return ComposeFiles(paths=(Path("/x/compose.yaml"),), ours=ours, scaled="app", config=config)


def test_the_project_is_named_after_its_files_and_is_nobody_else_s() -> None:
    names = {
        ComposeFiles(paths=paths, ours=False, scaled="app", config={}).project
        for paths in [(Path("/x/a.yaml"),), (Path("/x/b.yaml"),), (Path("/x/a.yaml"), Path("/b"))]
    }
    assert len(names) == 3
    assert all(name.startswith("loadbench-") and len(name) == 18 for name in names)


def test_a_project_with_one_published_port_needs_nothing_more() -> None:
    assert files().mistakes(make_profile(models=[1, 2])) == []
    assert files().published == (("gateway", 80),)


@pytest.mark.parametrize(
    ("services", "message"),
    [
        ({"gateway": GATEWAY}, "stack.service: no service 'app' in the files; there are: gateway"),
        (
            {"app": {"container_name": "x"}, "gateway": GATEWAY},
            "stack.service: app cannot be scaled, since it has container_name: x",
        ),
        (
            {"app": GATEWAY},
            "stack.service: app cannot be scaled, since it has the fixed host port 8080",
        ),
        ({"app": {}}, "host: the address that requests go to is needed"),
        ({"app": {"ports": [{"target": 80}]}}, "host: the address that requests go to is needed"),
        ({"app": {}, "a": GATEWAY, "b": GATEWAY}, "host: the address that requests go to is"),
    ],
)
def test_what_cannot_be_scaled_or_reached_is_told(services: dict[str, Any], message: str) -> None:
    found = files(**services).mistakes(make_profile(models=[1, 2]))
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
def test_one_model_needs_no_scaling_and_a_host_no_port(
    services: dict[str, Any], host: str | None
) -> None:
    assert files(**services).mistakes(make_profile(models=[1], host=host)) == []


def test_a_range_of_host_ports_can_be_scaled() -> None:
    ports = [{"target": 80, "published": "8080-8090", "protocol": "tcp"}]
    profile = make_profile(models=[1, 2], host="http://127.0.0.1:8080")
    assert files(app={"ports": ports}).mistakes(profile) == []


def test_what_is_shared_with_other_copies_of_a_project_is_told() -> None:
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
        "app writes to /srv/data, as other copies of the project do",
    ]


def test_every_container_is_labelled_and_somebody_else_s_gets_no_settings() -> None:
    added = json.loads(compose_override(files(), make_profile(), Path("/reports/run$1")))
    assert added == {
        "services": {
            name: {"labels": {RUN_LABEL: "/reports/run$$1"}} for name in ("app", "gateway")
        }
    }


def test_our_services_get_the_profile_s_settings() -> None:
    stack = {"environment": {"MAX_QUEUE": "7", "X": "a$b"}, "model_threads": 3}
    profile = make_profile(batch_size=4, stack=stack)
    ours = files(ours=True, app={}, api={}, model={}, broker={})

    added = json.loads(compose_override(ours, profile, Path("/run")))["services"]

    assert "environment" not in added["broker"]
    for name in ("api", "model"):
        environment = added[name]["environment"]
        assert environment["BATCH_SIZE"] == "4"
        assert environment["MODEL_THREADS"] == "3"
        assert environment["MAX_QUEUE"] == "7"
        assert environment["X"] == "a$$b"


def test_an_image_that_is_built_gets_a_name_of_its_own() -> None:
    theirs = files(app={"build": {"context": "."}, "image": "shop:latest"}, gateway={"image": "x"})
    added = json.loads(compose_override(theirs, make_profile(), Path("/run")))["services"]
    assert added["app"]["image"] == theirs.image("app") == f"{theirs.project}-app"
    assert "image" not in added["gateway"]
    assert theirs.image("gateway") == "x"


def test_a_folder_of_any_name_can_be_written_down() -> None:
    assert "/runs/🚀" in compose_override(files(), make_profile(), Path("/runs/🚀"))


def test_keys_that_only_our_stack_knows_are_told() -> None:
    profile = make_profile(batch_size=8, stack={"gpu_memory_mb": 5})
    assert files().warnings(profile) == [
        "batch_size has no effect on compose files of your own",
        "stack.gpu_memory_mb has no effect on compose files of your own",
    ]
    assert files(ours=True).warnings(profile) == []


def test_a_port_that_is_published_for_both_kinds_of_addresses_is_one() -> None:
    ports = [{"target": 80, "host_ip": ip, "protocol": "tcp"} for ip in ("127.0.0.1", "::1")]
    assert files(app={}, web={"ports": ports}).mistakes(make_profile(models=[1, 2])) == []


def test_a_published_service_with_replicas_has_no_one_address() -> None:
    web = {**GATEWAY, "deploy": {"replicas": 2}}
    [mistake] = files(app={}, web=web).mistakes(make_profile())
    assert mistake.startswith("host: the address that requests go to is needed")


def test_what_requests_need_may_not_end() -> None:
    assert files(app={}, gateway=GATEWAY, seed={}).needed == {"app", "gateway"}
    assert files(ours=True, app={}, broker={}).needed == {"app", "broker"}


def test_a_memory_limit_is_written_as_the_file_writes_its_own() -> None:
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
    ("service", "wants"),
    [
        ({}, False),
        ({"runtime": "nvidia"}, True),
        ({"gpus": [{"count": -1}]}, True),
        ({"deploy": {"resources": {"reservations": {"devices": [{"driver": "nvidia"}]}}}}, True),
        ({"deploy": {"resources": {"reservations": {"devices": [{"driver": "tpu"}]}}}}, False),
    ],
)
def test_a_wish_for_a_gpu_is_seen(service: dict[str, Any], wants: bool) -> None:
    assert files(app=service).needs_nvidia is wants


def workspace(folder: Path) -> Workspace:
    (folder / "stack").mkdir()
    for name in ("compose.yaml", "compose.gpu.yaml"):
        (folder / "stack" / name).touch()
    return Workspace(folder, folder / "reports")


def test_our_stack_on_a_gpu_is_two_files(tmp_path: Path) -> None:
    here = workspace(tmp_path)
    stack = tmp_path / "stack"

    assert compose_paths(here, make_profile()) == ((stack / "compose.yaml",), True)
    assert compose_paths(here, make_profile(device="gpu")) == (
        (stack / "compose.yaml", stack / "compose.gpu.yaml"),
        True,
    )


def test_somebody_else_s_files_are_theirs_alone_and_must_be_there(tmp_path: Path) -> None:
    here = workspace(tmp_path)
    theirs = tmp_path / "theirs.yaml"
    theirs.touch()

    more = make_profile(device="gpu", stack={"compose": ["stack/compose.yaml", "theirs.yaml"]})
    stack = tmp_path / "stack"
    assert compose_paths(here, more) == (
        (stack / "compose.yaml", stack / "compose.gpu.yaml", theirs),
        True,
    )

    profile = make_profile(device="gpu", stack={"compose": "theirs.yaml"})
    assert compose_paths(here, profile) == ((theirs,), False)

    with pytest.raises(ProfileError, match=r"stack.compose: .*/a.yaml is not a file; .*b.yaml"):
        compose_paths(here, make_profile(stack={"compose": ["a.yaml", "b.yaml"]}))
