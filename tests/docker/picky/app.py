"""A service that answers only by one host name, and opens a port without HTTP later."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "api.example.com"
DELAY_S = 1.5
WORKERS = [{"pid": 11, "state": "idle"}, {"pid": 12, "state": "busy"}]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_known = self.headers.get("Host") == HOST
        body = json.dumps({"status": "healthy", "workers": WORKERS}).encode() if is_known else b""
        self.send_response(200 if is_known else 421)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Write no log."""


def open_late() -> None:
    """Listen without ever answering, and only after a while."""
    time.sleep(DELAY_S)
    listener = socket.create_server(("", 9000))
    Path("/tmp/open").touch()  # in its own container
    connections = []
    while True:
        connections.append(listener.accept())


threading.Thread(target=open_late, daemon=True).start()
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
