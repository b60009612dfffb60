"""Structure of the code: no import cycles, limited file and folder sizes, unique type names."""

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
EXEMPT = {
    PACKAGE / "engine" / "journal" / "events.py",
    PACKAGE / "ui" / "terminal" / "cell_diff.py",
}
"""Files that may exceed the limit: all journal events, and a self-contained work-around."""


def import_cycle(package: str) -> list[str]:
    """Return the modules of an import cycle, including type-checking imports; empty if none."""
    graph = grimp.build_graph(package, cache_dir=None, exclude_type_checking_imports=False)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def long_files(files: Iterable[Path]) -> list[str]:
    return [
        f"{file.name}: {lines}"
        for file in files
        if (lines := len(file.read_text(encoding="utf-8").splitlines())) > MAX_LINES
    ]


def full_folders(folders: Iterable[Path]) -> list[str]:
    counts = {folder: len(list(folder.glob("*.py"))) for folder in folders}
    return [f"{folder.name}: {count}" for folder, count in counts.items() if count > MAX_MODULES]


def isinstance_classes(source: str) -> set[str]:
    """Return the classes that a module passes to `isinstance`."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    classes = (call.args[1] for call in calls if ast.unparse(call.func) == "isinstance")
    return {ast.unparse(node).rpartition(".")[2] for node in classes}


def type_names(file: Path) -> Iterator[str]:
    """Yield the names of a module's classes and type aliases."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name[0].isupper() and any(map(str.islower, name)) and len(name) > 1:
                yield name


def duplicate_types(files: Iterable[Path]) -> list[str]:
    counts = Counter(name for file in files for name in type_names(file))
    return [name for name, count in counts.items() if count > 1]


def test_package_has_no_import_cycle() -> None:
    assert import_cycle("loadbench") == []


def test_files_do_not_exceed_the_line_limit() -> None:
    assert long_files(file for file in PACKAGE.rglob("*.py") if file not in EXEMPT) == []


def test_folders_do_not_exceed_the_module_limit() -> None:
    assert full_folders({file.parent for file in PACKAGE.rglob("*.py")}) == []


def test_app_does_not_depend_on_screen_classes() -> None:
    source = (PACKAGE / "ui" / "app.py").read_text(encoding="utf-8")
    assert "isinstance" not in source
    base = (PACKAGE / "ui" / "app_base.py").read_text(encoding="utf-8")
    handled = {"BaseScreen", "InputEvent", "Key", "NoMatches", "Request"}
    assert isinstance_classes(base) == handled


def test_type_names_are_unique() -> None:
    assert duplicate_types(PACKAGE.rglob("*.py")) == []


def test_every_package_has_a_docstring() -> None:
    for file in PACKAGE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), file


def test_checks_find_planted_violations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a type-checking import cycle, a long file, a full folder and a duplicate type."""
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

    assert set(import_cycle("planted")) == {"planted.one", "planted.two"}
    assert long_files(planted.glob("*.py")) == [f"long.py: {MAX_LINES + 1}"]
    assert duplicate_types(planted.glob("*.py")) == ["Shared"]
    for number in range(MAX_MODULES):
        (planted / f"more_{number}.py").write_text("")
    assert full_folders([planted]) == [f"planted: {MAX_MODULES + 4}"]
    assert "planted" not in sys.modules
