"""Encryption: whom to trust, and what we show of ourselves; certificates and names are always verified."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hounsfield.core.errors import InputError


@dataclass(frozen=True)
class Tls:
    """Encryption of connections (PS3.15, annex B).

    Parameters
    ----------
    ca_file : Path or None
        Certificates to trust, PEM; the usual authorities where None.
    own_file : Path or None
        Our own certificate and key in one PEM file: asked for by many archives, and needed for C-MOVE.
    """

    ca_file: Path | None = None
    own_file: Path | None = None


def client_context(tls: Tls) -> ssl.SSLContext:
    """Return a context that verifies the archive's certificate and name.

    Raises
    ------
    InputError
        If a certificate cannot be read.
    """
    return _filled(tls, lambda: ssl.create_default_context(cafile=tls.ca_file))


def server_context(tls: Tls) -> ssl.SSLContext:
    """Return a context for files that come to us: ours is shown, the archive's is asked for where we know a CA.

    Raises
    ------
    InputError
        If a certificate cannot be read, or we have none to show.
    """
    if tls.own_file is None:
        raise InputError(
            "Files of a C-MOVE over TLS come to us, and we have no certificate to show.",
            expected="our own certificate and key",
            next_step="give --tls-cert FILE (PEM with both), or use C-GET: --retrieve get",
        )
    context = _filled(tls, lambda: ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=tls.ca_file))
    if tls.ca_file is not None:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _filled(tls: Tls, make: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        context = make()
    except (OSError, ssl.SSLError) as error:
        raise _unreadable(tls.ca_file, "--tls-ca", "a PEM file (-----BEGIN CERTIFICATE-----)") from error
    try:
        if tls.own_file is not None:
            context.load_cert_chain(tls.own_file, password="")  # a locked key is an error, not a question
    except (OSError, ssl.SSLError) as error:
        wanted = "a PEM file with a certificate and its key, the key without a password"
        raise _unreadable(tls.own_file, "--tls-cert", wanted) from error
    return context


def _unreadable(path: Path | None, option: str, wanted: str) -> InputError:
    return InputError(
        f"The certificates in {path.name if path is not None else 'the system'} cannot be read.",
        expected=wanted,
        next_step=f"correct {option}",
    )
