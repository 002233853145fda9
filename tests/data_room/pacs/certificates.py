"""Certificates that sign themselves, made by openssl for one test."""

import shutil
import subprocess
from pathlib import Path

import pytest


def certificate(path: Path, *, address: str = "127.0.0.1", lock: str = "") -> Path:
    """Write a certificate for an address with its key as one PEM file; skip the test where openssl is missing."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    key = path.with_suffix(".key")
    locked = ["-passout", f"pass:{lock}"] if lock else ["-nodes"]
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", *locked),
            *("-keyout", key, "-out", path, "-days", "2", "-subj", "/CN=archive"),
            *("-addext", f"subjectAltName=IP:{address},DNS:localhost"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    path.write_bytes(path.read_bytes() + key.read_bytes())
    return path
