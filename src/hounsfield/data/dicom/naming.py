"""Naming: what a structure is called, the same for all spellings of it, and never after a patient."""

import re

from hounsfield.data.dicom.masks import Code

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")
_SAME = {
    "left": "l", "lt": "l", "right": "r", "rt": "r", "tumour": "tumor", "tumours": "tumor", "tumors": "tumor",
    "oesophagus": "esophagus", "haematoma": "hematoma",
}  # fmt: skip
_NO_NAME = frozenset({"segment", "segmentation", "seg", "roi", "mask", "label", "contour", "structure", "region"})
_LONGEST = 64


def structure_key(name: str) -> str:
    """Return the form in which names of structures are compared.

    Parameters
    ----------
    name : str
        ``Parotid_L``, ``LEFT PAROTID`` and ``parotid lt`` have one key.

    Notes
    -----
    Case, marks, the order of words, the side's abbreviation and British or American spelling do not matter; numbers do:
    ``GTV-1`` and ``GTV 2`` are two structures.
    """
    found = [w.casefold() for w in _WORDS.findall(name)]
    return " ".join(sorted(_SAME.get(w, w) for w in found))


def structure_name(label: str, number: int, kind: Code | None, naming: frozenset[str]) -> str:
    """Return what a structure is called: its label, or its coded type where the label tells nothing or tells a name.

    Parameters
    ----------
    label : str
        Segment label or ROI name: free text.
    number : int
    kind : Code or None
    naming : frozenset of str
        Words of the patient's name and identifiers, in lower case.
    """
    plain = " ".join(label.split())[:_LONGEST]
    words = {w.casefold() for w in re.split(r"[\W_]+", plain) if w}
    silent = not structure_key(plain) or all(w in _NO_NAME or w.isdigit() for w in words)
    if not silent and not words & naming:
        return plain
    meaning = " ".join(kind.meaning.split())[:_LONGEST] if kind is not None else ""
    told = {w.casefold() for w in re.split(r"[\W_]+", meaning)}
    if meaning and structure_key(meaning) and not told & naming:
        return meaning
    return f"structure {number}"
