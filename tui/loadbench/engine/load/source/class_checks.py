"""Findings about user classes and load shapes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from loadbench.engine.bounds.loopback import origin_of
from loadbench.engine.load.source.classes import Classes, ClassReader, SourceClass
from loadbench.engine.load.source.findings import (
    FindingLevel,
    SourceFinding,
    listed,
    quoted,
    suggestion,
)
from loadbench.engine.profile.sections.load import LoadSection
from loadbench.engine.profile.values.urls import mask_url


def class_findings(
    classes: Classes,
    reader: ClassReader,
    locustfiles: Sequence[Path],
    load: LoadSection,
    host: str | None,
) -> Iterator[SourceFinding]:
    """Yield missing user classes, load shapes, and hosts that are not used.

    Args:
        classes: The classes in the locustfiles.
        reader: Has read them.
        locustfiles: The locustfiles.
        load: The section `load` of the profile.
        host: The host of the profile, if it has one.
    """
    yield from _no_users(classes, locustfiles)
    for one in classes.shapes:
        text = (
            f"the load shape {one.name} would replace the user counts of the profile. Remove it, "
            "or set abstract = True in it"
        )
        yield SourceFinding("problem", text, one.file, one.line)
    yield from _duplicates(classes.users)
    for key, names in (("user_classes", load.user_classes), ("keep_host", load.keep_host)):
        for name in names:
            yield from _unknown(key, name, classes)
    yield from _hosts(classes, reader, locustfiles, load, host)


def _no_users(classes: Classes, locustfiles: Sequence[Path]) -> Iterator[SourceFinding]:
    if classes.users:
        return
    for one in classes.old:
        text = f"{one.name}: {one.bases[0]} is a class of Locust 0.x. Use HttpUser instead"
        yield SourceFinding("problem", text, one.file, one.line)
    if classes.old:
        return
    hint = "Does it import one?"
    if classes.abstract:
        hint = f"{classes.abstract[0].name} is abstract"
    elif not classes.may_have_others:
        hint = "Define one, such as class MyUser(HttpUser)"
    files = "no class" if len(locustfiles) == 1 else f"no class in {len(locustfiles)} files"
    text = f"{files} derived from HttpUser was found. {hint}"
    level: FindingLevel = "warning" if classes.may_have_others else "problem"
    yield SourceFinding(level, text, locustfiles[0])


def _duplicates(users: Sequence[SourceClass]) -> Iterator[SourceFinding]:
    first: dict[str, SourceClass] = {}
    for one in users:
        known = first.setdefault(one.name, one)
        if known.file != one.file:
            text = f"user class {one.name} is also defined in {known.file}. Rename one of them"
            yield SourceFinding("problem", text, one.file, one.line)


def _unknown(key: str, name: str, classes: Classes) -> Iterator[SourceFinding]:
    """Yield the finding about a name in the profile that is no user class."""
    names = [one.name for one in classes.users]
    if name in (*names, *classes.imported, *classes.renamed):
        return
    if name in [one.name for one in classes.abstract]:
        text = f"load.{key}: {quoted(name)} is abstract, so Locust starts no users of it"
        yield SourceFinding("problem", text)
        return
    there = f"User classes: {listed(names)}" if names else "The locustfile defines none"
    hint = suggestion(name, names)
    text = f"load.{key}: there is no user class {quoted(name)}{hint or '.'} {there}"
    yield SourceFinding("warning" if classes.is_open or classes.is_dynamic else "problem", text)


def _hosts(
    classes: Classes,
    reader: ClassReader,
    locustfiles: Sequence[Path],
    load: LoadSection,
    host: str | None,
) -> Iterator[SourceFinding]:
    """Yield the hosts of user classes that the host of the profile replaces."""
    used = [one for one in classes.users if not load.user_classes or one.name in load.user_classes]
    replaced: dict[SourceClass, list[str]] = defaultdict(list)
    for one in used:
        if one.name not in load.keep_host:
            setting = next(
                (found for file in locustfiles if (found := reader.host_of(one, file))), None
            )
            if setting:
                replaced[setting].append(one.name)
    for setting, names in replaced.items():
        own = setting.host or ""
        if own and host and origin_of(own) == origin_of(host):
            continue
        shown = f" {quoted(mask_url(own))}" if own else ""
        target = f"{mask_url(host)}, the host of the profile" if host else "the service under test"
        text = (
            f"the host{shown} of {listed(names)} is not used: requests go to {target}. To keep it, "
            f"set load.keep_host: [{listed(names)}]"
        )
        yield SourceFinding("warning", text, setting.file, setting.host_line)
