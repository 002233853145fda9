"""Names of files and folders without what identifies: words of a closed list stay, everything else gets a pseudonym."""

import re

from hounsfield.data.files import ending
from hounsfield.data.scrubbers.order import PseudonymMaker
from hounsfield.data.words import NEGATIVE, PART_WORDS, POSITIVE, TARGET_NAMES, tokens

_PLAIN = frozenset(
    """
    image images img imgs im picture pictures mask masks seg segmentation label labels data dataset set slice slices
    frame frames page view volume series study scan scans ct mr mri us xray cxr dx pet spect t1 t2 flair adc dwi ecg
    eeg record records signal signals table tables meta metadata report reports folder dicom dicomdir nifti png jpeg jpg
    tif csv answer answers disk images2d images3d left right ap pa lateral axial sagittal coronal readme license covid
    raw anat func sub ses cohort samples
    """.split()  # noqa: SIM905 - a list of quoted words is harder to read
)
_KNOWN = _PLAIN | frozenset(PART_WORDS) | POSITIVE | NEGATIVE | TARGET_NAMES
_COUNTED = frozenset("image img im slice frame page view volume series scan mask".split())  # noqa: SIM905
_MOST_DIGITS = 4
_KEPT_ENDINGS = re.compile(
    r"\.(nii|gz|nrrd|nhdr|mha|mhd|zraw|raw|yaml|yml|png|jpe?g|jfif|tiff?|webp|bmp|dcm|dicom|ima|csv|tsv|txt|xlsx|xlsm|parquet|edf|bdf|rec|hea|dat|atr|mat|"
    r"pdf|qrs|ecg|npz|npy|img|hdr|json|xws|ari|ann|win|apn|st|wabp)$",
    re.IGNORECASE,
)


def pseudonymous_name(name: str, pseudonyms: PseudonymMaker) -> str:
    """Return the name that a file or folder gets in the output.

    Parameters
    ----------
    name : str
        One component of a path.
    pseudonyms : PseudonymMaker

    Notes
    -----
    Folders of classes and parts (``benign``, ``train``) and counted pictures (``slice_012.png``) keep their names. Any
    other stem becomes `PseudonymMaker.patient` of it, as an identifier in a table does, so that both still join.
    """
    stem, end = _split(name)
    return name if is_harmless(stem) else pseudonyms.patient(stem) + end.lower()


def pseudonymous_path(path: str, pseudonyms: PseudonymMaker) -> str:
    """Return a relative path (``/`` between its parts) with the pseudonymous name of every part."""
    parts = re.split(r"[/\\]", path)
    return "/".join(p if p in ("", ".") else pseudonymous_name(p, pseudonyms) for p in parts)


def named_words(path: str) -> tuple[str, ...]:
    """Return the stems of a path's parts that get pseudonyms: what a name told that the output must not."""
    stems = (_split(p)[0] for p in re.split(r"[/\\]", path))
    return tuple(s for s in stems if s and s != "." and not is_harmless(s))


def telling_parts(path: str) -> tuple[str, ...]:
    """Return the stems of an output's path that are not words of the closed list."""
    stems = (_split(p)[0] for p in re.split(r"[/\\]", path))
    return tuple(s for s in stems if s and not is_harmless(s))


def is_harmless(stem: str) -> bool:
    """Tell whether a stem consists of words that identify nobody, and of a short count at most."""
    words = tokens(stem)
    if not words or "".join(words) != re.sub(r"[\s_\-.]", "", stem.casefold()):
        return False
    letters = [w for w in words if not w.isdigit()]
    digits = [w for w in words if w.isdigit()]
    if stem.casefold() in _KNOWN:
        return True
    counted = not digits or (
        len(digits) == 1 and len(digits[0]) <= _MOST_DIGITS and letters[:1] and letters[0] in _COUNTED
    )
    return bool(letters) and bool(counted) and all(w in _KNOWN for w in letters)


def _split(name: str) -> tuple[str, str]:
    """Return stem and ending; an ending that is not one of a known format belongs to the stem (``Doe.John``)."""
    end = ending(name)
    if end.count(".") == 2 and _KEPT_ENDINGS.search(name[: -len(".gz")]):
        return name[: -len(end)], name[-len(end) :]
    found = _KEPT_ENDINGS.search(name)
    return (name[: found.start()], name[found.start() :]) if found and found.start() else (name, "")
