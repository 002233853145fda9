"""Hand-made samples, looks and small pictures for the tests of the audit."""

import io

import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from scipy.ndimage import gaussian_filter

from hounsfield.core.cohort import Cohort, Part, Reading, Ref, Sample, Schema, TargetSpec
from hounsfield.core.image import Header, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import Attribute
from hounsfield.stages.auditing import Glance, glance

Picture = npt.NDArray[np.uint8]
TARGET = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")


def phantom(number: int, *, side: int = 128) -> Picture:
    """Draw a body that all patients share, with vessels and noise of one's own."""
    rng = stream(0, "phantom", sample=number)
    y, x = np.mgrid[0:side, 0:side] / (side - 1) * 2 - 1
    body = (x**2 / 0.8 + y**2 / 0.6 < 1).astype(np.float64)
    lungs = ((np.abs(x) - 0.42) ** 2 / 0.09 + y**2 / 0.25 < 1).astype(np.float64)
    own = gaussian_filter(rng.standard_normal((side, side)), 2.0) * 6
    grain = rng.standard_normal((side, side)) * 0.03
    drawn = (0.15 + 0.6 * body - 0.45 * lungs + 0.12 * own * body + grain) * 220
    return np.asarray(np.clip(drawn, 0, 255), dtype=np.uint8)


def jpeg(picture: Picture, quality: int) -> Picture:
    buffer = io.BytesIO()
    Pillow.fromarray(picture).save(buffer, "JPEG", quality=quality)
    return np.asarray(Pillow.open(buffer), dtype=np.uint8)


def shifted(picture: Picture, pixels: int) -> Picture:
    moved = np.pad(picture, ((pixels, 0), (pixels, 0)), mode="edge")[:-pixels, :-pixels]
    return np.ascontiguousarray(moved)


def look(name: str, picture: npt.NDArray[np.generic], *, file_format: str = "PNG", size: int | None = None) -> Glance:
    array = picture if picture.ndim > 2 else picture[None]
    header = Header(array.shape[1:], array.shape[0], 8, file_format, size if size is not None else picture.size)
    return glance(name, Image(array), header)


def sample(
    name: str,
    answer: str | None,
    *,
    part: Part | None = None,
    patient: str | None = None,
    records: dict[str, Attribute] | None = None,
    attributes: dict[str, Attribute] | None = None,
) -> Sample:
    return Sample(
        id=name,
        patient=patient or name,
        inputs={"image": (Reading(Ref("raster", f"images/{name}.png")),)},
        targets={"ill": answer},
        part=part,
        records=records or {},
        attributes=attributes or {},
    )


def cohort(samples: list[Sample], *, target: TargetSpec = TARGET) -> Cohort:
    return Cohort("made", "nowhere", tuple(samples), Schema(targets=(target,), patients_known=True))
