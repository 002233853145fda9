"""Which files a folder holds, and which of them a text in a table means."""

import os
import stat
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from hounsfield.core.errors import CohortError, ReadError, case_id

RASTER_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")
NIFTI_ENDINGS = (".nii", ".nii.gz", ".hdr", ".hdr.gz")
"""Of a pair of ``.hdr`` and ``.img`` the header stands for both."""
NRRD_ENDINGS = (".nrrd", ".nhdr")
METAIMAGE_ENDINGS = (".mha", ".mhd")
VOLUME_ENDINGS = NIFTI_ENDINGS + NRRD_ENDINGS + METAIMAGE_ENDINGS
DICOM_ENDINGS = (".dcm", ".dicom")
ARRAY_ENDINGS = (".npz", ".npy")
IMAGE_ENDINGS = RASTER_ENDINGS + VOLUME_ENDINGS + DICOM_ENDINGS + ARRAY_ENDINGS
TABLE_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet", ".csv.gz", ".tsv.gz")
_KNOWN_ENDINGS = frozenset(IMAGE_ENDINGS + TABLE_ENDINGS)
MASK_WORDS = ("mask", "masks", "seg", "segmentation", "segmentations", "annotation", "annotations", "labelstr", "gt")
_REMEMBERED = 1 << 10
"""Paths of which endings and places are remembered: one is asked several times in a row, not again after all others."""
_IGNORED = ("thumbs.db", "desktop.ini", "__macosx")


@lru_cache(maxsize=_REMEMBERED)
def ending(path: str) -> str:
    """Return the ending of a file name in lower case, ``.nii.gz`` and ``.csv.gz`` as one."""
    name = path.rsplit("/", 1)[-1].lower()
    base, dot, last = name.rpartition(".")
    if not dot or not base.strip("."):
        return ""
    if last == "gz":
        inner, dot, before = base.rpartition(".")
        if dot and inner:
            return f".{before}.gz"
    return "." + last


@lru_cache(maxsize=_REMEMBERED)
def stem(path: str) -> str:
    """Return the file name without folder and ending; dots inside the name stay."""
    name = path.rsplit("/", 1)[-1]
    end = ending(name)
    return name[: -len(end)] if end in _KNOWN_ENDINGS else name


def plain_key(text: str) -> str:
    """Return the form in which keys are compared: folded, without lost or added zeros (``007``, ``7``, ``7.0``)."""
    text = text.strip().casefold()
    whole = text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text
    return (whole.lstrip("0") or "0") if whole.isdigit() else text


def folded(text: str) -> str:
    """Return a name so that case, and how its accents are composed, do not matter."""
    return unicodedata.normalize("NFC", text).casefold()


def looks_like_mask(path: str) -> bool:
    """Tell by its folders and its name whether a file is a mask rather than a picture."""
    parts = path.casefold().split("/")
    if any(p in MASK_WORDS or p.endswith(("_masks", "_mask", "-masks")) for p in parts[:-1]):
        return True
    tail = stem(parts[-1]).rstrip("0123456789").rstrip("_- ")
    return tail.endswith(("_mask", "-mask", " mask", "_seg", "_segmentation"))


def reader_by_ending(path: str) -> str:
    """Return the reader that a file ending stands for, ``raster`` where it stands for none."""
    end = ending(path)
    if end in NIFTI_ENDINGS:
        return "nifti"
    if end in NRRD_ENDINGS:
        return "nrrd"
    if end in METAIMAGE_ENDINGS:
        return "metaimage"
    if end in DICOM_ENDINGS:
        return "dicom"
    return end[1:] if end in ARRAY_ENDINGS else "raster"


@lru_cache(maxsize=_REMEMBERED)
def inside(root: Path, path: str) -> Path:
    """Return the place of `path` under `root`.

    Raises
    ------
    ReadError
        If it leads outside the root, through ``..``, an absolute path or a link.
    """
    place = root / path
    if not place.resolve().is_relative_to(root.resolve()):
        raise ReadError(
            f"Case {case_id(path)}: its path leads outside the data folder.",
            expected="files inside the folder",
            next_step="copy the file into the folder",
        )
    return place


