"""The locustfiles of a profile, and the folder in which Locust runs."""

from pathlib import Path
from typing import Any

import pytest

from loadbench.engine.load.source.files import (
    MAX_FILES,
    MAX_FOLDERS,
    Locustfiles,
    check_all_files,
    find_locustfiles,
)
from loadbench.errors import ProfileError
from loadbench.workspace import Workspace
from tests.support.builders import make_profile

USERS = "from locust import HttpUser\nclass Visitor(HttpUser): ...\n"
NESTED = "load/chat/users.py"


def write(root: Path, **texts: str) -> None:
    """Write files; `__` stands for a slash and `_dot_` for a dot in their names."""
    for name, text in texts.items():
        put(root, name.replace("__", "/").replace("_dot_", ".") + ".py", text)


def put(root: Path, name: str, text: str = "") -> None:
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def found(root: Path, *names: str, **load: Any) -> Locustfiles:
    return find_locustfiles(root, make_profile(load={"locustfile": names, **load}).load)


def folder(root: Path, *names: str) -> tuple[str, str]:
    """Return the chosen folder relative to the workspace, and the reason."""
    result = found(root, *(names or (NESTED,)))
    return str(result.folder.relative_to(root)), result.reason


def problem(root: Path, *names: str, **load: Any) -> str:
    with pytest.raises(ProfileError) as raised:
        found(root, *names, **load)
    return str(raised.value)


# Paths


def test_files_keep_their_order_and_each_is_loaded_once(tmp_path: Path) -> None:
    write(tmp_path, b=USERS, a__a=USERS)

    assert found(tmp_path, "b.py", "a/a.py", "./b.py").paths == (
        tmp_path / "b.py",
        tmp_path / "a/a.py",
    )


def test_a_folder_stands_for_the_python_files_that_plain_locust_loads(tmp_path: Path) -> None:
    names = ("load/b.py", "load/a/c.py", "load/a.py")
    others = (
        *("load/__init__.py", "load/_base.py", "load/.hidden.py", "load/notes.txt"),
        *("load/.git/x.py", "load/__pycache__/x.py", "load/venv/lib/x.py", "load/venv/pyvenv.cfg"),
        *("load/node_modules/x.py", "load/lib/site-packages/x.py"),
    )
    for name in (*names, *others):
        put(tmp_path, name)
    (tmp_path / "load/folder.py").mkdir()

    assert found(tmp_path, "load").paths == tuple(
        tmp_path / name for name in ("load/a.py", "load/b.py", "load/a/c.py")
    )


def test_absolute_paths_and_paths_above_the_workspace_are_possible(tmp_path: Path) -> None:
    write(tmp_path, shop__users=USERS)
    root = tmp_path / "work"
    root.mkdir()

    for name in ("../shop/users.py", str(tmp_path / "shop/users.py")):
        assert found(root, name) == Locustfiles((tmp_path / "shop/users.py",), tmp_path / "shop")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.py", "load.locustfile: file not found: {root}/gone.py. Paths are relative to the"),
        ("x" * 5000, "load.locustfile: file not found: "),
        ("empty", "load.locustfile: no Python files in the folder {root}/empty"),
        ("users.txt", "load.locustfile: expected a file that ends in .py, or a folder: {root}/us"),
    ],
)
def test_a_path_without_a_locustfile_is_an_error(tmp_path: Path, name: str, message: str) -> None:
    put(tmp_path, "users.txt")
    put(tmp_path, "empty/__init__.py")

    assert problem(tmp_path, name).startswith(message.format(root=tmp_path))


def test_all_problems_of_the_files_are_reported_together(tmp_path: Path) -> None:
    profile = make_profile(load={"locustfile": ["gone.py", "too.py"], "folder": "nowhere"})

    with pytest.raises(ProfileError) as raised:
        check_all_files(Workspace(tmp_path, tmp_path / "reports"), profile)

    keys = [text.partition(":")[0] for text in str(raised.value).split("; ")]
    assert keys == ["load.locustfile", "load.locustfile", "load.folder", "load.images"]


def test_the_number_of_files_and_folders_is_limited(tmp_path: Path) -> None:
    for index in range(MAX_FILES + 1):
        put(tmp_path, f"many/a{index}.py")
    for index in range(MAX_FOLDERS):
        (tmp_path / f"deep/{index}").mkdir(parents=True)

    assert "more than 200 Python files" in problem(tmp_path, "many")
    assert "more than 1000 folders below" in problem(tmp_path, "deep")


# The folder that the imports decide


def test_without_imports_locust_runs_in_the_folder_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, load__chat__users=f"import json, numpy, near\n{USERS}", load__chat__near="")

    assert folder(tmp_path) == ("load/chat", "")


def test_the_nearest_folder_with_all_imports_is_chosen(tmp_path: Path) -> None:
    text = f"from helpers import PATHS\nimport load.common.data\n{USERS}"
    write(tmp_path, load__chat__users=text, load__common__data="", load__helpers="")
    put(tmp_path, "helpers/__init__.py")

    assert folder(tmp_path) == (".", "its module helpers is in it")


def test_a_nearer_folder_with_one_of_two_modules_is_not_chosen(tmp_path: Path) -> None:
    write(tmp_path, load__chat__users=f"import one, two\n{USERS}", load__one="", one="", two="")

    assert folder(tmp_path) == (".", "its module one is in it")


