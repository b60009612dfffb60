"""Findings about the modules, files and variables that locustfiles need when they are imported."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

from loadbench.engine.load.source.findings import SourceFinding, quoted
from loadbench.engine.load.source.folder import MAX_LEVELS, opened_files
from loadbench.engine.load.source.imports import Import, Need, changes_search_path
from loadbench.engine.load.source.modules import Reached, SourceProject, search_path
from loadbench.engine.load.source.parsing import SourceError, calls, constant_text, dotted_text
from loadbench.paths import exists, is_dir, is_file


def module_findings(
    project: SourceProject,
    reached: Mapping[Path, Reached],
    folder: Path,
    variables: Mapping[str, str],
) -> Iterator[SourceFinding]:
    """Yield what is missing when the files are imported.

    Args:
        project: Parses the files.
        reached: The locustfiles, and the files that they import.
        folder: Folder in which Locust runs.
        variables: The environment variables of Locust.
    """
    missing = set[str]()
    is_predictable = not any(_has_own_path(project, file) for file in reached)
    for file, one in reached.items():
        for imported in project.imports(file):
            need = min(imported.need, one.need)
            if need is Need.OPTIONAL or imported.name in missing:
                continue
            if imported.level:
                if file == one.locustfile:
                    yield _relative(file, imported)
                continue
            found = project.find(imported, file, search_path(one.locustfile, folder))
            if not found.is_complete:
                missing.add(imported.name)
                if not is_predictable and _folder_above(file, imported.package):
                    continue  # the file probably adds that folder to its search path
                is_sure = need is Need.ALWAYS and is_predictable
                yield _missing(file, imported, folder, is_sure=is_sure)
        if one.need is Need.ALWAYS:
            yield from _at_import(project, file, folder, variables)


def _has_own_path(project: SourceProject, file: Path) -> bool:
    try:
        return changes_search_path(project.tree(file))
    except SourceError:
        return False


def _relative(file: Path, one: Import) -> SourceFinding:
    name = one.name or one.names[0]
    plain = f"from {one.name} import …" if one.name else f"import {name}"
    text = f"{one.statement}: a locustfile is not part of a package. Write: {plain}"
    return SourceFinding("problem", text, file, one.line)


def _missing(file: Path, one: Import, folder: Path, *, is_sure: bool) -> SourceFinding:
    """Return the finding about a module that is neither installed nor found."""
    name = quoted(one.name)
    above = _folder_above(file, one.package)
    if above and above not in (file.parent, folder):
        text = f"module {name} is in {above}, where Locust does not look. Set load.folder: {above}"
    else:
        text = (
            f"module {name} was not found: it is not installed in the environment of "
            f"loadbench-tui, and not in {folder}"
        )
    return SourceFinding("problem" if is_sure else "warning", text, file, one.line)


def _folder_above(file: Path, module: str) -> Path | None:
    """Return the nearest folder at or above a file that contains a module, or None."""
    folders = list(file.parents)[: 1 + MAX_LEVELS]
    return next(
        (one for one in folders if is_dir(one / module) or is_file(one / f"{module}.py")), None
    )


def _at_import(
    project: SourceProject, file: Path, folder: Path, variables: Mapping[str, str]
) -> Iterator[SourceFinding]:
    """Yield the files and variables that the import of a file needs, and that are missing."""
    try:
        tree = project.tree(file)
    except SourceError:
        return
    plain = (ast.Assign, ast.AnnAssign, ast.Expr, ast.With, ast.For)
    simple = ast.Module([node for node in tree.body if isinstance(node, plain)], [])
    changes_folder = any(dotted_text(call.func) == "os.chdir" for call in calls(tree))
    for opened in opened_files(simple, functions=("open",)) if not changes_folder else ():
        if not exists(folder / opened.path):
            text = f"{quoted(opened.path)} was not found in {folder}, where Locust runs"
            yield SourceFinding("warning", text, file, opened.line)
    for node in ast.walk(simple):
        match node:
            case ast.Subscript(value=value, slice=index, ctx=ast.Load()):
                name = constant_text(index)
                if name and dotted_text(value) == "os.environ" and name not in variables:
                    text = (
                        f"the environment variable {quoted(name)} is not set. Set it, or add it "
                        "to load.environment"
                    )
                    yield SourceFinding("warning", text, file, node.lineno)
