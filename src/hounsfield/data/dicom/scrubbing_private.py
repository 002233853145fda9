"""Private attributes that may stay where that is asked for: measurements, by their makers' published meaning."""

import re
from collections.abc import MutableSequence
from itertools import pairwise

SAFE_PRIVATE: dict[tuple[int, str], frozenset[int]] = {
    (0x0019, "SIEMENS MR HEADER"): frozenset({0x0A, 0x0C, 0x0D, 0x0E, 0x27, 0x28, 0x29}),
    (0x0019, "GEMS_ACQU_01"): frozenset({0x23, 0x24, 0x27, 0x9E, 0xA4, 0xA5, 0xA6, 0xBB, 0xBC, 0xBD}),
    (0x0043, "GEMS_PARM_01"): frozenset({0x39, 0x6F}),
    (0x0045, "GEMS_HELIOS_01"): frozenset({0x01, 0x02}),
    (0x00E1, "ELSCINT1"): frozenset({0x21}),
    (0x01E1, "ELSCINT1"): frozenset({0x50}),
    (0x2001, "PHILIPS IMAGING DD 001"): frozenset({0x03, 0x04, 0x0A}),
    (0x2005, "PHILIPS MR IMAGING DD 001"): frozenset({0x0D, 0x0E, 0xB0, 0xB1, 0xB2}),
    (0x7053, "PHILIPS PET PRIVATE GROUP"): frozenset({0x00, 0x09}),
}
"""Group and creator (upper case) -> element numbers inside the creator's block.

Diffusion weightings and directions, number of tiles of a mosaic, scan pitch, scale factors of MR and PET. After the
list in DICOM PS3.15 Table E.3.10-1 and the makers' conformance statements; creators' own names hold no identifier.
"""

_NUMBER = re.compile(r"[-+0-9Ee. ]{0,16}")
MEASURING_VRS = frozenset({"CS", "DS", "FD", "FL", "IS", "SL", "SS", "UL", "US", "UN"})
"""What a safe private attribute may be stored as; UN only where its bytes are a number."""


def is_safe(group: int, element: int, creator: str, vr: str, value: object) -> bool:
    """Tell whether a private attribute is known to hold a measurement and nothing else.

    Parameters
    ----------
    group, element : int
        Of the attribute, as it lies in its reserved block.
    creator : str
        The private creator of that block.
    vr : str
        How the file stores it.
    value : object
        A value stored as text has at most 16 characters for each number; anything longer is not a measurement.
    """
    known = SAFE_PRIVATE.get((group, creator.strip(" \0").upper()), frozenset())
    if element & 0xFF not in known or vr not in MEASURING_VRS:
        return False
    if vr == "UN":
        return isinstance(value, bytes) and len(value) <= 96 and not _wordy(value)
    if vr == "CS":
        return str(value).strip() in {"", "NONE", "DIRECTIONAL", "BMATRIX", "ISOTROPIC", "P", "I", "O"}
    if vr in ("DS", "IS"):
        return all(_NUMBER.fullmatch(text) for text in _texts(value))
    return not (isinstance(value, bytes) and _wordy(value))


def _texts(value: object) -> list[str]:
    return [str(v).strip(" \0") for v in value] if isinstance(value, MutableSequence) else [str(value).strip(" \0")]


def _wordy(value: bytes) -> bool:
    """Tell whether bytes hold letters in a row, as a name does and a number in text or in binary hardly does."""
    text = value.decode("latin-1")
    letters = [c.isascii() and c.isalpha() for c in text]
    two = any(a and b for a, b in pairwise(letters))
    three = any(a and b and c for a, b, c in zip(letters, letters[1:], letters[2:], strict=False))
    return three or (two and text.isprintable())
