"""Places of the user's own code in tracebacks."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pytest

from loadbench import workspace
from loadbench.in_locust.scenario.places import UserCode

CODE = """
import json, os
def parse():
    return json.loads("{")
def variable():
    return os.environ["LOADBENCH_TEST_NOT_SET"]
def own():
    raise ValueError("x")
"""


def functions(file: Path) -> dict[str, Callable[[], object]]:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(CODE)
    names: dict[str, Callable[[], object]] = {}
    exec(compile(CODE, str(file), "exec"), names)  # as an import would
    return names


def trace_of(function: Callable[[], object]) -> TracebackType | None:
    try:
        function()
    except Exception as error:  # noqa: BLE001  # of any type
        return error.__traceback__
    raise AssertionError("no exception")


@pytest.mark.parametrize(("name", "line"), [("parse", 4), ("variable", 6), ("own", 8)])
def test_the_place_is_the_users_own_line(tmp_path: Path, name: str, line: int) -> None:
    file = tmp_path / "load" / "user.py"
    code, function = UserCode([str(file)]), functions(file)[name]

    place = code.place_of_error(trace_of(function), absolute=True)

    assert place == f"{file}:{line} in {name}"


def test_a_place_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "load" / "user.py"
    code, function = UserCode([str(file)]), functions(file)["own"]
    trace = trace_of(function)

    monkeypatch.chdir(tmp_path)
    assert code.place_of_error(trace) == "load/user.py:8 in own"
    monkeypatch.chdir(tmp_path / "load")
    assert code.place_of_error(trace) == "user.py:8 in own"
    monkeypatch.chdir("/")
    assert code.place_of_error(trace) == f"{str(file).lstrip('/')}:8 in own"


@pytest.mark.parametrize(
    ("file", "is_own"),
    [
        ("helpers.py", True),
        (".venv/lib/python3.11/site-packages/requests/api.py", False),
        ("env/lib/python3/dist-packages/yaml.py", False),
    ],
)
def test_packages_below_the_users_folder_are_libraries(
    tmp_path: Path, file: str, is_own: bool
) -> None:
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert UserCode([]).contains(str(path)) is is_own


@pytest.mark.parametrize(
    "file",
    [
        "<frozen os>",
        "<string>",
        "src/gevent/greenlet.py",
        json.__file__,
        os.__file__,
        workspace.__file__,
    ],
)
def test_libraries_are_not_the_users(file: str | None) -> None:
    assert file is not None
    assert not UserCode([]).contains(file)


def test_a_locustfile_is_the_users_wherever_it_is(tmp_path: Path) -> None:
    file = str(tmp_path / "site-packages" / "locustfile.py")
    Path(file).parent.mkdir()
    Path(file).touch()

    assert UserCode([file]).contains(file)
    assert not UserCode([]).contains(file)


def test_an_exception_of_a_library_has_no_place() -> None:
    code = UserCode([])
    trace = trace_of(lambda: json.loads("{"))

    assert trace is not None
    assert code.place_of_error(trace.tb_next and trace.tb_next.tb_next) == ""


def test_the_place_in_a_stack_is_the_innermost(tmp_path: Path) -> None:
    file = tmp_path / "user.py"
    names: dict[str, Callable[[], object]] = {}
    text = "import sys\ndef outer(): return inner()\ndef inner(): return sys._getframe()\n"
    file.write_text(text)
    exec(compile(text, str(file), "exec"), names)  # as an import would

    frame = names["outer"]()

    assert isinstance(frame, type(sys._getframe()))
    assert UserCode([str(file)]).place_in_stack(frame).endswith("user.py:3 in inner")
