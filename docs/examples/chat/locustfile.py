"""Chat with an OpenAI-compatible endpoint, and measure the stream of tokens.

Works with `loadbench-tui run` and with plain Locust: `locust -f locustfile.py --host http://…`.
Each user sends a prompt, reads the answer token by token, waits, and sends the next prompt. The
latency of a request covers the whole answer. These measurements are reported beside it:

- time to first token (ms): from sending the request to the first chunk with text.
- inter-token latency (ms): between each chunk with text and the next one. A server may send several
  tokens in one chunk.
- output tokens (tokens): tokens of one complete answer, as counted by the server, otherwise the
  number of chunks with text. Their sum per second is the throughput of the server.
- output tokens per second (tokens/s): speed of one complete answer, that is, its tokens after the
  first one, divided by the time from its first to its last chunk with text.

Text includes the reasoning of a model and calls of tools, since the model generates both.
"""

import json
import os
import random
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from locust import HttpUser, events, task
from requests import Response
from urllib3.exceptions import HTTPError

PATH = "/v1/chat/completions"
API_KEY = os.environ.get("OPENAI_API_KEY", "")
PROMPT = "Explain how a bicycle stays upright."


@events.init_command_line_parser.add_listener
def add_options(parser: ArgumentParser) -> None:
    """Add the options of this file. In a profile: `load.options: {model: …, max-tokens: 128}`."""
    parser.add_argument("--model", default="default", help="model, as the server names it")
    parser.add_argument("--prompt", default=PROMPT, help="prompt of each request")
    parser.add_argument("--prompts", default="", help="file beside this one, one prompt per line")
    parser.add_argument("--max-tokens", type=int, default=128, help="maximum length of an answer")
    wait = "minimum and maximum think time after each answer, in seconds"
    parser.add_argument("--wait", nargs=2, type=float, default=[0.0, 0.0], help=wait)


class ChatError(Exception):
    """A failed request. The message is the row in the table of failures."""


@dataclass(frozen=True)
class Chunk:
    """One event of a stream."""

    has_text: bool
    is_end: bool
    tokens: int | None
    """Number of tokens in the whole answer, which the server sends last."""


class ChatUser(HttpUser):
    """A user of a chat, with the think time of the option `--wait`."""

    def wait_time(self) -> float:
        """Return a random think time in seconds."""
        return random.uniform(*self.environment.parsed_options.wait)

    @task
    def chat(self) -> None:
        """Send a prompt and read the answer."""
        options = self.environment.parsed_options
        body = {
            "model": options.model,
            "messages": [{"role": "user", "content": random.choice(prompts(options))}],
            "max_tokens": options.max_tokens,
            "stream": True,
            # The last chunk then has the number of tokens. Remove it if the server rejects it.
            "stream_options": {"include_usage": True},
        }
        headers = {"Authorization": f"Bearer {API_KEY}"} if API_KEY else {}
        started = time.perf_counter()
        with self.client.post(
            PATH, json=body, headers=headers, stream=True, catch_response=True
        ) as response:
            try:
                self.read(response, started)
            except ChatError as error:
                response.failure(str(error))
                response.close()  # so that the server stops generating the answer
            response.request_meta["response_time"] = ms_between(started, time.perf_counter())

    def read(self, response: Response, started: float) -> None:
        """Read an answer and report its measurements.

        Args:
            response: The response, whose body has not been read.
            started: When the request was sent.

        Raises:
            ChatError: The answer is an error, empty, incomplete or malformed.
        """
        if not response.status_code:
            return  # There is no response. Locust reports why.
        if response.status_code >= 400:
            body = b"\n".join(lines(response.raw))
            raise ChatError(f"HTTP {response.status_code}: {error_text(body)}")
        first = last = 0.0
        num_chunks = 0
        num_tokens = None
        is_complete = False
        for line in lines(response.raw):
            now = time.perf_counter()
            chunk = parse(line)
            if chunk is None:
                continue
            is_complete |= chunk.is_end
            num_tokens = chunk.tokens or num_tokens
            if chunk.has_text:
                if num_chunks:
                    self.report("inter-token latency", ms_between(last, now), "ms")
                else:
                    self.report("time to first token", ms_between(started, now), "ms")
                    first = now
                last = now
                num_chunks += 1
        if not is_complete:
            raise ChatError("the stream ended without finish_reason and without [DONE]")
        if not num_chunks:
            raise ChatError("the answer is empty")
        num_tokens = num_tokens or num_chunks
        self.report("output tokens", num_tokens, "tokens")
        if last > first and num_tokens > 1:
            self.report("output tokens per second", (num_tokens - 1) / (last - first), "tokens/s")

    def report(self, name: str, value: float, unit: str) -> None:
        """Report a measurement. Events of the type METRIC do not count as requests."""
        self.environment.events.request.fire(
            request_type="METRIC",
            name=name,
            response_time=value,
            response_length=0,
            exception=None,
            context={"unit": unit},
        )


def lines(raw: Any) -> Iterator[bytes]:
    """Yield the lines of a stream as soon as each has arrived.

    `iter_lines` of requests would wait for 512 bytes if the response is not chunked.

    Raises:
        ChatError: The connection was lost.
    """
    rest = b""
    try:
        while data := raw.read1(decode_content=True):
            *complete, rest = (rest + data).split(b"\n")
            yield from complete
    except HTTPError as error:
        raise ChatError(f"connection lost during the answer: {type(error).__name__}") from None
    if rest:
        yield rest


def parse(line: bytes) -> Chunk | None:
    """Return the chunk in a line, or None if it is an empty line, a comment or another field.

    Raises:
        ChatError: The line is malformed, or reports an error of the server.
    """
    field, _, value = line.strip().partition(b":")
    if field in (b"", b"event", b"id", b"retry"):
        return None
    if field != b"data":
        raise ChatError(f"expected `data:` in the stream, got {shortened(line)}")
    if value.strip() == b"[DONE]":
        return Chunk(has_text=False, is_end=True, tokens=None)
    try:
        chunk = json.loads(value)
        if chunk.get("error"):
            raise ChatError(f"error in the stream: {error_text(value)}")
        choices = chunk.get("choices") or []
        deltas = [choice.get("delta") or {} for choice in choices]
        return Chunk(
            has_text=any(map(has_text, deltas)),
            is_end=any(choice.get("finish_reason") for choice in choices),
            tokens=(chunk.get("usage") or {}).get("completion_tokens"),
        )
    except (ValueError, TypeError, AttributeError):
        raise ChatError(f"malformed chunk in the stream: {shortened(value)}") from None


def has_text(delta: dict[str, Any]) -> bool:
    """Return whether a delta has text. The first one often has only a role."""
    keys = ("content", "reasoning_content", "reasoning", "tool_calls")
    return any(delta.get(key) for key in keys)


def error_text(body: bytes) -> str:
    """Return the message of an error in JSON, or the start of another text."""
    try:
        error = json.loads(body)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, TypeError, KeyError):
        return shortened(body)


def shortened(text: bytes) -> str:
    """Return the first characters of a text in one line."""
    return " ".join(text[:80].decode(errors="replace").split())


def ms_between(start: float, end: float) -> float:
    """Return the milliseconds between two times in seconds."""
    return (end - start) * 1000


def prompts(options: Any) -> list[str]:
    """Return the prompts to choose from."""
    return lines_of(options.prompts) if options.prompts else [options.prompt]


@cache
def lines_of(name: str) -> list[str]:
    """Return the lines of a file beside this one that are not empty."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.strip()]
