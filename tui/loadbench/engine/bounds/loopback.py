"""Host names of this machine's loopback interface, also below `localhost` (RFC 6761, section 6.3).

Browsers know that `api.localhost` is this machine, but many resolvers do not.
"""

from urllib.parse import urlsplit


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


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, without user name, password, path and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
