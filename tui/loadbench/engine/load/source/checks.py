"""Findings about the locustfiles of a profile, from their text."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loadbench.engine.bounds.loopback import origin_of
from loadbench.engine.load.source.class_checks import class_findings
from loadbench.engine.load.source.classes import ClassReader, tags_of
from loadbench.engine.load.source.files import Locustfiles
from loadbench.engine.load.source.findings import FindingLevel, SourceFinding, quoted
from loadbench.engine.load.source.module_checks import module_findings
from loadbench.engine.load.source.modules import SourceProject
from loadbench.engine.load.source.option_checks import option_findings, tag_findings
from loadbench.engine.load.source.options import DeclaredOption, declared_options
from loadbench.engine.load.source.parsing import SourceError
from loadbench.engine.load.source.urls import AbsoluteUrl, absolute_urls
from loadbench.engine.profile.sections.load import LoadSection
from loadbench.engine.profile.sections.locust_options import passed_variables
from loadbench.engine.profile.values.urls import mask_url

MAX_FINDINGS = 20
"""Maximum number of findings of a level that are listed."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What the text of locustfiles shows."""

    users: tuple[str, ...]
    """The names of the user classes that are not abstract."""
    findings: tuple[SourceFinding, ...]
    """In the order of the files and lines; those about keys of the profile are last."""

    def listed(self, level: FindingLevel) -> list[SourceFinding]:
        """Return the findings of a level; of many, the first ones and their number."""
        found = [one for one in self.findings if one.level == level]
        more = len(found) - MAX_FINDINGS
        kept = found[:MAX_FINDINGS]
        return [*kept, SourceFinding(level, f"and {more} more")] if more > 0 else kept


def check_locustfiles(found: Locustfiles, load: LoadSection, host: str | None) -> SourceReport:
    """Check the locustfiles of a profile. Nothing in them is executed.

    Args:
        found: The locustfiles.
        load: The section `load` of the profile.
        host: The host of the profile. None if the service gets its address when it starts.
    """
    project = SourceProject(load.environment)
    broken = list(_broken(project, found.paths))
    if broken:
        return SourceReport((), tuple(broken))
    reached = project.reached(found.paths, found.folder)
    variables = passed_variables(os.environ, load.environment)
    reader = ClassReader(project, found.folder)
    classes = reader.read(found.paths)
    findings = [
        *class_findings(classes, reader, found.paths, load, host),
        *module_findings(project, reached, found.folder, variables),
    ]
    tags, has_other_tags = set[str](), False
    options: list[DeclaredOption] = []
    for file in reached:
        try:
            tree = project.tree(file)
        except SourceError as error:
            text = f"{error}. It is imported by {reached[file].locustfile}"
            findings.append(SourceFinding("problem", text, file, error.line))
            continue
        more, is_open = tags_of(tree)
        tags, has_other_tags = tags | more, has_other_tags or is_open
        options += declared_options(file, tree)
        findings += _bypasses(file, list(absolute_urls(tree)), host)
    findings += option_findings(load, options, variables)
    if not has_other_tags:
        findings += tag_findings(load, tags)
    order = {file: index for index, file in enumerate(reached)}
    findings.sort(key=lambda one: (order.get(one.file, len(order)) if one.file else 1e9, one.line))
    return SourceReport(tuple(one.name for one in classes.users), tuple(findings))


def _broken(project: SourceProject, files: tuple[Path, ...]) -> Iterator[SourceFinding]:
    """Yield the locustfiles that are no valid Python."""
    for file in files:
        try:
            project.tree(file)
        except SourceError as error:
            yield SourceFinding("problem", str(error), file, error.line)


def _bypasses(file: Path, urls: list[AbsoluteUrl], host: str | None) -> Iterator[SourceFinding]:
    """Yield one finding for each origin other than the host, with its first line."""
    target = origin_of(host) if host else ""
    first: dict[str, AbsoluteUrl] = {}
    for url in urls:
        if not url.origin or url.origin != target:
            first.setdefault(url.origin or url.start, url)
    for url in first.values():
        shown = quoted(mask_url(url.start))
        text = f'requests to {shown} bypass host. Use a path, such as self.client.get("/path")'
        yield SourceFinding("warning", text, file, url.line)
