"""Selects the user classes of a run, and their hosts."""

from typing import Any

from locust.env import Environment

from loadbench.in_locust.replicas import Replicas
from loadbench.in_locust.scenario.status import Status
from loadbench.in_locust.scenario.userfile import fail
from loadbench.in_locust.settings import ScenarioSettings


def select(
    environment: Environment, scenario: ScenarioSettings, replicas: Replicas, status: Status
) -> None:
    """Apply tags and hosts to the user classes. Call this before the first test."""
    classes = environment.user_classes
    replicas.keep = {
        one: str(one.host) for one in classes if one.host and one.__name__ in scenario.keep_host
    }
    # Locust would do it before the first test. Users of a class without tasks would fail forever.
    before = {one: list(one.tasks) for one in classes}
    environment._filter_tasks_by_tags()  # noqa: SLF001  # no public access
    if not any(one.tasks for one in classes) and any(before.values()):
        tags = sorted({tag for one in before.values() for task in one for tag in _tags(task)})
        known = f"The locustfile has the tags {', '.join(tags)}" if tags else "It has no tags"
        fail(status, f"load.tags, load.exclude_tags: no task is left. {known}")
    empty = [one for one in classes if before[one] and not one.tasks]
    environment.user_classes = [one for one in classes if one not in empty]
    status.send(
        notes=[
            f"user class {one.__name__} gets no users, because load.tags or load.exclude_tags "
            "leave none of its tasks"
            for one in empty
        ]
    )


def hosts(environment: Environment, scenario: ScenarioSettings) -> dict[str, str]:
    """Return the hosts that user classes set but do not keep, by the name of the class."""
    return {
        one.__name__: str(one.host)
        for one in environment.user_classes
        if one.host and one.__name__ not in scenario.keep_host
    }


def counts(environment: Environment) -> list[dict[str, Any]]:
    """Return the current number of users of each class, as the fields of one `UserClass`."""
    assert environment.runner is not None
    running = environment.runner.user_classes_count
    return [
        {"name": one.__name__, "users": running.get(one.__name__, 0), "fixed": one.fixed_count}
        for one in environment.user_classes
    ]


def _tags(task: Any) -> set[str]:
    """Return the tags of a task and of all tasks inside it."""
    inner = getattr(task, "tasks", None) or ()
    return set(getattr(task, "locust_tag_set", ())).union(*map(_tags, inner))
