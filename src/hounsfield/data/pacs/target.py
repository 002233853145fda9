"""Where an archive is: ``https://host/dicom-web`` or ``AET@host:port``."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from hounsfield.core.errors import InputError

_AET = re.compile(r"[\x20-\x5b\x5d-\x7e]{1,16}")
"""Characters of an application entity title: no backslash, no control characters (PS3.5, VR AE)."""
_DIMSE = re.compile(r"(?P<aet>[^@]+)@(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
_NEXT = "write https://pacs.example/dicom-web, or AET@pacs.example:104"


@dataclass(frozen=True)
class WebTarget:
    """A DICOMweb service: the address under which ``/studies`` lies."""

    url: str

    @property
    def encrypted(self) -> bool:
        """Whether the connection is encrypted, or stays on this machine."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class DimseTarget:
    """A DICOM application entity: its title, host and port."""

    aet: str
    host: str
    port: int


Target = WebTarget | DimseTarget


def parse_target(text: str) -> Target:
    """Return the archive that a text means.

    Parameters
    ----------
    text : str
        ``https://host[:port]/path``, ``http://...``, or ``AET@host:port``.

    Raises
    ------
    InputError
        If it is neither, or has a user or password in it.
    """
    text = text.strip()
    if "://" in text:
        return _web(text)
    found = _DIMSE.fullmatch(text)
    if found is None:
        raise InputError("The address of the archive is neither a URL nor AET@HOST:PORT.", next_step=_NEXT)
    return DimseTarget(aet_title(found["aet"]), found["host"].strip("[]"), _port(int(found["port"])))


def aet_title(text: str) -> str:
    """Return an application entity title without the blanks around it.

    Raises
    ------
    InputError
        If it is not one.
    """
    title = text.strip()
    if not title or not _AET.fullmatch(title):
        raise InputError(
            "The AE title is not valid.",
            expected="1 to 16 plain characters, no backslash",
            next_step="ask the administrator of the archive for its AE title, and for one of your own (--aet)",
        )
    return title


def _web(text: str) -> WebTarget:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InputError("The URL of the archive cannot be understood.", next_step=_NEXT) from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InputError(
            f"The address begins with {parts.scheme}:// and names {'a' if parts.hostname else 'no'} host.",
            expected="http:// or https://, and a host",
            next_step=_NEXT,
        )
    if parts.username is not None or parts.password is not None:
        raise InputError(
            "The URL holds a user or a password, which would end in the shell's history.",
            expected="a URL without them",
            next_step="use --user and --password-file",
        )
    if parts.query or parts.fragment:
        raise InputError("The URL holds a query.", expected="the address of the service alone", next_step="use --query")
    if port is not None:
        _port(port)
    return WebTarget(text.rstrip("/"))


def _port(number: int) -> int:
    if not 1 <= number <= 65535:
        raise InputError(f"There is no port {number}.", expected="1 to 65535", next_step=_NEXT)
    return number
