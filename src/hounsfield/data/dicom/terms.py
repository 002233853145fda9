"""The words of DICOM's own vocabulary: names of attributes and meanings of codes."""

import re
from functools import cache
from typing import cast

_WORD = re.compile(r"[^\W\d_]{3,}")


@cache
def standard_words() -> frozenset[str]:
    """Return every word, in lower case, in a name of an attribute or a meaning of a code that pydicom knows.

    References
    ----------
    DICOM PS3.6 (names of attributes), PS3.16 (context groups).
    """
    from pydicom._dicom_dict import DicomDictionary
    from pydicom.sr._concepts_dict import concepts

    names = [entry[2] for entry in DicomDictionary.values()]
    schemes = cast("dict[str, dict[str, dict[str, tuple[str, list[int]]]]]", concepts)
    meanings = [code[0] for scheme in schemes.values() for codes in scheme.values() for code in codes.values()]
    return frozenset(word for text in (*names, *meanings) for word in _WORD.findall(text.casefold()))
