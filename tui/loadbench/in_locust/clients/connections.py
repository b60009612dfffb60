"""Changes to the connections of HTTP clients, each with its reason; see `patches`."""

import select
import socket
from collections.abc import Callable
from http.cookiejar import CookieJar
from typing import Any

import gevent.socket
from gevent.monkey import get_original
from geventhttpclient.connectionpool import ConnectionPool
from urllib3.connection import HTTPConnection

from loadbench.engine.bounds.loopback import resolvable_name
from loadbench.in_locust.clients.exchange import TimedSocket

Call = Callable[..., Any]


def apply() -> None:
    """Apply all patches."""
    _reuse_connections_beyond_1024()
    _time_connections()
    _skip_absent_cookies()
    _resolve_names_below_localhost()


def replace_in(owner: Any, name: str, value: Any) -> None:
    """Replace an existing attribute of a third-party object.

    Raises:
        AttributeError: The attribute no longer exists, so replacing it would have no effect.
    """
    getattr(owner, name)
    setattr(owner, name, value)


def _reuse_connections_beyond_1024() -> None:
    # geventhttpclient uses select(), which rejects file descriptors from 1024 on. The connection
    # then counts as closed, and every request of such a user opens a new one. The original poll()
    # with a zero timeout does not block, so gevent's version with its watchers is not needed.
    # select() was added in https://github.com/geventhttpclient/geventhttpclient/pull/240.
    # Remove when geventhttpclient uses poll().
    system_poll = get_original("select", "poll")

    def is_socket_alive(_pool: ConnectionPool, sock: socket.socket | None) -> bool:
        if sock is None or sock.fileno() < 0:
            return False
        try:
            if isinstance(sock, TimedSocket):
                return sock.is_idle()
            poll = system_poll()
            poll.register(sock.fileno(), select.POLLIN)
            return not poll.poll(0)
        except OSError:
            return False

    replace_in(ConnectionPool, "_is_socket_alive", is_socket_alive)


def _time_connections() -> None:
    # The clients do not report when a response arrived. Remove when they do.
    def create(_pool: ConnectionPool, family: int, kind: int, protocol: int) -> TimedSocket:
        return TimedSocket(family, kind, protocol)

    connect: Call = HTTPConnection._new_conn  # noqa: SLF001  # no public way

    def connect_timed(connection: HTTPConnection) -> TimedSocket:
        return TimedSocket.adopt(connect(connection))

    replace_in(ConnectionPool, "_create_tcp_socket", create)
    replace_in(HTTPConnection, "_new_conn", connect_timed)


def _skip_absent_cookies() -> None:
    # http.cookiejar looks for cookies in every request and response with locks and regular
    # expressions, which is 7 % of the CPU time of a request without any. No upstream issue is
    # known. Remove when geventhttpclient skips it.
    add: Call = CookieJar.add_cookie_header
    extract: Call = CookieJar.extract_cookies

    def add_cookie_header(jar: CookieJar, request: Any) -> None:
        if len(jar._cookies):  # type: ignore[attr-defined]  # noqa: SLF001  # len(jar) loops
            add(jar, request)

    def extract_cookies(jar: CookieJar, response: Any, request: Any) -> None:
        headers = response.info()
        if headers.get("Set-Cookie") is not None or headers.get("Set-Cookie2") is not None:
            extract(jar, response, request)

    replace_in(CookieJar, "add_cookie_header", add_cookie_header)
    replace_in(CookieJar, "extract_cookies", extract_cookies)


def _resolve_names_below_localhost() -> None:
    # Resolvers of many systems do not know names such as api.localhost, unlike browsers.
    # Remove when Python or libc resolves them (RFC 6761, section 6.3).
    resolve: Call = socket.getaddrinfo

    def resolve_local(host: Any, *args: Any, **kwargs: Any) -> Any:
        return resolve(resolvable_name(host) if isinstance(host, str) else host, *args, **kwargs)

    replace_in(socket, "getaddrinfo", resolve_local)
    replace_in(gevent.socket, "getaddrinfo", resolve_local)
