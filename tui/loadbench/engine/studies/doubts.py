"""Reasons why the ranking of a study may not hold."""

from collections.abc import Callable, Mapping

from loadbench.engine.bounds.texts import one_line
from loadbench.engine.hardware.description import docker_host_text, gpu_texts, hardware_line
from loadbench.engine.hardware.revision import revision_text
from loadbench.engine.profile.sections.load import LoadSection
from loadbench.engine.report.recommendation.doubts import MACHINE_KEYS
from loadbench.engine.report.recommendation.subject import listed
from loadbench.engine.run_reader import Run
from loadbench.engine.studies.ranking import Ranking


def doubts(ranking: Ranking) -> tuple[str, ...]:
    """Return the doubts about a ranking, as sentences without a full stop.

    They compare the runs with results. The doubts about each run itself are in its recommendation.
    """
    runs = {member.label: member.run for member, _ in ranking.measured if member.run}
    texts = [
        _differing("machines", runs, machine_text),
        _differing("drivers", runs, _driver) or _differing("targets", runs, _target),
        _differing("locustfiles", runs, _locustfile),
        _differing("Git revisions", runs, _revisions),
        _differing("main requests", runs, _main),
    ]
    texts = [*filter(None, texts), *_load_settings(runs), *_images(runs)]
    texts += [
        f"The results of {one.inner} are suspect"
        for one in ranking.best
        if one.load and one.load.is_suspect
    ]
    texts += [
        f"{one.described} may carry more than {one.load.phrase}, because no load failed"
        for one in ranking.best[1:]
        if one.load and one.found.has_goals and one.configuration.is_lower_bound
    ]
    texts += [
        _remaining(member.label, member.run)
        for member, found in ranking.measured
        if member.run and not found.is_complete
    ]
    return tuple(texts)


def _remaining(label: str, run: Run) -> str:
    remaining, total = len(run.state.outstanding), len(run.state.cells)
    if not remaining:
        return f"The search of {label} is not finished"
    return f"{label} has remaining cells: {remaining} of {total}"


def machine_text(run: Run) -> str:
    """Return what identifies the machine of a run, as text."""
    hardware = run.state.started.hardware if run.state.started else {}
    known = {key: hardware.get(key) for key in MACHINE_KEYS}
    host = docker_host_text(hardware.get("engine"))
    hosts = [f"Docker on {host}"] if host and host != "same machine" else []
    return ", ".join([hardware_line(known), *gpu_texts(hardware.get("gpus")), *hosts]) or "unknown"


def _locustfile(run: Run) -> str:
    return run.state.profile.load.shown_locustfile if run.state.profile else ""


def _revisions(run: Run) -> str:
    revisions = run.state.started.revisions if run.state.started else ()
    return ", ".join(map(revision_text, revisions))


def _target(run: Run) -> str:
    target = run.state.started.target if run.state.started else None
    if target is None:
        return ""
    return ", ".join([target.address, *target.files])


def _driver(run: Run) -> str:
    return run.state.started.driver if run.state.started else ""


_COMPARED_APART = ("locustfile", "main", "environment")
"""Keys of `load` that are compared elsewhere, or whose values may be long."""
MAX_SETTING_CHARACTERS = 60


def _load_settings(runs: Mapping[str, Run]) -> list[str]:
    """Return the keys of the profiles' load, and the run time, whose values differ."""
    names = [key for key in LoadSection.model_fields if key not in _COMPARED_APART]
    readers: dict[str, Callable[[Run], str]] = {f"load.{key}": _setting(key) for key in names}
    readers["run_time"] = lambda run: str(run.state.profile.run_time) if run.state.profile else ""
    return list(filter(None, (_differing(name, runs, of) for name, of in readers.items())))


def _setting(key: str) -> Callable[[Run], str]:
    def of(run: Run) -> str:
        profile = run.state.profile
        value = getattr(profile.load, key) if profile else ""
        return one_line(str(value), MAX_SETTING_CHARACTERS)

    return of


def _main(run: Run) -> str:
    return (run.state.profile.load.main if run.state.profile else None) or "all requests"


def _differing(name: str, runs: Mapping[str, Run], of: Callable[[Run], str]) -> str:
    """Return what differs between the runs, such as `Different drivers: local (a); compose (b)`.

    Args:
        name: What is compared, in the plural.
        runs: The runs by label.
        of: Returns it as text. Empty if it is unknown.
    """
    labels: dict[str, list[str]] = {}
    for label, run in runs.items():
        if value := of(run):
            labels.setdefault(value, []).append(label)
    if len(labels) <= 1:
        return ""
    parts = (f"{value} ({listed(names)})" for value, names in labels.items())
    return f"Different {name}: {'; '.join(parts)}"


def _images(runs: Mapping[str, Run]) -> list[str]:
    """Return the services whose images differ between runs on the same device."""
    digests: dict[tuple[str, str], set[str]] = {}
    for run in runs.values():
        device = run.state.profile.device if run.state.profile else ""
        for service, digest in run.state.images.items():
            digests.setdefault((device, service), set()).add(digest)
    names = dict.fromkeys(service for (_, service), found in digests.items() if len(found) > 1)
    return [f"Different images of {listed(list(names))}"] if names else []
