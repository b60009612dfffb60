"""The main request of a profile: the name that tables, bottleneck and recommendation speak of."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from loadbench.engine.journal.events import CellFinished, EarlyFailures, Requests, Stages
from loadbench.engine.journal.request_names import is_named, joined_name
from loadbench.engine.measure.buckets import num_successes
from loadbench.engine.profile.model import Profile


def full_name(requests: Requests | EarlyFailures) -> str:
    """Return method and name of requests, such as `POST /predict`."""
    return joined_name(requests.method, requests.name)


def main_of(profile: Profile | None) -> str | None:
    """Return the name of the main requests of a profile. None: all requests."""
    return profile.load.main if profile else None


def of_name(requests: Iterable[Requests], name: str | None) -> tuple[Requests, ...]:
    """Return the requests with a name.

    Args:
        requests: Requests by method and name.
        name: Method and name, such as `POST /predict`, or a name of any method. None: all requests.
    """
    return tuple(one for one in requests if is_named(one.method, one.name, name))


def results_of_name(finished: CellFinished, name: str | None) -> CellFinished:
    """Return the results of a cell as if it had only the requests with a name.

    Requests, completed requests and stages are those of the name. All others, such as conditions
    and aborted requests, are those of the whole cell.

    Args:
        finished: The results.
        name: As for `of_name`. None: all requests.
    """
    if name is None:
        return finished
    requests = of_name(finished.requests, name)
    if len(requests) == len(finished.requests):
        return finished
    return replace(
        finished,
        requests=requests,
        completed=num_completed(requests),
        stages=total_stages(requests),
    )


def stages_of_name(requests: Sequence[Requests], total: Stages, name: str | None) -> Stages:
    """Return the stages of the requests with a name.

    Args:
        requests: All requests.
        total: The stages of all requests.
        name: As for `of_name`. None: all requests.
    """
    named = of_name(requests, name)
    return total if len(named) == len(requests) else total_stages(named)


def total_stages(requests: Iterable[Requests]) -> Stages:
    """Return the sum of the stages of several names."""
    known = [one.stages for one in requests if one.stages]
    return Stages(
        count=sum(one.count for one in known),
        latency_ms=sum(one.latency_ms for one in known),
        total_ms=sum(one.total_ms for one in known),
        queue_ms=sum(one.queue_ms for one in known),
        decode_ms=sum(one.decode_ms for one in known),
        infer_ms=sum(one.infer_ms for one in known),
    )


def num_completed(requests: Iterable[Requests]) -> int:
    """Return the number of successful responses within the window, whenever the request started.

    Earlier versions recorded the number only for all names together. Within a steady window, as
    many requests end as start, so the successes are counted instead.
    """
    return sum(num_successes([one]) if one.completed is None else one.completed for one in requests)