def test_modules_of_helpers_count_too(tmp_path: Path) -> None:
    write(tmp_path, load__chat__users=f"import near\n{USERS}", load__chat__near="import far")
    write(tmp_path, far="from . import x")

    assert folder(tmp_path) == (".", "its module far is in it")


def test_a_folder_without_code_is_not_the_module_of_the_same_name(tmp_path: Path) -> None:
    write(tmp_path, load__chat__users=f"from data import prompts\n{USERS}", data__prompts="")
    put(tmp_path, "load/chat/data/prompts.jsonl")

    assert folder(tmp_path) == (".", "its module data is in it")


def test_a_module_that_is_nowhere_does_not_decide(tmp_path: Path) -> None:
    write(tmp_path, load__chat__users=f"import far, nowhere_at_all\n{USERS}", far="")

    assert folder(tmp_path) == (".", "its module far is in it")


def test_if_no_folder_has_all_modules_locust_runs_in_that_of_the_file(tmp_path: Path) -> None:
    write(tmp_path, load__chat__users=f"import one, two\n{USERS}", load__one="", two="")

    assert folder(tmp_path) == ("load/chat", "")


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    import far\n",
        "try:\n    import far\nexcept ImportError:\n    far = None\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from far import x\n",
        "import sys\nif sys.argv:\n    import far\n",
        "from contextlib import suppress\nwith suppress(ImportError):\n    import far\n",
    ],
    ids=lambda text: text[:12],
)
def test_an_import_that_may_fail_breaks_a_tie_only(tmp_path: Path, text: str) -> None:
    write(tmp_path, load__chat__users=text + USERS, far="")

    assert folder(tmp_path) == (".", "its module far is in it")
    # `load` has what is always needed.
    write(tmp_path, load__must="", load__chat__users=f"import must\n{text}{USERS}")
    assert folder(tmp_path) == ("load", "its module must is in it")


def test_a_file_that_adds_its_own_path_decides_itself(tmp_path: Path) -> None:
    text = "import sys\nsys.path.insert(0, __file__ + '/../../..')\nimport far\n"
    write(tmp_path, load__chat__users=text + USERS, far="")

    assert folder(tmp_path) == ("load/chat", "")
    write(tmp_path, load__chat__users=text.replace("__file__ + ", "") + USERS)
    assert folder(tmp_path) == (".", "its module far is in it")


def test_outside_of_the_workspace_six_folders_above_and_the_workspace_are_searched(
    tmp_path: Path,
) -> None:
    root = tmp_path / "work"
    put(root, "mine.py")
    put(tmp_path, "a/1/2/3/4/5/6/users.py", f"import far\n{USERS}")
    name = "../a/1/2/3/4/5/6/users.py"

    assert found(root, name).reason == ""
    put(root, "far.py")
    assert found(root, name).folder == root
    put(tmp_path, "a/far.py")
    assert found(root, name).folder == tmp_path / "a"


def test_several_files_share_one_folder(tmp_path: Path) -> None:
    write(tmp_path, load__a__one=f"import near\n{USERS}", load__b__two=f"import near, far\n{USERS}")
    write(tmp_path, load__near="", load__far="", load__a__near="")

    assert folder(tmp_path, "load/a/one.py") == ("load/a", "")
    assert folder(tmp_path, "load/a/one.py", "load/b/two.py") == ("load", "its module far is in it")
    assert folder(tmp_path, "load") == ("load", "")


def test_the_folder_of_the_profile_is_used_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, load__chat__users=f"import far\n{USERS}", far="")

    assert found(tmp_path, NESTED, folder="load").folder == tmp_path / "load"
    assert found(tmp_path, NESTED, folder="load").reason == ""
    message = problem(tmp_path, NESTED, folder="x")
    assert message.startswith(f"load.folder: folder not found: {tmp_path}/x. Its path is relative")


def test_a_package_that_is_installed_is_not_looked_for(tmp_path: Path) -> None:
    text = f"from locust.contrib import x\nimport yaml\n{USERS}"
    write(tmp_path, load__chat__users=text, yaml="", locust__contrib="")

    assert folder(tmp_path) == ("load/chat", "")


# The folder that files decide


@pytest.mark.parametrize(
    "text",
    [
        "open('data/x.csv')",
        "open('data/x.csv', encoding='utf-8', mode='r')",
        "with open('data/x.csv') as file: file.read()",
        "from pathlib import Path\nPath('data/x.csv').read_text()",
        "import pandas\npandas.read_csv('data/x.csv')",
    ],
)
def test_a_file_that_is_opened_decides_if_no_import_does(tmp_path: Path, text: str) -> None:
    write(tmp_path, load__chat__users=f"{text}\n{USERS}")
    put(tmp_path, "data/x.csv")

    assert folder(tmp_path) == (".", "its file data/x.csv is in it")
    put(tmp_path, "load/data/x.csv")
    assert folder(tmp_path) == ("load/chat", "")  # two folders have it
    write(tmp_path, load__chat__users=f"{text}\nopen('.')\nopen('only')\n{USERS}")
    put(tmp_path, "load/only")
    assert folder(tmp_path) == ("load", "its file only is in it")


@pytest.mark.parametrize(
    "text", ["open('x.csv', 'w')", "open(5)", "open('/x.csv')", "open('gone')"]
)
def test_other_files_do_not_decide(tmp_path: Path, text: str) -> None:
    write(tmp_path, load__chat__users=f"{text}\n{USERS}")
    put(tmp_path, "x.csv")

    assert folder(tmp_path) == ("load/chat", "")
