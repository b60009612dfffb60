"""Types of profile values, with their validation.

Messages about a single value start with `expected`; `error_messages` appends the actual value.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

from loadbench.engine.profile.duration import format_duration, parse_duration
from loadbench.engine.profile.values.references import references_in

Duration = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
]
"""Seconds, written as `90s`, `7m` or `1h20m`."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression that valid texts match, for the JSON schema.

    It rejects common mistakes. The validator of the type decides.
    """

    text: str
    names: str = ""
    """A regular expression that the names of a mapping match. The other one is for its values."""
    accepts_integers: bool = False
    """Whether a positive integer is valid, too. Its text then need not be quoted."""
    accepts_lists: bool = False
    """Whether values of a mapping may be booleans and lists, too."""


@dataclass(frozen=True, slots=True)
class NotEmpty:
    """Marks the type of a list that needs at least one value."""


MAX_PORT = 65_535

EVENT_NAME = r"^(?!\s)[^\x00-\x1f\x7f]+(?<!\s)(?!\n)$"
"""A regular expression that the names of requests and measurements match."""

VARIABLE_NAME = r"^[^=\x00]+$"
_REFERENCE = r"[\s\S]*\$\{"
"""Start of a text with a reference to an environment variable."""

TCP = "tcp"
"""The health check that opens a TCP connection to the port that receives the requests."""

TCP_SCHEME = "tcp://"
CONTAINERS = "containers"
"""The health check that leaves readiness to the health checks of the containers."""

_HEADER_NAME = r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+(?!\n)$"
"""A token of HTTP: RFC 9110, section 5.6.2."""

_HEADER_VALUE = r"^(?! )[ -~\u00a1-\u00ac\u00ae-\u00ff]*(?<! )(?!\n)$"
"""Printable Latin-1, in which http.client sends headers, in one line."""

_NOT_IN_URLS = " \"'`\\<>"
_SCHEME_AND_HOST = (
    # A URL contains no white space, control characters or `_NOT_IN_URLS`.
    r"(?![\s\S]*[\s\x00-\x1f\x7f-\x9f\xad\x22'`\\<>])"
    r"[hH][tT][tT][pP][sS]?://(?:[^\s/?#@\[\]]*@)?(?:[^\s/?#:@\[\]]+|\[[0-9a-fA-F:.]+\])"
    r"(?::0*[1-9][0-9]{0,4})?"
)


class InvalidKeyError(ValueError):
    """A key is inconsistent with other keys.

    Args:
        key: Path of the key that the message is about.
        message: The problem and how to fix it.
    """

    def __init__(self, key: tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.key = key


def _not_boolean(value: Any) -> Any:
    # YAML reads yes and no as booleans, which Python accepts as 1 and 0.
    if isinstance(value, bool):
        raise ValueError("expected a number")  # noqa: TRY004  # pydantic expects ValueError
    return value


def _as_list(value: Any) -> Any:
    return [_not_boolean(value)] if isinstance(value, int | float) else value


def _axis(values: tuple[Any, ...]) -> tuple[Any, ...]:
    if not values:
        raise ValueError("expected at least one value")
    # Names of cells and reports contain values as %g, so the formatted values must differ.
    if len({f"{value:g}" for value in values}) < len(values):
        raise ValueError("expected distinct values")
    return values


def _path(path: str) -> str:
    if references_in(path):
        return path
    if not path.strip() or "\0" in path:
        raise ValueError("expected a path")
    if "\n" in path or "\r" in path:
        raise ValueError("expected a path without line breaks")
    return str(PurePosixPath(path))


def as_texts(value: Any) -> Any:
    """Return a single text as a list."""
    return [value] if isinstance(value, str) else value


def _name(name: str) -> str:
    if not name or "=" in name or "\0" in name:
        raise ValueError("expected the name of a variable")
    return name


def split_service_port(text: str) -> tuple[str, str, str]:
    """Return scheme, service and port of a text such as `https://api:8443`.

    Scheme and service may be empty.
    """
    scheme, _, place = text.rpartition("://")
    service, _, port = place.rpartition(":")
    return scheme.lower(), service, port


def _event_name(text: str) -> str:
    if not re.search(EVENT_NAME, text):
        raise ValueError("expected a name in one line, without spaces around it")
    return text


def _service_port(text: str) -> str:
    scheme, service, port = split_service_port(text)
    is_named = bool(service) or ":" not in text
    is_http = scheme in ("", "http", "https")
    is_port = port.isascii() and port.isdigit() and 0 < int(port) <= MAX_PORT
    if not (is_named and is_http and is_port):
        raise ValueError("expected a container port, such as 8000, api:8000 or https://api:8443")
    return text


def _service_name(name: str) -> str:
    if not name or not name.isprintable() or name.isspace():
        raise ValueError("expected the name of a Compose service")
    references_in(name)
    return name


def _paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    if not paths:
        raise ValueError("expected at least one file, such as [stack/compose.yaml]")
    return paths


def _text(text: str) -> str:
    references_in(text)
    return text


def _health(text: str) -> str:
    if text.startswith("/") or text in (TCP, CONTAINERS) or references_in(text):
        return text
    if text.lower().startswith(TCP_SCHEME):
        _tcp_url(text)
    else:
        _http_url(text, is_health=True)
    return text


def _tcp_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_valid = bool(parts.hostname and parts.port) and url.isprintable()
        has_more = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    except ValueError:
        is_valid, has_more = False, ""
    if not is_valid or has_more:
        raise ValueError("expected a host and a port, such as tcp://127.0.0.1:9000")


def _health_checks(checks: tuple[str, ...]) -> tuple[str, ...]:
    if not checks:
        raise ValueError("expected at least one health check, such as /health")
    return checks


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not re.search(_HEADER_NAME, name):
            raise ValueError(f"{name!r} is not a valid name of an HTTP header")
        check_references(name, value)
        if not re.search(_HEADER_VALUE, value):
            raise ValueError(
                f"{name}: expected a value of printable Latin-1 characters in one line, without "
                "spaces around it"
            )
    if len({name.casefold() for name in headers}) < len(headers):
        raise ValueError("expected distinct names")
    return headers


def check_references(name: str, value: str) -> None:
    """Check the references to environment variables in a named value.

    Raises:
        ValueError: One of them is invalid.
    """
    try:
        references_in(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _variables(environment: dict[str, str]) -> dict[str, str]:
    for name, value in environment.items():
        if not name.isprintable() or not name or "=" in name or "\0" in value:
            raise ValueError(
                f"{name!r} is not a valid environment variable: the name must not be empty or "
                "contain = or control characters, and the value must not contain NUL"
            )
        check_references(name, value)
    return environment


def _http_url(url: str | None, *, is_health: bool = False) -> str | None:
    if url is None or references_in(url):
        return url
    if not url.isprintable() or any(character in url for character in _NOT_IN_URLS):
        raise ValueError(
            "expected a URL without spaces, quotes, backslashes, angle brackets and control "
            "characters, such as http://127.0.0.1:8000"
        )
    try:
        parts = urlsplit(url)
        is_http = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        has_query = parts.query or parts.fragment
    except ValueError:
        is_http, has_query = False, ""
    if is_health and not is_http:
        raise ValueError(
            "expected a path such as /health, a URL such as http://127.0.0.1:8000/health, tcp, "
            "tcp://HOST:PORT or containers"
        )
    if not is_health and (not is_http or has_query):
        raise ValueError("expected a URL without a query, such as http://127.0.0.1:8000")
    return url.rstrip("/")


Whole = Annotated[int, BeforeValidator(_not_boolean)]
Rate = Annotated[float, BeforeValidator(_not_boolean)]
PositiveInt = Annotated[Whole, Field(ge=1, le=1_000_000)]
PositiveRate = Annotated[Rate, Field(ge=0.001, le=1000)]
PositiveInts = Annotated[
    tuple[PositiveInt, ...], BeforeValidator(_as_list), AfterValidator(_axis), NotEmpty()
]
PositiveRates = Annotated[
    tuple[PositiveRate, ...], BeforeValidator(_as_list), AfterValidator(_axis), NotEmpty()
]

Text = Annotated[str, AfterValidator(_text)]
PathText = Annotated[str, AfterValidator(_path), Pattern(r"^[^\x00]*\S[^\x00]*$")]
PathTexts = Annotated[
    tuple[PathText, ...], BeforeValidator(as_texts), AfterValidator(_paths), NotEmpty()
]
HealthText = Annotated[
    str,
    AfterValidator(_health),
    Pattern(
        rf"^(?:/|{_REFERENCE}|{TCP}$|{CONTAINERS}$|[tT][cC][pP]://[^/?#@]+:0*[1-9][0-9]{{0,4}}/?$"
        rf"|{_SCHEME_AND_HOST}(?:[/?#]|$))"
    ),
]
HealthTexts = Annotated[
    tuple[HealthText, ...],
    BeforeValidator(as_texts),
    AfterValidator(_health_checks),
    NotEmpty(),
]
ServicePort = Annotated[
    str | None,
    AfterValidator(lambda text: text if text is None else _service_port(text)),
    Pattern(
        r"^(?:(?:[hH][tT][tT][pP][sS]?://)?(?![^:]*://)[^:].*:)?0*[1-9][0-9]{0,4}$",
        accepts_integers=True,
    ),
]
ServiceName = Annotated[str, AfterValidator(_service_name), Pattern(r"\S")]
ServiceNames = Annotated[tuple[ServiceName, ...], BeforeValidator(as_texts)]
VariableName = Annotated[str, AfterValidator(_name), Pattern(VARIABLE_NAME)]
Names = Annotated[tuple[VariableName, ...], BeforeValidator(as_texts)]
Variables = Annotated[dict[str, str], AfterValidator(_variables)]
EventName = Annotated[str, AfterValidator(_event_name), Pattern(EVENT_NAME)]
"""Name of requests or of a measurement: method and name, such as `POST /predict`, or a name."""
Headers = Annotated[
    dict[str, str], AfterValidator(_headers), Pattern(_HEADER_VALUE, names=_HEADER_NAME)
]
HttpUrl = Annotated[
    str | None,
    AfterValidator(_http_url),
    Pattern(rf"^(?:{_REFERENCE}|{_SCHEME_AND_HOST}(?:/[^?#]*)?$)"),
]
