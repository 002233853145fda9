import gzip
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray
from hounsfield.data.dicom.assembling import Volume, assemble
from hounsfield.data.dicom.drawn import drawn_on, read_masks
from hounsfield.data.dicom.headers import read_header
from tests.data_room.dicom.making import dataset, save, uid

HEIGHTS = (0, 2, 4, 6, 8)
NAMES = ("Liver", "Spleen", "Tumour")


def ct(folder: Path) -> tuple[Volume, list[Dataset]]:
    """Write a CT of five slices of 8 x 8 pixels; return its volume and its slices, not in order."""
    empty = dict.fromkeys(("PatientBirthDate", "StudyTime", "ReferringPhysicianName", "StudyID"), "")
    sources = [
        dataset(
            "p/s/ct",
            {"ImagePositionPatient": [-4.0, -4.0, float(HEIGHTS[n])], "PatientName": "Doe^Jane", **empty},
            number=n,
        )
        for n in (3, 0, 4, 1, 2)
    ]
    for number, made in enumerate(sources):
        save(folder / f"ct{number}", made)
    entries = [read_header(p, path=p.name) for p in sorted(folder.glob("ct*"))]
    (volume,) = assemble(entries).volumes
    return volume, sources


def truth() -> AnyArray:
    """Three masks, two of them overlapping, the last one on two slices only: ``z y x k``."""
    masks = np.zeros((5, 8, 8, 3), dtype=bool)
    masks[1:4, 1:5, 2:7, 0] = True
    masks[2:5, 3:8, 0:4, 1] = True
    masks[[0, 4], 6, 5, 2] = True
    return masks


def descriptions() -> list[Any]:
    kinds = (codes.SCT.Liver, codes.SCT.Spleen, codes.SCT.Neoplasm)
    return [
        highdicom.seg.SegmentDescription(
            segment_number=n + 1, segment_label=name, segmented_property_category=codes.SCT.Organ,
            segmented_property_type=kind, algorithm_type="MANUAL",
        )
        for n, (name, kind) in enumerate(zip(NAMES, kinds, strict=True))
    ]  # fmt: skip


def segmentation(sources: list[Dataset], pixels: AnyArray, kind: str, most: int = 255) -> Dataset:
    """Write masks (in the order of the sources) as another package does."""
    made: Dataset = highdicom.seg.Segmentation(
        source_images=sources, pixel_array=pixels, segmentation_type=kind, segment_descriptions=descriptions(),
        series_instance_uid=uid(kind), series_number=9, sop_instance_uid=uid(kind, 1), instance_number=1,
        manufacturer="m", manufacturer_model_name="m", software_versions="1", device_serial_number="1",
        max_fractional_value=most,
    )  # fmt: skip
    return made


def in_order(masks: AnyArray, sources: list[Dataset]) -> AnyArray:
    return np.stack([masks[HEIGHTS.index(int(s.ImagePositionPatient[2]))] for s in sources])


@pytest.mark.parametrize("kind", ["BINARY", "FRACTIONAL"])
def test_overlapping_segments_come_back_each_whole(kind: str, tmp_path: Path) -> None:
    volume, sources = ct(tmp_path)
    masks = truth()
    pixels = in_order(masks, sources)
    made = segmentation(sources, pixels.astype(np.float32) if kind == "FRACTIONAL" else pixels, kind)
    entry = read_header(save(tmp_path / "seg", made, syntax=made.file_meta.TransferSyntaxUID), path="seg")
    assert drawn_on(tmp_path, entry, [volume]) is volume
    found = read_masks(tmp_path, entry, volume)
    assert [(m.name, m.number) for m in found.masks] == list(zip(NAMES, (1, 2, 3), strict=True))
    for number, mask in enumerate(found.masks):
        np.testing.assert_array_equal(np.asarray(mask.array, dtype=np.float32), masks[..., number].astype(np.float32))
        assert mask.array.dtype == (np.float32 if kind == "FRACTIONAL" else np.bool_)
        assert mask.notes == ()
    code = found.masks[0].kind
    assert code is not None
    assert (code.value, code.scheme, code.meaning) == ("10200004", "SCT", "Liver")
    assert {"doe", "jane"} <= found.naming


def test_fractions_are_scaled_by_what_the_object_calls_whole(tmp_path: Path) -> None:
    volume, sources = ct(tmp_path)
    wanted = np.round(stream(0, "fractions").random((5, 8, 8, 3)).astype(np.float32) * 50) / 50
    made = segmentation(sources, in_order(wanted, sources), "FRACTIONAL", most=50)
    entry = read_header(save(tmp_path / "seg", made, syntax=made.file_meta.TransferSyntaxUID), path="seg")
    for number, mask in enumerate(read_masks(tmp_path, entry, volume).masks):
        np.testing.assert_allclose(np.asarray(mask.array, dtype=np.float64), wanted[..., number], atol=1e-6)


