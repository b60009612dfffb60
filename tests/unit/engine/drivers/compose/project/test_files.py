"""Compose files: paths, names of projects and images, and warnings from Compose."""

import os
import platform
import re
from pathlib import Path

import pytest

from loadbench.engine.drivers.compose.messages import MAX_WARNINGS, compose_warnings
from loadbench.engine.drivers.compose.project import files as files_module
from loadbench.engine.drivers.compose.project.files import GPU_FILE, compose_paths, project_name
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace
from tests.support.builders import make_profile
from tests.support.compose_projects import GATEWAY, make_files


def test_the_project_name_is_unique_to_its_first_file() -> None:
    names = {project_name((Path(path),)) for path in ("/x/a.yaml", "/x/b.yaml")}
    assert len(names) == 2
    assert all(name.startswith("loadbench-") and len(name) == 18 for name in names)


def test_a_further_file_keeps_the_project_with_its_images_and_volumes() -> None:
    own = Path("/x/a.yaml")
    assert project_name((own, Path("/x/more.yaml"))) == project_name((own,))


def test_the_bundled_stack_has_other_images_on_a_gpu() -> None:
    own = Path("/x/stack/compose.yaml")
    gpu = (own, own.with_name(GPU_FILE))
    assert project_name(gpu) != project_name((own,))
    assert project_name((*gpu, Path("/x/more.yaml"))) == project_name(gpu)


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


def test_a_built_image_is_named_after_the_project() -> None:
    own = make_files(
        app={"build": {"context": "."}, "image": "shop:latest"}, gateway={"image": "x"}
    )
    assert own.image("app") == f"{own.project}-app"
    assert own.image("gateway") == "x"
    assert (own.builder_of("app"), own.builder_of("gateway")) == ("app", None)


def test_a_service_may_use_the_image_that_another_one_builds() -> None:
    own = make_files(
        app={"build": {"context": "."}, "image": "shop:latest"}, worker={"image": "shop:latest"}
    )
    assert own.image("worker") == own.image("app")
    assert own.builder_of("worker") == "app"


def test_only_networks_and_volumes_of_the_given_services_are_listed() -> None:
    own = make_files(
        top={
            "volumes": {"data": {"name": "d"}, "other": {"name": "o"}},
            "networks": {"default": {"name": "n"}, "back": {"name": "b"}},
        },
        app={"volumes": [{"type": "volume", "source": "data"}], "networks": {"back": None}},
        gateway=GATEWAY,
    )
    found = [(kind, key) for kind, key, _ in own.resources([own.services["app"]])]
    assert found == [("network", "back"), ("volume", "data")]


def workspace(folder: Path) -> Workspace:
    (folder / "stack").mkdir()
    for name in ("compose.yaml", GPU_FILE):
        (folder / "stack" / name).touch()
    return Workspace(folder, folder / "reports")


def test_the_bundled_stack_on_a_gpu_has_two_files(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    stack = tmp_path / "stack"

    assert compose_paths(made, make_profile()) == ((stack / "compose.yaml",), True)
    assert compose_paths(made, make_profile(device="gpu")) == (
        (stack / "compose.yaml", stack / GPU_FILE),
        True,
    )


def test_own_compose_files_may_extend_the_bundled_ones_and_must_exist(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    own = tmp_path / "own.yaml"
    own.touch()

    extended = make_profile(device="gpu", stack={"compose": ["stack/compose.yaml", "own.yaml"]})
    stack = tmp_path / "stack"
    assert compose_paths(made, extended) == (
        (stack / "compose.yaml", stack / GPU_FILE, own),
        True,
    )

    profile = make_profile(device="gpu", stack={"compose": "own.yaml"})
    assert compose_paths(made, profile) == ((own,), False)

    with pytest.raises(ProfileError, match=r"stack.compose: .*/a.yaml is not a file; .*b.yaml"):
        compose_paths(made, make_profile(stack={"compose": ["a.yaml", "b.yaml"]}))


def test_a_missing_env_file_is_created_from_its_example(tmp_path: Path) -> None:
    missing = tmp_path / ".env"
    message = f"env file {missing} not found: stat {missing}: no such file or directory"
    assert files_module.env_file_hint(message).startswith(". Create it with the variables")
    (tmp_path / ".env.example").touch()
    copy = f"cp {tmp_path}/.env.example {missing}"
    assert files_module.env_file_hint(message) == (f". To create it: {copy}. Then check its values")
    assert files_module.env_file_hint("services.a: unknown key") == ""
    assert files_module.is_env_file_missing(message)


def test_a_file_has_one_project_however_its_path_is_written() -> None:
    assert project_name((Path("/x/y/../a.yaml"),)) == project_name((Path("/x/a.yaml"),))


def test_an_override_file_that_compose_would_read_is_mentioned(tmp_path: Path) -> None:
    own = tmp_path / "docker-compose.yml"
    override = tmp_path / "docker-compose.override.yml"
    assert files_module.unused_override((own,)) == []
    override.touch()
    [warning] = files_module.unused_override((own,))
    assert warning.startswith("docker-compose.override.yml is not used")
    assert files_module.unused_override((own, override)) == []
    assert files_module.unused_override((tmp_path / "other.yml",)) == []


UNSET = (
    'time="2026-12-01T11:53:22Z" level=warning msg="The \\"TOKEN\\" variable is not set. '
    'Defaulting to a blank string."\n'
)
VERSION = (
    'time="2026-12-01T11:53:22Z" level=warning msg="/x/compose.yaml: the attribute `version` is '
    'obsolete, it will be ignored, please remove it to avoid potential confusion"\n'
)


def test_warnings_from_compose_are_shown_once_and_harmless_ones_are_not() -> None:
    text = 'The "TOKEN" variable is not set. Defaulting to a blank string.'
    assert compose_warnings(UNSET + VERSION + UNSET) == (f"compose: {text}",)
    assert compose_warnings("no warning") == ()


def test_further_warnings_from_compose_are_counted() -> None:
    found = compose_warnings("".join(UNSET.replace("TOKEN", f"T{n}") for n in range(50)))
    assert len(found) == MAX_WARNINGS + 1
    assert found[-1] == "compose: 40 more warnings, see `docker compose config`"
