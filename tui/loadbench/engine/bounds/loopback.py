"""Host names of this machine's loopback interface, also below `localhost` (RFC 6761, section 6.3).

Browsers know that `api.localhost` is this machine, but many resolvers do not.
"""

import re
from urllib.parse import urlsplit

_PATH = re.compile("[/?#]")
_PORTS = {"http": 80, "https": 443}


def is_loopback(host: str | None) -> bool:
    """Return whether a host name or address refers to the loopback interface."""
    return host is not None and (
        host == "::1" or host.startswith("127.") or resolvable_name(host) == "localhost"
    )


def is_below_localhost(host: str | None) -> bool:
    """Return whether a host name is one such as `api.localhost`."""
    return host is not None and host.rstrip(".").casefold().endswith(".localhost")


def resolvable_name(host: str) -> str:
    """Return the name to resolve for a host: `localhost` for `api.localhost`, else itself."""
    is_local = host.rstrip(".").casefold() == "localhost" or is_below_localhost(host)
    return "localhost" if is_local else host


def address_of(url: str) -> str:
    """Return scheme, host and port of an absolute URL as they are written."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{_PATH.split(rest, maxsplit=1)[0]}"


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, without user name, password, path and query.

    Upper case and default ports make no difference. An invalid URL has the origin "".
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    if not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    scheme = parts.scheme.lower()
    has_port = port is not None and port != _PORTS.get(scheme)
    return f"{scheme}://{host}:{port}" if has_port else f"{scheme}://{host}"
