"""Masks of one image in several files, one for each lesion: a ref that lists them, and a reader that joins them."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hounsfield.core.cohort import Cohort, Ref, Sample
from hounsfield.core.errors import ReadError, case_id
from hounsfield.core.image import Header, Image
from hounsfield.core.types import AnyArray
from hounsfield.data.files import reader_by_ending

READER = "mask-files"
ALSO = "also"
"""Part of a ref that names a further file; it comes once for each."""
_CLOSE_MM = 1e-3


def mask_ref(paths: Sequence[str]) -> Ref:
    """Return the ref of a mask that lies in one file or in several."""
    first, *others = paths
    if not others:
        return Ref(reader_by_ending(first), first)
    return Ref(READER, first, tuple((ALSO, path) for path in others))


def refs_of(ref: Ref) -> tuple[Ref, ...]:
    """Return the refs of the files that a ref of `mask_ref` joins."""
    paths = (ref.path, *(str(value) for key, value in ref.part if key == ALSO))
    return tuple(Ref(reader_by_ending(path), path) for path in paths)


def several_masks(samples: Sequence[Sample], name: str) -> tuple[str, ...]:
    """Return what a person should check where masks of some samples lie in several files."""
    several = sum(name in s.masks and s.masks[name].reader == READER for s in samples)
    if not several:
        return ()
    return (
        f"{several} images have several files of {name!r}: what lies in any of them counts as marked. Are they another "
        "reader's, or another structure's? Then name each in a column of a table.",
    )


class JoinedReader:
    """Reads masks of one image as one: what lies in any of the files.

    Notes
    -----
    Where each file has one value beside 0, whichever, the joined mask has one. Otherwise values mean structures, and
    where files overlap the higher one stays.
    """

    def sniff(self, head: bytes, name: str) -> bool:
        """Know no file: each is of a format of its own."""
        del head, name
        return False

    def header(self, cohort: Cohort, ref: Ref) -> Header:
        """Return what the first file's header says."""
        from hounsfield.data.readers import header

        return header(cohort, refs_of(ref)[0])

    def read(self, cohort: Cohort, ref: Ref) -> Image:
        """Return the joined mask on the grid of the first.

        Raises
        ------
        ReadError
            If a file cannot be read, or they differ in size, channels or place.
        """
        from hounsfield.data.readers import read

        first, *others = (read(cohort, one) for one in refs_of(ref))
        for other in others:
            if other.array.shape != first.array.shape or not _same_place(first, other):
                raise ReadError(
                    f"Case {case_id(ref.path)}: its {len(others) + 1} mask files differ in size or place.",
                    expected="masks of one image on its grid",
                    next_step="write them again on the grid of their image, or take one out",
                )
        return replace(first, array=_joined([first.array, *(o.array for o in others)]))


def _joined(arrays: Sequence[AnyArray]) -> AnyArray:
    values = [np.unique(array[array != 0]) for array in arrays]
    together = np.maximum.reduce(list(arrays))
    if all(len(v) <= 1 for v in values):
        highest = max((v[0] for v in values if len(v)), default=together.dtype.type(0))
        return np.where(np.logical_or.reduce([a != 0 for a in arrays]), highest, 0).astype(together.dtype)
    return np.asarray(together)


def _same_place(first: Image, other: Image) -> bool:
    if first.grid is None or other.grid is None:
        return True
    return bool(np.allclose(first.grid.affine_ras, other.grid.affine_ras, atol=_CLOSE_MM))
