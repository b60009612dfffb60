"""Forwards every request to a random replica of the app."""

import random
import socket
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Gateway(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/ping":
            self.respond(200, b"pong")
            return
        try:
            addresses = socket.getaddrinfo("app", 9000, type=socket.SOCK_STREAM)
            app = HTTPConnection(str(random.choice(addresses)[4][0]), 9000, timeout=5)
            app.request("GET", self.path)
            response = app.getresponse()
            self.respond(response.status, response.read())
        except OSError as error:
            self.respond(502, str(error).encode())

    def respond(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


ThreadingHTTPServer(("", 8080), Gateway).serve_forever()
