"""The profile keys that each driver supports."""

from dataclasses import fields
from typing import get_args

import pytest

from loadbench.engine.drivers.registry import DRIVERS
from loadbench.engine.profile.driver_settings import (
    AUTO,
    SETTINGS,
    ComposeSettings,
    ExternalSettings,
    LocalSettings,
    settings_of,
)
from loadbench.engine.profile.sections.stack import StackSection
from tests.support.builders import make_profile

CHANGED = {
    "compose": ["theirs.yaml"],
    "service": "app",
    "port": "api:8000",
    "balance": "clients",
    "without": ["grafana"],
    "restart": False,
    "healthcheck": False,
    "count_workers": True,
    "health": "/ready",
    "headers": {"Host": "api.example.com"},
    "verify": False,
    "ca_file": "ca.pem",
    "environment": {"A": "b"},
    "startup_timeout": "9s",
    "model_threads": 2,
    "memory_mb": 100,
    "gpu_memory_mb": 100,
}
"""A value for every key that differs from its default."""

CONTAINERS = [
    *("compose", "service", "port", "balance", "without", "restart"),
    *("healthcheck", "count_workers"),
]


def test_driver_key_accepts_every_driver_and_auto() -> None:
    literal = StackSection.model_fields["driver"].annotation

    assert set(get_args(literal)) == {AUTO, *SETTINGS}
    assert list(DRIVERS) == list(SETTINGS)
    assert all(DRIVERS[name].name == kind.name == name for name, kind in SETTINGS.items())


def test_compose_supports_every_stack_key() -> None:
    assert set(CHANGED) == {field.name for field in fields(ComposeSettings)}
    assert set(CHANGED) == StackSection.model_fields.keys() - {"driver"}


def test_settings_contain_only_the_keys_of_the_driver() -> None:
    profile = make_profile(stack={"health": "/up", "startup_timeout": "5s", "model_threads": 3})

    assert LocalSettings.from_profile(profile) == LocalSettings(
        health=("/up",),
        headers={},
        verify=True,
        ca_file=None,
        startup_timeout=5.0,
        model_threads=3,
        environment={},
        gpu_memory_mb=None,
    )


@pytest.mark.parametrize(
    ("settings", "unsupported"),
    [
        (ComposeSettings, []),
        (LocalSettings, [*CONTAINERS, "memory_mb"]),
        (ExternalSettings, [*CONTAINERS, "environment", "memory_mb", "gpu_memory_mb"]),
    ],
)
def test_unsupported_keys_are_reported_only_if_they_differ_from_the_default(
    settings: type[ComposeSettings], unsupported: list[str]
) -> None:
    defaults = StackSection()

    assert settings.unsupported_keys(defaults, defaults) == []
    assert settings.unsupported_keys(StackSection.model_validate(CHANGED), defaults) == unsupported


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_health_checks_of_containers_require_containers(settings: type[ComposeSettings]) -> None:
    section = StackSection(health=("tcp", "containers"))

    unsupported = settings.unsupported_keys(section, StackSection())

    assert unsupported == ([] if settings is ComposeSettings else ["health"])


def test_auto_and_unknown_drivers_have_no_settings() -> None:
    assert settings_of(AUTO) is None
    assert settings_of("swarm") is None