LOOSE, TAIL, FOLDERS, WHOLE, EXACT = range(5)
"""How well a text agrees with a file: by its name alone; its end is all of the file's path; in the folders that it
names, with another ending; to its end; from the root or the table's folder on."""


@dataclass(frozen=True)
class Match:
    """The files that a text may mean.

    Parameters
    ----------
    paths : tuple of str
        None where there is no such file.
    grade : int
        `LOOSE`, `TAIL`, `FOLDERS`, `WHOLE` or `EXACT`.
    """

    paths: tuple[str, ...]
    grade: int


@dataclass(frozen=True)
class Files:
    """The files of a folder, and a way to find the one that a table means.

    Parameters
    ----------
    root : pathlib.Path
        The folder, resolved.
    paths : tuple of str
        POSIX paths relative to it, sorted, hidden and system files left out.
    escaping : tuple of str
        Links that lead outside the folder; never followed.
    """

    root: Path = field(repr=False)
    paths: tuple[str, ...] = field(repr=False)
    escaping: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def images(self) -> tuple[str, ...]:
        """Paths that may be images, by their ending."""
        return tuple(p for p in self.paths if ending(p) in IMAGE_ENDINGS)

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Paths that may be tables of answers, at most two folders deep."""
        found = (p for p in self.paths if ending(p) in TABLE_ENDINGS and p.count("/") <= 2)
        return tuple(p for p in found if not stem(p).casefold().startswith(("readme", "licen", "requirements")))

    @cached_property
    def _by_path(self) -> dict[str, str]:
        return {folded(p): p for p in reversed(self.images)} | {p: p for p in self.images}

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped((folded(p.rsplit("/", 1)[-1]), p) for p in self.images)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped((plain_key(folded(stem(p))), p) for p in self.images)

    def exact(self, text: str, folder: str = "") -> str | None:
        """Return the image whose path is `text`, relative to the root or to `folder`."""
        text = clean_path(text)
        for candidate in (f"{folder}/{text}" if folder else text, text):
            found = self._by_path.get(candidate) or self._by_path.get(folded(candidate))
            if found is not None:
                return found
        return None

    def match(self, text: str, folder: str = "") -> Match:
        """Return the images that `text` may mean, and how well it agrees with where they lie and what they are called.

        Parameters
        ----------
        text : str
            Path, end of a path, file name, or name without ending.
        folder : str
            A folder that it may be relative to.
        """
        found = self.exact(text, folder)
        if found is not None:
            return Match((found,), EXACT)
        folders, _, name = folded(clean_path(text)).rpartition("/")
        named = self._by_name.get(name, [])
        other = self._by_stem.get(plain_key(name), []) or self._by_stem.get(plain_key(stem(name)), [])
        renamed = FOLDERS if ending(name) in IMAGE_ENDINGS else WHOLE
        for several, grade in ((named, WHOLE), (other, renamed)):
            within = [p for p in several if lies_in(p, folders)] if folders else several
            if within:
                return Match(tuple(within), grade)
        tails = {p: place for p in named if (place := folded(p).rpartition("/")[0]) and lies_in(f"{folders}/", place)}
        if tails:
            longest = max(map(len, tails.values()))
            return Match(tuple(p for p, place in tails.items() if len(place) == longest), TAIL)
        return Match(tuple(named or other), LOOSE)

    def candidates(self, text: str, folder: str = "") -> list[str]:
        """Return the images that `text` may mean, as `match`; of a folder of images that is there, only its own."""
        match = self.match(text, folder)
        if match.grade == LOOSE and folded(clean_path(text)).rpartition("/")[0] in self._places:
            return []
        return [p for p in match.paths if not looks_like_mask(p)] or list(match.paths)

    def relative(self, cell: str) -> str | None:
        """Return what a cell of a table says, as a path from the root; None where it leads outside."""
        if escapes(cell, self.root):
            return None
        text, root = clean_path(cell), self.root.as_posix() + "/"
        return text[len(root) :] if text.startswith(root) else text

    def names_in(self, folder: str) -> frozenset[str]:
        """Return the names, without endings and as keys are compared, of the images that lie in a folder itself."""
        return self._names.get(folder, frozenset())

    @cached_property
    def _names(self) -> dict[str, frozenset[str]]:
        groups = _grouped((p.rpartition("/")[0], plain_key(folded(stem(p)))) for p in self.images)
        return {place: frozenset(names) for place, names in groups.items()}

    @cached_property
    def _places(self) -> frozenset[str]:
        """Folders that hold images themselves, and ends of their paths, folded."""
        steps = [folded(place).split("/") for place in self._names if place]
        return frozenset("/".join(own[i:]) for own in steps for i in range(len(own)))


def lies_in(path: str, folders: str) -> bool:
    """Tell whether the folders in which a file lies end in some, ``b/c`` of ``a/b/c/d.png``; folded already."""
    place = folded(path).rpartition("/")[0]
    return place == folders or place.endswith("/" + folders)


def clean_path(text: str) -> str:
    """Return a path from a table with POSIX separators and without a leading ``./``."""
    text = text.strip().replace("\\", "/")
    while text.startswith("./"):
        text = text[2:]
    return text


def escapes(text: str, root: Path) -> bool:
    """Tell whether a path from a table leads outside the folder."""
    text = clean_path(text)
    if text.startswith("/") or (len(text) > 2 and text[1:3] == ":/"):
        return not Path(text).is_relative_to(root)
    depth = 0
    for part in text.split("/"):
        depth += -1 if part == ".." else 0 if part in ("", ".") else 1
        if depth < 0:
            return True
    return False


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file, by which its format is told.

    Raises
    ------
    ReadError
        If the file cannot be opened.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(count)
    except OSError as error:
        raise ReadError(
            f"Case {case_id(path.name)}: the file cannot be opened ({error.strerror}).",
            expected="a readable file",
            next_step="check the path and the permissions",
        ) from error


def list_files(root: Path) -> Files:
    """List the files under a folder, without following links that leave it; pipes, sockets and devices are none.

    Raises
    ------
    CohortError
        If the folder does not exist.
    """
    if not root.is_dir():
        raise CohortError(
            "The folder does not exist." if not root.exists() else "The path is not a folder.",
            expected="a folder of images and answers",
            next_step="check the path",
        )
    base = root.resolve()
    paths: list[str] = []
    escaping: list[str] = []
    for folder, folders, names in os.walk(base):
        place = Path(folder)
        folders[:] = sorted(f for f in folders if not is_ignored(f))
        prefix = place.relative_to(base).as_posix()
        prefix = "" if prefix == "." else prefix + "/"
        linked = [f for f in folders if (place / f).is_symlink() and not (place / f).resolve().is_relative_to(base)]
        escaping += [f"{prefix}{f}/" for f in linked]
        for name in sorted(names):
            if is_ignored(name):
                continue
            # Not as a Path, which keeps every part of every name in the interpreter's own table.
            file = os.path.join(folder, name)  # noqa: PTH118
            if os.path.islink(file) and not Path(file).resolve().is_relative_to(base):  # noqa: PTH114
                escaping.append(prefix + name)
            elif not _is_special(file):
                paths.append(prefix + name)
    return Files(root=base, paths=tuple(sorted(paths)), escaping=tuple(sorted(escaping)))


def _is_special(file: str) -> bool:
    """Tell whether reading a path could wait for ever. A link to nothing is told by whoever reads it."""
    try:
        return not stat.S_ISREG(os.stat(file).st_mode)  # noqa: PTH116
    except OSError:
        return False


def is_ignored(name: str) -> bool:
    """Tell by its name whether a file or folder is hidden, or the operating system's own."""
    return name.startswith((".", "~$")) or name.casefold() in _IGNORED


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
