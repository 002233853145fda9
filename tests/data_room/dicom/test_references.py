"""Affines and voxels of the corpus against conversions by another program, and against the headers by hand."""

import sys
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom
import pytest
from nibabel.nifti1 import Nifti1Image

from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.dicom.assembling import Assembly, assemble, read_volume
from hounsfield.data.dicom.headers import read_header
from hounsfield.geometry.affines import reorient
from hounsfield.geometry.resampling import resample

TOLERANCE = 1e-3
WITHOUT_SHEAR = "tilt.nii.gz"
"""The reference leaves the shear out of its affine: its voxels are compared, its affine is not."""
RESAMPLED = "tilt_Tilt_1.nii.gz"
OWN_SCALE = ("fieldmap_hz.nii.gz", "magnitude_e1.nii.gz")
"""Scaled by a private slope, in part rounded to 17 bits: the stored numbers are compared, not their multiples."""


def assembled(folder: Path) -> Assembly:
    entries = [read_header(p, path=p.name) for p in sorted(folder.iterdir()) if p.is_file()]
    return assemble(entries, root=folder)


def volumes_of(folder: Path) -> list[tuple[Float64Array, Float64Array]]:
    """Return voxels (``z y x``) and affine of each volume of a folder, turned to RAS."""
    turned = []
    for volume in assembled(folder).volumes:
        array, affine = reorient(read_volume(folder, volume).array[0], volume.affine_ras)
        turned.append((np.asarray(array, dtype=np.float64), affine))
    return turned


def reference_volumes(path: Path) -> list[tuple[Float64Array, Float64Array]]:
    image = nibabel.as_closest_canonical(Nifti1Image.from_filename(path))
    array = np.asarray(image.dataobj if path.name not in OWN_SCALE else stored(path), dtype=np.float64)
    moments = array[..., None] if array.ndim == 3 else array
    return [(moments[..., t].T, np.asarray(image.affine)) for t in range(moments.shape[3])]


def stored(path: Path) -> AnyArray:
    image = Nifti1Image.from_filename(path)
    proxy: Any = image.dataobj
    plain = Nifti1Image(proxy.get_unscaled(), image.affine)
    return np.asarray(nibabel.as_closest_canonical(plain).dataobj)


def unscaled(values: Float64Array) -> Float64Array:
    """Return the whole numbers that evenly spaced values are multiples of."""
    levels = np.unique(values)
    step = float(np.diff(levels).min())
    return np.asarray(np.rint((values - levels[0]) / step))


def test_every_reference_of_the_corpus(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = shared_data / "dicom-corpus"
    references = sorted(root.rglob("nifti-reference/*.nii.gz"))
    if not references:
        pytest.skip("the corpus has no references here")
    compared = 0
    for path in references:
        if path.name == RESAMPLED:
            continue
        found = volumes_of(path.parent.parent)
        for voxels, affine in reference_volumes(path):
            own = path.name in OWN_SCALE
            wanted = voxels - voxels.min() if own else voxels
            candidates = [(unscaled(v) if own else v, a) for v, a in found]
            far = [float(np.abs(v - wanted).max()) if v.shape == wanted.shape else np.inf for v, _ in candidates]
            best = int(np.argmin(far))
            assert far[best] <= TOLERANCE, path.name
            if path.name != WITHOUT_SHEAR:
                assert float(np.abs(candidates[best][1] - affine).max()) <= TOLERANCE, path.name
        compared += 1
    with capsys.disabled():
        sys.stdout.write(f"\n{compared} of {len(references) - 1} references agree\n")
    assert compared == len(references) - 1 == 14


def test_the_sheared_affine_is_the_one_of_the_headers(shared_data: Path) -> None:
    folder = shared_data / "dicom-corpus/ct/philips-tilt-minus18"
    if not folder.is_dir():
        pytest.skip("the corpus is not here")
    headers = [pydicom.dcmread(p) for p in folder.iterdir() if p.is_file()]
    (volume,) = assembled(folder).volumes
    # each voxel of each slice by PS3.3 C.7.6.2.1.1, slice by slice, from nothing but its own header
    for slice_ in headers:
        number = next(n for n, e in enumerate(volume.entries) if e.sop_uid == slice_.SOPInstanceUID)
        position = np.array(slice_.ImagePositionPatient, dtype=float)
        row, column = np.array(slice_.ImageOrientationPatient, dtype=float).reshape(2, 3)
        between_rows, between_columns = map(float, slice_.PixelSpacing)
        for x, y in ((0, 0), (511, 0), (0, 511), (200, 300)):
            lps = position + row * between_columns * x + column * between_rows * y
            found = volume.affine_ras @ [x, y, number, 1]
            np.testing.assert_allclose(found[:3], lps * [-1, -1, 1], atol=1e-3)


def test_the_tilt_resampled_by_its_sheared_affine_is_the_resampled_reference(shared_data: Path) -> None:
    path = shared_data / "dicom-corpus/ct/philips-tilt-minus18/nifti-reference" / RESAMPLED
    if not path.is_file():
        pytest.skip("the corpus is not here")
    reference = Nifti1Image.from_filename(path)
    wanted = np.asarray(reference.dataobj, dtype=np.float64).T
    folder = path.parent.parent
    (volume,) = assembled(folder).volumes
    array = read_volume(folder, volume).array[0]

    def far(rows: int) -> float:
        shifted = reference.affine.copy()
        shifted[:3, 3] += rows * shifted[:3, 1]
        found = resample(array, volume.affine_ras, shifted, wanted.shape, outside=-1024.0)
        return float(np.abs(np.asarray(found, dtype=np.float64) - wanted).mean())

    # two ways to interpolate differ a little; one row beside the place they would differ a lot
    assert far(0) < 1.0
    assert min(far(1), far(-1)) > 10.0


@pytest.mark.parametrize(("folder", "count", "word"), [
    ("ct/philips-scout", 0, "localizer"), ("mr/single", 1, "a mosaic of slices has 48 slices"),
])  # fmt: skip
def test_other_folders_of_the_corpus(shared_data: Path, folder: str, count: int, word: str) -> None:
    place = shared_data / "dicom-corpus" / folder
    if not place.is_dir():
        pytest.skip("the corpus is not here")
    found = assembled(place)
    assert len(found.volumes) >= count
    assert any(word in reason for _, reason in found.apart)
