"""Rules about requests of several kinds, whose total describes none of them."""

import json
from collections.abc import Iterable

from loadbench.engine.bounds.texts import shortened
from loadbench.engine.journal.events import Requests
from loadbench.engine.journal.request_names import OTHER_REQUESTS
from loadbench.engine.measure.buckets import count, has_enough_samples, num_requests, percentile
from loadbench.engine.measure.limits import MAX_MEDIAN_RATIO
from loadbench.engine.measure.main_request import full_name
from loadbench.engine.measure.rules.case import Case, Violation
from loadbench.engine.numbers import number

MAX_NAMES = 5
"""Maximum number of names that a finding lists."""
MAX_NAME_CHARACTERS = 60
"""Maximum length of a name in a finding."""


def mixed_requests(case: Case) -> Violation | None:
    """The medians of all names must be similar, or of all that `load.main` means."""
    known = [one for one in case.results.requests if _has_median(one)]
    medians = {full_name(one): percentile(one.successes, 0.5) or 0.0 for one in known}
    if len(medians) < 2:  # a comparison
        return None
    fast, slow = min(medians, key=medians.__getitem__), max(medians, key=medians.__getitem__)
    ratio = medians[slow] / max(medians[fast], 0.01)
    if ratio <= MAX_MEDIAN_RATIO:
        return None
    main = full_name(max(known, key=_total_ms))
    text = (
        f"mixed requests: median {number(medians[fast])} ms of {_shown(fast)}, "
        f"{number(medians[slow])} ms of {_shown(slow)} (limit {MAX_MEDIAN_RATIO:g} times), so the "
        f"percentiles of all requests describe neither (set load.main: {_quoted(main)})"
    )
    return Violation(text, ratio, MAX_MEDIAN_RATIO)


def mixed_events(case: Case) -> Violation | None:
    """Events of the locustfile must not mix with HTTP requests, as above."""
    requests = case.results.requests
    custom = [one for one in requests if one.custom_events]
    events, total = sum(one.custom_events for one in custom), num_requests(requests)
    if not custom or events >= total:
        return None
    custom.sort(key=lambda one: -one.custom_events)
    # HTTP requests may have the same name, but not the same type.
    names = [_quoted(full_name(one)) for one in custom[:MAX_NAMES]]
    more = f" and {len(custom) - MAX_NAMES} more" if len(custom) > MAX_NAMES else ""
    text = (
        f"mixed events: {events} of {total} requests have neither a response nor a URL: "
        f"{shown_names(custom)}. If they are measurements, set load.measurements: "
        f"[{', '.join(names)}]{more}; if they are requests, set load.main: "
        f"{_quoted(full_name(custom[0]))}"
    )
    return Violation(text, events, 0)


def of_main(case: Case) -> str:
    """Return ` of POST /predict`, or an empty text without main requests."""
    return f" of {_shown(case.main)}" if case.main else ""


def shown_names(requests: Iterable[Requests]) -> str:
    """Return the names of requests as a list of limited length."""
    names = [_shown(full_name(one)) for one in requests]
    more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return ", ".join(names[:MAX_NAMES]) + more


def _has_median(requests: Requests) -> bool:
    is_one_kind = not requests.custom_events and requests.name != OTHER_REQUESTS
    return is_one_kind and has_enough_samples(count(requests.successes), 0.5)


def _total_ms(requests: Requests) -> float:
    """Return the total time that users waited for requests."""
    return sum(latency_ms * times for latency_ms, times in requests.successes)


def _shown(name: str) -> str:
    # Cut at the end, because only the beginnings of secret values are found and masked later.
    return shortened(name, MAX_NAME_CHARACTERS)


def _quoted(name: str) -> str:
    """Return a name as it is written in a profile, complete."""
    return json.dumps(name, ensure_ascii=False)
