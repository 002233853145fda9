"""What can identify in pixel data: drawn text, overlays in unused bits, comments in compressed frames, slack."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray, BoolArray
from hounsfield.data.dicom.scrubbing_frames import without_comments, without_rle_slack

if TYPE_CHECKING:
    from pydicom import Dataset

    from hounsfield.data.scrubbers.order import FaceMasks, TextInPixels

RLE = "1.2.840.10008.1.2.5"
EXPLICIT = "1.2.840.10008.1.2.1"
IMPLICIT = "1.2.840.10008.1.2"
OFFSETS = ("ExtendedOffsetTable", "ExtendedOffsetTableLengths")
NATIVE = frozenset({IMPLICIT, EXPLICIT, "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"})
"""Implicit, explicit, deflated, big endian."""

NO_PICTURES = frozenset({"SEG", "RTDOSE", "REG"})
"""Modalities whose pixels are labels or doses: nothing is drawn into them."""

MEASURED = frozenset({"CT", "MR", "PT", "NM"})
"""Modalities whose original pixels are measurements: what is drawn into them has one extreme value, tissue has not."""

LEAST_INK = 0.02
"""Share of a covered box that has the extreme value, where text is drawn at it."""

STEADY_SHARE = 0.1
"""A pixel covered in this share of the frames (and in two at least) is covered in all: captions stay where they
are."""


@dataclass(frozen=True)
class Covered:
    """How much was covered.

    Parameters
    ----------
    frames : int
        Frames in which something was covered.
    pixels : int
        Covered pixels, of all frames.
    """

    frames: int
    pixels: int


def clean_container(dataset: "Dataset") -> set[str]:
    """Take out of pixel data what is not pixels, in place; return what kinds of things went."""
    if "PixelData" not in dataset:
        return set()
    if encapsulated(dataset) and _embedded_planes(dataset):
        _store(dataset, list(_frames(dataset)))  # bits cannot be cleared where they are compressed
    return _clean_frames(dataset) if encapsulated(dataset) else _clean_native(dataset)


def encapsulated(dataset: "Dataset") -> bool:
    """Tell whether pixel data lie in frames of their own; every transfer syntax does so but the oldest."""
    return str(dataset.file_meta.TransferSyntaxUID) not in NATIVE


def _clean_frames(dataset: "Dataset") -> set[str]:
    from pydicom.encaps import encapsulate, generate_frames

    count = int(dataset.get("NumberOfFrames", 1) or 1)
    content: bytes = dataset.PixelData
    try:
        frames = list(generate_frames(content, number_of_frames=count))
    except (ValueError, EOFError, OSError, ArithmeticError) as error:
        raise _undecodable() from error
    rle = dataset.file_meta.TransferSyntaxUID == RLE
    clean = [without_rle_slack(frame) if rle else without_comments(frame) for frame in frames]
    if clean == frames and not _loose(content, frames):
        return set()
    dataset.PixelData = encapsulate(clean)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    for keyword in OFFSETS:
        if keyword in dataset:
            delattr(dataset, keyword)
    return {"comments in compressed frames"}


def _loose(content: bytes, frames: list[bytes]) -> bool:
    """Tell whether fragments hold bytes that belong to no frame, or the table of offsets is none."""
    from pydicom.encaps import generate_fragments, parse_basic_offsets
    from pydicom.filebase import DicomBytesIO

    stream = DicomBytesIO(content)
    stream.is_little_endian = True
    try:
        table = parse_basic_offsets(stream)
        fragments = list(generate_fragments(content[stream.tell() :]))
    except (ValueError, EOFError, OSError, ArithmeticError):
        return True
    behind = len(content) - stream.tell() - sum(len(f) + 8 for f in fragments)
    ordered = not table or (table[0] == 0 and table == sorted(table) and len(table) == len(frames))
    return sum(map(len, fragments)) != sum(map(len, frames)) or not ordered or behind not in (0, 8)


def _clean_native(dataset: "Dataset") -> set[str]:
    from pydicom.pixels.utils import get_expected_length

    removed: set[str] = set()
    try:
        expected = int(get_expected_length(dataset))
    except (AttributeError, KeyError, TypeError, ValueError):
        raise _undecodable() from None
    content: bytes = dataset.PixelData
    if expected <= 0 < len(content):
        raise _undecodable()
    padded = expected + expected % 2
    if len(content) > padded or (len(content) == padded != expected and content[expected] != 0):
        dataset.PixelData = content = content[:expected] + b"\0" * (expected % 2)
        removed.add("bytes behind the pixels")
    if planes := _embedded_planes(dataset):
        dataset.PixelData = _without_bits(content, dataset, planes)
        removed.add("overlays in unused bits")
    return removed


def _embedded_planes(dataset: "Dataset") -> int:
    """Return the bits of a pixel cell that hold overlays, as one mask (PS3.3 C.9.2, retired 2004)."""
    allocated, high = int(dataset.get("BitsAllocated") or 0), int(dataset.get("HighBit") or 0)
    planes = 0
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x0100) not in dataset or (group, 0x0102) not in dataset or (group, 0x3000) in dataset:
            continue
        bits, position = dataset[group, 0x0100], dataset[group, 0x0102]
        if bits.value == allocated and isinstance(position.value, int) and high < position.value < allocated:
            planes |= 1 << position.value
    return planes


def _without_bits(content: bytes, dataset: "Dataset", planes: int) -> bytes:
    allocated = int(dataset.BitsAllocated)
    order = "<" if dataset.original_encoding[1] else ">"
    cells = np.frombuffer(content, dtype=f"{order}u{allocated // 8}") & ~np.array(planes, dtype=f"u{allocated // 8}")
    return bytes(cells.astype(f"{order}u{allocated // 8}").tobytes())


def is_picture(dataset: "Dataset") -> bool:
    """Tell whether a data set holds pixels into which something could be drawn."""
    return (
        "PixelData" in dataset
        and str(dataset.get("Modality", "")) not in NO_PICTURES
        and int(dataset.get("BitsAllocated", 0) or 0) in (8, 16, 32)
    )


def cover_text(dataset: "Dataset", find: "TextInPixels") -> Covered:
    """Look at every frame for text and cover it, in place.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Left byte for byte as it is where no text is found; else its pixels become uncompressed, RGB where they were
        YBR, with the same values outside what is covered.
    find : callable
        One frame ``y x`` or ``y x c`` to a mask ``y x``.

    Returns
    -------
    Covered

    Raises
    ------
    ReadError
        If the pixels cannot be decoded: then nobody can tell whether there is text in them.
    """
    masks = [_looked_at(dataset, frame, find) for frame in _frames(dataset)]
    if not any(mask.any() for mask in masks):
        return Covered(0, 0)
    masks = _steadied(masks)
    frames = [np.array(frame) for frame in _frames(dataset)]
    for frame, mask in zip(frames, masks, strict=True):
        frame[mask] = _black(dataset, frame)
    _store(dataset, frames)
    return Covered(sum(bool(mask.any()) for mask in masks), int(sum(mask.sum() for mask in masks)))


def take_out_faces(dataset: "Dataset", faces: "FaceMasks") -> None:
    """Set the pixels of a face to the background, in place; compressed pixels become uncompressed, without loss.

    Raises
    ------
    ReadError
        If the pixels cannot be decoded, or a frame belongs to no volume in which a face was looked for.
    """
    from hounsfield.data.dicom.pixels import modality_frame
    from hounsfield.data.dicom.scrubbing_faces import nearest_stored

    frames = [np.array(frame) for frame in _frames(dataset)]
    changed = False
    for number, frame in enumerate(frames):
        mask = faces.mask(number)
        if mask is None or mask.shape != frame.shape:
            raise ReadError(
                "Faces were to be removed, and a frame is in no volume.",
                expected="frames that form volumes",
                next_step="run it without remove-faces, or leave the file out",
            )
        if mask.any():
            frame[mask] = nearest_stored(frame, modality_frame(dataset, number), faces.background)
            changed = True
    if changed:
        _store(dataset, frames)


def _looked_at(dataset: "Dataset", frame: AnyArray, find: "TextInPixels") -> BoolArray:
    seen = _as_seen(dataset, frame)
    mask = find(seen)
    kinds = [str(kind) for kind in dataset.get("ImageType") or ()]
    measured = str(dataset.get("Modality", "")) in MEASURED and "SECONDARY" not in kinds
    told = str(dataset.get("BurnedInAnnotation", "")) == "YES"
    return drawn_only(frame, mask) if measured and frame.ndim == 2 and not told else mask


def drawn_only(frame: AnyArray, mask: BoolArray) -> BoolArray:
    """Return the boxes of a mask in which the highest or lowest value of the frame stands on the other values.

    Parameters
    ----------
    frame : numpy.ndarray
        ``y x``: measurements, such as a slice of CT.
    mask : numpy.ndarray
        ``y x``, bool: what looks like text.

    Notes
    -----
    Vessels in the lung and cortical bone look like strokes; but no two voxels of tissue share the highest value of a
    slice, and the letters that a scanner draws do.
    """
    from scipy import ndimage

    if not mask.any():
        return mask
    labels, _ = ndimage.label(mask)
    kept = np.zeros_like(mask)
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        inside = labels[box] == number
        values = frame[box][inside]
        high, low = float((values == frame.max()).mean()), float((values == frame.min()).mean())
        if LEAST_INK <= high < 0.7 or (LEAST_INK <= low < 0.7 and high == 0 and _stands_alone(frame)):
            kept[box] |= inside
    return kept


def _stands_alone(frame: AnyArray) -> bool:
    """Tell whether the lowest value is far below all others, as black ink is and air is not."""
    values = np.unique(frame)
    return len(values) > 2 and float(values[1]) - float(values[0]) > 0.05 * (float(values[-1]) - float(values[0]))


def _frames(dataset: "Dataset") -> Iterator[AnyArray]:
    from hounsfield.data.dicom.pixels import frame_count, stored_frame

    for number in range(frame_count(dataset)):
        yield stored_frame(dataset, number)


def _as_seen(dataset: "Dataset", frame: AnyArray) -> AnyArray:
    """Return a frame of palette indices in its colours; every other as it is."""
    if str(dataset.get("PhotometricInterpretation", "")) != "PALETTE COLOR":
        return frame
    from pydicom.pixels.processing import apply_color_lut

    try:
        seen: AnyArray = apply_color_lut(frame, dataset)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        raise _undecodable() from error
    return seen


def _steadied(masks: list[BoolArray]) -> list[BoolArray]:
    """Return the masks with every pixel that is covered again and again covered in every frame."""
    times = np.sum(np.stack(masks), axis=0)
    steady = times >= max(2, round(STEADY_SHARE * len(masks)))
    return [mask | steady for mask in masks]


def _black(dataset: "Dataset", frame: AnyArray) -> int:
    """Return the stored value that shows as black, or as the background of a palette."""
    photometric = str(dataset.get("PhotometricInterpretation", ""))
    if frame.ndim == 3:
        return 0
    if photometric == "PALETTE COLOR":
        from pydicom.pixels.processing import apply_color_lut

        values = np.unique(frame)
        shown = apply_color_lut(values[None], dataset).astype(np.int64).sum(axis=-1)[0]
        return int(values[int(np.argmin(shown))])
    return int(frame.max() if photometric == "MONOCHROME1" else frame.min())


def _store(dataset: "Dataset", frames: list[AnyArray]) -> None:
    """Write decoded frames back uncompressed, and let the header say how they are stored."""
    from pydicom.uid import UID

    content = np.stack(frames)
    if encapsulated(dataset):
        dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT)
        for keyword in OFFSETS:
            if keyword in dataset:
                delattr(dataset, keyword)
    if content.ndim == 4:
        dataset.PlanarConfiguration, dataset.PhotometricInterpretation = 0, "RGB"
    bits = content.dtype.itemsize * 8
    if bits != dataset.BitsAllocated:
        dataset.BitsAllocated = bits
    little = dataset.file_meta.TransferSyntaxUID.is_little_endian
    raw = content.astype(content.dtype.newbyteorder("<" if little else ">")).tobytes()
    dataset.PixelData = raw + b"\0" * (len(raw) % 2)
    dataset["PixelData"].VR = "OW" if bits > 8 or dataset.file_meta.TransferSyntaxUID == IMPLICIT else "OB"
    dataset["PixelData"].is_undefined_length = False


def _undecodable() -> ReadError:
    return ReadError(
        "The pixels cannot be decoded, so that nobody can tell whether they hold text.",
        expected="pixel data as the header describes them",
        next_step="convert the file with another program, or leave it out",
    )
