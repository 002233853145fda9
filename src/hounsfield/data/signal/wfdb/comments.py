"""What the comments of a WFDB header say of the record: age, sex, diagnosis; names are left where they are."""

import re
from collections.abc import Sequence
from pathlib import Path

from hounsfield.core.cohort import Ref
from hounsfield.data.scrubbers.table_columns import Meaning, identifies_alone, meaning_of
from hounsfield.data.signal.wfdb.header import MAX_BYTES
from hounsfield.data.signal.windows import damaged
from hounsfield.data.table import parse_number
from hounsfield.data.words import is_attribute, target_strength, tokens

_PAIR = re.compile(r"#?\s*<?([A-Za-z][A-Za-z ()/_-]{0,39}?)>?\s*:\s*(.*)")
_MITDB = re.compile(r"(\d{1,3}|-1)\s+([MFmf])\s+\d+\s+\d+\s+\S+")
_UNKNOWN = frozenset({"", "n/a", "na", "unknown", "nan", "-1", "?", "none", "not available", "no", "(unknown)"})
_INSIDE = ("name", "birth", "physician", "doctor", "phone", "address", "contact", "signature", "geburt", "telefon")
"""What a key of something that identifies holds, however its words are joined: ``patientname``, ``dateofbirth``."""
_NUMBERED = re.compile(
    r"(patient|pat|subject|person|study|case|record|hospital|visit|exam)s?(id|no|nr|num|number|code)"
)
_TITLED = re.compile(r"\b(Dr|Prof|Mr|Mrs|Ms|Herr|Frau|Mme)\b\.?\s+[^\W\d_]")
_NEVER = frozenset(
    {Meaning.NAME, Meaning.BIRTH, Meaning.DATE, Meaning.PHONE, Meaning.MAIL, Meaning.ADDRESS, Meaning.ACCESSION,
     Meaning.UID}
)  # fmt: skip
_WHOSE = frozenset({Meaning.PATIENT, Meaning.CODE})
_SAME = {"age": "age", "sex": "sex", "gender": "sex"}
DIAGNOSIS = ("reason for admission", "diagnosis", "diagnoses", "dx", "diagnose")
"""Keys of an answer, the most telling first."""


def may_identify(key: str, values: Sequence[str] = ()) -> bool:
    """Tell whether a key of headers, or what records say under it, may name a person, a place, a visit or a day.

    Parameters
    ----------
    key : str
    values : sequence of str
        What the records say, empty ones left out; without them only the key is judged.

    Notes
    -----
    A header is free text of whoever exported it, so that doubt is enough: texts under a key that is not known must
    come again from record to record, as classes do. Keys of an answer, age, sex and the like stay.
    """
    if key.casefold() in DIAGNOSIS:
        return False
    words = tokens(key)
    joined = "".join(words)
    if any(part in joined for part in _INSIDE) or _NUMBERED.fullmatch(joined):
        return True
    meaning = meaning_of(key, values)
    told = bool(words) and (is_attribute(words[-1]) or target_strength(words[-1]) >= 2.0)
    if meaning in _NEVER or (meaning in _WHOSE and not told):
        return True
    known = told or target_strength(key) >= 2.0
    texts = [v for v in values if parse_number(v) is None]
    return not known and 2 * len(texts) > len(values) and len(set(texts)) > len(texts) // 2


def _value_identifies(value: str) -> bool:
    return identifies_alone(value) or _TITLED.search(value) is not None


def header_comments(path: Path) -> dict[str, str]:
    """Return what the comment lines of a header say, key to value; nothing where it is not known.

    Parameters
    ----------
    path : pathlib.Path
        A ``.hea`` file. Understood are ``# key: value`` (PTB, the challenges of 2020 and 2021),
        ``# <age>: 63 <sex>: M`` and the first comment of MIT-BIH records (``# 69 M 1085 1629 x1``: age and sex).
        What identifies is left out by its key (`may_identify`) or its form: names, dates, numbers of patients.

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
                if not may_identify(key) and not _value_identifies(pair[2].strip()):
                    found.setdefault(key, " ".join(pair[2].split()))
    found = {k: v.replace(",", ";") if k.casefold() == "dx" else v for k, v in found.items()}
    return {k: v for k, v in found.items() if v.casefold() not in _UNKNOWN and len(v) <= 300}
