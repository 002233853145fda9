"""HTTP with an archive: verified TLS, bounded answers, few tries, nothing of the request in a message."""

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from hounsfield.core.errors import ArchiveError
from hounsfield.data.pacs.archive import ArchiveLimits, TooLargeError
from hounsfield.data.pacs.deadline import Deadline
from hounsfield.data.pacs.pace import Pace
from hounsfield.data.pacs.target import WebTarget
from hounsfield.data.pacs.tls import Tls, client_context

if TYPE_CHECKING:
    import requests

TRIES = 4
"""So often a request is made where the archive is busy or the connection breaks."""
_BUSY = frozenset({429, 502, 503, 504})
_LONGEST_REST = 30.0
_CHUNK = 1 << 16


@dataclass(frozen=True)
class WebAccess:
    """How to be let in: a user with a password, or a token; and whom to trust.

    Parameters
    ----------
    user, password : str
        For basic authentication.
    token : str
        For ``Authorization: Bearer``.
    tls : Tls
    """

    user: str = ""
    password: str = ""
    token: str = ""
    tls: Tls = field(default_factory=Tls)

    def __repr__(self) -> str:
        """Show nothing that opens a door."""
        return "WebAccess()"


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    content_type: str
    content: bytes
    more: bool = False
    """Whether the archive said, by a Warning header, that it has more than it sent."""
    retry_after: str = ""


class WebSession:
    """Requests below one address.

    Parameters
    ----------
    target : WebTarget
    access : WebAccess
    limits : ArchiveLimits
    pace : Pace

    Notes
    -----
    Neither environment variables nor .netrc are read, and redirects are not followed: the credentials go to the
    address that the user gave and to no other.
    """

    def __init__(self, target: WebTarget, access: WebAccess, *, limits: ArchiveLimits, pace: Pace) -> None:
        import requests

        self._base = target.url
        self._limits = limits
        self._pace = pace
        self._deadline = Deadline()
        self._session = requests.Session()
        self._session.trust_env = False
        self._deadline.watch(self._session)
        # what is compressed small can be large: nothing is gained by it here, as JSON of searches is short
        self._session.headers["Accept-Encoding"] = "identity"
        client_context(access.tls)  # says now what is wrong with the files
        if access.tls.ca_file is not None:
            self._session.verify = str(access.tls.ca_file)
        if access.tls.own_file is not None:
            self._session.cert = str(access.tls.own_file)
        if access.token:
            self._session.headers["Authorization"] = f"Bearer {access.token}"
        elif access.user:
            pair = base64.b64encode(f"{access.user}:{access.password}".encode()).decode()
            self._session.headers["Authorization"] = f"Basic {pair}"

    def get(self, path: str, params: list[tuple[str, str]], *, accept: str, most: int) -> Answer:
        """Return the answer to a GET.

        Parameters
        ----------
        path : str
            Below the address, beginning with ``/``.
        params : list of (str, str)
        accept : str
            Media type.
        most : int
            Bytes of the answer.

        Raises
        ------
        ArchiveError
            If the archive is not reached, does not let us in, or answers too long or too much.
        """
        return self._ask("GET", path, params, headers={"Accept": accept}, most=most)

    def post(self, path: str, body: bytes, *, content_type: str, accept: str) -> Answer:
        """Return the answer to a POST."""
        headers = {"Accept": accept, "Content-Type": content_type}
        return self._ask("POST", path, [], headers=headers, most=self._limits.answer_bytes, body=body)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def _ask(
        self,
        verb: str,
        path: str,
        params: list[tuple[str, str]],
        *,
        headers: dict[str, str],
        most: int,
        body: bytes | None = None,
    ) -> Answer:
        for tried in range(TRIES):
            last = tried == TRIES - 1
            with self._deadline.within(self._limits.whole_seconds) as overrun:
                try:
                    answer = self._once(verb, self._base + path + _query(params), headers=headers, most=most, body=body)
                except _BrokenError as error:
                    if overrun.cut:
                        raise self._slow() from error
                    if last or not error.passing:
                        raise _unreached(error) from error
                    rest = _rest("", tried)
                else:
                    if overrun.cut:
                        raise self._slow()
                    if answer.status not in _BUSY or last:
                        return answer
                    rest = _rest(answer.retry_after, tried)
            self._pace.rest(rest)
        raise AssertionError("the last try returns or raises")

    def _once(self, verb: str, url: str, *, headers: dict[str, str], most: int, body: bytes | None) -> Answer:
        """Ask once; raise _BrokenError where the connection does not come about or breaks."""
        import requests

        try:
            with self._session.request(
                verb,
                url,
                data=body,
                headers=headers,
                timeout=(self._limits.connect_seconds, self._limits.answer_seconds),
                stream=True,
                allow_redirects=False,
            ) as response:
                return _read(response, most)
        except requests.exceptions.SSLError as error:
            raise _untrusted() from error
        except (
            requests.exceptions.ConnectionError,
            requests.exceptions.Timeout,
            requests.exceptions.ChunkedEncodingError,  # the body ends before it should, whatever its encoding
        ) as error:
            raise _BrokenError(error) from error
        except (requests.exceptions.RequestException, UnicodeError) as error:
            raise ArchiveError(
                f"The archive's answer is not HTTP as it should be ({type(error).__name__}).",
                expected="a DICOMweb service",
                next_step="check the URL",
            ) from error

    def _slow(self) -> ArchiveError:
        return ArchiveError(
            f"An answer of the archive took more than {self._limits.whole_seconds:g} s.",
            expected="a faster one",
            next_step="type the same command again: it goes on where it was",
        )


