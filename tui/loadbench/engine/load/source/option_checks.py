"""Findings about command-line options and tags."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from loadbench.engine.load.source.findings import SourceFinding, listed, quoted, suggestion
from loadbench.engine.load.source.options import DeclaredOption
from loadbench.engine.profile.sections.load import LoadSection
from loadbench.engine.profile.sections.locust_options import PASSED_ON, option_key


def option_findings(
    load: LoadSection, declared: Sequence[DeclaredOption], variables: Mapping[str, str]
) -> Iterator[SourceFinding]:
    """Yield options that are unknown, missing, or have a value that is not allowed.

    Args:
        load: The section `load` of the profile.
        declared: The options that the locustfiles add.
        variables: The environment variables of Locust.
    """
    given = {option_key(name): value for name, value in load.options.items()}
    known = [name for option in declared for name in option.names]
    is_open = any(not option.names for option in declared)
    keys = {option_key(name) for name in (*known, *PASSED_ON)}
    for name in given:
        if name not in keys and not is_open:
            text = (
                f"load.options: no locustfile adds the option {quoted(name)}, and Locust has none"
                f"{suggestion(name, [*known, *PASSED_ON])}"
            )
            yield SourceFinding("warning", text)
    for option in declared:
        values = [given[key] for key in map(option_key, option.names) if key in given]
        is_set = bool(values) or option.variable in variables
        if option.is_required and option.names and not is_set:
            yield _required(option)
        for value in values if option.choices else ():
            if value not in option.choices and "${" not in value:
                text = (
                    f"load.options: {quoted(option.names[0])} must be one of "
                    f"{listed(option.choices)}, got {quoted(value)}"
                )
                yield SourceFinding("problem", text)


def _required(option: DeclaredOption) -> SourceFinding:
    name = quoted(option.names[0])
    choices = f", one of {listed(option.choices)}" if option.choices else ""
    variable = f", or the environment variable {option.variable}" if option.variable else ""
    written = quoted(option.written)
    text = f"the option {written} is required. Set load.options: {{{name}: …}}{choices}{variable}"
    return SourceFinding("problem", text, option.file, option.line)


def tag_findings(load: LoadSection, tags: Collection[str]) -> Iterator[SourceFinding]:
    """Yield tags of the profile that no task has.

    Args:
        load: The section `load` of the profile.
        tags: The tags in the locustfiles.
    """
    for key, names in (("load.tags", load.tags), ("load.exclude_tags", load.exclude_tags)):
        for name in names:
            if name not in tags:
                there = f"Tags: {listed(sorted(tags))}" if tags else "The locustfile has no @tag"
                text = f"{key}: no task has the tag {quoted(name)}{suggestion(name, tags)}. {there}"
                yield SourceFinding("warning", text.replace("?.", "?"))