def test_a_label_map_gives_each_label_as_a_mask(tmp_path: Path) -> None:
    volume, sources = ct(tmp_path)
    labels = np.zeros((5, 8, 8), dtype=np.uint8)
    labels[1:3, 2:5, 2:6] = 1
    labels[3:, 5:, :3] = 3
    made = segmentation(sources, in_order(labels, sources), "LABELMAP")
    entry = read_header(save(tmp_path / "seg", made, syntax=made.file_meta.TransferSyntaxUID), path="seg")
    for mask in read_masks(tmp_path, entry, volume).masks:
        np.testing.assert_array_equal(mask.array, labels == mask.number)


def test_masks_on_another_grid_are_resampled_and_say_so(tmp_path: Path) -> None:
    volume, sources = ct(tmp_path)
    masks = truth()
    made = segmentation(sources, in_order(masks, sources), "BINARY")
    # half the pixels along each side of the same field: the corner voxel's centre moves by half a pixel
    shared = made.SharedFunctionalGroupsSequence[0]
    shared.PixelMeasuresSequence[0].PixelSpacing = [3.0, 3.0]
    for group in made.PerFrameFunctionalGroupsSequence:
        place = group.PlanePositionSequence[0]
        # segments share their items, so one place is set several times
        place.ImagePositionPatient = [-3.25, -3.25, place.ImagePositionPatient[2]]
    entry = read_header(save(tmp_path / "seg", made, syntax=made.file_meta.TransferSyntaxUID), path="seg")
    liver = read_masks(tmp_path, entry, volume).masks[0]
    assert liver.notes == ("drawn on another grid, resampled to the volume's",)
    coarse = np.repeat(np.repeat(masks[..., 0], 2, axis=1), 2, axis=2)[:, :8, :8]
    np.testing.assert_array_equal(liver.array, coarse)


def test_frames_that_form_no_grid_are_refused(tmp_path: Path) -> None:
    volume, sources = ct(tmp_path)
    made = segmentation(sources, in_order(truth(), sources), "BINARY")
    made.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient[0] = 1.2
    entry = read_header(save(tmp_path / "seg", made, syntax=made.file_meta.TransferSyntaxUID), path="seg")
    with pytest.raises(ReadError, match="form no grid"):
        read_masks(tmp_path, entry, volume)


def test_masks_are_not_put_on_an_irregular_volume_nor_on_another_patient(tmp_path: Path) -> None:
    from dataclasses import replace

    volume, sources = ct(tmp_path)
    made = segmentation(sources, in_order(truth(), sources), "BINARY")
    entry = read_header(save(tmp_path / "seg", made, syntax=made.file_meta.TransferSyntaxUID), path="seg")
    with pytest.raises(ReadError, match="missing or uneven"):
        read_masks(tmp_path, entry, replace(volume, regular=False))
    assert drawn_on(tmp_path, entry, [replace(volume, regular=False)]) is None
    assert drawn_on(tmp_path, replace(entry, patient_id="q"), [volume]) is None


def nrrd(path: Path) -> AnyArray:
    """Read a gzipped NRRD of 16-bit labels on the corpus's CT: ``z y x``."""
    head, _, body = path.read_bytes().partition(b"\n\n")
    fields = dict(
        line.split(": ", 1) for line in head.decode().splitlines() if ": " in line and not line.startswith("#")
    )
    sizes = [int(n) for n in fields["sizes"].split()]
    assert fields["type"] == "short"
    assert fields["space"] == "left-posterior-superior"
    return np.frombuffer(gzip.decompress(body), "<i2").reshape(sizes[::-1])


def test_the_segmentation_of_the_corpus_is_its_reference_label_map(shared_data: Path) -> None:
    folder = shared_data / "dicom-corpus/ct/three-slice-with-seg"
    if not folder.is_dir():
        pytest.skip("the corpus is not here")
    entries = [read_header(p, path=p.name) for p in sorted(folder.glob("*.dcm"))]
    found = assemble(entries, root=folder)
    (volume,) = found.volumes
    segmentations = {e.path: e for e, _ in found.apart}
    assert set(segmentations) == {"liver.dcm", "partial_overlaps.dcm"}
    assert all(drawn_on(folder, e, found.volumes) is volume for e in segmentations.values())
    (liver,) = read_masks(folder, segmentations["liver.dcm"], volume).masks
    # both ascend along z
    np.testing.assert_array_equal(liver.array, nrrd(folder / "liver_seg.nrrd") == 1)
    others = read_masks(folder, segmentations["partial_overlaps.dcm"], volume).masks
    assert [m.name for m in others] == ["GREEN", "ORANGE", "PURPLE", "LIGHT_BLUE", "DARK_BLUE"]
    frames = highdicom.seg.segread(folder / "partial_overlaps.dcm")
    wanted = frames.get_pixels_by_source_instance(
        [p.entry.sop_uid for p in volume.planes], ignore_spatial_locations=True, assert_missing_frames_are_empty=True
    )
    for number, mask in enumerate(others):
        np.testing.assert_array_equal(mask.array, wanted[..., number] > 0)
