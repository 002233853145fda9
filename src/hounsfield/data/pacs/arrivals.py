"""The folder that pulled files come to: names by hash, whole files only, nothing written twice."""

import hashlib
from collections.abc import Callable
from pathlib import Path

_NAME_BYTES = 10


class Arrivals:
    """Files of an archive in a folder, as ``study/series/instance.dcm`` with a hash of the UID for each name.

    Parameters
    ----------
    folder : pathlib.Path
    write : callable
        Writes bytes to a path whole or not at all, and makes its folder.

    Notes
    -----
    A name tells nothing of the patient, and the same instance always gets the same name: what lies there is complete,
    so an interrupted pull goes on where it was.
    """

    def __init__(self, folder: Path, write: Callable[[Path, bytes], None]) -> None:
        self._folder = folder
        self._write = write

    def path(self, study_uid: str, series_uid: str, sop_uid: str) -> Path:
        """Return where an instance lies or would lie."""
        return self._folder / hashed(study_uid) / hashed(series_uid) / f"{hashed(sop_uid)}.dcm"

    def has(self, study_uid: str, series_uid: str, sop_uid: str) -> bool:
        """Tell whether an instance is there, whole."""
        return self.path(study_uid, series_uid, sop_uid).is_file()

    def keep(self, study_uid: str, series_uid: str, sop_uid: str, content: bytes) -> None:
        """Write an instance."""
        self._write(self.path(study_uid, series_uid, sop_uid), content)


def hashed(uid: str) -> str:
    """Return the name of a UID: 20 hexadecimal digits."""
    return hashlib.blake2b(uid.encode(), digest_size=_NAME_BYTES, person=b"hounsfield-pull").hexdigest()
