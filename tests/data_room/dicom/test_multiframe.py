from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from hounsfield.core.errors import ReadError
from hounsfield.data.dicom.assembling import assemble, read_volume
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.dicom.multiframe import frames_of
from tests.data_room.dicom.making import dataset, save
from tests.data_room.dicom.slices import slices

ENHANCED_MR = "1.2.840.10008.5.1.4.1.1.4.1"
PLACES = ((2, 1), (0, 2), (1, 1), (0, 1), (2, 2), (1, 2))
"""Of each frame: slice, and echo; in no order."""


def item(**facts: object) -> Dataset:
    made = Dataset()
    for keyword, value in facts.items():
        setattr(made, keyword, Items([value]) if isinstance(value, Dataset) else value)
    return made


def enhanced() -> Dataset:
    """Two echoes of three slices in one file; everything about a frame only in its own group."""
    made = dataset(
        "p/s/enhanced", {"SOPClassUID": ENHANCED_MR, "Modality": "MR", "NumberOfFrames": len(PLACES)}, size=4
    )
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "RescaleSlope",
        "RescaleIntercept",
    ):
        delattr(made, keyword)
    made.SharedFunctionalGroupsSequence = Items(
        [item(PixelMeasuresSequence=item(PixelSpacing=[1.0, 2.0], SliceThickness=3.0))]
    )
    made.DimensionIndexSequence = Items(
        [item(DimensionIndexPointer=0x00209057), item(DimensionIndexPointer=0x00189082)]
    )
    made.PerFrameFunctionalGroupsSequence = Items(
        [
            item(
                PlanePositionSequence=item(ImagePositionPatient=[1.0, 2.0, 3.0 * place]),
                PlaneOrientationSequence=item(ImageOrientationPatient=[1, 0, 0, 0, 1, 0]),
                MREchoSequence=item(EffectiveEchoTime=5.0 * echo),
                FrameContentSequence=item(StackID="1", DimensionIndexValues=[place + 1, echo]),
                PixelValueTransformationSequence=item(RescaleSlope=float(echo), RescaleIntercept=0.0, RescaleType="US"),
            )
            for place, echo in PLACES
        ]
    )
    made.PixelData = np.stack([np.full((4, 4), 10 * p + e, np.uint16) for p, e in PLACES]).tobytes()
    return made


def test_frames_are_put_together_by_place_and_echo(tmp_path: Path) -> None:
    entry = read_header(save(tmp_path / "e", enhanced()), path="e")
    found = assemble([entry], root=tmp_path)
    assert [v.what for v in found.volumes] == [("echo time 5 ms",), ("echo time 10 ms",)]
    for volume, echo in zip(found.volumes, (1, 2), strict=True):
        image = read_volume(tmp_path, volume)
        assert image.array[0, :, 0, 0].tolist() == [echo * (10 * p + echo) for p in range(3)]
        assert volume.spacing_mm == pytest.approx((2.0, 1.0, 3.0))
        np.testing.assert_allclose(volume.affine_ras[:3, 3], [-1, -2, 0])


@pytest.mark.parametrize(("spoil", "reason"), [
    (lambda d: delattr(d, "PerFrameFunctionalGroupsSequence"), "6 frames, but 0 descriptions"),
    (lambda d: d.PerFrameFunctionalGroupsSequence.pop(), "6 frames, but 5 descriptions"),
    (lambda d: delattr(d.PerFrameFunctionalGroupsSequence[2], "PlanePositionSequence"), "no place in space"),
    (lambda d: setattr(d.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0], "PixelSpacing", [1, 0]), "spac"),
])  # fmt: skip
def test_frames_without_a_place_are_set_apart(spoil: Callable[[Dataset], None], reason: str, tmp_path: Path) -> None:
    made = enhanced()
    spoil(made)
    entry = read_header(save(tmp_path / "e", made), path="e")
    found = assemble([entry], root=tmp_path)
    assert not found.volumes
    assert reason in found.apart[0][1]
    assert "Case" not in found.apart[0][1]


def test_values_of_the_wrong_kind_are_no_crash() -> None:
    made = enhanced()
    made.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient = [1.0, 2.0]
    (entry,) = slices([0], sop_class=ENHANCED_MR)
    with pytest.raises(ReadError, match="no place in space"):
        frames_of(entry, made)
