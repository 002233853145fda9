"""DICOM files inside an HTTP message: ``multipart/related; type="application/dicom"`` (PS3.18, section 8.6)."""

import hashlib
from email.message import Message

from hounsfield.core.errors import ReadError

DICOM = "application/dicom"


def only_part(content: bytes, content_type: str) -> bytes:
    """Return the one file of an answer.

    Parameters
    ----------
    content : bytes
        The body.
    content_type : str
        Its header. Some servers send a single file without a wrapping, which is taken as well.

    Raises
    ------
    ReadError
        If it holds no file or several.
    """
    head = Message()
    head["Content-Type"] = content_type
    if head.get_content_type() == DICOM:
        return content
    boundary = head.get_param("boundary")
    if head.get_content_type() != "multipart/related" or not isinstance(boundary, str) or not boundary:
        raise _wrong(f"it came as {head.get_content_type()}")
    marker = b"--" + boundary.encode("ascii", "replace")
    begin = content.find(marker)
    end = content.find(b"\r\n" + marker, begin + len(marker))
    body = content.find(b"\r\n\r\n", begin)
    if begin < 0 or end < 0 or not begin < body < end:
        raise _wrong("its parts are damaged or missing")
    rest = content[end + 2 + len(marker) :]
    if not rest.startswith(b"--"):
        raise _wrong("it holds several files instead of one")
    return content[body + 4 : end]


def wrapped(content: bytes) -> tuple[bytes, str]:
    """Return a body with one file, and its Content-Type."""
    boundary = "hounsfield-" + hashlib.blake2b(content, digest_size=16).hexdigest()
    head = f"--{boundary}\r\nContent-Type: {DICOM}\r\n\r\n".encode()
    return (
        head + content + f"\r\n--{boundary}--\r\n".encode(),
        f'multipart/related; type="{DICOM}"; boundary="{boundary}"',
    )


def _wrong(why: str) -> ReadError:
    return ReadError(
        f"An answer of the archive cannot be used: {why}.",
        expected='multipart/related; type="application/dicom" with one file',
        next_step="look at the archive's log",
    )
