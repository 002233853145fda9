"""What each sample looks at: one picture, or the arrays of its archive."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.cohort import InputSpec, Reading, Ref
from hounsfield.core.errors import CohortError, ReadError
from hounsfield.data.files import Files, ending, reader_by_ending
from hounsfield.data.npz import as_channels_first, npz_arrays
from hounsfield.data.raster import pages_of
from hounsfield.data.table import Column
from hounsfield.data.volume.facts import READERS as VOLUMES
from hounsfield.data.volume.facts import headers_of
from hounsfield.data.words import is_mask, modality_of


@dataclass
class Told:
    """What a person will read of how the cohort was understood."""

    notes: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Inputs:
    """What each sample looks at, and the mask that lies in the same archive."""

    specs: tuple[InputSpec, ...]
    arrays: tuple[str, ...] = ()
    mask: str | None = None

    @classmethod
    def of(cls, paths: Column, files: Files, told: Told) -> "Inputs":
        """Find out what the files that a table names hold; of archives the first is looked into."""
        used = [p for p in paths if p is not None]
        reader = Counter(reader_by_ending(p) for p in used).most_common(1)[0][0] if used else "raster"
        modality = modality_of(files.root.name)
        if reader == "npz":
            return cls._archive(files, used[0], told)
        if reader == "dicom":
            told.notes.append("The images are DICOM files.")
        if reader == "raster":
            _tell_pages(used, files, told)
        ndim = 2
        if reader in VOLUMES:
            headers = headers_of(files.root, [Ref(reader_by_ending(p), p) for p in dict.fromkeys(used)])
            told.notes += headers.notes
            told.unsure += headers.unsure
            ndim = headers.ndim
        return cls((InputSpec(name="image", ndim=ndim, modality=modality),))

    @classmethod
    def _archive(cls, files: Files, path: str, told: Told) -> "Inputs":
        try:
            arrays = npz_arrays(files.root / path)
        except ReadError as error:
            raise CohortError(error.found, expected=error.expected, next_step=error.next_step) from error
        able = {n: (s, d) for n, (s, d) in arrays.items() if len(s) >= 2 and min(s) >= 1 and d.kind in "buif"}
        masks = [n for n, (_, d) in able.items() if d.kind == "b" or is_mask(n)]
        pictures = [n for n in able if n not in masks]
        if not pictures:
            raise CohortError(
                f"The archives named by the table hold {', '.join(arrays) or 'nothing'}, none of it an image.",
                expected="arrays of two or three space axes",
                next_step="store the images as arrays",
            )
        told.notes.append(f"Each case is an archive of arrays: {', '.join(pictures + masks)}.")
        specs = []
        for name in pictures:
            ndim = len(able[name][0])
            first = _shape(able[name][0])
            label = "image" if len(pictures) == 1 else name
            specs.append(InputSpec(name=label, ndim=first - 1 if ndim > 2 else 2, modality=modality_of(name)))
        return cls(tuple(specs), tuple(pictures), masks[0] if masks else None)

    def readings(self, path: str, time_days: float) -> dict[str, tuple[Reading, ...]]:
        """Return the inputs of one sample."""
        if not self.arrays:
            return {self.specs[0].name: (Reading(Ref(reader_by_ending(path), path), time_days),)}
        return {
            s.name: (Reading(Ref("npz", path, (("array", a),)), time_days),)
            for s, a in zip(self.specs, self.arrays, strict=True)
        }


def _tell_pages(used: list[str], files: Files, told: Told) -> None:
    first = next((p for p in used if ending(p) in (".tif", ".tiff")), None)
    if first is None:
        return
    try:
        pages = pages_of(files.root / first)
    except ReadError:
        return
    if pages > 1:
        told.unsure.append(f"The TIFF files hold several pages ({pages} in the first); the first page is read.")


def _shape(shape: tuple[int, ...]) -> int:
    return as_channels_first(np.broadcast_to(np.zeros((), np.uint8), shape)).ndim
