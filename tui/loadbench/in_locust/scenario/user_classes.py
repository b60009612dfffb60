"""Selects the user classes of a run, and their hosts."""

from typing import Any

from locust.env import Environment

from loadbench.in_locust.replicas import Replicas
from loadbench.in_locust.scenario.status import Status
from loadbench.in_locust.scenario.userfile import fail
from loadbench.in_locust.settings import ScenarioSettings


def drop_without_tasks(environment: Environment, status: Status) -> None:
    """Apply the tags, and leave out user classes without tasks. Call this before the first test.

    Locust applies the tags before the first test; users of a class without tasks fail forever.
    """
    classes = environment.user_classes
    before = {one: list(one.tasks) for one in classes}
    tags = sorted({tag for one in before.values() for task in one for tag in _tags(task)})
    environment._filter_tasks_by_tags()  # noqa: SLF001  # no public access
    if not any(one.tasks for one in classes) and any(before.values()):
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


def separate_hosts(
    environment: Environment, scenario: ScenarioSettings, replicas: Replicas, status: Status
) -> dict[str, str]:
    """Keep the hosts of some user classes. Call this after all init listeners, which may set them.

    Returns:
        The hosts that other user classes set, by the name of the class.
    """
    # Locust declares the values as users instead of classes.
    available: Any = environment.available_user_classes or {}
    used = {name: one for name, one in available.items() if one in environment.user_classes}
    kept = {name: one for name, one in used.items() if name in scenario.keep_host}
    for name, one in kept.items():
        if not _host(one):
            fail(status, f"load.keep_host: user class {name} has no host as a text")
    replicas.keep = {one: _host(one) for one in kept.values()}
    return {name: _host(one) for name, one in used.items() if name not in kept and _host(one)}


def _host(user_class: Any) -> str:
    """Return the host that a user class sets as a text. Empty if it sets none."""
    return user_class.host if isinstance(user_class.host, str) else ""


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
