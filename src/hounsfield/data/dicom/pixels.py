"""Pixels of a data set: as they are stored, as the modality measured them, and as a person would see them."""

from typing import TYPE_CHECKING

import numpy as np

from hounsfield.core.image import Image
from hounsfield.core.types import AnyArray
from hounsfield.data.dicom import colour, lut, palette, suv, values
from hounsfield.data.dicom.form import Form, case_of, form_of, refused
from hounsfield.data.dicom.limits import LIMITS, Limits

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

QUANTITIES = frozenset(("CT", "MR", "PT", "NM", "RTDOSE", "SEG"))
"""Modalities whose values mean something by themselves, window or no window."""


def frame_count(dataset: "Dataset") -> int:
    """Return the number of frames, as the data set states it: 1 where it states none, 0 without pixel module.

    Raises
    ------
    ReadError
        If NumberOfFrames is no positive whole number.
    """
    if not values.stated(dataset, "Rows"):
        return 0
    if not values.stated(dataset, "NumberOfFrames"):
        return 1
    found = values.integer(dataset, "NumberOfFrames")
    if found is None or found < 1:
        raise refused(case_of(dataset), "NumberOfFrames is no positive whole number", "1 or more")
    return found


def stored_frame(dataset: "Dataset", number: int = 0, *, limits: Limits = LIMITS) -> AnyArray:
    """Return the stored values of one frame.

    Parameters
    ----------
    dataset : Dataset
        With its pixels.
    number : int
        Which frame, from 0.
    limits : Limits
        How large a frame is decoded, and what its decoder may take.

    Returns
    -------
    numpy.ndarray
        ``y x`` or ``y x c`` in the byte order of this machine: uint8 to uint64, int8 to int64, float32, float64.
        Palette colours are indices; YBR comes as RGB, whatever the codestream did with it; one bit is 0 or 1.

    Raises
    ------
    ReadError
        If there is no such frame, or it cannot be decoded rightly; the message says why.
    """
    from hounsfield.data.dicom.decoding import decoded

    form = form_of(dataset, limits)
    if not 0 <= number < form.frames:
        raise refused(form.case, f"there is no frame {number}", f"0 to {form.frames - 1}")
    samples = decoded(dataset, form, number, limits)
    if samples.ybr:
        return colour.rgb(samples.array, form.photometric, min(form.stored, 16))
    return samples.array


def modality_frame(dataset: "Dataset", number: int = 0, *, limits: Limits = LIMITS) -> AnyArray:
    """Return one frame in the modality's own units: HU for CT, Gy for RT Dose, what rescale makes of the rest.

    Parameters
    ----------
    dataset, number, limits
        As for `stored_frame`.

    Returns
    -------
    numpy.ndarray
        ``y x``: as stored where nothing is to be applied, int16 or int32 where that is exact, else float32.
        Colours and palette indices come as `stored_frame` gives them.

    Raises
    ------
    ReadError
        As `stored_frame`, and where a rescale is stated that cannot be read.
    """
    form = form_of(dataset, limits)
    stored = stored_frame(dataset, number, limits=limits)
    if form.samples > 1 or form.photometric == "PALETTE COLOR":
        return stored
    return lut.measured(stored, lut.modality_of(dataset, form, number))


def picture(dataset: "Dataset", number: int = 0, *, limits: Limits = LIMITS) -> Image:
    """Return one frame as a person would see it.

    Parameters
    ----------
    dataset, number, limits
        As for `stored_frame`.

    Returns
    -------
    Image
        ``c y x``. Colours and palettes as RGB. Modalities whose values are quantities (CT, MR, PT, NM, RTDOSE,
        maps and segmentations) as `modality_frame` gives them, PET as SUV where the header allows it: no window is
        applied and nothing is turned. Other
        grey pictures through their VOI LUT or first window, where they have one, white meaning more: MONOCHROME1
        is turned; they fill 0 to 2^BitsStored - 1.

    Raises
    ------
    ReadError
        As `modality_frame`, and where a palette or VOI LUT is damaged.
    """
    form = form_of(dataset, limits)
    modality = values.text(dataset, "Modality")
    stored = stored_frame(dataset, number, limits=limits)
    if form.samples > 1:
        return Image(np.ascontiguousarray(np.moveaxis(stored, -1, 0)), modality=modality)
    if form.photometric == "PALETTE COLOR":
        return Image(palette.coloured(stored, palette.palette(dataset, form)), modality=modality)
    array = lut.measured(stored, lut.modality_of(dataset, form, number))
    if modality in QUANTITIES or form.keyword != "PixelData" or form.allocated == 1:
        return _quantity(dataset, array, modality, number)
    return Image(_grey(dataset, array, form, number)[None], modality=modality)


def _quantity(dataset: "Dataset", array: AnyArray, modality: str, number: int) -> Image:
    """Return values that mean something by themselves, with their unit: HU, or SUV where the header allows it."""
    if modality == "PT":
        found = suv.uptake(dataset)
        if found.factor is None:
            return Image(array[None], modality=modality, units=found.units)
        scaled = array if found.factor == 1.0 else array.astype(np.float32) * np.float32(found.factor)
        return Image(scaled[None], modality=modality, units="g/ml")
    hounsfield = modality == "CT" and lut.is_hounsfield(dataset, number)
    return Image(array[None], modality=modality, units="HU" if hounsfield else "a.u.")


def _grey(dataset: "Dataset", array: AnyArray, form: Form, number: int) -> AnyArray:
    """Return a grey picture through its window, white meaning more."""
    top = (1 << min(form.stored, 16)) - 1
    kind = np.uint8 if top <= 255 else np.uint16
    seen = lut.shown(dataset, array, form, number)
    if seen is not None:
        if form.photometric == "MONOCHROME1":
            np.subtract(1, seen, out=seen)
        seen *= top
        return np.asarray(np.rint(seen, out=seen), dtype=kind)
    if form.photometric != "MONOCHROME1":
        return array
    if array.dtype.kind == "f":
        return np.asarray(array.max() + array.min() - array)
    wide = array.astype(np.int64)
    low, high = (-(1 << (form.stored - 1)), (1 << (form.stored - 1)) - 1) if array.dtype.kind == "i" else (0, top)
    high = max(high, int(wide.max()))
    turned = low + high - wide
    return turned.astype(array.dtype if np.can_cast(np.min_scalar_type(high), array.dtype) else np.int32)
