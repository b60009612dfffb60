"""Which `stack` keys each driver takes, and what is wrong with the others. Pure.

A profile's mistakes are found when its file is loaded, also by views, which must not import the
drivers themselves. So this module holds what a profile may ask of a driver, and nothing of how a
driver works. It knows the section as plain keys and values, since the model of it imports this.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self

from loadbench.engine.profile.fields import KeyMistakeError

AUTO = "auto"
"""The value of `stack.driver` that leaves the choice to this machine."""

StackKeys = Iterable[tuple[str, Any]]
"""Keys with their values, as iterating over a section of a profile gives them."""


class HasStack(Protocol):
    """A profile, as far as drivers are concerned."""

    @property
    def stack(self) -> StackKeys:
        """Its `stack` section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSettings:
    """The `stack` keys that a driver takes; every driver takes these."""

    name: ClassVar[str]
    """The value of `stack.driver`."""
    lacks: ClassVar[str] = ""
    """What the keys that it does not take need, as a plural noun."""
    refusal: ClassVar[str] = ""
    """What is said of such a key."""
    is_host_needed: ClassVar[bool] = False
    """Whether the profile must say where the service is."""
    is_scalable: ClassVar[bool] = True
    """False: the profile's one value of `models` is a label."""
    is_started: ClassVar[bool] = True
    """False: the service runs already, and nothing of it is started or watched."""

    health: str
    startup_timeout: float
    """In seconds."""
    model_threads: int
    """Without effect where nothing is started."""

    @classmethod
    def from_profile(cls, profile: HasStack) -> Self:
        """Return the settings that a profile asks for, whatever driver it names."""
        keys = dict(profile.stack)
        return cls(**{field.name: keys[field.name] for field in fields(cls)})

    @classmethod
    def foreign_keys(cls, section: StackKeys, defaults: StackKeys) -> list[str]:
        """Return the keys that this driver does not take and that differ from their default.

        Args:
            section: The `stack` section of a profile.
            defaults: The section of a profile that gives none of its keys.
        """
        taken, blank = {"driver", *(field.name for field in fields(cls))}, dict(defaults)
        return [key for key, value in section if key not in taken and value != blank[key]]

    @classmethod
    def one_label(cls) -> str:
        """Return what is said of a number of models that is not the label."""
        return f"one value with stack.driver {cls.name}, a label: nothing is scaled"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedSettings(DriverSettings):
    """The keys that every driver takes that starts the service."""

    name: ClassVar[str]

    environment: Mapping[str, str]
    gpu_memory_mb: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeSettings(StartedSettings):
    """The keys of the `compose` driver."""

    name: ClassVar[str] = "compose"

    compose: tuple[str, ...]
    service: str
    memory_mb: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings(StartedSettings):
    """The keys of the `local` driver."""

    name: ClassVar[str] = "local"
    lacks: ClassVar[str] = "containers"
    refusal: ClassVar[str] = "the local driver has no containers; driver compose has"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSettings(DriverSettings):
    """The keys of the `external` driver."""

    name: ClassVar[str] = "external"
    lacks: ClassVar[str] = "services that are started"
    refusal: ClassVar[str] = "nothing is started with stack.driver external; remove it"
    is_host_needed: ClassVar[bool] = True
    is_scalable: ClassVar[bool] = False
    is_started: ClassVar[bool] = False


SETTINGS: Mapping[str, type[DriverSettings]] = {
    kind.name: kind for kind in (ComposeSettings, LocalSettings, ExternalSettings)
}
"""The settings of every driver, by its name."""


def settings_of(driver: str) -> type[DriverSettings] | None:
    """Return what a driver takes; None: `auto`, or the driver of another version."""
    return SETTINGS.get(driver)


def refuse_misfit(
    driver: str, *, section: StackKeys, defaults: StackKeys, host: str | None, models: int
) -> None:
    """Raise unless a profile fits the driver that it names.

    Args:
        driver: The value of `stack.driver`; with `auto` there is nothing to compare with.
        section: The `stack` section.
        defaults: The section of a profile that gives none of its keys.
        host: The profile's `host`.
        models: How many values `models` has.

    Raises:
        KeyMistakeError: It does not.
    """
    settings = settings_of(driver)
    if settings is None:
        return
    if settings.is_host_needed and not host:
        raise KeyMistakeError(
            ("stack", "driver"), f"{driver} needs `host`: where the service runs already"
        )
    if not settings.is_scalable and models > 1:
        raise KeyMistakeError(("models",), settings.one_label())
    for key in settings.foreign_keys(section, defaults):
        raise KeyMistakeError(("stack", key), settings.refusal)
