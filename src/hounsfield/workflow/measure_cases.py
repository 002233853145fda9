"""Cases of a measurement: which mask belongs to which image, and how both are read."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Schema, SetAside
from hounsfield.core.errors import HounsfieldError, InputError, ReadError, case_id
from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray
from hounsfield.data.files import DICOM_ENDINGS, Files, ending, list_files, looks_like_mask, stem
from hounsfield.data.masks import read_mask
from hounsfield.data.readers import read, reader_for
from hounsfield.data.volume.facts import READERS as VOLUMES
from hounsfield.data.volume.facts import volume_facts
from hounsfield.geometry.masks import Frame, relation

if TYPE_CHECKING:
    from hounsfield.data.dicom.assembling import Volume
    from hounsfield.data.dicom.entries import Entry

_MASKS = frozenset(
    {"mask", "masks", "seg", "segs", "segmentation", "segmentations", "label", "labels", "gt", "roi", "rois"}
    | {"annotation", "annotations", "contour", "contours"}
)
_GENERIC = frozenset(
    {"image", "images", "img", "imgs", "volume", "scan", "imagestr", "imagests", "labelstr", "labelsts"} | _MASKS
)
"""Words that say whether a file or folder is of images or of masks, and not whose."""
_SNIFFED = 20


@dataclass(frozen=True)
class LoadedMask:
    """A mask on the grid of its image.

    Parameters
    ----------
    name : str
        File or structure that it came from.
    labels : numpy.ndarray
        ``z y x`` or ``y x``.
    notes : tuple of str
    """

    name: str
    labels: AnyArray = field(repr=False)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Loaded:
    """An image with its masks.

    Parameters
    ----------
    image : Image
    masks : tuple of LoadedMask
    apart : tuple of SetAside
        Masks that could not be read.
    """

    image: Image
    masks: tuple[LoadedMask, ...]
    apart: tuple[SetAside, ...] = ()


class Case(Protocol):
    """One image with its masks, read when it is its turn."""

    @property
    def name(self) -> str:
        """What the table calls it."""

    def load(self) -> Loaded:
        """Read image and masks; raise ReadError with the reason."""


@dataclass(frozen=True)
class FileCase:
    """An image file and its mask files.

    Parameters
    ----------
    name : str
    image : tuple of (pathlib.Path, str)
        Folder, and path within it.
    masks : tuple of (pathlib.Path, str)
    """

    name: str
    image: tuple[Path, str] = field(repr=False)
    masks: tuple[tuple[Path, str], ...] = field(repr=False)

    def load(self) -> Loaded:
        """Read the image, and the masks on its grid."""
        image = read(_holding(self.image[0]), _ref(*self.image))
        masks, apart = [], []
        for root, path in self.masks:
            name = stem(path) if len(self.masks) > 1 else ""
            try:
                masks.append(_file_mask((root, path), image, name))
            except ReadError as error:
                apart.append(SetAside(sample=f"{self.name} {name}".strip(), reason=clause(error)))
        if not masks:
            raise ReadError(apart[0].reason + ".")
        return Loaded(image, tuple(masks), tuple(apart))


@dataclass(frozen=True)
class DicomCase:
    """A volume of a DICOM tree and the objects that were drawn on it.

    Parameters
    ----------
    name : str
    root : pathlib.Path
        Of the images.
    volume : Volume
    masks : tuple of (pathlib.Path, Entry)
    """

    name: str
    root: Path = field(repr=False)
    volume: "Volume" = field(repr=False)
    masks: tuple[tuple[Path, "Entry"], ...] = field(repr=False)

    def load(self) -> Loaded:
        """Read the volume, and what is marked on it."""
        from hounsfield.data.dicom.assembling import read_volume
        from hounsfield.data.dicom.drawn import read_masks
        from hounsfield.workflow.converted import mask_word, unused

        if not self.volume.regular:
            raise ReadError(f"Case {self.name}: slices do not lie evenly, {'; '.join(self.volume.notes)}.")
        image = read_volume(self.root, self.volume)
        masks, apart = [], []
        used: set[str] = set()
        for root, entry in self.masks:
            try:
                found = read_masks(root, entry, self.volume)
            except ReadError as error:
                apart.append(SetAside(sample=self.name, reason=clause(error)))
                continue
            for one in found.masks:
                labels = one.array if one.array.dtype == np.bool_ else np.asarray(one.array, dtype=np.float32) >= 0.5
                masks.append(LoadedMask(unused(mask_word(one, found.naming), used), labels, one.notes))
        if not masks:
            raise ReadError(f"{apart[0].reason}." if apart else "Its masks mark nothing.")
        return Loaded(image, tuple(masks), tuple(apart))


def find_cases(images: Path, masks: Path) -> tuple[list[Case], list[SetAside]]:
    """Return the cases of a measurement, in a stable order, and what has no partner.

    Parameters
    ----------
    images, masks : pathlib.Path
        Two files, two folders (or the same one), or folders of DICOM files.

    Raises
    ------
    InputError
        If a path does not exist, one is a file and the other a folder of files, or no image has a mask.

    Notes
    -----
    Files belong together when their names say the same, words such as ``mask`` and ``image``, a channel's number and
    folders named so left out. Masks of DICOM images are found by what they refer to.
    """
    for path, word in ((images, "IMAGES"), (masks, "MASKS")):
        if not path.exists():
            raise InputError(f"{word} does not exist.", expected="a file or a folder", next_step="check the path")
    if _is_tree(images, masks):
        cases, aside = _dicom_cases(images, masks)
    elif images.is_file() and masks.is_file():
        pair = ((images.parent, images.name), (masks.parent, masks.name))
        return [FileCase(stem(images.name), pair[0], (pair[1],))], []
    elif images.is_dir() and masks.is_dir():
        cases, aside = _file_cases(list_files(images), list_files(masks))
    else:
        raise InputError(
            "One of IMAGES and MASKS is a file, the other a folder.",
            expected="two files or two folders",
            next_step="name the file in the folder",
        )
    if not cases:
        raise InputError(
            f"No image has a mask; {len(aside)} files have no partner." if aside else "There is nothing to measure.",
            expected="masks named as their images are, or DICOM masks that refer to them",
            next_step="give one image and one mask, or rename the files",
        )
    return cases, aside


def clause(error: HounsfieldError) -> str:
    """Return the reason of an error without the case that it names: the row names it."""
    return (error.found.partition(": ")[2] if error.found.startswith("Case ") else error.found).rstrip(".")


def _is_tree(images: Path, masks: Path) -> bool:
    """Tell whether images are DICOM objects that have to be put together: a folder of them, an archive, or one file."""
    if images.is_file():
        if images.name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")):
            return True
        # a mask that is an object of its own has to be placed on the image; a picture of it has not
        return masks.is_file() and reader_for(images) == reader_for(masks) == "dicom"
    files = list_files(images)
    known = set(files.images) | set(files.tables)
    # DICOM files are called .dcm, nothing at all, or by their UID; previews may lie beside them
    may_be = [p for p in files.paths if p not in known or ending(p) in DICOM_ENDINGS]
    others = sum(1 for p in files.images if ending(p) not in DICOM_ENDINGS)
    return len(may_be) > others and any(reader_for(files.root / p) == "dicom" for p in may_be[:_SNIFFED])


def _file_cases(images: Files, masks: Files) -> tuple[list[Case], list[SetAside]]:
    same = images.root == masks.root
    shown = [p for p in images.images if not (same and _is_mask(p))]
    marked = [p for p in masks.images if not same or _is_mask(p)]
    by_key: dict[str, list[str]] = {}
    for path in marked:
        by_key.setdefault(_key(path), []).append(path)
    keys = [_key(p) for p in shown]
    cases: list[Case] = []
    aside = []
    for path, key in zip(shown, keys, strict=True):
        name = path[: -len(ending(path))] if ending(path) else path
        if keys.count(key) > 1:
            aside.append(
                SetAside(sample=name, reason="several images have this name: which one a mask means is unclear")
            )
        elif key in by_key:
            cases.append(FileCase(name, (images.root, path), tuple((masks.root, m) for m in by_key[key])))
        else:
            aside.append(SetAside(sample=name, reason="no mask has its name"))
    known = set(keys)
    aside += [
        SetAside(sample=m, reason="a mask of no image") for k, found in by_key.items() if k not in known for m in found
    ]
    return cases, aside


def _is_mask(path: str) -> bool:
    """Tell whether a file in a folder of both is a mask; also one whose whole name says so: ``case 1/mask.nii.gz``."""
    words = _words(stem(path))
    return looks_like_mask(path) or (bool(words) and words[-1] in _MASKS)


def _key(path: str) -> str:
    """Return what a path says of its case: its words, without those that say whether it is an image or a mask."""
    *folders, _ = path.split("/")
    name = re.sub(r"_0\d{3}$", "", stem(path))
    words = _words(name)
    cut = next(
        (n for n, w in enumerate(words) if w in _GENERIC and n and all(o.isdigit() for o in words[n + 1 :])), None
    )
    told = [w for w in (words[:cut] if cut is not None else words) if w not in _GENERIC]
    return " ".join([*(w for f in folders for w in _words(f) if w not in _GENERIC), *told])


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _dicom_cases(images: Path, masks: Path) -> tuple[list[Case], list[SetAside]]:
    from hounsfield.data.dicom.apart import is_mask
    from hounsfield.data.dicom.assembling import assemble
    from hounsfield.data.dicom.drawn import drawn_on
    from hounsfield.data.dicom.index import index_tree
    from hounsfield.workflow.converted import volume_names

    assembly = assemble(index_tree(images).entries, root=images)
    drawn: dict[int, list[tuple[Path, Entry]]] = {}
    aside = []
    entries = index_tree(masks).entries
    for entry in sorted((e for e in entries if is_mask(e)), key=lambda e: (e.path, e.member)):
        case = case_id(entry.path + entry.member)
        try:
            volume = drawn_on(masks, entry, assembly.volumes)
        except ReadError as error:
            aside.append(SetAside(sample=case, reason=clause(error)))
            continue
        if volume is None:
            aside.append(SetAside(sample=case, reason="a mask of images that are not here"))
        else:
            drawn.setdefault(id(volume), []).append((masks, entry))
    cases: list[Case] = []
    for volume, name in zip(assembly.volumes, volume_names(assembly.volumes), strict=True):
        if id(volume) in drawn:
            cases.append(DicomCase(name, images, volume, tuple(drawn[id(volume)])))
        else:
            aside.append(SetAside(sample=name, reason="no mask refers to it"))
    return cases, aside


def read_file(path: Path) -> Image:
    """Read one image or mask by its file name alone; ReadError where no reader knows it or it is damaged."""
    return read(_holding(path.parent), _ref(path.parent, path.name))


def _ref(root: Path, path: str) -> Ref:
    name = reader_for(root / path)
    if name is None:
        raise ReadError("No reader knows the file.", expected="NIfTI, NRRD, MetaImage, DICOM, a picture or an array")
    # NaN in a region has to be seen: it is not to become a number
    return Ref(name, path, (("unknown", "kept"),) if name in VOLUMES else ())


def _holding(root: Path) -> Cohort:
    """Return a cohort of nothing: readers ask it for the folder."""
    return Cohort(name=root.name, root=str(root), samples=(), schema=Schema(targets=(), layout="measure"))


def _file_mask(mask: tuple[Path, str], shown: Image, name: str) -> LoadedMask:
    ref = _ref(*mask)
    found = read_mask(_holding(mask[0]), ref, shown)
    return LoadedMask(name, one_channel(found.array), _notes(mask[0], ref, shown))


def one_channel(array: AnyArray) -> AnyArray:
    """Return the one channel of an array ``c ...``, or of several that are alike.

    Raises
    ------
    ReadError
        If channels differ: which of them is meant is not guessed.
    """
    if array.shape[0] == 1:
        return np.asarray(array[0])
    colours = array[:3] if array.shape[0] in (3, 4) else array
    if all(np.array_equal(colours[0], c) for c in colours[1:]):
        return np.asarray(colours[0])
    raise ReadError(
        f"It has {array.shape[0]} channels that differ.",
        expected="one channel, or colours that are shades of grey",
        next_step="write the channel that is meant as a file of its own",
    )


def _notes(root: Path, ref: Ref, shown: Image) -> tuple[str, ...]:
    if ref.reader not in VOLUMES:
        return ()
    told = volume_facts(root, ref)
    frame = Frame(shown.size, shown.grid.affine_ras if shown.grid is not None else None)
    found = relation(frame, Frame(told.size, told.affine_ras))
    words = {"moved": "the mask is brought to the image's grid by the affines", "assumed": found.reason}
    return (words[found.match],) if found.match in words else ()
