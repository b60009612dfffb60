"""The `stack` keys that each driver supports.

Views also load profiles, but must not import drivers. This module therefore describes the settings
of the drivers without their implementation. It treats the `stack` section as plain keys and values,
because the model of the section imports this module.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Protocol, Self

from loadbench.engine.profile.fields import CONTAINERS, InvalidKeyError

AUTO = "auto"
"""The value of `stack.driver` that selects the first driver that works on this machine, and of
other keys that leave a choice to the tool."""

StackKeys = Iterable[tuple[str, Any]]
"""Pairs of key and value, as produced by iterating over a section of a profile."""


class HasStack(Protocol):
    """The part of a profile that drivers read."""

    @property
    def stack(self) -> StackKeys:
        """The `stack` section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverSettings:
    """The `stack` keys that a driver supports. All drivers support the keys of this class."""

    name: ClassVar[str]
    """The value of `stack.driver`."""
    missing_feature: ClassVar[str] = ""
    """Plural noun for the feature that the unsupported keys require and this driver lacks."""
    unsupported_key: ClassVar[str] = ""
    """Error message for a key that this driver does not support."""
    is_host_required: ClassVar[bool] = False
    """Whether the profile must set `host`."""
    is_scalable: ClassVar[bool] = True
    """Whether the driver scales the service. If not, `models` takes one value, used as a label."""
    replica_noun: ClassVar[tuple[str, str]] = ("replica", "replicas")
    """Singular and plural of what the driver starts for each model."""
    has_containers: ClassVar[bool] = False
    """Whether the service runs in containers, which may have health checks of their own."""
    starts_service: ClassVar[bool] = True
    """Whether the driver starts the service. If not, it already runs and is not monitored."""

    health: tuple[str, ...]
    headers: Mapping[str, str]
    verify: bool
    ca_file: str | None
    startup_timeout: float
    """In seconds."""
    model_threads: int
    """Has no effect if the driver does not start the service."""

    @classmethod
    def from_profile(cls, profile: HasStack) -> Self:
        """Return the settings of a profile for this driver, even if it selects another driver."""
        keys = dict(profile.stack)
        return cls(**{field.name: keys[field.name] for field in fields(cls)})

    @classmethod
    def unsupported_keys(cls, section: StackKeys, defaults: StackKeys) -> list[str]:
        """Return the unsupported keys, and keys with an unsupported value.

        Args:
            section: The `stack` section of a profile.
            defaults: The section with all defaults.
        """
        default = dict(defaults)
        return [
            key
            for key, value in section
            if (not cls.supports(key) and value != default[key])
            or (key == "health" and CONTAINERS in value and not cls.has_containers)
        ]

    @classmethod
    def supports(cls, key: str) -> bool:
        """Return whether the driver supports a key of `stack`."""
        return key == "driver" or key in {field.name for field in fields(cls)}

    @classmethod
    def single_models_value(cls) -> str:
        """Return the error message for more than one value of `models`."""
        return f"expected one value: driver {cls.name} does not scale the service"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartedSettings(DriverSettings):
    """The keys that all drivers that start the service support."""

    name: ClassVar[str]

    environment: Mapping[str, str]
    gpu_memory_mb: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposeSettings(StartedSettings):
    """The keys of the `compose` driver."""

    name: ClassVar[str] = "compose"
    has_containers: ClassVar[bool] = True
    replica_noun: ClassVar[tuple[str, str]] = ("container", "containers")

    compose: tuple[str, ...]
    service: str
    port: str | None
    balance: str
    without: tuple[str, ...]
    restart: bool
    healthcheck: bool
    count_workers: bool
    memory_mb: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSettings(StartedSettings):
    """The keys of the `local` driver."""

    name: ClassVar[str] = "local"
    replica_noun: ClassVar[tuple[str, str]] = ("model process", "model processes")
    missing_feature: ClassVar[str] = "containers"
    unsupported_key: ClassVar[str] = (
        "not supported by driver local, which starts no containers. Use driver compose, or remove "
        "the key"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalSettings(DriverSettings):
    """The keys of the `external` driver."""

    name: ClassVar[str] = "external"
    missing_feature: ClassVar[str] = "started services"
    unsupported_key: ClassVar[str] = (
        "not supported by driver external, which does not start the service. Remove the key"
    )
    is_host_required: ClassVar[bool] = True
    is_scalable: ClassVar[bool] = False
    starts_service: ClassVar[bool] = False


SETTINGS: Mapping[str, type[DriverSettings]] = {
    kind.name: kind for kind in (ComposeSettings, LocalSettings, ExternalSettings)
}
"""The settings class of each driver, by name."""


def settings_of(driver: str) -> type[DriverSettings] | None:
    """Return the settings class of a driver, or None for `auto` and drivers of other versions."""
    return SETTINGS.get(driver)


def check_driver_settings(
    driver: str, *, section: StackKeys, defaults: StackKeys, host: str | None, models: int
) -> None:
    """Check that a profile is consistent with its driver.

    Args:
        driver: The value of `stack.driver`. `auto` disables the check.
        section: The `stack` section of the profile.
        defaults: The section with all defaults.
        host: The value of `host`.
        models: Number of values in `models`.

    Raises:
        InvalidKeyError: A key is missing or not supported by the driver.
    """
    settings = settings_of(driver)
    if settings is None:
        return
    if settings.is_host_required and not host:
        raise InvalidKeyError(
            ("stack", "driver"),
            f"{driver} requires `host`, the address of the running service",
        )
    if not settings.is_scalable and models > 1:
        raise InvalidKeyError(("models",), settings.single_models_value())
    for key in settings.unsupported_keys(section, defaults):
        if settings.supports(key):
            message = f"{CONTAINERS} requires driver compose. Write a path, a URL or tcp"
            raise InvalidKeyError(("stack", key), message)
        raise InvalidKeyError(("stack", key), settings.unsupported_key)
