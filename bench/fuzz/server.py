"""A loopback server that answers every request with the same raw bytes."""

import socket
import threading
import time
from contextlib import suppress

MAX_DRIP_S = 60.0
DRIP_INTERVAL_S = 0.05
BLOCK = b"x" * 65536


class RawServer:
    """Answers one connection after the other.

    Attributes:
        data: The answer, with its status line and headers.
        mode: What follows it: empty to close the connection, `unlimited` for data without an end,
            `drip` to send the answer byte by byte, `drip body` to continue with single bytes,
            `hang` to keep the connection open, `reset` to reset it.
    """

    def __init__(self) -> None:
        self.data = b""
        self.mode = ""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            # A thread each, because an earlier client may keep its connection open.
            arguments = (connection, self.data, self.mode)
            threading.Thread(target=self._answer, args=arguments, daemon=True).start()

    def _answer(self, connection: socket.socket, data: bytes, mode: str) -> None:
        with connection, suppress(OSError):
            connection.settimeout(MAX_DRIP_S)
            connection.recv(65536)
            deadline = time.monotonic() + MAX_DRIP_S
            if mode != "drip":
                connection.sendall(data)
            match mode:
                case "unlimited":
                    while time.monotonic() < deadline:
                        connection.sendall(BLOCK)
                case "drip":
                    self._drip(connection, data)
                case "drip body":
                    self._drip(connection, b"x" * int(MAX_DRIP_S / DRIP_INTERVAL_S))
                case "hang":
                    connection.recv(1)
                case "reset":
                    option = b"\1\0\0\0\0\0\0\0"
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
                case _:
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(0.2)
                    connection.recv(1)

    @staticmethod
    def _drip(connection: socket.socket, data: bytes) -> None:
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(DRIP_INTERVAL_S)


def refuse_other_hosts() -> None:
    """Let name resolution of all hosts other than this one fail, as redirects may name any host."""
    real = socket.getaddrinfo

    def only_loopback(host: object, *arguments: object, **options: object) -> object:
        if host not in ("127.0.0.1", "localhost", "::1"):
            raise socket.gaierror(socket.EAI_NONAME, "only this host is allowed")
        return real(host, *arguments, **options)  # type: ignore[arg-type]

    socket.getaddrinfo = only_loopback  # type: ignore[assignment]
