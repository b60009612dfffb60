"""Only the drivers and their settings know drivers by name; all others ask for what differs."""

import ast
from collections.abc import Iterator
from pathlib import Path

import loadbench
from loadbench.engine.profile.driver_settings import AUTO, SETTINGS

PACKAGE = Path(loadbench.__file__).parent
NAMES = {AUTO, *SETTINGS}
MAY_KNOW = ("engine/profile/driver_settings.py", "engine/drivers/")


def compared(tree: ast.AST) -> Iterator[int]:
    """Return the lines in which something is compared with, or matched against, a driver's name."""
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
            if any(isinstance(it, ast.Constant) and it.value in NAMES for it in members):
                yield node.lineno


def test_a_comparison_is_found_however_it_is_written() -> None:
    text = (
        'a == "local"\n"auto" != a\na in ("x", "compose")\na not in {"external"}\n'
        'match a:\n    case "x" | "local":\n        pass\na == "x"\nb["local"] == 1\n'
    )
    assert sorted(compared(ast.parse(text))) == [1, 2, 3, 4, 6]


def test_nobody_else_compares_the_names_of_drivers() -> None:
    found = [
        f"{file.relative_to(PACKAGE)}:{line}"
        for file in sorted(PACKAGE.rglob("*.py"))
        if not file.relative_to(PACKAGE).as_posix().startswith(MAY_KNOW)
        for line in compared(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []
