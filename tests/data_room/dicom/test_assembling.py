from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.data.dicom.assembling import Volume, assemble, read_volume
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.headers import read_header
from hounsfield.geometry.affines import orientation, shear_deg
from tests.data_room.dicom.making import CAPTURE, REPORT, dataset, save
from tests.data_room.dicom.slices import AXIAL, SAGITTAL, changed, slices


def heights_of(volume: Volume) -> list[float]:
    return [round(float(np.dot(volume.planes[0].normal, p.position_lps)), 6) for p in volume.planes]


def only(entries: Sequence[Entry]) -> Volume:
    found = assemble(entries)
    assert len(found.volumes) == 1, [v.what for v in found.volumes]
    assert not found.apart
    return found.volumes[0]


def by_the_standard(entries: Sequence[Entry]) -> Float64Array:
    """DICOM PS3.3, C.7.6.2.1.1: the matrix from column, row and slice to LPS mm, with its signs turned to RAS."""
    ordered = sorted(entries, key=lambda e: float(np.dot(np.cross(_o(e)[:3], _o(e)[3:]), _p(e))))
    first, last = ordered[0], ordered[-1]
    assert first.spacing_mm is not None
    matrix = np.eye(4)
    matrix[:3, 0] = np.array(_o(first)[:3]) * first.spacing_mm[1]
    matrix[:3, 1] = np.array(_o(first)[3:]) * first.spacing_mm[0]
    matrix[:3, 2] = (np.array(_p(last)) - np.array(_p(first))) / (len(ordered) - 1)
    matrix[:3, 3] = _p(first)
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix


def _o(entry: Entry) -> tuple[float, ...]:
    assert entry.orientation_lps is not None
    return entry.orientation_lps


def _p(entry: Entry) -> tuple[float, ...]:
    assert entry.position_lps is not None
    return entry.position_lps


