"""Annotations of real files: classic, enhanced, tilted, without a place; skipped where they are absent."""

import os
import shutil
from pathlib import Path

import highdicom
import numpy as np
import pytest

from hounsfield.core.annotation import Annotation, Source
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.data.dicom.assembling import assemble
from hounsfield.data.dicom.index import index_tree
from hounsfield.data.readers import read
from hounsfield.data.writers import writer
from tests.data_room.annotations.making import labels
from tests.data_room.dicom.answers.making import faults

CORPUS = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[4] / "../shared/data")) / "dicom-corpus"
KINDS = ("dicom-seg", "dicom-rtstruct", "dicom-sr")
VOLUMES = (
    "ct/philips-axial-5mm", "ct/philips-tilt-minus18", "ct/three-slice-with-seg", "ct/enhanced", "mr/ge-classic",
    "mr/enhanced-philips-fieldmap", "mr/enhanced-siemens-xa10", "mr/patient-position-hfp", "mr/patient-position-hfdl",
)  # fmt: skip
PICTURES = ("xray/dx_image.dcm", "xray/XA1_JPLL", "us/US1_J2KR.dcm", "us/examples_rgb_color.dcm")

pytestmark = [
    pytest.mark.skipif(not CORPUS.exists(), reason="dicom-corpus is not in the folder that HOUNSFIELD_DATA names"),
    pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (Debian dicom3tools) is not installed"),
]


@pytest.mark.parametrize("folder", VOLUMES)
def test_volumes(folder: str, tmp_path: Path) -> None:
    root = CORPUS / folder
    volume = assemble([e for s in index_tree(root).series() for e in s.entries], root=root).volumes[0]
    ref = Ref("dicom", volume.first.path, (("series", volume.series_uid), ("volume", volume.number)))
    cohort = Cohort("t", str(root), (), Schema())
    where = Source("case", cohort, ref, read(cohort, ref))
    made = Annotation(labels(where.image.size), ("liver", "病灶"), where.image.grid)
    for kind in KINDS:
        assert writer(kind).accepts(made, where) == ""
        (path,) = writer(kind).write(made, where, tmp_path)
        assert faults(path) == []
    marked = highdicom.seg.segread(tmp_path / "dicom" / "case.seg.dcm")
    if len(volume.entries) == len(volume.planes):
        found = marked.get_pixels_by_source_instance([p.entry.sop_uid for p in volume.planes])
    else:
        uid = volume.first.sop_uid
        numbers = [p.frame + 1 for p in volume.planes]
        found = marked.get_pixels_by_source_frame(uid, numbers, assert_missing_frames_are_empty=True)
    for index in range(2):
        np.testing.assert_array_equal(found[..., index], made.mask(index))


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_without_a_place(name: str, tmp_path: Path) -> None:
    place = CORPUS / name
    cohort, ref = Cohort("t", str(place.parent), (), Schema()), Ref("dicom", place.name)
    where = Source("case", cohort, ref, read(cohort, ref))
    for array in (labels(where.image.size), np.zeros(where.image.size, dtype=np.uint8)):
        made = Annotation(array, ("lesion", "b"), where.image.grid)
        assert "place" in writer("dicom-rtstruct").accepts(made, where)
        for kind in ("dicom-seg", "dicom-sr"):
            (path,) = writer(kind).write(made, where, tmp_path)
            assert faults(path) == []
        found = highdicom.seg.segread(tmp_path / "dicom" / "case.seg.dcm").pixel_array
        held = [made.mask(n) for n in range(2) if made.mask(n).any()] or [
            np.zeros(where.image.size, dtype=np.bool_)
        ] * 2
        np.testing.assert_array_equal(found.reshape(-1, *where.image.size), np.stack(held))


def test_a_mosaic_is_refused_and_nifti_named() -> None:
    root = CORPUS / "mr/siemens-mosaic"
    volume = assemble([e for s in index_tree(root).series() for e in s.entries], root=root).volumes[0]
    ref = Ref("dicom", volume.first.path, (("series", volume.series_uid), ("volume", volume.number)))
    cohort = Cohort("t", str(root), (), Schema())
    where = Source("case", cohort, ref, read(cohort, ref))
    made = Annotation(labels(where.image.size), ("a", "b"), where.image.grid)
    assert "mosaic" in writer("dicom-seg").accepts(made, where)
    assert writer("nifti").accepts(made, where) == ""


def test_a_retired_class_is_refused_and_a_uid_against_the_rules_is_kept(tmp_path: Path) -> None:
    for name, reason in (("us/color-pl.dcm", "retired"), ("us/YBR_422.dcm", "")):
        place = CORPUS / name
        cohort, ref = Cohort("t", str(place.parent), (), Schema()), Ref("dicom", place.name)
        where = Source("case", cohort, ref, read(cohort, ref))
        made = Annotation(labels(where.image.size), ("lesion", "b"), where.image.grid)
        for kind in ("dicom-seg", "dicom-sr"):
            assert reason in writer(kind).accepts(made, where)
            if not reason:
                (path,) = writer(kind).write(made, where, tmp_path)
                assert b"1.4.13.3.1.0.19.544194620.9411.768994.0104484" in path.read_bytes()
