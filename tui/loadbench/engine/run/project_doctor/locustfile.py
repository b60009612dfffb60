"""Checks a locustfile without executing it."""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from loadbench.engine.bounds.files import read_file
from loadbench.engine.bounds.parsing import BadInputError
from loadbench.engine.run.doctor import Check
from loadbench.paths import exists, is_dir

MAX_BYTES = 1_000_000
_MAX_LEVELS = 3
"""Number of folders above a locustfile in which its modules are looked for."""

_OLD_CLASSES = ("HttpLocust", "Locust")


def locustfile_checks(path: Path) -> list[Check]:
    """Check that a locustfile is valid Python and defines users, without importing it."""
    subject = "locustfile"
    try:
        data = read_file(path, max_bytes=MAX_BYTES)
        tree = ast.parse(data, str(path))
    except FileNotFoundError:
        text = f"load.locustfile: file not found: {path}. Paths are relative to the workspace"
        return [Check("problem", subject, text)]
    except OSError as error:
        return [Check("problem", subject, f"{path}: {error.strerror or error}")]
    except BadInputError as error:
        return [Check("problem", subject, f"{path}: {error}")]
    except SyntaxError as error:
        return [Check("problem", subject, f"{path}:{error.lineno or 1}: {error.msg}")]
    except (ValueError, RecursionError, MemoryError):
        return [Check("problem", subject, f"{path}: not a Python file")]
    found = [_classes(path, tree)]
    not_installed = []
    for name in sorted(_missing_modules(path, tree)):
        if folder := _folder_above(path, name):
            text = f"module {name} is in {folder}, where Locust does not look. To add it to its "
            found.append(Check("warning", subject, f"{text}search path: PYTHONPATH={folder}"))
        else:
            not_installed.append(name)
    if not_installed:
        text = f"modules that are not installed: {', '.join(not_installed)}. Install them in the "
        found.append(Check("warning", subject, f"{text}environment of loadbench-tui"))
    return found


def user_classes(tree: ast.Module) -> list[str]:
    """Return the names of the user classes of a locustfile that are not abstract."""
    names: set[str] = set()
    found = []
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        bases = {ast.unparse(base).rpartition(".")[2] for base in node.bases}
        if bases & names or any(base.endswith("User") for base in bases):
            names.add(node.name)
            if not any(_is_abstract(inner) for inner in node.body):
                found.append(node.name)
    return found


def _classes(path: Path, tree: ast.Module) -> Check:
    if users := user_classes(tree):
        return Check("ok", "locustfile", f"{path}, users: {', '.join(users)}")
    bases = {
        ast.unparse(base).rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for base in node.bases
    }
    if old := sorted(bases & set(_OLD_CLASSES)):
        text = f"{path}: {old[0]} is a class of Locust 0.x. Use HttpUser instead"
        return Check("problem", "locustfile", text)
    text = f"{path}: no class derived from HttpUser was found. Does it import one?"
    return Check("warning", "locustfile", text)


def _is_abstract(node: ast.stmt) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id="abstract")], value=ast.Constant(value=True)):
            return True
        case _:
            return False


def _missing_modules(path: Path, tree: ast.Module) -> Iterator[str]:
    """Yield the modules that the file imports but that are neither installed nor next to it."""
    names = set[str]()
    for node in tree.body:
        match node:
            case ast.Import(names=imported):
                names |= {one.name.partition(".")[0] for one in imported}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module.partition(".")[0])
    for name in names:
        is_local = exists(path.parent / name) or exists(path.parent / f"{name}.py")
        if not is_local and not _is_installed(name):
            yield name


def _folder_above(path: Path, module: str) -> Path | None:
    """Return the folder above a locustfile that contains a module, or None."""
    folders = list(path.parents)[1 : 1 + _MAX_LEVELS]
    return next((one for one in folders if is_dir(one / module)), None)


def _is_installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False
