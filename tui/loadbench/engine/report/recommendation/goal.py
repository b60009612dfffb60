"""The goals of a profile as single limits, with their texts."""

from dataclasses import dataclass

from loadbench.engine.bounds.texts import shortened_in_middle
from loadbench.engine.journal.events import CellFinished, Measurement
from loadbench.engine.journal.request_names import is_named
from loadbench.engine.numbers import number
from loadbench.engine.profile.sections.goals import Goals

FAILURE_RATIO = "failure_ratio"
MIN_RPS = "min_rps"

MAX_NAME_CHARACTERS = 60
"""Maximum length of the name of requests or of a measurement in a text."""

_MAXIMUMS = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_MINIMUMS = {"min_p50": 0.5, "min_p10": 0.1, "min_p5": 0.05, "min_p1": 0.01}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A limit that cells should meet."""

    key: str
    """Key below `goals`: `p95_ms`, `requests.POST /predict.p95` or `measurements.first token.p95`.
    """
    limit: float
    subject: str = ""
    """Name of the requests or of the measurement. Empty: all requests."""
    is_measurement: bool = False
    is_main: bool = False
    """Whether the goal is for the main requests, of which tables and charts are."""

    @property
    def criterion(self) -> str:
        """What is limited: `p95`, `min_p5`, `failure_ratio` or `min_rps`."""
        return self.key.rpartition(".")[2].removesuffix("_ms")

    @property
    def fraction(self) -> float | None:
        """The percentile as a fraction. None if the goal limits no percentile."""
        return (_MAXIMUMS | _MINIMUMS).get(self.criterion)

    @property
    def is_latency(self) -> bool:
        """Whether the goal limits a percentile of the latency of requests."""
        return self.fraction is not None and not self.is_measurement

    @property
    def is_minimum(self) -> bool:
        """Whether larger values are better."""
        return self.criterion.startswith("min_")

    @property
    def tail(self) -> float | None:
        """Share of values that the goal requires to be good: 0.95 for `p95` and for `min_p5`."""
        fraction = self.fraction
        return 1 - fraction if fraction is not None and self.is_minimum else fraction

    @property
    def name(self) -> str:
        """The name of the goal for people, such as `p95`, `failures` or `POST /predict p95`."""
        names = {FAILURE_RATIO: "failures", MIN_RPS: "throughput"}
        own = names.get(self.criterion, self.criterion.removeprefix("min_"))
        return f"{shortened_in_middle(self.subject, MAX_NAME_CHARACTERS)} {own}".lstrip()

    def amount(self, value: float, digits: int = 3, unit: str = "") -> str:
        """Return a value with its unit: `412 ms`, `1.2 %` or `118 req/s`.

        Args:
            value: The value.
            digits: Number of significant digits.
            unit: Unit of the measurement, if the goal is for one. Empty if unknown.
        """
        if self.criterion == FAILURE_RATIO:
            return f"{100 * value:.{digits}g} %"
        return f"{number(value, digits)} {self._unit(unit)}".rstrip()

    def limit_amount(self, unit: str = "") -> str:
        """Return the limit with its unit, unrounded."""
        if self.criterion == FAILURE_RATIO:
            return f"{100 * self.limit:g} %"
        return f"{self.limit:g} {self._unit(unit)}".rstrip()

    def text(self, unit: str = "") -> str:
        """Return the goal as a condition, such as `p95 ≤ 500 ms`."""
        return f"{self.name} {'≥' if self.is_minimum else '≤'} {self.limit_amount(unit)}"

    def _unit(self, unit: str) -> str:
        if self.criterion == MIN_RPS:
            return "req/s"
        return unit if self.is_measurement else "ms"


def set_goals(goals: Goals) -> dict[str, float]:
    """Return the limits of the goals that are set for the main requests, by key."""
    limits = goals.model_dump(exclude={"requests", "measurements"})
    return {key: limit for key, limit in limits.items() if limit is not None}


def all_goals(goals: Goals, main: str | None = None) -> tuple[Goal, ...]:
    """Return all goals of a profile.

    Args:
        goals: The section of the profile.
        main: Name of the main requests. None: all requests.
    """
    found = [
        Goal(key=key, limit=limit, subject=main or "", is_main=True)
        for key, limit in set_goals(goals).items()
    ]
    for section, by_name in (("requests", goals.requests), ("measurements", goals.measurements)):
        for name, of_name in by_name.items():
            found += [
                Goal(
                    key=f"{section}.{name}.{key}",
                    limit=limit,
                    subject=name,
                    is_measurement=section == "measurements",
                    is_main=section == "requests" and name == main,
                )
                for key, limit in of_name.items()
            ]
    return tuple(found)


def goals_of_main(goals: Goals, main: str | None) -> Goals:
    """Return goals in which those by name for the main requests stand without the name.

    Args:
        goals: The section of the profile.
        main: Name of the main requests. None: all requests.
    """
    limits = set_goals(goals)
    for key, limit in goals.requests.get(main or "", {}).items():
        own = f"{key}_ms" if key in _MAXIMUMS else key
        # Of two goals for the same, the stricter one decides.
        stricter = max if key == MIN_RPS else min
        limits[own] = stricter(limit, limits.get(own, limit))
    return goals.model_copy(update=limits)


def measurements_of(finished: CellFinished, name: str) -> tuple[Measurement, ...]:
    """Return the measurements of a cell with a name, or with a type and a name."""
    return tuple(one for one in finished.measurements if is_named(one.kind, one.name, name))
