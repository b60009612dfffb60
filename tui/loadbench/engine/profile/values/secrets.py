"""Decides which values of a profile are secret, and masks them.

A value is secret by the name of its key or of a variable that it refers to. User names and
passwords in URLs are secret, too. Numbers and booleans are not, unless `secrets` lists their name.
"""

import base64
import binascii
import copy
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from loadbench.engine.masking import MASK, MIN_CHARACTERS, Masker, reads_as_number
from loadbench.engine.profile.sections.locust_options import option_values
from loadbench.engine.profile.values.references import Reference, parse, resolve_text
from loadbench.engine.profile.values.secret_names import SecretNames, plain_name
from loadbench.engine.profile.values.urls import (
    SCHEMES,
    USERINFO,
    has_literal,
    is_literal,
    mask_userinfo,
    masked_userinfo,
)

LITERAL_KEYS = ("description", "secrets", "not_secrets")
"""Keys outside of sections whose texts contain neither references nor secrets."""

ENVIRONMENT = ("stack", "environment")
HEADERS = ("stack", "headers")
OPTIONS = ("load", "options")
ENVIRONMENTS = (ENVIRONMENT, ("load", "environment"))
MAPPINGS = (*ENVIRONMENTS, HEADERS, OPTIONS)
"""Keys whose values are named by the user, so that the names decide."""

URLS = (("host",), ("stack", "health"))
FREE_TEXTS = (("description",), *URLS)
"""Keys that may repeat a secret value of another key. Identifiers, such as paths, do not."""

_AUTHORIZATION = re.compile(r"(authorization[\"']?\s*[:=]\s*[\"']?)([^\r\n]+)", re.IGNORECASE)
_HEADER_ENDS = re.compile(r"[\s,;\"'}]+")

Path = tuple[str | int, ...]
"""A key as names and indices: `("stack", "environment", "API_KEY")`."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret value of a profile, or a value that contains one."""

    path: Path
    written: Any
    """The value as written in the profile."""
    masked: Any
    """The value to record. Values that consist of references are recorded as they are."""
    values: tuple[str, ...]
    """The secret texts."""
    numbers: tuple[str, ...] = ()
    """Secret texts that read as numbers, which are secret only if `secrets` lists their name."""

    @property
    def key(self) -> str:
        """The key in dotted notation, without indices."""
        return ".".join(part for part in self.path if isinstance(part, str))

    @property
    def is_mask(self) -> bool:
        """Whether the value is a mask, such as one copied from the record of a run."""
        return self.masked == self.written and MASK in str(self.written)

    @property
    def is_literal(self) -> bool:
        """Whether the recorded value is masked."""
        return self.masked != self.written or self.is_mask


def find_secrets(
    data: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    names: SecretNames | None = None,
) -> tuple[Secret, ...]:
    """Return the secrets of a profile in the order of its keys.

    Args:
        data: Keys and values of a profile, valid or not.
        environ: Values of the references, which are all set. None to find only literal secrets.
        names: The names that are secret or not. None: as listed in the data.
    """
    names = names or SecretNames.of(data)
    found: dict[Path, Secret] = {}
    for path, value in _scalars(data, ()):
        if path[0] not in LITERAL_KEYS and (secret := _secret(path, value, names, environ)):
            found[path] = secret
    masker = masker_of(found.values())
    for path, value in _scalars(data, ()) if masker else ():
        if path in found and found[path].is_literal:
            continue
        if repeated := _repeated(path, value, masker):
            found[path] = repeated
    return tuple(found.values())


def masker_of(secrets: Iterable[Secret]) -> Masker:
    """Return what masks the values of secrets in texts."""
    found = tuple(secrets)
    return Masker(
        (value for secret in found for value in secret.values),
        numbers=[number for secret in found for number in secret.numbers],
    )


