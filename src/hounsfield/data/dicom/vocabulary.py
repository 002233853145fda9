"""The value representations of the standard and what the dictionary says of a tag."""

from functools import lru_cache

LONG = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""VRs whose explicit form has a length of four bytes (PS3.5 7.1.2)."""
SHORT = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""VRs whose explicit form has a length of two bytes."""


def looks_like_vr(letters: bytes) -> bool:
    """Tell whether two bytes could be a VR, known or of a later edition."""
    return letters in SHORT or letters in LONG or (letters.isalpha() and letters.isupper() and letters.isascii())


@lru_cache(maxsize=8192)
def is_sequence(tag: int) -> bool:
    """Tell whether the dictionary has the tag as a sequence; private tags are in no dictionary here."""
    if tag >> 16 & 1:
        return False
    from pydicom.datadict import dictionary_VR

    try:
        return dictionary_VR(tag) == "SQ"
    except KeyError:
        return False