@pytest.mark.parametrize("way", [AXIAL, SAGITTAL, (1.0, 0.0, 0.0, 0.0, 0.0, -1.0), (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
                                 (0.8, 0.6, 0.0, -0.48, 0.64, 0.6)])  # fmt: skip
def test_order_and_affine_come_from_positions_alone(way: tuple[float, ...]) -> None:
    entries = slices([0, 2.5, 5, 7.5, 10], orientation=way)
    volume = only(entries)
    assert heights_of(volume) == sorted(heights_of(volume))
    assert volume.size == (5, 6, 8)
    np.testing.assert_allclose(volume.affine_ras, by_the_standard(entries), atol=1e-12)
    np.testing.assert_allclose(np.array(volume.spacing_mm), [0.9, 0.7, 2.5])
    assert volume.regular
    assert volume.notes == ()


def test_a_decubitus_or_prone_patient_needs_no_word_of_it() -> None:
    entries = slices([0, 4.8, 9.6], orientation=(0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
    # sagittal: columns run to posterior, rows to the feet, slices against the right hand rule to the right
    assert orientation(only(entries).affine_ras) == "PIR"


@settings(deadline=None, database=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_nothing_depends_on_the_order_of_files(seed: int) -> None:
    magnitude = slices([0, 2, 4, 8], name="a", modality="MR", echo_time_ms=5.0)
    entries = [
        *magnitude,
        *changed(magnitude, "b", echo_time_ms=9.0),
        *changed(magnitude[:2], "c", temporal_position=2),
        *slices([0], name="d", image_type=("ORIGINAL", "PRIMARY", "LOCALIZER")),
    ]
    shuffled = [entries[int(n)] for n in stream(seed, "order").permutation(len(entries))]
    found, wanted = assemble(shuffled), assemble(entries)
    assert [(v.planes, v.what, v.number, v.notes) for v in found.volumes] == [
        (v.planes, v.what, v.number, v.notes) for v in wanted.volumes
    ]
    assert found.apart == wanted.apart


@pytest.mark.parametrize("facts", [
    {"echo_time_ms": 9.2}, {"b_value": 1000.0}, {"image_type": ("ORIGINAL", "PRIMARY", "P")}, {"kernel": "B70f"},
    {"frame_of_reference": "2.25.9"}, {"rows": 7}, {"columns": 9}, {"spacing_mm": (0.7, 0.8)},
    {"orientation_lps": (0.995004, 0.099833, 0.0, -0.099833, 0.995004, 0.0)}, {"patient_id": "p2"}, {"issuer": "other"},
    {"study_uid": "2.25.8"}, {"series_uid": "2.25.7"}, {"modality": "PT"}, {"photometric": "MONOCHROME1"},
], ids=lambda facts: next(iter(facts)))  # fmt: skip
def test_images_that_differ_never_share_a_volume(facts: dict[str, Any]) -> None:
    first = slices([0, 2.5, 5], name="a", echo_time_ms=4.6, b_value=0.0)
    # between the slices of the first: positions alone would make one volume of them
    second = changed(slices([1.25, 3.75, 6.25], name="x", echo_time_ms=4.6, b_value=0.0), "b", **facts)
    found = assemble([*first, *second])
    assert sorted(len(v.planes) for v in found.volumes) == [3, 3]
    assert all(len({e.path[0] for e in v.entries}) == 1 for v in found.volumes)
    assert all(v.regular for v in found.volumes)


def test_rounding_of_directions_and_spacings_splits_nothing() -> None:
    entries = slices([0, 2.5, 5, 7.5])
    entries[1] = replace(
        entries[1], orientation_lps=(0.9999999, 1e-5, 0.0, -1e-5, 1.0, 2e-6), spacing_mm=(0.70001, 0.9)
    )
    x, y, z = _p(entries[2])
    entries[2] = replace(entries[2], position_lps=(x, y, z + 0.004))
    assert only(entries).regular


def test_missing_slices_are_told_with_their_places() -> None:
    volume = only(slices([0, 2, 4, 10, 12]))
    assert not volume.regular
    assert volume.notes == ("2 slices are missing, at 16, 18 mm along the normal (2 mm apart)",)


@pytest.mark.parametrize(("heights", "note"), [
    ([0, 2, 4, 6.7, 8], "unevenly spaced: 1.3 to 2.7 mm"),
    ([0, 1, 3, 6], "unevenly spaced|missing"),
    ([0, 0.5, 5, 10, 15, 20, 25], "unevenly spaced"),
])  # fmt: skip
def test_uneven_distances_are_told(heights: list[float], note: str) -> None:
    volume = only(slices(heights))
    assert not volume.regular
    assert any(word in volume.notes[0] for word in note.split("|"))


def test_slices_shifted_sideways_are_no_regular_volume() -> None:
    entries = slices([0, 2, 4, 6])
    x, y, z = _p(entries[2])
    entries[2] = replace(entries[2], position_lps=(x + 3.0, y, z))
    volume = only(entries)
    assert not volume.regular
    assert "sideways" in volume.notes[0]


def test_the_tilt_of_a_gantry_stays_in_the_affine() -> None:
    tilt = np.radians(-18.5)
    way = (1.0, 0.0, 0.0, 0.0, float(np.cos(tilt)), float(np.sin(tilt)))
    entries = [
        replace(e, position_lps=(-50.0, -60.0, 100 + 2.5 * n))
        for n, e in enumerate(slices([0, 1, 2, 3], orientation=way, tilt_deg=-18.5))
    ]
    volume = only(entries)
    assert volume.regular
    assert shear_deg(volume.affine_ras) == pytest.approx(18.5)
    assert volume.notes == ("the slices lean by 18.5 degrees (gantry tilt): kept as a shear in the affine",)
    np.testing.assert_allclose(volume.affine_ras, by_the_standard(entries))


def test_phases_split_by_what_makes_places_unique() -> None:
    first = slices([0, 2, 4], name="a", temporal_position=1, acquisition_number=1)
    second = changed(first, "b", temporal_position=2)
    found = assemble([*first, *second])
    assert [v.what for v in found.volumes] == [("temporal position 1",), ("temporal position 2",)]
    third = changed(first, "c", acquisition_number=2)
    found = assemble([*first, *third])
    assert [v.what for v in found.volumes] == [("acquisition 1",), ("acquisition 2",)]
    both = [*first, *second, *changed(first, "d", acquisition_number=2), *changed(second, "e", acquisition_number=2)]
    assert [len(v.planes) for v in assemble(both).volumes] == [3, 3, 3, 3]


def test_an_acquisition_number_or_trigger_time_of_each_slice_splits_nothing() -> None:
    entries = [
        replace(e, acquisition_number=n, trigger_time_ms=10.0 * n) for n, e in enumerate(slices([0, 2, 4, 6, 8]))
    ]
    assert only(entries).regular


def test_cardiac_phases_without_a_number_are_taken_in_the_order_of_their_times() -> None:
    base = slices([0, 2, 4, 6], name="a")
    phases = [
        [replace(e, trigger_time_ms=100.0 * p + 7 * n) for n, e in enumerate(changed(base, f"p{p}"))] for p in range(3)
    ]
    found = assemble([e for phase in phases for e in phase])
    assert [v.what for v in found.volumes] == [("set 1 of 3",), ("set 2 of 3",), ("set 3 of 3",)]
    for number, volume in enumerate(found.volumes):
        assert {e.path[:2] for e in volume.entries} == {f"p{number}"}
        assert "nothing in the headers groups them" in volume.notes[0]


def test_two_regions_in_one_series_are_two_volumes() -> None:
    chest = slices([0, 5, 10], name="a", acquisition_number=1)
    pelvis = slices([303, 308, 313], name="b", acquisition_number=2)
    found = assemble([*chest, *pelvis])
    assert [v.what for v in found.volumes] == [("acquisition 1",), ("acquisition 2",)]
    assert all(v.regular for v in found.volumes)


def test_the_same_image_twice_is_taken_once() -> None:
    entries = slices([0, 2, 4])
    again = [replace(e, path=f"copy/{e.path}") for e in entries]
    found = assemble([*again, *entries])
    assert len(found.volumes) == 1
    assert found.volumes[0].size[0] == 3
    assert [r for _, r in found.apart] == ["the same image is there twice (same identifier)"] * 3


def test_images_of_two_patients_under_one_series_are_told() -> None:
    first = slices([0, 2, 4], name="a")
    found = assemble([*first, *changed(first, "b", patient_id="p2")])
    assert len(found.volumes) == 2
    assert "more than one patient" in found.notes[0]


@pytest.mark.parametrize(("facts", "reason"), [
    ({"image_type": ("ORIGINAL", "PRIMARY", "LOCALIZER")}, "localizer"),
    ({"image_type": ("DERIVED", "SECONDARY", "MPR")}, "derived"),
    ({"image_type": ("DERIVED", "PRIMARY", "AXIAL")}, "derived"),
    ({"sop_class": CAPTURE}, "secondary capture"),
    ({"sop_class": CAPTURE + ".4"}, "secondary capture"),
    ({"sop_class": REPORT, "rows": 0, "frames": 0}, "report"),
    ({"sop_class": "1.2.840.10008.5.1.4.1.1.66.4"}, "segmentation"),
    ({"sop_class": "1.2.840.10008.5.1.4.1.1.481.3"}, "structure set"),
    ({"position_lps": None}, "no place in space"),
    ({"orientation_lps": (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)}, "right angles"),
    ({"orientation_lps": (0.0,) * 6}, "right angles"),
    ({"position_lps": (float("nan"), 0.0, 0.0)}, "no number"),
    ({"spacing_mm": None}, "pixel spacing"),
    ({"spacing_mm": (0.0, 1.0)}, "pixel spacing"),
    ({"spacing_mm": (1e308, 1e308)}, "in no patient"),
    ({"position_lps": (0.0, 0.0, 1e300)}, "in no patient"),
    ({"series_description": "Scout"}, "localizer"),
    ({"photometric": "RGB", "samples": 3}, "colour"),
    ({"frames": 90}, "film"),
    ({"frames": 0}, "no pixels"),
    ({"image_type": ("ORIGINAL", "PRIMARY", "M", "MOSAIC")}, "files are not opened"),
])  # fmt: skip
def test_what_is_no_slice_is_set_apart_with_its_reason(facts: dict[str, Any], reason: str) -> None:
    entries = slices([0, 2, 4], name="a")
    found = assemble([*entries, *slices([2.2], name="x", **facts)])
    assert [v.size[0] for v in found.volumes] == [3]
    assert len(found.apart) == 1
    assert reason in found.apart[0][1]
    assert found.apart[0][0].path.startswith("x/")


@pytest.mark.parametrize("kind", ["PRIMARY", "SECONDARY"])
def test_derived_images_are_used_where_there_is_nothing_else(kind: str) -> None:
    volume = only(slices([0, 2, 4], image_type=("DERIVED", kind, "AXIAL")))
    assert volume.notes == ("derived images, used since the study has no original ones",)


def test_volumes_that_differ_in_nothing_to_be_shown_are_told_apart() -> None:
    two = [*slices([0, 2, 4]), *changed(slices([0, 2, 4]), "x", frame_of_reference="1.2.3")]
    assert {v.what for v in assemble(two).volumes} == {("frame of reference 1 of 2",), ("frame of reference 2 of 2",)}


def test_slices_far_apart_are_told_and_uneven_ones_are_no_gaps() -> None:
    assert only(slices([0, 10, 20], thickness_mm=1.0)).notes == (
        "the slices are 10 mm apart and 1 mm thick: what lies between was not imaged",
    )
    assert only(slices([0, 2, 5, 6, 9])).notes == ("the slices are unevenly spaced: 1 to 3 mm",)


def test_a_single_slice_has_its_thickness() -> None:
    volume = only(slices([3.0]))
    assert volume.spacing_mm == pytest.approx((0.9, 0.7, 2.5))
    unknown = only(slices([3.0], thickness_mm=None))
    assert unknown.spacing_mm[2] == 1.0
    assert "1 mm is assumed" in unknown.notes[0]


def write_series(folder: Path, heights: Sequence[float], words: str = "p/s/a", **facts: object) -> list[Entry]:
    entries = []
    for number, height in enumerate(heights):
        made = dataset(words, {"ImagePositionPatient": [-4.0, -4.0, height], **facts}, number=number)
        path = save(folder / f"{words.replace('/', '-')}-{(number * 7) % 11:02d}", made)
        entries.append(read_header(path, path=path.name))
    return entries


def test_voxels_lie_where_their_slices_say(tmp_path: Path) -> None:
    entries = write_series(tmp_path, [4, 0, 2])
    volume = only(entries)
    image = read_volume(tmp_path, volume)
    assert (image.array.shape, image.array.dtype.name) == ((1, 3, 8, 8), "int16")
    assert (image.units, image.modality) == ("HU", "CT")
    for number, height in enumerate((4, 0, 2)):
        stored = np.frombuffer(dataset("p/s/a", number=number).PixelData, np.uint16).reshape(8, 8)
        np.testing.assert_array_equal(image.array[0, height // 2], stored.astype(np.int32) - 1024)
    assert image.grid is not None
    np.testing.assert_allclose(image.grid.affine_ras[:3, 3], [4, 4, 0])


def test_an_irregular_volume_has_no_grid(tmp_path: Path) -> None:
    volume = only(write_series(tmp_path, [0, 2, 6, 8]))
    assert not volume.regular
    assert read_volume(tmp_path, volume).grid is None


def test_a_slope_that_is_no_whole_number_gives_floats(tmp_path: Path) -> None:
    whole = write_series(tmp_path, [0, 2])
    half = write_series(tmp_path, [0, 0, 4][2:], "p/s/a", RescaleSlope=0.5)
    half = [replace(e, sop_uid=e.sop_uid + "1") for e in half]
    volume = only([*whole, *half])
    image = read_volume(tmp_path, volume)
    assert image.array.dtype == np.float32
    stored = np.frombuffer(dataset("p/s/a", number=0).PixelData, np.uint16).reshape(8, 8)
    np.testing.assert_allclose(image.array[0, 2], stored * 0.5 - 1024)


def test_pixels_tell_a_copy_from_a_second_phase(tmp_path: Path) -> None:
    entries = write_series(tmp_path, [0, 2, 4])
    copies = []
    for number, height in enumerate([0, 2, 4]):
        facts = {"ImagePositionPatient": [-4.0, -4.0, height], "SOPInstanceUID": f"2.25.77{number}"}
        path = save(tmp_path / f"copy{number}", dataset("p/s/a", facts, number=number))
        copies.append(read_header(path, path=path.name))
    found = assemble([*copies, *entries], root=tmp_path)
    assert [v.size[0] for v in found.volumes] == [3]
    assert [r for _, r in found.apart] == ["the same image is there twice (same place, same pixels)"] * 3
    assert len(assemble([*copies, *entries]).volumes) == 2


def test_what_cannot_be_read_says_why_and_not_who(tmp_path: Path) -> None:
    entries = write_series(tmp_path, [0, 2, 4])
    volume = only(entries)
    (tmp_path / entries[1].path).write_bytes(b"nothing")
    with pytest.raises(ReadError) as caught:
        read_volume(tmp_path, volume)
    assert entries[1].path not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_volume_too_large_for_memory_is_refused(tmp_path: Path) -> None:
    volume = only(slices([float(n) for n in range(40)], rows=16384, columns=16384))
    with pytest.raises(ReadError, match="thousand million voxels"):
        read_volume(tmp_path, volume)
