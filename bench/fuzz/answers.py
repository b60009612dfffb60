"""What a service sends: health, metrics pages and `Server-Timing` headers."""

import gzip
import inspect
import json
import math
import zlib
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import requests

from bench.fuzz.harness import Input, Kind, require
from bench.fuzz.server import RawServer, refuse_other_hosts
from bench.fuzz.values import DEEP, NUMBERS, damaged, text, token
from loadbench.engine.drivers.health import HealthChecks
from loadbench.engine.drivers.metrics import fetch_metrics, parse_metrics
from loadbench.engine.journal.codec import Entry, encode
from loadbench.engine.journal.events import ClientUse, Sample, ServiceMetrics, Stages
from loadbench.engine.measure.server_timing import MAX_STAGE_MS, parse_server_timing

FETCH_LIMIT_S = 20.0
"""Time limit of a request in seconds. The program has limits of one and two seconds."""
MODES = ("unlimited", "drip", "drip body", "hang")
"""Answers that only a timeout ends."""

_MEMBER = gzip.compress(bytes(50_000_000))
BOMB = _MEMBER * 80
"""4 GB as 4 MB."""

OK = b"HTTP/1.1 200 OK\r\n"
STATUS_LINES = (
    *(OK, OK, OK, OK, b"HTTP/1.1 503 Service Unavailable\r\n", b"HTTP/1.0 200\r\n"),
    *(b"HTTP/1.1 99999 X\r\n", b"HTTP/1.1 -1 X\r\n", b"HTTP/9.9 200 OK\r\n", b"ICY 200\r\n", b""),
    *(b"HTTP/1.1 100 Continue\r\n\r\n" * 5 + OK, b"HTTP/1.1 204 No Content\r\n", b"\r\n\r\n"),
    *(
        b"HTTP/1.1 200 \x1b[31m\xff\r\n",
        b"HTTP/1.1 101 X\r\n",
        b"HTTP/1.1 " + b"2" * 70_000 + b"\r\n",
    ),
    *(
        b"HTTP/1.1 302 Found\r\n",
        b"HTTP/1.1 307 X\r\n",
        b"HTTP/1.1 401 X\r\n",
        b"HTTP/1.1 2e2 X\r\n",
    ),
)
HEADERS = (
    *(b"Content-Type: application/json", b"Content-Type: text/plain; charset=nonsense"),
    *(b"Content-Type: application/json; charset=utf-16", b"Content-Type: x; charset=idna"),
    *(b"Content-Type: ;;;=;charset=", b"Content-Length: 5", b"Content-Length: -1"),
    *(b"Content-Length: 999999999999999999999", b"Content-Length: x", b"Content-Length: 1, 2"),
    *(b"Content-Length: 0", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked"),
    *(b"Content-Encoding: gzip", b"Content-Encoding: deflate", b"Content-Encoding: br"),
    *(b"Content-Encoding: " + b"gzip, " * 5 + b"gzip", b"Content-Encoding: zstd", b"X" * 70_000),
    *(b"Set-Cookie: a=b; expires=x; domain=;;;", b"Set-Cookie: \x1b[31m=\xff", b": empty", b"bad"),
    *(b"Location: /", b"Location: http://[::1", b"Location: http://127.0.0.1:99999/", b"Location:"),
    *(b"Location: http://127.0.0.1:1/", b"Location: //", b"Location: file:///etc/passwd"),
    *(b"Location: http://\xff\xfe/", b"Location: http://a..b/", b"Location: http://x" + b"y" * 80),
    *(b"Location: http://.example/", b"Location: http://xn--a/", b"Location: http://*/\r\n folded"),
    *(b"Location: http://user:pw@127.0.0.1:1", b"WWW-Authenticate: Digest nonce=", b"Connection:"),
    b"\r\n".join(b"A%d: b" % number for number in range(150)),
)
CHUNKS = (
    *(
        b"5\r\nhello\r\n0\r\n\r\n",
        b"-1\r\nx\r\n",
        b"ffffffffffffffff\r\nx",
        b"zz\r\n",
        b"5\r\nhe",
        b"",
    ),
    *(
        b"5;" + b"x" * 70_000 + b"\r\nhello\r\n0\r\n\r\n",
        b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"0\r\n",
    ),
    b"0x5\r\nhello\r\n0\r\n\r\n",
)


def page(body: bytes, *headers: bytes, status: bytes = OK) -> bytes:
    """Return a raw response."""
    return status + b"".join(header + b"\r\n" for header in headers) + b"\r\n" + body


def compressed(random: Random, body: bytes) -> bytes:
    """Return a body in one of the content encodings, sometimes cut or with extra bytes."""
    data = random.choice((gzip.compress, zlib.compress))(body)
    return random.choice((data, data[:-3], data + b"x", data * 3))


def fetch(function: Callable[..., Any], url: str) -> Any:
    """Call a function that sends a request. Older versions of the program pass a session to it."""
    if len(inspect.signature(function).parameters) == 1:
        return function(url)
    with requests.Session() as session:
        session.trust_env = False
        return function(session, url)


def _missing(workers: int | None, url: str) -> str | None:
    return HealthChecks((url,)).missing((url,), workers)


class _Fetched(Kind):
    """Pages that are read from a server on loopback."""

    def __init__(self) -> None:
        refuse_other_hosts()
        self._server = RawServer()

    def wait_s(self, given: Input) -> float:
        return FETCH_LIMIT_S if given.mode else super().wait_s(given)

    def _url(self, given: Input, path: str) -> str:
        assert isinstance(given.data, bytes)
        self._server.data, self._server.mode = given.data, given.mode.removeprefix("fetch").strip()
        return self._server.url + path

    @staticmethod
    def _raw_page(random: Random, body: bytes) -> bytes:
        """Return a response with random headers."""
        headers = random.sample(HEADERS, random.choice((0, 1, 1, 2, 3)))
        if b"Transfer-Encoding: chunked" in headers and random.random() < 0.8:
            body = random.choice(CHUNKS)
        if any(header.startswith(b"Content-Encoding") for header in headers):
            body = compressed(random, body)
        data = page(body, *headers, status=random.choice(STATUS_LINES))
        return damaged(random, data) if random.random() < 0.2 else data


class Health(_Fetched):
    """Answers of health URLs."""

    name = "health"
    share = 4.0

    def known(self) -> dict[str, Input]:  # noqa: D102
        nested = b'{"workers":' + b"[" * DEEP + b"]" * DEEP + b"}"
        return {
            "body without an end": Input(page(b""), "fetch unlimited"),
            "chunks without an end": Input(
                page(b"fffffff\r\n", b"Transfer-Encoding: chunked"), "fetch unlimited"
            ),
            "headers without an end": Input(OK + b"A: ", "fetch unlimited"),
            "interim responses without an end": Input(
                b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000_000, "fetch"
            ),
            "dripping body": Input(page(b"{"), "fetch drip body"),
            "dripping headers": Input(page(b"{}", *HEADERS[:5]), "fetch drip"),
            "nested body": Input(page(nested), "fetch"),
            "compressed 4 GB": Input(page(BOMB, b"Content-Encoding: gzip"), "fetch"),
            "invalid redirect": Input(
                page(b"", b"Location: http://.example/", status=b"HTTP/1.1 302 Found\r\n"), "fetch"
            ),
            "10^400 in the body": Input(page(b'{"workers":[{"ready":1' + b"0" * 5000 + b"}]}")),
        }

    def make(self, random: Random) -> Input:  # noqa: D102
        workers: list[Any] = [{"ready": random.random() < 0.7} for _ in range(random.randint(0, 4))]
        body = json.dumps({"workers": workers, "status": text(random)}).encode()
        match random.randrange(6):
            case 0:
                body = token(random).encode("utf-8", "surrogatepass")
            case 1:
                body = f'{{"workers":{token(random)}}}'.encode("utf-8", "surrogatepass")
            case 2:
                items = ",".join(token(random) for _ in range(3))
                body = f'{{"workers":[{{"ready":{items}}}]}}'.encode("utf-8", "surrogatepass")
            case 3:
                body = damaged(random, body)
            case _:
                encoding = random.choice(("utf-8", "utf-16", "utf-32", "utf-8-sig"))
                body = body.decode().encode(encoding)
        mode = "fetch " + random.choice(MODES) if random.random() < 0.002 else "fetch"
        if random.random() < 0.02:
            mode = "fetch reset"
        return Input(self._raw_page(random, body), mode)

    def check(self, given: Input) -> bool:  # noqa: D102
        url = self._url(given, "/health")
        reasons = [fetch(partial(_missing, workers), url) for workers in (None, 1)]
        require(all(one is None or isinstance(one, str) for one in reasons), "a reason or None")
        return reasons[0] is None


METRIC_NAMES = (
    *("loadbench_queue_length", "loadbench_workers", "loadbench_workers_total"),
    *("loadbench_worker_images_total", "loadbench_worker_infer_seconds_total"),
)


class Metrics(_Fetched):
    """Metrics pages, most of them without a server."""

    name = "metrics"
    share = 5.0

    def known(self) -> dict[str, Input]:  # noqa: D102
        digits = b"9" * 400
        line = b'loadbench_worker_images_total{worker="a"} '
        return {
            "400 digits": Input(b"loadbench_queue_length " + digits + b"\n"),
            "400 digits over HTTP": Input(
                page(b"loadbench_queue_length " + digits + b"\n"), "fetch"
            ),
            "400 digits of a worker": Input(
                line + digits + b'\nloadbench_worker_infer_seconds_total{worker="a"} 1\n'
            ),
            "5000 digits": Input(b"loadbench_workers " + b"9" * 5000 + b"\n"),
            "page without an end": Input(page(b""), "fetch unlimited"),
            "dripping page": Input(page(b"l"), "fetch drip body"),
            "dripping headers": Input(page(b"{}", *HEADERS[:5]), "fetch drip"),
            "compressed 4 GB": Input(page(BOMB, b"Content-Encoding: gzip"), "fetch"),
            "invalid redirect": Input(
                page(b"", b"Location: http://.example/", status=b"HTTP/1.1 302 Found\r\n"), "fetch"
            ),
            "unclosed label": Input(b"loadbench_workers{a=\n" * 10),
            "a million lines": Input(b"loadbench_workers 1\n" * 200_000),
            "long label": Input(line.replace(b'"a"', b'"' + b'\\"' * 1_000_000 + b'"') + b"1\n"),
        }

    def make(self, random: Random) -> Input:  # noqa: D102
        lines = [self._line(random) for _ in range(random.choice((1, 2, 4, 10)))]
        body = "\n".join([*lines, ""]).encode("utf-8", "surrogatepass")
        if random.random() < 0.1:
            body = damaged(random, body)
        if random.random() < 0.15:
            mode = "fetch " + random.choice(MODES) if random.random() < 0.01 else "fetch"
            return Input(self._raw_page(random, body), mode)
        return Input(body)

    def check(self, given: Input) -> bool:  # noqa: D102
        assert isinstance(given.data, bytes)
        if given.mode:
            metrics = fetch(lambda url: fetch_metrics(url), self._url(given, "/metrics"))
        else:
            try:
                metrics = _parse(given.data)
            except ValueError:
                return False
        if metrics is None:
            return False
        sample = Sample(
            cell="m1_u2_s8",
            attempt=1,
            second=0,
            users=1,
            requests=(),
            stages=Stages(),
            containers=(),
            clients=(ClientUse(cpu_cores=0.1),),
            service=metrics,
        )
        line = encode(Entry(1, "2026-11-22T07:21:00.000Z", 1.0, sample))
        require(len(line) < 16_000_000, "a limited journal line", len(line))
        return True

    @staticmethod
    def _line(random: Random) -> str:
        name = random.choice(METRIC_NAMES)
        number = random.choice(NUMBERS) if random.random() < 0.4 else str(random.randint(0, 9))
        worker = random.choice(("w1", "w1", "w2", text(random)))
        escaped = worker.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        labels = f'{{worker="{escaped}"}}' if "worker_" in name else ""
        match random.randrange(30):
            case 0:
                name += text(random)
            case 1:
                labels = "{" + text(random) + "}"
            case 2:
                labels = f'{{worker="{worker}",x="{text(random)}"}}'
            case 3:
                number = random.choice(("+Inf", "0x10", "1_0", "", text(random)))
            case 4:
                number += random.choice((f" {random.choice(NUMBERS)}", " # {} 1", " 1 2"))
            case 5:
                return random.choice(("# TYPE loadbench_workers x", "# HELP", "other{ 1", ""))
        return f"{name}{labels} {number}"


def _parse(data: bytes) -> ServiceMetrics | None:
    """Parse a page. Older versions of the program parse text."""
    [parameter] = inspect.signature(parse_metrics).parameters.values()
    is_text = parameter.annotation is str
    return parse_metrics(data.decode("utf-8", "replace") if is_text else data)  # type: ignore[arg-type]


class ServerTiming(Kind):
    """`Server-Timing` headers."""

    name = "server-timing"
    share = 6.0

    def known(self) -> dict[str, Input]:  # noqa: D102
        return {
            "unclosed quotes": Input('total;dur="' + '\\"' * 100_000),
            "many metrics": Input("total;dur=1, " * 100_000),
            "many parameters": Input("total" + ";dur=1" * 100_000),
            "only quotes": Input('"' * 100_000),
            "infinite stage": Input("total;dur=1e999, queue;dur=1"),
            "NaN": Input("total;dur=nan, queue;dur=nan, decode;dur=nan, infer;dur=nan"),
            "negative stage": Input("total;dur=-1"),
            "5000 digits": Input("total;dur=" + "9" * 5000),
        }

    def make(self, random: Random) -> Input:  # noqa: D102
        names = ("total", "queue", "decode", "infer", "Total", "other", text(random))
        metrics = []
        for _ in range(random.choice((1, 2, 4, 4, 6))):
            number = random.choice((*NUMBERS, "1", "2.5", "1_0", " 3", '"4"', "١", text(random)))
            key = random.choice(("dur", "dur", "dur", "DUR", "desc", " dur ", text(random)))
            metrics.append(f"{random.choice(names)};{key}={number}")
        header = random.choice((", ", ", ", ",", ";", " ")).join(metrics)
        if random.random() < 0.3:
            header = damaged(random, header.encode("utf-8", "replace")).decode("latin-1")
        return Input(header, random.choice(("", "", "", "list", "bytes")))

    def check(self, given: Input) -> bool:  # noqa: D102
        assert isinstance(given.data, str)
        value: Any = given.data
        if given.mode == "list":
            half = len(value) // 2
            value = [value[:half], value[half:]]
        elif given.mode == "bytes":
            value = value.encode("utf-8", "replace")
        stages = parse_server_timing({"server-timing": value})
        for name, milliseconds in stages.items():
            is_plausible = math.isfinite(milliseconds) and 0 <= milliseconds <= MAX_STAGE_MS
            require(is_plausible, "plausible stages", (name, milliseconds))
        require("total_ms" in stages or not stages, "no stages without a total", stages)
        return bool(stages)
