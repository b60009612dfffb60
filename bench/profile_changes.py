"""Changes of the values of generated profile files, for `bench.profile_edits` and its test."""

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from bench.profile_texts import ENVIRONMENT, GOALS, KEYS, LIMITS, LISTS, SCALARS, TEXTS


def random_changes(random: Random, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return new values for one to four keys.

    Args:
        random: The source of randomness.
        values: The values of the file by dotted key; lists change in part.
    """
    return {
        key: _new_value(random, key, values.get(key))
        for key in random.sample(KEYS, random.randint(1, 4))
    }


def _new_value(random: Random, key: str, old: Any) -> Any:
    if key in SCALARS:
        return random.choice(SCALARS[key])
    if key == ENVIRONMENT:
        entries = dict(old) if isinstance(old, dict) else {}
        for name in list(entries):
            if random.random() < 0.3:
                del entries[name]
        for name in random.sample(("A", "NEW", "x y", "1"), random.randint(0, 2)):
            entries[name] = random.choice(TEXTS)
        return entries
    if key in GOALS:
        return _new_goals(random, dict(old) if isinstance(old, dict) else {})
    items = list(old) if isinstance(old, list) else []
    edits: tuple[Callable[[], object], ...] = (
        lambda: items.append(random.choice(LISTS[key])),
        lambda: items.insert(0, random.choice(LISTS[key])),
        lambda: items and items.pop(random.randrange(len(items))),
        lambda: items and items.__setitem__(-1, random.choice(LISTS[key])),
        lambda: items.insert(len(items) // 2, random.choice(LISTS[key])),
        items.reverse,
    )
    for _ in range(random.randint(1, 3)):
        random.choice(edits)()
    return items


def _new_goals(random: Random, goals: dict[str, Any]) -> dict[str, Any]:
    """Return goals with other limits and names."""
    for name in list(goals):
        if random.random() < 0.2 or not isinstance(goals[name], dict):
            del goals[name]
        elif random.random() < 0.5:
            kept = {key: limit for key, limit in goals[name].items() if random.random() < 0.7}
            goals[name] = {**kept, **_new_limits(random)}
    for name in random.sample(("GET /new", "x, y", "# token"), random.randint(0, 2)):
        goals[name] = _new_limits(random)
    return goals


def _new_limits(random: Random) -> dict[str, Any]:
    keys = random.sample(list(LIMITS), random.randint(1, 2))
    return {key: random.choice(LIMITS[key]) for key in keys}
