"""The secret key of pseudonyms: made once, readable by its owner only, kept apart from what it made."""

import os
import secrets
from pathlib import Path

from hounsfield.core.errors import InputError
from hounsfield.privacy.pseudonyms import KEY_BYTES, LEAST_KEY_BYTES

OWNER_ONLY = 0o600


def open_key(path: Path) -> bytes:
    """Return the key in a file, a new one where there is no file; the new file is readable by its owner only.

    Raises
    ------
    InputError
        If the file holds no key, or its folder does not exist.
    """
    if not path.exists():
        if not path.parent.is_dir():
            raise InputError("The folder of the key does not exist.", expected="a folder", next_step="make it first")
        key = secrets.token_bytes(KEY_BYTES)
        write_private(path, key.hex().encode() + b"\n")
        return key
    try:
        key = bytes.fromhex(path.read_text("ascii").strip())
    except (OSError, ValueError) as error:
        raise _no_key() from error
    if len(key) < LEAST_KEY_BYTES:
        raise _no_key()
    return key


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner may read; it must not exist."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _no_key() -> InputError:
    return InputError(
        "The key file holds no key.",
        expected="hexadecimal digits, as `hu deidentify` writes them",
        next_step="name the right file with --key, or let a new key be made",
    )
