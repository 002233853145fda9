"""The archive that a user named: reached with the credentials, certificates and pace that were given."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hounsfield.core.errors import InputError, unknown_name
from hounsfield.core.progress import Progress

if TYPE_CHECKING:
    from hounsfield.data.pacs.archive import Archive
    from hounsfield.data.pacs.target import WebTarget
    from hounsfield.data.pacs.web_session import WebAccess

PASSWORD, TOKEN = "HOUNSFIELD_PASSWORD", "HOUNSFIELD_TOKEN"
_WAYS: tuple[Literal["auto", "get", "move"], ...] = ("auto", "get", "move")
_LONGEST_SECRET = 64 * 1024


@dataclass(frozen=True)
class Access:
    """How an archive is to be reached.

    Parameters
    ----------
    user : str or None
        For DICOMweb; the password comes from `password_file`, else from ``HOUNSFIELD_PASSWORD``.
    password_file, token_file : Path or None
        Files with nothing but the secret; the token also from ``HOUNSFIELD_TOKEN``.
    tls : bool
        Encrypt DIMSE; a URL says itself what it wants.
    tls_ca, tls_cert : Path or None
        Authorities to trust, and our own certificate with its key (PEM), by either protocol.
    aet, port : str and int
        Our own AE title, and where a C-MOVE sends to.
    retrieve : str
        ``auto``, ``get`` or ``move``.
    rate : float or None
        Files a second at most.
    bind : str
        Address at which files of a C-MOVE are received; all of this machine where empty.
    """

    user: str | None = None
    password_file: Path | None = None
    token_file: Path | None = None
    tls: bool = False
    tls_ca: Path | None = None
    tls_cert: Path | None = None
    aet: str = "HOUNSFIELD"
    port: int = 11112
    retrieve: str = "auto"
    rate: float | None = None
    bind: str = ""


@contextmanager
def reached(target: str, access: Access, progress: Progress) -> Iterator["Archive"]:
    """Yield the archive that a text means; let go of it when the block ends.

    Parameters
    ----------
    target : str
        ``https://host/dicom-web`` or ``AET@host:port``.
    access : Access
    progress : Progress
        Is told where a password would cross the network for all to read.

    Raises
    ------
    InputError
        If an option is wrong, or the packages for archives are not installed.
    """
    from hounsfield.data.pacs.archive import LIMITS
    from hounsfield.data.pacs.association import Caller
    from hounsfield.data.pacs.pace import Pace
    from hounsfield.data.pacs.target import WebTarget, aet_title, parse_target
    from hounsfield.data.pacs.tls import Tls

    named = parse_target(target)
    if access.rate is not None and not 0 < access.rate <= 10_000:
        raise InputError(
            "The rate is not above 0.", expected="files a second, such as --rate 5", next_step="correct it"
        )
    pace = Pace(access.rate, clock=time.monotonic, sleep=time.sleep)
    _check_fits(access, web=isinstance(named, WebTarget))
    archive: Archive
    if isinstance(named, WebTarget):
        _need("requests")
        from hounsfield.data.pacs.dicomweb import WebArchive
        from hounsfield.data.pacs.web_session import WebSession

        session = WebSession(named, _web_access(access, named, progress), limits=LIMITS, pace=pace)
        archive = WebArchive(session, limits=LIMITS, pace=pace)
    else:
        _need("pynetdicom")
        from hounsfield.data.pacs.dimse import DimseArchive

        way = next((w for w in _WAYS if w == access.retrieve), None)
        if way is None:
            raise unknown_name("way to retrieve", access.retrieve, _WAYS)
        if not 0 <= access.port <= 65535:
            raise InputError(f"There is no port {access.port}.", expected="1 to 65535", next_step="correct --port")
        encrypted = access.tls or access.tls_ca is not None or access.tls_cert is not None
        tls = Tls(_file(access.tls_ca), _file(access.tls_cert)) if encrypted else None
        caller = Caller(aet_title(access.aet), access.port, access.bind, tls)
        archive = DimseArchive(named, caller, limits=LIMITS, pace=pace, retrieve=way)
    try:
        yield archive
    finally:
        archive.close()


def _check_fits(access: Access, *, web: bool) -> None:
    """Raise InputError for options that the other protocol has: they would be passed over without a word."""
    usual = Access()
    foreign = ("tls", "aet", "port", "retrieve") if web else ("user", "password_file", "token_file")
    given = [f"--{name.replace('_', '-')}" for name in foreign if getattr(access, name) != getattr(usual, name)]
    if given:
        raise InputError(
            f"{', '.join(given)}: not for an archive at {'a URL' if web else 'AET@HOST:PORT'}.",
            expected="options for " + ("DICOMweb" if web else "DIMSE, which knows callers by AE title and certificate"),
            next_step="leave it out" + ("; https:// in the URL says that it is encrypted" if web else ""),
        )


def _web_access(access: Access, target: "WebTarget", progress: Progress) -> "WebAccess":
    from hounsfield.data.pacs.tls import Tls
    from hounsfield.data.pacs.web_session import WebAccess

    if access.token_file is not None and (access.user is not None or access.password_file is not None):
        raise InputError("There are a token and a user.", expected="one of the two", next_step="leave one out")
    if access.password_file is not None and access.user is None:
        raise InputError(
            "There is a password but no user.", expected="both, or neither", next_step="give --user NAME as well"
        )
    password = token = ""
    if access.token_file is not None or (access.user is None and os.environ.get(TOKEN)):
        token = _secret(access.token_file, TOKEN, progress).strip()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise InputError(
                "The token is empty, or no token.",
                expected="one line of plain characters without blanks",
                next_step=f"correct the file of --token-file, or {TOKEN}",
            )
    elif access.user is not None:
        password = _secret(access.password_file, PASSWORD, progress)
        if not password:
            raise InputError(
                "There is a user but no password.",
                expected=f"--password-file FILE, or the environment variable {PASSWORD}",
                next_step="write the password into a file that only you can read (chmod 600)",
            )
    if (password or token) and not target.encrypted:
        progress.say("The password or token crosses the network unencrypted: use https where the archive offers it.")
    return WebAccess(access.user or "", password, token, Tls(_file(access.tls_ca), _file(access.tls_cert)))


def _secret(file: Path | None, variable: str, progress: Progress) -> str:
    """Return a secret without the end of its line; blanks may belong to a password."""
    if file is None:
        return os.environ.get(variable, "").rstrip("\r\n")
    try:
        with file.open(encoding="utf-8-sig") as opened:  # editors of Windows begin a text with a mark
            if os.name == "posix" and os.fstat(opened.fileno()).st_mode & 0o077:
                progress.say(f"Others on this machine can read {file.name}: chmod 600 {file.name}")
            return opened.read(_LONGEST_SECRET).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The secret in {file.name} cannot be read.", expected="a text file", next_step="check path and permissions"
        ) from error


def _file(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise InputError(f"There is no file {path.name!r}.", expected="a PEM file", next_step="check the path")
    return path


def _need(package: str) -> None:
    if find_spec(package) is None:
        raise InputError(
            f"The package {package} is not installed, which speaks with archives.",
            expected="the packages for archives",
            next_step="pip install 'hounsfield[pacs]'",
        )