def masked_data(data: Mapping[str, Any], secrets: Iterable[Secret] | None = None) -> dict[str, Any]:
    """Return the data of a profile with its literal secrets masked.

    Args:
        data: All keys and values of the profile.
        secrets: Its secrets. None to find them.
    """
    found = find_secrets(data) if secrets is None else secrets
    return replaced(data, {one.path: one.masked for one in found if one.is_literal})


def replaced(data: Mapping[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    """Return data with other values.

    Args:
        data: Keys and values, in sections.
        values: New values by path. Sections on the way exist.
    """
    changed: Any = copy.deepcopy(dict(data))
    for path, value in values.items():
        section = changed
        for part in path[:-1]:
            section = section[part]
        section[path[-1]] = value
    return dict(changed)


def is_masked_like(masked: Any, value: Any) -> bool:
    """Return whether a value could have been recorded as a masked one."""
    parts = map(re.escape, str(masked).split(MASK))
    return re.fullmatch(".*".join(parts), str(value), re.DOTALL) is not None


def _secret(
    path: Path, value: Any, names: SecretNames, environ: Mapping[str, str] | None
) -> Secret | None:
    name = _variable(path, names)
    is_header = path[: len(HEADERS)] == HEADERS
    is_listed = names.is_listed(name)
    if not isinstance(value, str):
        if not is_listed or value is None:
            return None
        return Secret(path, value, MASK, (), () if isinstance(value, bool) else (str(value),))
    if _is_misplaced(path):
        return Secret(path, value, MASK, (value,))
    try:
        parts = parse(value)
    except ValueError:
        # The profile is invalid; only its messages need the mask.
        parts, environ = (value,), None
    values = list(_referenced(parts, names, environ))
    texts = _known_texts(value, parts, environ)
    numbers = tuple(_numbers(texts if is_listed else (), parts, names, environ))
    is_named = names.is_secret(name) or (is_header and names.is_secret_header(name, value))
    if is_named and value and (is_listed or not reads_as_number(value)):
        values += (part for text in texts for part in _named_values(text))
        values += (part for text in texts for part in _header_parts(text) if is_header)
        if path[: len(OPTIONS)] == OPTIONS:
            values += (part for text in texts for part in option_values(text))
        masked = MASK if has_literal(parts) else value
        return Secret(path, value, masked, tuple(values), numbers)
    masked = value
    if not _is_exempt(path, names):
        values += (part for text in texts[:1] for part in _url_values(text))
        masked = mask_userinfo(value) if is_url(path) else USERINFO.sub(masked_userinfo, value)
        if _is_variable(path):
            values += (part for text in texts[:1] for part in _header_values(text))
            masked = _AUTHORIZATION.sub(_masked_header, masked)
    if not (values or numbers or masked != value):
        return None
    return Secret(path, value, masked, tuple(values), numbers)


def _numbers(
    texts: Iterable[str],
    parts: Sequence[str | Reference],
    names: SecretNames,
    environ: Mapping[str, str] | None,
) -> Iterator[str]:
    """Yield the numbers that are secret because `secrets` lists their name.

    Args:
        texts: What a listed key has as values.
        parts: The parts of the value.
        names: The names that are secret or not.
        environ: Values of the references. None if they are unknown.
    """
    listed = [part for part in parts if isinstance(part, Reference) and names.is_listed(part.name)]
    resolved = [part.resolve(environ) for part in listed] if environ is not None else []
    yield from (text for text in (*texts, *resolved) if reads_as_number(text))


def _repeated(path: Path, value: Any, masker: Masker) -> Secret | None:
    """Return a text that repeats a secret value of another key, or None if it repeats none."""
    if not isinstance(value, str) or not (_is_variable(path) or _key_of(path) in FREE_TEXTS):
        return None
    masked = masker.text(value)
    if masked == value:
        return None
    return Secret(path, value, MASK if _is_variable(path) else masked, ())


def is_url(path: Path) -> bool:
    """Return whether a key, or a list at a key, contains URLs."""
    return _key_of(path) in URLS


def _key_of(path: Path) -> Path:
    """Return the path without the index of an item."""
    return path[:-1] if path and isinstance(path[-1], int) else path


def _is_variable(path: Path) -> bool:
    return any(path[: len(one)] == one and len(path) > len(one) for one in MAPPINGS)


def _is_misplaced(path: Path) -> bool:
    """Return whether a value stands where only a mapping may be, such as `[API_KEY=value]`."""
    in_list = path[-1:] and isinstance(path[-1], int) and path[:-1] in MAPPINGS
    return path in MAPPINGS or bool(in_list)


def _variable(path: Path, names: SecretNames) -> str:
    """Return the name that decides about a variable, or an empty text for another key."""
    if not _is_variable(path):
        return ""
    parts = [part for part in path if isinstance(part, str)]
    # A name with dots, or a value with the wrong form, has several parts.
    return next((part for part in parts if names.is_secret(part)), parts[-1])


def _is_exempt(path: Path, names: SecretNames) -> bool:
    parts = [part for part in path if isinstance(part, str)]
    return not names.never.isdisjoint((plain_name(parts[-1]), plain_name(".".join(parts))))


def _referenced(
    parts: Sequence[str | Reference], names: SecretNames, environ: Mapping[str, str] | None
) -> Iterator[str]:
    """Yield the values of the references whose names are secret."""
    for part in parts:
        if isinstance(part, Reference) and names.is_secret(part.name) and environ is not None:
            yield part.resolve(environ)


def _known_texts(
    value: str, parts: Sequence[str | Reference], environ: Mapping[str, str] | None
) -> list[str]:
    """Return a value as resolved, and the defaults and values of its references, if known."""
    references = [part for part in parts if isinstance(part, Reference)]
    if not references:
        return [value]
    defaults = [part.default or "" for part in references]
    if environ is None:
        return ["", *defaults]
    resolved = [part.resolve(environ) for part in references]
    return [resolve_text(value, environ), *defaults, *resolved]


def _named_values(text: str) -> Iterator[str]:
    """Yield the secret texts in a value whose name is secret."""
    yield text
    yield from _url_values(text)
    # The credentials of a header, without their scheme.
    scheme, _, credentials = text.strip().partition(" ")
    if SCHEMES.fullmatch(scheme):
        yield credentials.strip()
        if scheme.lower() == "basic":
            yield from _decoded(credentials.strip())


def _url_values(text: str) -> Iterator[str]:
    """Yield the secret texts in the user names and passwords of URLs."""
    for match in USERINFO.finditer(text):
        for userinfo in dict.fromkeys((match[1], unquote(match[1]))):
            _, colon, password = userinfo.partition(":")
            yield userinfo
            if colon:
                yield password
        user, _, password = match[1].partition(":")
        # As in the header that clients send.
        credentials = f"{unquote(user)}:{unquote(password)}"
        yield base64.b64encode(credentials.encode("utf-8", "surrogatepass")).decode().rstrip("=")


def _header_values(text: str) -> Iterator[str]:
    """Yield the secret texts in the `Authorization` headers that a text lists."""
    for match in _AUTHORIZATION.finditer(text):
        yield match[2].strip()
        first, second, *_ = [*_HEADER_ENDS.split(match[2].strip()), "", ""]
        yield from _named_values(f"{first} {second}" if SCHEMES.fullmatch(first) else first)


def _header_parts(text: str) -> Iterator[str]:
    """Yield the secret texts in the value of a header: what follows its scheme, and cookies."""
    parts = [text.partition(" ")[2], *(part.partition("=")[2] for part in text.split(";"))]
    yield from (part.strip() for part in parts if len(part.strip()) >= MIN_CHARACTERS)


def _decoded(credentials: str) -> Iterator[str]:
    try:
        padding = "=" * (-len(credentials) % 4)
        text = base64.b64decode(credentials + padding, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    yield text
    yield text.partition(":")[2]


def _masked_header(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}" if is_literal(match[2]) else match[0]


def _scalars(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield all values that are no sections or lists, with their paths."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _scalars(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _scalars(inner, (*path, index))
    elif path:
        yield path, value
