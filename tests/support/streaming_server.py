"""A small OpenAI-compatible server that streams tokens at a set speed and logs each request.

    python streaming_server.py [--port 0] [--first-ms 50] [--token-ms 10] [--slots 4] [--log FOLDER]

Prints its port and serves `POST /v1/chat/completions`, `GET /health` and `GET /log` until it is
killed. It needs only the standard library, and therefore also runs in a plain Python container.
Times are from CLOCK_MONOTONIC, which all processes and containers of a machine share. The name of
the model selects a kind of answer, see `MODELS`.
"""

import argparse
import asyncio
import json
import random
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
MODELS = {
    "default": "a complete answer, in a chunked response",
    "close": "a response that ends with the connection",
    "no-usage": "no number of tokens",
    "reasoning": "reasoning instead of content",
    "error": "an error 500 with a message in JSON",
    "late-error": "an error in the stream",
    "truncated": "half of the tokens, without an end",
    "broken": "half of the tokens, then a closed connection",
    "malformed": "a chunk that is no JSON",
    "empty": "no tokens",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One request in the log. Times in monotonic seconds; 0 if not reached."""

    arrived_s: float
    first_s: float
    ended_s: float
    tokens: int
    model: str

    @property
    def first_token_ms(self) -> float:
        """Time to first token, including the wait for a free slot."""
        return (self.first_s - self.arrived_s) * 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How fast the server answers."""

    first_ms: float = 50.0
    """Median time to first token, without the wait for a free slot."""
    jitter: float = 0.0
    """Standard deviation of the logarithm of that time."""
    token_ms: float = 10.0
    slots: int = 4
    """Number of requests that are answered at once. Others wait in order of arrival."""
    unlogged_ms: float = 0.0
    """Planted delay between the logged time of the first token and its transmission."""


class StreamingServer:
    """The server.

    Args:
        speed: How fast it answers.
        seed: Seed of the times to first token.
        log: File to which each request is appended as JSON when it ends. None: no file.
    """

    def __init__(self, speed: Speed, seed: int = 0, log: Path | None = None) -> None:
        self._speed = speed
        self._random = random.Random(seed)
        self._log = log
        self._slots = asyncio.Semaphore(speed.slots)
        self._entries: list[Logged] = []

    async def serve(self, address: str, port: int) -> None:
        """Print the port and serve forever."""
        server = await asyncio.start_server(self._connected, address, port, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
        await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                body = await reader.readexactly(content_length(head))
                path = head.split(" ", 2)[1]
                if path == "/v1/chat/completions":
                    is_kept = await self._chat(writer, json.loads(body))
                else:
                    is_kept = self._get(writer, path)
                if not is_kept:
                    break
        writer.close()

    def _get(self, writer: asyncio.StreamWriter, path: str) -> bool:
        if path == "/log":
            text = "".join(f"{json.dumps(asdict(entry))}\n" for entry in self._entries)
            writer.write(response("200 OK", text))
        else:
            status = "200 OK" if path == "/health" else "404 Not Found"
            writer.write(response(status, json.dumps({"status": status})))
        return True

    async def _chat(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> bool:
        """Answer a request, and return whether the connection stays open."""
        arrived = time.monotonic()
        model = body.get("model", "default")
        if model == "error":
            error = {"error": {"message": "out of memory", "type": "server_error"}}
            writer.write(response("500 Internal Server Error", json.dumps(error)))
            self._save(Logged(arrived_s=arrived, first_s=0, ended_s=0, tokens=0, model=model))
            return True
        async with self._slots:
            return await self._stream(writer, model, int(body.get("max_tokens", 16)), arrived)

    async def _stream(
        self, writer: asyncio.StreamWriter, model: str, wanted: int, arrived: float
    ) -> bool:
        is_chunked = model != "close"
        head = HEAD + ("Transfer-Encoding: chunked" if is_chunked else "Connection: close")
        writer.write(f"{head}\r\n\r\n".encode())

        def send(data: str) -> None:
            if writer.is_closing():
                raise ConnectionResetError
            event = f"data: {data}\n\n".encode()
            writer.write(b"%x\r\n%s\r\n" % (len(event), event) if is_chunked else event)

        first, sent = 0.0, 0
        try:
            send(chunk({"role": "assistant", "content": ""}))
            due = time.monotonic() + self._first_token_s()
            for token in tokens(model, wanted):
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if not sent:
                    first = time.monotonic()
                    await asyncio.sleep(self._speed.unlogged_ms / 1000)
                    due += self._speed.unlogged_ms / 1000
                send(token)
                sent += 1
                due += self._speed.token_ms / 1000
        finally:
            ended = time.monotonic()
            self._save(
                Logged(arrived_s=arrived, first_s=first, ended_s=ended, tokens=sent, model=model)
            )
        if model == "broken":
            return False
        if model != "truncated":
            send(chunk({}, finish_reason="stop"))
            if model != "no-usage":
                send(json.dumps({"choices": [], "usage": {"completion_tokens": sent}}))
            send("[DONE]")
        if is_chunked:
            writer.write(b"0\r\n\r\n")
        return is_chunked

    def _first_token_s(self) -> float:
        return self._speed.first_ms / 1000 * self._random.lognormvariate(0, self._speed.jitter)

    def _save(self, entry: Logged) -> None:
        self._entries.append(entry)
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(f"{json.dumps(asdict(entry))}\n")


def tokens(model: str, wanted: int) -> Iterator[str]:
    """Yield the data of each chunk with text."""
    key = "reasoning_content" if model == "reasoning" else "content"
    number = {"empty": 0, "truncated": wanted // 2, "broken": wanted // 2}.get(model, wanted)
    for index in range(number):
        if model == "malformed" and index == 1:
            yield '{"choices": [{"delta": {"content": "cut'
        elif model == "late-error" and index == 1:
            yield json.dumps({"error": {"message": "the worker has died"}})
        else:
            yield chunk({key: f" token{index}"})


def chunk(delta: dict[str, str], finish_reason: str | None = None) -> str:
    """Return the data of an event with a delta."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return json.dumps({"object": "chat.completion.chunk", "choices": [choice]})


def response(status: str, body: str) -> bytes:
    """Return a complete response."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def content_length(head: str) -> int:
    """Return the length of the body from the head of a request."""
    _, found, rest = head.lower().partition("\r\ncontent-length:")
    return int(rest.split("\r\n", 1)[0]) if found else 0


@contextmanager
def serving(**options: object) -> Iterator[str]:
    """Run the server in a process of its own, and yield its address.

    Args:
        options: Options of the script, such as `first_ms=50`.
    """
    argv = [sys.executable, __file__]
    for name, value in options.items():
        argv += [f"--{name.replace('_', '-')}", str(value)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def read_log(text: str) -> list[Logged]:
    """Return the requests of a log."""
    return [Logged(**json.loads(line)) for line in text.splitlines()]


def main() -> None:
    """Serve with the options of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--log", type=Path, help="folder for the log, named after the host")
    parser.add_argument("--seed", type=int, default=0)
    for name, value in asdict(Speed()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    options = vars(parser.parse_args())
    folder, seed = options.pop("log"), options.pop("seed")
    address, port = options.pop("address"), options.pop("port")
    log = folder and folder / f"{socket.gethostname()}.jsonl"
    # epoll has a resolution of 1 ms, and would send the tokens due within one millisecond together.
    with asyncio.Runner(
        loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())
    ) as runner:
        runner.run(StreamingServer(Speed(**options), seed, log).serve(address, port))


if __name__ == "__main__":
    main()
