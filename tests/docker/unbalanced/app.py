"""An HTTP server that connects to its store by the name of the store's container."""

import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SEEN: list[str] = []


class App(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/seen":
            body = str(len(SEEN)).encode()
        else:
            SEEN.append(self.path)
            with socket.create_connection((os.environ["STORE"], 6379), timeout=5):
                body = b"ok"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


ThreadingHTTPServer(("", 8000), App).serve_forever()
