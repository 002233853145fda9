"""Structures of DICOM segmentations and structure sets as a mask on the image that they were drawn on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hounsfield.core.cohort import Cohort, Ref
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.image import Grid, Header, Image
from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.data.dicom.assembling import Volume, assemble
from hounsfield.data.dicom.drawn import read_masks
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.reader import file_behind, volume_behind
from hounsfield.data.files import inside

NAME = "dicom-masks"
_IMAGE = ("member", "series", "folder", "volume")
_HALF = 0.5


@dataclass(frozen=True)
class Drawing:
    """A segment or region of interest of a file.

    Parameters
    ----------
    path, member : str
        Of the file.
    number : int
        Segment or ROI number.
    """

    path: str
    member: str
    number: int


def mask_ref(image: Ref, structures: Sequence[Sequence[Drawing]]) -> Ref:
    """Return the ref of a mask.

    Parameters
    ----------
    image : Ref
        A DICOM image: what the mask lies on.
    structures : sequence of sequence of Drawing
        What each channel of the mask is drawn of; several drawings of one structure are joined.
    """
    files = list(dict.fromkeys((d.path, d.member) for drawings in structures for d in drawings))
    told: list[tuple[str, str | int]] = [("image", image.path), *image.part]
    for place, (path, member) in enumerate(files):
        told += [(f"file{place}", path), *([(f"member{place}", member)] if member else [])]
    for channel, drawings in enumerate(structures):
        marks = sorted((files.index((d.path, d.member)), d.number) for d in drawings)
        told.append((f"structure{channel}", "+".join(f"{place}:{number}" for place, number in marks)))
    return Ref(NAME, files[0][0], tuple(told))


class MaskReader:
    """Reads structures as one mask with a channel for each of them.

    Notes
    -----
    Channels may overlap. Fractions count from one half on. The array is bool, ``k z y x``, or ``k y x`` where the image
    is a single picture, on the image's own grid. `mask_ref` writes the refs.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Tell no file: which structures of it are meant is not in the file."""
        return False

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return size and number of structures without reading voxels of the mask."""
        volume, flat = _image(Path(cohort.root), ref)
        size = volume.size[1:] if flat else volume.size
        count = sum(path.stat().st_size for path in mask_files(Path(cohort.root), ref) if path.is_file())
        return Header(size=size, channels=len(_structures(ref)), bits=1, file_format="DICOM", bytes=count)

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the mask; raise ReadError where a file, a structure or the image cannot be found or read."""
        root = Path(cohort.root)
        volume, flat = _image(root, ref)
        structures = _structures(ref)
        wanted: dict[tuple[str, str], set[int]] = {}
        for drawing in (d for drawings in structures for d in drawings):
            wanted.setdefault((drawing.path, drawing.member), set()).add(drawing.number)
        drawn: dict[Drawing, BoolArray] = {}
        for (path, member), numbers in wanted.items():
            entry = _file(root, path, member)
            for mask in read_masks(root, entry, volume, only=frozenset(numbers)).masks:
                one = Drawing(path, member, mask.number)
                marked = _marked(mask.array)
                drawn[one] = drawn[one] | marked if one in drawn else marked
        array = np.zeros((len(structures), *volume.size), dtype=np.bool_)
        for channel, drawings in enumerate(structures):
            for drawing in drawings:
                if drawing not in drawn:
                    raise _lost(ref, "its file holds no such structure on the image")
                array[channel] |= drawn[drawing]
        return Image(array[:, 0] if flat else array, Grid(volume.affine_ras), modality="SEG")


def _marked(array: AnyArray) -> BoolArray:
    return np.asarray(array if array.dtype == np.bool_ else array.astype(np.float32) >= _HALF, dtype=np.bool_)


def mask_files(root: Path, ref: Ref) -> tuple[Path, ...]:
    """Return the files that a mask is read from, in the order of the ref."""
    return tuple(inside(root, path) for path, _ in _files(ref))


def _image(root: Path, ref: Ref) -> tuple[Volume, bool]:
    """Return the volume that a mask lies on, and whether the image is a single picture."""
    told = dict(ref.part)
    path = told.get("image")
    if not isinstance(path, str):
        raise _lost(ref, "it does not say on which image it lies")
    image = Ref("dicom", path, tuple((k, told[k]) for k in _IMAGE if k in told))
    volume = volume_behind(root, image)
    if volume is not None:
        return volume, False
    alone = assemble([file_behind(root, image)], root=root)
    if len(alone.volumes) != 1:
        raise _lost(ref, alone.apart[0][1] if alone.apart else "its image has no place in space")
    return alone.volumes[0], True


def _files(ref: Ref) -> list[tuple[str, str]]:
    told = dict(ref.part)
    places = sorted(int(k[4:]) for k in told if k.startswith("file") and k[4:].isdigit())
    return [(str(told[f"file{n}"]), str(told.get(f"member{n}", ""))) for n in places]


def _structures(ref: Ref) -> tuple[tuple[Drawing, ...], ...]:
    """Return what each channel is drawn of."""
    told = dict(ref.part)
    files = _files(ref)
    channels = sorted(int(k[9:]) for k in told if k.startswith("structure") and k[9:].isdigit())
    try:
        found = tuple(tuple(_drawing(files, word) for word in str(told[f"structure{n}"]).split("+")) for n in channels)
    except (ValueError, IndexError) as error:
        raise _lost(ref, "its list of structures is damaged") from error
    if not found:
        raise _lost(ref, "it names no structure")
    return found


def _drawing(files: Sequence[tuple[str, str]], word: str) -> Drawing:
    place, _, number = word.partition(":")
    path, member = files[int(place)]
    return Drawing(path, member, int(number))


def _file(root: Path, path: str, member: str) -> Entry:
    part: Mapping[str, str | int] = {"member": member} if member else {}
    return file_behind(root, Ref("dicom", path, tuple(part.items())))


def _lost(ref: Ref, reason: str) -> ReadError:
    return ReadError(
        f"Case {case_id(ref.path)}: a mask cannot be read: {reason}.",
        expected="structures on an image with a place in space",
        next_step="make the cohort again, or leave the case out",
    )
