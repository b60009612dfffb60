"""The name of a configuration for people, such as `2 CPU containers at batch 1`."""

from collections.abc import Sequence
from dataclasses import dataclass

from loadbench.engine.profile.driver_settings import DriverSettings, settings_of
from loadbench.engine.profile.model import Profile
from loadbench.engine.profile.sections.stack import StackSection


@dataclass(frozen=True, slots=True)
class Subject:
    """What a run scales."""

    noun: str
    """A replica, such as `container`. Empty if the service is not scaled."""
    plural: str
    device: str
    """Device with a trailing space, such as `CPU `, or empty if unknown."""
    detail: str
    """Settings with a leading space, such as ` at batch 1`. If the service is not scaled, its name
    and address."""

    @property
    def is_scaled(self) -> bool:
        """Whether the run scales the service."""
        return bool(self.noun)

    def amount(self, models: int) -> str:
        """Return a number of replicas: `1 container`, `2 containers`."""
        if not self.noun:
            return "the service"
        return f"{models} {self.noun if models == 1 else self.plural}"

    def with_models(self, *models: int) -> str:
        """Return ` with 1 container` or ` with 2 and 4 containers`, or '' if nothing is scaled."""
        if not self.noun:
            return ""
        return f" with {listed(models)} {self.noun if models == (1,) else self.plural}"

    def described(self, models: int) -> str:
        """Return a number of replicas with device and batch size."""
        if not self.noun:
            return self.detail
        noun = self.noun if models == 1 else self.plural
        return f"{models} {self.device}{noun}{self.detail}"

    def verb(self, models: int, singular: str, plural: str) -> str:
        """Return the verb that agrees with a number of replicas."""
        return singular if models == 1 or not self.noun else plural


def subject_of(profile: Profile, driver: str) -> Subject:
    """Return what a run scales.

    Args:
        profile: The profile of the run.
        driver: The driver that the run used.
    """
    settings = settings_of(driver)
    if settings and not settings.is_scalable:
        # Without a user name and password. References are shown as written.
        address = (profile.host or "").partition("://")[2].rpartition("@")[2]
        host = f" at {address}" if address else ""
        return Subject("", "", "", f"The service{host}")
    if profile.stack.compose[0] != StackSection().compose[0]:
        # Device and batch size are settings of the bundled service only.
        service = profile.stack.service
        return Subject(f"replica of {service}", f"replicas of {service}", "", "")
    noun, plural = (settings or DriverSettings).replica_noun
    device, detail = f"{profile.device.upper()} ", f" at batch {profile.batch_size}"
    return Subject(noun, plural, device, detail)


def listed(items: Sequence[object]) -> str:
    """Return items as a list: `1`, `1 and 2` or `1, 2 and 4`."""
    *rest, last = map(str, items)
    return f"{', '.join(rest)} and {last}" if rest else last
