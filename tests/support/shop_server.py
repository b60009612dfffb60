"""A service with several endpoints: a fast page, a slow prediction and a login, with a log.

`python tests/support/shop_server.py` prints its address and serves until it is killed.
"""

import random
import sys
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

HOME, PREDICT, LOGIN = "GET /", "POST /predict", "POST /login"
SECONDS = {HOME: 0.002, LOGIN: 0.02, PREDICT: 0.4}
"""Median time of each endpoint."""
SPREAD = 0.1
"""Standard deviation of the logarithm of these times."""
USERS = """
from locust import FastHttpUser, constant, task

class Visitor(FastHttpUser):
    wait_time = constant(0.01)
    def on_start(self):
        self.login()
    @task(4)
    def home(self):
        self.client.get("/")
    @task(4)
    def predict(self):
        self.client.post("/predict", data=b"image")
    @task(1)
    def login(self):
        self.client.post("/login", json={"name": "me"})
"""
"""A locustfile for it."""


@dataclass(frozen=True, slots=True)
class Served:
    """One request in the log. Times are in seconds since the epoch."""

    name: str
    arrived_s: float
    responded_s: float

    @property
    def latency_ms(self) -> float:
        return 1000 * (self.responded_s - self.arrived_s)


class ShopServer:
    """The server, on a free port of the loopback interface.

    Args:
        seed: Seed of the times.
    """

    def __init__(self, seed: int = 24) -> None:
        self.log: list[Served] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        shop = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm: ClassVar[bool] = True

            def log_message(self, *_: object) -> None:
                """Print nothing."""

            def do_GET(self) -> None:
                shop.serve(self)

            def do_POST(self) -> None:
                shop.serve(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.host = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> "ShopServer":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def serve(self, request: BaseHTTPRequestHandler) -> None:
        """Respond to a request after the time of its endpoint."""
        arrived_s = time.time()
        name = f"{request.command} {request.path}"
        request.rfile.read(int(request.headers.get("Content-Length", 0)))
        body, headers = b"ok", b""
        if name in SECONDS:
            with self._lock:
                seconds = SECONDS[name] * self._random.lognormvariate(0, SPREAD)
            time.sleep(max(0.0, arrived_s + seconds - time.time()))
            if name == PREDICT:
                total = 1000 * seconds
                timing = f"total;dur={total:.2f}, queue;dur=1.00, decode;dur=2.00, "
                headers = f"Server-Timing: {timing}infer;dur={total - 5:.2f}\r\n".encode()
        request.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n%b\r\n%b" % (len(body), headers, body)
        )
        if name in SECONDS:
            with self._lock:
                self.log.append(Served(name, arrived_s, time.time()))


if __name__ == "__main__":
    with ShopServer() as shop:
        sys.stdout.write(f"{shop.host}\n")
        sys.stdout.flush()
        threading.Event().wait()
