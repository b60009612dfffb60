"""Decides which services of a project are not needed for a run."""

from collections.abc import Iterable, Mapping

from loadbench.engine.drivers.compose.project.files import ComposeFiles
from loadbench.engine.drivers.compose.project.services import Role
from loadbench.engine.profile.driver_settings import AUTO, ComposeSettings


def left_out_services(
    files: ComposeFiles, settings: ComposeSettings, roots: Iterable[str], *, has_receiver: bool
) -> dict[str, str]:
    """Return the services that are not needed, with the reasons.

    Args:
        files: The compose files.
        settings: The settings of the profile.
        roots: The services that are needed in any case.
        has_receiver: Whether one of them receives the requests. If not, any service that publishes
            a port may receive them.
    """
    services = files.services
    named = [name for name in settings.without if name != AUTO]
    reasons = dict.fromkeys(named, "stack.without")
    reasons |= {
        name: "load generator"
        for name, service in services.items()
        if service.role is Role.LOAD_GENERATOR
    }
    if AUTO not in settings.without:
        return reasons
    needed = closure(roots, files, leave=reasons)
    candidates = [name for name in files.enabled if name not in needed and name not in reasons]
    # What only unneeded services need is unneeded, too: repeat until nothing changes.
    while found := [
        name
        for name in candidates
        if name not in reasons
        and (has_receiver or services[name].role is Role.TOOL)
        and _is_unneeded(name, files, reasons)
    ]:
        for name in found:
            role = services[name].role
            reasons[name] = role.value if role is Role.TOOL else "nothing needs it"
    return reasons


def _is_unneeded(name: str, files: ComposeFiles, left_out: Mapping[str, str]) -> bool:
    """Return whether a run can do without a service: no started service uses it.

    Tools and pages of the service under test only read from it. A service without published
    ports may be a worker, on which others depend without saying so.
    """
    service = files.services[name]
    others = [
        other
        for other in files.services.values()
        if other.name != name and other.name in files.enabled and other.name not in left_out
    ]
    if any(name in other.dependencies or other.mentions(name) for other in others):
        return False
    if service.role is Role.TOOL:
        return True
    # Proxies name the services behind them in files of their own.
    has_proxy = any(other.role is Role.PROXY for other in others)
    return bool(service.published) and not has_proxy and files.scaled in closure([name], files)


def closure(roots: Iterable[str], files: ComposeFiles, leave: Iterable[str] = ()) -> set[str]:
    """Return services and everything they depend on, except for services to leave out."""
    services, left, found = files.services, set(leave), set[str]()
    waiting = [name for name in roots if name in services]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        waiting += [
            one
            for one, is_required in services[name].dependencies.items()
            if one in services and one not in left and (is_required or one in files.enabled)
        ]
    return found
