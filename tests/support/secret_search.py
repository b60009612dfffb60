"""Searches for secrets in files, in all notations of programs that may have written them.

Independent of the masker, so that it finds what the masker misses.
"""

import base64
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote, quote_plus


def notations(secret: str) -> set[bytes]:
    """Return a secret in the notations of programs that may have written it."""
    url = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    url |= {re.sub("%..", lambda match: match[0].lower(), text) for text in url}
    escaped = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    escaped |= {repr(secret)[1:-1], html.escape(secret)}
    escaped |= {json.dumps(text)[1:-1] for text in escaped}
    escaped |= {html.escape(text) for text in escaped}
    for text in list(escaped):
        for character in "<>&'":
            text = text.replace(character, f"\\u{ord(character):04x}")
        escaped.add(text)
    encoded = {
        base64.b64encode(text.encode()).decode().rstrip("=")
        for text in (secret, f"tester:{secret}")
    }
    return {text.encode() for text in {secret, *url, *escaped, *encoded}}


def leaks(data: bytes, secrets: Sequence[str]) -> list[str]:
    """Return the secrets that occur in data."""
    return [text for text in secrets if any(found in data for found in notations(text))]


def leaks_in(folder: Path, secrets: Sequence[str]) -> dict[str, list[str]]:
    """Return the secrets in each file below a folder."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(file): found for file in files if (found := leaks(file.read_bytes(), secrets))}
