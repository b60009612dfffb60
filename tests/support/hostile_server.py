"""An HTTP server whose responses never end, arrive too slowly or are too large."""

import gzip
import re
import socket
import ssl
import threading
from contextlib import suppress
from itertools import chain, repeat

OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nConnection: close\r\n"
DRIP_S = 0.2
"""Seconds between two bytes of a dripping response. Shorter than any timeout."""

_BLOCK = b"x" * 65536
_BOMB = gzip.compress(bytes(200_000_000), 1)

Script = tuple[bytes, bytes, bool]
"""First part of a response, a part that is repeated without end, and whether it drips."""

SCRIPTS: dict[str, Script] = {
    "/endless-body": (OK + b"\r\n", _BLOCK, False),
    "/endless-header": (OK, b"X-Endless: " + _BLOCK[:60000] + b"\r\n", False),
    "/endless-header-line": (OK + b"X-Endless: ", _BLOCK, False),
    "/endless-chunk-size": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65536, False),
    "/endless-chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", False),
    "/endless-continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", False),
    "/dripping-body": (OK + b"\r\n", b" ", True),
    "/dripping-header": (OK, b"X", True),
    "/dripping-chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", True),
    "/silent": (b"", b"", True),
    "/redirect-endless": (REDIRECT + b"Location: /ok\r\n\r\n", _BLOCK, False),
}
PAGES: dict[str, bytes] = {
    "/ok": OK + b"\r\nok",
    "/nested": OK + b"\r\n" + b"[" * 900_000,
    "/gzip-bomb": OK + b"Content-Encoding: gzip\r\n\r\n" + _BOMB,
    "/huge-length": OK + b"Content-Length: 99999999999999\r\n\r\n{}",
    "/redirect-loop": REDIRECT + b"Location: /redirect-loop\r\n\r\n",
    "/nonsense": b"\x00\xff" * 100,
}


class HostileServer:
    """The server, on a free port of the loopback interface.

    Args:
        tls: Context with a certificate, to serve HTTPS.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closed = threading.Event()
        self.host = f"{'https' if tls else 'http'}://127.0.0.1:{self._listener.getsockname()[1]}"
        self.pages: dict[str, bytes] = dict(PAGES)
        """Complete responses, by path."""
        self.requests: list[bytes] = []
        """Received requests: request line, headers and body."""
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> "HostileServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, accepted: socket.socket) -> None:
        with accepted, suppress(OSError):
            if self._tls is None:
                self._respond(accepted)
                return
            with self._tls.wrap_socket(accepted, server_side=True) as connection:
                self._respond(connection)

    def _respond(self, connection: socket.socket) -> None:
        request = b""
        while not _is_complete(request):
            if not (received := connection.recv(65536)):
                return
            request += received
        self.requests.append(request)
        path = request.split()[1].decode()
        if path in self.pages:
            connection.sendall(self.pages[path])
        elif path in SCRIPTS:
            first, rest, drips = SCRIPTS[path]
            for part in chain([first], repeat(rest)):
                connection.sendall(part)
                if self._closed.wait(DRIP_S if drips else 0):
                    return


def _is_complete(request: bytes) -> bool:
    """Return whether a request has all of its headers and of its body."""
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(end) and len(body) >= (int(length[1]) if length else 0)
