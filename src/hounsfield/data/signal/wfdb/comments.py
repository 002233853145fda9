"""What the comments of a WFDB header say of the record: age, sex, diagnosis; names are left where they are."""

import re
from pathlib import Path

from hounsfield.core.cohort import Ref
from hounsfield.data.signal.wfdb.header import MAX_BYTES
from hounsfield.data.signal.windows import damaged

_PAIR = re.compile(r"#?\s*<?([A-Za-z][A-Za-z ()/_-]{0,39}?)>?\s*:\s*(.*)")
_MITDB = re.compile(r"(\d{1,3}|-1)\s+([MFmf])\s+\d+\s+\d+\s+\S+")
_UNKNOWN = frozenset({"", "n/a", "na", "unknown", "nan", "-1", "?", "none", "not available", "no", "(unknown)"})
_NAMES = frozenset({"patient", "name", "patient name", "subject", "id", "patient id", "address", "phone", "mrn"})
"""Keys whose values would identify: never taken."""
_SAME = {"age": "age", "sex": "sex", "gender": "sex"}
DIAGNOSIS = ("reason for admission", "diagnosis", "diagnoses", "dx", "diagnose")
"""Keys of an answer, the most telling first."""


def header_comments(path: Path) -> dict[str, str]:
    """Return what the comment lines of a header say, key to value; nothing where it is not known.

    Parameters
    ----------
    path : pathlib.Path
        A ``.hea`` file. Understood are ``# key: value`` (PTB, the challenges of 2020 and 2021),
        ``# <age>: 63 <sex>: M`` and the first comment of MIT-BIH records (``# 69 M 1085 1629 x1``: age and sex).

    Raises
    ------
    ReadError
        If it cannot be opened.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise damaged(
            Ref("wfdb", path.name), f"its header cannot be opened ({error.strerror}).", "a readable file"
        ) from error
    found: dict[str, str] = {}
    lines = [line.strip()[1:].strip() for line in text.splitlines() if line.strip().startswith("#")]
    for line in lines:
        if form := _MITDB.match(line):
            found.setdefault("age", form[1])
            found.setdefault("sex", form[2])
            continue
        for piece in re.split(r"\s+(?=<[A-Za-z][^<>]*>\s*:)", line):
            if pair := _PAIR.fullmatch(piece):
                key = " ".join(pair[1].split())
                key = _SAME.get(key.casefold(), key)
                if key.casefold() not in _NAMES:
                    found.setdefault(key, " ".join(pair[2].split()))
    found = {k: v.replace(",", ";") if k.casefold() == "dx" else v for k, v in found.items()}
    return {k: v for k, v in found.items() if v.casefold() not in _UNKNOWN and len(v) <= 300}
