"""Certificates for tests, made with openssl."""

import shutil
import subprocess
from pathlib import Path

import pytest


def make_certificate(folder: Path, names: str = "IP:127.0.0.1") -> Path:
    """Make a self-signed certificate, with its key in the same file.

    Args:
        folder: Where to put the files.
        names: The names for which it is valid, as in `subjectAltName`.
    """
    if shutil.which("openssl") is None:
        pytest.skip("requires openssl")
    file = folder / "certificate.pem"
    options = ("-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost")
    files = ("-keyout", str(file), "-out", str(folder / "public.pem"))
    command = ["openssl", "req", *options, "-addext", f"subjectAltName={names}", *files]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    with file.open("a") as target:
        target.write((folder / "public.pem").read_text())
    return file
