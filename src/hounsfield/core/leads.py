"""Names of electrocardiogram leads: their synonyms and their standard order."""

import re
from collections.abc import Sequence

STANDARD = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The twelve leads in the order in which they are printed and stored (SCP-ECG, DICOM, PTB-XL)."""
_BY_FOLDED = {name.casefold(): name for name in STANDARD}
_OTHER = {"1": "I", "2": "II", "3": "III"}
_MODIFIED = re.compile(r"ml(i{1,3}|1|2|3)")
_WORDS = re.compile(r"\b(ecg|ekg|lead|electrocardiogram|einthoven|goldberger|wilson|derivation|channel)\b")


def standard_lead(name: str) -> str | None:
    """Return the standard name of a lead, or None where it is none of the twelve.

    Parameters
    ----------
    name : str
        ``"II"``, ``"ecg ii"``, ``"Lead II"``, ``"EKG_V1"``, ``"AVR"``, ``"C3"`` (German for V3), ``"MLII"``; a modified
        lead (MLII, placed on the chest) stands for the one it imitates.
    """
    plain = _WORDS.sub(" ", re.sub(r"[_\-.:/]+", " ", name.casefold())).strip()
    plain = re.sub(r"\s+", "", plain)
    plain = re.sub(r"^(ecg|ekg|lead)", "", plain)
    if form := _MODIFIED.fullmatch(plain):
        plain = form[1]
    plain = re.sub(r"^c([1-6])$", r"v\1", plain)
    plain = _OTHER.get(plain, plain)
    return _BY_FOLDED.get(plain.casefold())


def common_name(name: str) -> str:
    """Return the name under which a lead is the same in all records: the standard one, else its own without case."""
    return standard_lead(name) or " ".join(name.casefold().replace("_", " ").split())


def place_of(wanted: str, leads: Sequence[str]) -> int | None:
    """Return which of some leads a name means, by its own name first and by synonyms then; None where none does."""
    if wanted in leads:
        return list(leads).index(wanted)
    names = [common_name(n) for n in leads]
    return names.index(common_name(wanted)) if common_name(wanted) in names else None


def ordered_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the standard names among some leads, in the standard order."""
    found = {standard_lead(n) for n in names}
    return tuple(n for n in STANDARD if n in found)
