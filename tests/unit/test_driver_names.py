"""Only the drivers and their settings compare driver names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import loadbench
from loadbench.engine.profile.driver_settings import AUTO, SETTINGS

PACKAGE = Path(loadbench.__file__).parent
NAMES = {AUTO, *SETTINGS}
ALLOWED = ("engine/profile/driver_settings.py", "engine/drivers/")


def comparisons(tree: ast.AST) -> Iterator[int]:
    """Yield the line numbers of comparisons with, and matches against, a driver's name."""
    for node in ast.walk(tree):
        match node:
            case ast.Compare(left=left, comparators=others):
                sides: list[ast.expr] = [left, *others]
            case ast.MatchValue(value=value):
                sides = [value]
            case _:
                continue
        for side in sides:
            members = side.elts if isinstance(side, ast.Tuple | ast.List | ast.Set) else [side]
            if any(isinstance(name, ast.Constant) and name.value in NAMES for name in members):
                yield node.lineno


def test_all_forms_of_comparison_are_found() -> None:
    text = (
        'a == "local"\n"auto" != a\na in ("x", "compose")\na not in {"external"}\n'
        'match a:\n    case "x" | "local":\n        pass\na == "x"\nb["local"] == 1\n'
    )
    assert sorted(comparisons(ast.parse(text))) == [1, 2, 3, 4, 6]


def test_no_other_module_compares_driver_names() -> None:
    found = [
        f"{file.relative_to(PACKAGE)}:{line}"
        for file in sorted(PACKAGE.rglob("*.py"))
        if not file.relative_to(PACKAGE).as_posix().startswith(ALLOWED)
        for line in comparisons(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []
