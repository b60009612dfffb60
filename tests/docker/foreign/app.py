"""An HTTP server that returns a greeting and its host name."""

import os
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = f"{os.environ['GREETING']} from {socket.gethostname()}\n".encode()


class App(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


print("app is up", flush=True)
ThreadingHTTPServer(("", 9000), App).serve_forever()
