"""Names of electrocardiogram leads: their synonyms and their standard order."""

import re
from collections.abc import Sequence

STANDARD = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
"""The twelve leads in the order in which they are printed and stored (SCP-ECG, DICOM, PTB-XL)."""
_BY_FOLDED = {name.casefold(): name for name in STANDARD}
_OTHER = {"1": "I", "2": "II", "3": "III", "di": "I", "dii": "II", "diii": "III"}
"""Numbers, and what leads are called where a lead is a derivation."""
_LIMBS = frozenset({"i", "ii", "iii"})
_CHEST = re.compile(r"c[1-6]")
_ON_THE_HEAD = re.compile(r"fp[12z]|f[3478z]|[cp]z|o[12z]|[am][12]|e[12]|eeg|eog|emg|loc|roc|chin")
"""Electrodes of the 10-20 system (not those that pressures and temperatures are called too), and what lies beside
them in a sleep laboratory."""
_MODIFIED = re.compile(r"ml(i{1,3}|1|2|3)")
_NUMBERED = re.compile(r"\b(ecg|ekg|lead|electrocardiogram|einthoven|derivation)")
"""What a number must stand beside to be a lead: a channel 1, or a column 1, may be anything."""
_NEGATED = re.compile(r"^[-\u2212]|\s[-\u2212](?=avr)")
"""A minus is a sign at the beginning, and before an aVR as Cabrera's order has it; elsewhere it is a hyphen."""
_WORDS = re.compile(r"\b(mdc|ecg|ekg|lead|electrocardiogram|einthoven|goldberger|wilson|derivation|channel)\b")


def standard_lead(name: str, *, beside: Sequence[str] = ()) -> str | None:
    """Return the standard name of a lead, or None where it is none of the twelve.

    Parameters
    ----------
    name : str
        ``"II"``, ``"ecg ii"``, ``"Lead II"``, ``"EKG_V1"``, ``"AVR"``, ``"DII"``, ``"MLII"``; a modified lead (MLII,
        placed on the chest) stands for the one it imitates. ``"-aVR"`` is upside down and ``"I-II"`` a difference:
        neither is one of the twelve.
    beside : sequence of str
        All leads of the record. ``"C3"`` is German for V3 beside limb leads or all of C1 to C6, and an electrode of an
        electroencephalogram else: see `on_the_chest`.
    """
    plain = _plain(name)
    if form := _MODIFIED.fullmatch(plain):
        plain = form[1]
    elif plain.isdigit() and not _NUMBERED.search(name.casefold().replace("_", " ")):
        return None
    if _CHEST.fullmatch(plain) and on_the_chest(beside):
        plain = f"v{plain[1]}"
    plain = _OTHER.get(plain, plain)
    return _BY_FOLDED.get(plain.casefold())


def on_the_chest(leads: Sequence[str]) -> bool:
    """Tell whether C1 to C6 among some leads are chest leads.

    Parameters
    ----------
    leads : sequence of str
        All leads of a record.

    Returns
    -------
    bool
        True beside I, II, III or an augmented lead, or where all six are there; False beside an electrode on the head,
        even in sleep studies, which hold a limb lead as well.
    """
    if on_the_head(leads):
        return False
    plain = [_plain(n) for n in leads]
    limbs = any(standard_lead(n) in STANDARD[:6] for n in leads)
    return limbs or len({p for p in plain if _CHEST.fullmatch(p)}) == 6


def on_the_head(leads: Sequence[str]) -> bool:
    """Tell whether an electrode on the head, or what is recorded beside such, is among some leads."""
    return any(_ON_THE_HEAD.fullmatch(part) for n in leads for part in re.split(r"[^a-z0-9]+", n.casefold()))


def _plain(name: str) -> str:
    """Return what is left of a name without the words that say that it is a lead, in one word."""
    folded = name.casefold().strip(" ,;")
    if _NEGATED.search(folded):
        return f"-{folded}"
    words = _WORDS.sub(" ", re.sub(r"[_\-.:/()\[\]]+", " ", folded)).split()
    if sum(word in _LIMBS for word in words) > 1:
        return " ".join(words)
    return re.sub(r"^(ecg|ekg|lead)", "", "".join(words))


def common_name(name: str, *, beside: Sequence[str] = ()) -> str:
    """Return the name under which a lead is the same in all records: the standard one, else its own without case.

    Parameters
    ----------
    name : str
    beside : sequence of str
        All leads of the record, see `standard_lead`.
    """
    return standard_lead(name, beside=beside) or " ".join(name.casefold().replace("_", " ").split())


def place_of(wanted: str, leads: Sequence[str]) -> int | None:
    """Return which of some leads a name means, by its own name first and by synonyms then; None where none does."""
    if wanted in leads:
        return list(leads).index(wanted)
    names = [common_name(n, beside=leads) for n in leads]
    sought = common_name(wanted, beside=leads)
    return names.index(sought) if sought in names else None


def ordered_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return the standard names among some leads, in the standard order."""
    found = {standard_lead(n, beside=names) for n in names}
    return tuple(n for n in STANDARD if n in found)
