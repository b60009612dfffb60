"""Masks the user names, passwords and queries of URLs, unless they are references."""

import re
from collections.abc import Iterable

from loadbench.engine.masking import MASK
from loadbench.engine.profile.values.references import Reference, parse

USERINFO = re.compile(r"(?<=://)([^/?#\s]*)@")
_QUERY = re.compile(r"([?#])[\s\S]+")
_BEFORE_LAST_AT = re.compile(r"^([^@]*?://)?[\s\S]*@")
_WORD = re.compile(r"\w")
SCHEMES = re.compile(r"\b(?:basic|bearer|digest|token|apikey)\b", re.IGNORECASE)


def mask_userinfo(url: str) -> str:
    """Return a URL, valid or not, with its user name and password masked."""
    masked = USERINFO.sub(masked_userinfo, url)
    if masked != url or url.startswith("/") or USERINFO.search(url):
        return masked
    return _BEFORE_LAST_AT.sub(rf"\g<1>{MASK}@", url)


def mask_url(url: str) -> str:
    """Return a URL, valid or not, with its user name, password and query masked."""
    return _QUERY.sub(rf"\1{MASK}", mask_userinfo(url))


def has_literal(parts: Iterable[str | Reference]) -> bool:
    """Return whether a secret text contains more than references and the scheme of a header."""
    literals = [part if isinstance(part, str) else part.default or "" for part in parts]
    return any(_WORD.search(SCHEMES.sub("", literal)) for literal in literals) or (
        all(isinstance(part, str) for part in parts)
    )


def is_literal(text: str) -> bool:
    """Return whether a secret text is more than references, or no valid text with references."""
    try:
        parts = parse(text)
    except ValueError:
        return True
    return bool(parts) and has_literal(parts)


def masked_userinfo(match: re.Match[str]) -> str:
    """Return the mask for user name and password, or the references in their place."""
    return f"{MASK}@" if is_literal(match[1]) else match[0]
