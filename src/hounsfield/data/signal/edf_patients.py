"""Which EDF recordings are of one patient, as their headers say it; what the headers say is not kept."""

from collections.abc import Sequence
from pathlib import Path

from hounsfield.data.table import plain_text

ENOUGH = 4
"""So many recordings of one patient alone are hardly a cohort."""
_NOBODY = frozenset(
    {"unknown", "anonymous", "anonymized", "anonymised", "patient", "subject", "none", "na", "n/a", "test"}
)  # fmt: skip
_BLANK = frozenset("x0_-. ")


def patients_of(root: Path, paths: Sequence[str]) -> dict[str, str]:
    """Return path to patient for all recordings, where two of them are of one; else nothing.

    Parameters
    ----------
    root : pathlib.Path
    paths : sequence of str
        Recordings, relative to the root.

    Notes
    -----
    A patient is called by the first of his recordings. One code in all of several recordings is what a device writes
    where nobody was named, or what a removal of names leaves: it says nothing.
    """
    codes = {path: code for path in paths if (code := patient_code(root / path))}
    named: dict[str, str] = {}
    for path, code in codes.items():
        named.setdefault(code, _without_ending(path))
    if len(named) == len(codes) or (len(named) == 1 and len(paths) >= ENOUGH):
        return {}
    return {path: named[codes[path]] if path in codes else _without_ending(path) for path in paths}


def patient_code(path: Path) -> str:
    """Return what names the patient of a recording, in a form in which it is compared; empty where nothing does.

    Parameters
    ----------
    path : pathlib.Path

    Notes
    -----
    The code of an EDF+ patient field, else the whole field: it may identify, and is for comparing alone. A field that
    begins with ``X`` names nobody, in plain EDF too: a sex and an age are those of many.
    """
    try:
        with path.open("rb") as stream:
            fixed = stream.read(256)
    except OSError:
        return ""
    told = " ".join(plain_text(fixed[8:88].replace(b"\0", b" ")).casefold().split())
    code = told.partition(" ")[0] if fixed[192:196] in (b"EDF+", b"BDF+") else told
    return "" if code in _NOBODY or set(code.partition(" ")[0]) <= _BLANK else code


def _without_ending(path: str) -> str:
    return path.rpartition(".")[0] or path
