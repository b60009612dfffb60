"""What differs between two runs, other than their results."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any

from loadbench.engine.bounds.texts import one_line
from loadbench.engine.comparison.model import Area, Difference
from loadbench.engine.hardware.description import hardware_facts
from loadbench.engine.hardware.revision import revision_text
from loadbench.engine.profile.changes import changed_values
from loadbench.engine.profile.values.secrets import masked_data
from loadbench.engine.run_reader import Run

NONE = "none"
"""Text of a value that a run does not have."""
MAX_CHARACTERS = 120
"""Maximum length of a value."""
_DIGEST_CHARACTERS = 12
"""Number of characters of a digest that are shown, as by `docker images`."""

_Facts = Iterable[tuple[str, str]]


def differences_between(before: Run, after: Run) -> tuple[Difference, ...]:
    """Return what differs between two runs, by area.

    Secret values are masked, as in the journal, so a difference between them is not found.
    """
    areas = {
        Area.HARDWARE: _changed(_hardware(before), _hardware(after)),
        Area.VERSIONS: _changed(_versions(before), _versions(after)),
        Area.PROFILE: _profile(before, after),
        Area.IMAGES: _changed(_images(before), _images(after)),
        Area.REVISIONS: _changed(_revisions(before), _revisions(after)),
        Area.TARGET: _changed(_target(before), _target(after)),
    }
    return tuple(
        Difference(area=area, name=_short(name), before=_short(old), after=_short(new))
        for area, changed in areas.items()
        for name, old, new in changed
    )


def _changed(before: _Facts, after: _Facts) -> Iterator[tuple[str, str, str]]:
    """Yield the names of facts that differ, with both values. Several with one name are joined."""
    old, new = _joined(before), _joined(after)
    for name in {**old, **new}:
        pair = old.get(name, NONE), new.get(name, NONE)
        if pair[0] != pair[1]:
            yield name, *pair


def _joined(facts: _Facts) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in facts:
        values.setdefault(name, []).append(value)
    return {name: ", ".join(found) for name, found in values.items()}


def _hardware(run: Run) -> _Facts:
    return hardware_facts(run.state.started.hardware) if run.state.started else ()


def _versions(run: Run) -> _Facts:
    return run.state.started.versions.items() if run.state.started else ()


def _profile(before: Run, after: Run) -> Iterator[tuple[str, str, str]]:
    old, new = before.state.profile, after.state.profile
    if old and new:
        masked = masked_data(old.resolved()), masked_data(new.resolved())
        for key, was, now in changed_values(*masked):
            yield key, _value_text(was), _value_text(now)


def _value_text(value: Any) -> str:
    """Return a value of a profile as text, about as in its file."""
    match value:
        case None:
            return NONE
        case bool():
            return str(value).lower()
        case list():
            return ", ".join(map(_value_text, value)) or NONE
        case dict():
            return ", ".join(f"{key}: {_value_text(one)}" for key, one in value.items()) or NONE
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _images(run: Run) -> _Facts:
    images: Mapping[str, str] = run.state.images
    return [
        (service, digest.removeprefix("sha256:")[:_DIGEST_CHARACTERS])
        for service, digest in images.items()
    ]


def _revisions(run: Run) -> _Facts:
    """Return the revisions by the name of the folder, which may be elsewhere in the other run."""
    revisions = run.state.started.revisions if run.state.started else ()
    return [(PurePath(one.folder).name or one.folder, revision_text(one)) for one in revisions]


def _target(run: Run) -> _Facts:
    started = run.state.started
    if started is None:
        return ()
    facts = [("driver", started.driver)]
    if started.target:
        facts += [("address", started.target.address)]
        facts += [("compose file", file) for file in started.target.files]
    return facts


def _short(text: str) -> str:
    return one_line(text, MAX_CHARACTERS)