class _BrokenError(Exception):
    """A connection that did not come about, or broke."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{error!r}")
        self.kind = type(error).__name__

    @property
    def passing(self) -> bool:
        """Whether another try may help: not where the name or the port does not exist."""
        words = str(self)
        return not any(w in words for w in ("NameResolution", "refused", "Errno 111", "unreachable", "No route"))


def _read(response: "requests.Response", most: int) -> Answer:
    _check_status(response.status_code)
    content = bytearray()
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > most:
            raise TooLargeError(
                f"An answer of the archive is larger than {most >> 20} MiB.",
                expected="a smaller one",
                next_step="ask for less with --query",
            )
    return Answer(
        response.status_code,
        response.headers.get("Content-Type", ""),
        bytes(content),
        more="Warning" in response.headers,
        retry_after=response.headers.get("Retry-After", ""),
    )


def _query(params: list[tuple[str, str]]) -> str:
    """Return the query of a URL; wildcards stay as they are, since Orthanc takes an encoded one for a plain letter."""
    return "?" + urlencode(params, safe="*?") if params else ""


def check_allowed(status: int) -> None:
    """Raise ArchiveError where the archive did not let us in."""
    if status in (401, 403):
        raise ArchiveError(
            f"The archive does not let us in (HTTP {status}).",
            expected="a user or token that may read (pull) or write (push)",
            next_step="give --user NAME --password-file FILE, or --token-file FILE",
        )


def _check_status(status: int) -> None:
    if status == 401:  # 403 may be meant for one instance only
        check_allowed(status)
    if 300 <= status < 400:
        raise ArchiveError(
            f"The archive sends us elsewhere (HTTP {status}).",
            expected="the address of the DICOMweb service itself, since credentials do not follow redirects",
            next_step="give the final URL, often https instead of http",
        )


def _untrusted() -> ArchiveError:
    return ArchiveError(
        "The archive's certificate is not trusted, or it does not speak TLS on this port.",
        expected="a certificate for this host name by a known authority",
        next_step="give the hospital's own authority: --tls-ca FILE (PEM)",
    )


def _unreached(error: _BrokenError) -> ArchiveError:
    words = str(error)
    if "NameResolution" in words:
        found = "The host name of the archive is not known."
    elif "refused" in words:
        found = "The archive's host refuses the connection on this port."
    elif "ConnectTimeout" in words:
        found = "The archive's host does not answer."
    elif "Read timed out" in words or "ReadTimeout" in words:
        found = "The archive took the request but did not answer in time."
    else:
        found = f"The connection to the archive broke ({error.kind})."
    return ArchiveError(
        found,
        expected="a DICOMweb service at this address",
        next_step="check host, port and network (VPN, firewall); then type the same command again",
    )


def _rest(asked: str, tried: int) -> float:
    """Return the seconds before another try: what the archive asks for, else 1, 2, 4; never more than 30."""
    return min(float(asked), _LONGEST_REST) if asked.isdecimal() else float(2**tried)
