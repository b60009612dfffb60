"""The shape of the code: no circles, files and folders that can be taken in, one name a type."""

import ast
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

from tests.support.harness import REPOSITORY

PACKAGE = REPOSITORY / "tui" / "loadbench"
MAX_LINES = 350
MAX_MODULES = 16
LONG = {
    PACKAGE / "engine" / "journal" / "events.py",
    PACKAGE / "ui" / "terminal" / "cell_diff.py",
}
"""The vocabulary of a journal, and a work-around for Textual that is to go as a whole."""


def circle_in(package: str) -> list[str]:
    """Return modules that import each other in a circle, if for types alone; none: no circle."""
    graph = grimp.build_graph(package, cache_dir=None, exclude_type_checking_imports=False)
    imports = {it: graph.find_modules_directly_imported_by(it) for it in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def too_long(files: Iterable[Path]) -> list[str]:
    return [
        f"{file.name}: {lines}"
        for file in files
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    ]


def too_full(folders: Iterable[Path]) -> list[str]:
    counts = {folder: len(list(folder.glob("*.py"))) for folder in folders}
    return [f"{folder.name}: {count}" for folder, count in counts.items() if count > MAX_MODULES]


def classes_asked_for(source: str) -> set[str]:
    """Return the classes that a module tests values for."""
    calls = (it for it in ast.walk(ast.parse(source)) if isinstance(it, ast.Call))
    asked = (it.args[1] for it in calls if ast.unparse(it.func) == "isinstance")
    return {ast.unparse(it).rpartition(".")[2] for it in asked}


def type_names(file: Path) -> Iterator[str]:
    """Yield the classes of a module, and its aliases that are named like classes."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name[0].isupper() and any(map(str.islower, name)) and len(name) > 1:
                yield name


def twice(files: Iterable[Path]) -> list[str]:
    counts = Counter(name for file in files for name in type_names(file))
    return [name for name, count in counts.items() if count > 1]


def test_modules_import_each_other_in_no_circle() -> None:
    assert circle_in("loadbench") == []


def test_files_can_be_taken_in() -> None:
    assert too_long(it for it in PACKAGE.rglob("*.py") if it not in LONG) == []


def test_folders_can_be_taken_in() -> None:
    assert too_full({it.parent for it in PACKAGE.rglob("*.py")}) == []


def test_screens_are_known_by_messages_and_not_by_their_classes() -> None:
    source = (PACKAGE / "ui" / "app.py").read_text(encoding="utf-8")
    assert "isinstance" not in source
    base = (PACKAGE / "ui" / "app_base.py").read_text(encoding="utf-8")
    assert classes_asked_for(base) == {"Request", "NoMatches", "InputEvent"}


def test_every_type_has_a_name_of_its_own() -> None:
    assert twice(PACKAGE.rglob("*.py")) == []


def test_every_package_says_what_it_holds() -> None:
    for file in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file


def test_what_is_planted_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A circle for types alone, a long file, a full folder and a name that is taken."""
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "__init__.py").write_text("")
    (planted / "one.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from planted.two import Two\n"
        "class Shared: ...\n"
    )
    (planted / "two.py").write_text("from planted.one import Shared\nShared = Two = Shared\n")
    (planted / "long.py").write_text("x = 1\n" * (MAX_LINES + 1))
    monkeypatch.syspath_prepend(str(tmp_path))

    assert set(circle_in("planted")) == {"planted.one", "planted.two"}
    assert too_long(planted.glob("*.py")) == [f"long.py: {MAX_LINES + 1}"]
    assert twice(planted.glob("*.py")) == ["Shared"]
    for number in range(MAX_MODULES):
        (planted / f"more_{number}.py").write_text("")
    assert too_full([planted]) == [f"planted: {MAX_MODULES + 4}"]
    assert "planted" not in sys.modules
