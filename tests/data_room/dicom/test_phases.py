"""A series of several times, b-values or echoes: told as phases, one of them used by rule, others by asking."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import CohortError, UnknownNameError
from hounsfield.data import readers
from hounsfield.data.cohorts import explore, understand
from hounsfield.data.dicom.assembling import assemble
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.phases import phases_of, pick
from hounsfield.data.dicom.query import parse_query
from tests.counting import lines
from tests.data_room.dicom.making import dataset, save, uid
from tests.data_room.dicom.slices import SAGITTAL, changed, slices

MR: dict[str, Any] = {"modality": "MR", "image_type": ("ORIGINAL", "PRIMARY", "M", "ND")}


def _series(heights: list[float], name: str, values: list[Any]) -> list[Entry]:
    return [e for n, v in enumerate(values) for e in changed(slices(heights, **MR), f"{name}{n}", **{name: v})]


@pytest.mark.parametrize(
    ("name", "values", "told", "used", "names"),
    [
        ("b_value", [0.0, 500.0, 1000.0], "3 phases by b-value (0 to 1000 s/mm2)", 2, ["b_0", "b_500", "b_1000"]),
        ("echo_time_ms", [80.0, 20.0], "2 phases by echo time (20 to 80 ms)", 0, ["echo_1", "echo_2"]),
        ("temporal_position", [2, 1, 3], "3 phases by temporal position", 0, ["phase_1", "phase_2", "phase_3"]),
        ("trigger_time_ms", [40.0, 0.0], "2 phases by trigger time (0 to 40 ms)", 0, ["phase_1", "phase_2"]),
        ("acquisition_number", [7, 8], "2 phases by acquisition", 0, ["phase_1", "phase_2"]),
    ],
)
def test_phases_are_told_and_one_is_used_by_rule(
    name: str, values: list[Any], told: str, used: int, names: list[str]
) -> None:
    entries = _series([0, 2, 4], name, values)
    volumes = assemble(entries).volumes
    (whole,) = phases_of(volumes)
    assert whole.told == told
    assert list(whole.first_axis()) == names
    shown = [getattr(v.first, name) for v in whole.volumes]
    assert shown == sorted(values)
    picked = pick(volumes)
    assert picked is not None
    assert getattr(picked.volume.first, name) == sorted(values)[used]
    assert told in picked.reason
    keyword = {
        "b_value": "DiffusionBValue", "echo_time_ms": "EchoTime", "temporal_position": "TemporalPositionIdentifier",
        "trigger_time_ms": "TriggerTime", "acquisition_number": "AcquisitionNumber",
    }[name]  # fmt: skip
    asked = pick(volumes, parse_query(f"{keyword} == {values[0]:g}"))
    assert asked is not None
    assert getattr(asked.volume.first, name) == values[0]
    assert "asked for by --series" in asked.reason


def test_two_axes_and_magnitude_beside_phase_are_not_mixed() -> None:
    one = _series([0, 2], "echo_time_ms", [20.0, 80.0])
    both = one + [c for e in one for c in changed([e], "ph", image_type=("ORIGINAL", "PRIMARY", "P", "ND"))]
    found = phases_of(assemble(both).volumes)
    assert [len(p) for p in found] == [2, 2]
    grid = [
        c
        for b in (0.0, 800.0)
        for t in (1, 2)
        for c in changed(slices([0, 2], **MR), f"b{b}t{t}", b_value=b, temporal_position=t)
    ]
    (whole,) = phases_of(assemble(grid).volumes)
    assert (whole.axes, len(whole)) == (("b-value", "temporal position"), 4)
    picked = pick(assemble(grid).volumes)
    assert picked is not None
    assert (picked.volume.first.b_value, picked.volume.first.temporal_position) == (800.0, 1)


def test_work_grows_with_phases_and_directions_and_not_with_their_square() -> None:
    """It did: 5,000 b-values took 22 s."""
    (one,) = slices([0.0], **MR)

    def phases(count: int) -> int:
        many = [replace(one, sop_uid=f"1.{n}", path=f"b/{n}", b_value=float(n)) for n in range(count)]
        picked = pick(assemble(many).volumes)
        assert picked is not None
        assert picked.volume.first.b_value == count - 1
        return lines(lambda: pick(assemble(many).volumes))

    def directions(count: int) -> int:
        turned = [
            slices([0.0], name=f"r{n}", orientation=(float(np.cos(a)), float(np.sin(a)), 0.0, 0.0, 0.0, -1.0))[0]
            for n, a in enumerate(np.linspace(0, np.pi, count, endpoint=False))
        ]
        assert len(assemble(turned).volumes) == count
        return lines(lambda: assemble(turned))

    for work in (phases, directions):
        assert work(400) < 4.2 * work(100), work.__name__


def test_volumes_of_other_places_are_no_phases() -> None:
    two = [*slices([0, 2, 4]), *slices([0, 2, 4], orientation=SAGITTAL, name="x")]
    volumes = assemble(two).volumes
    assert len(volumes) == 2
    assert phases_of(volumes) == ()
    picked = pick(volumes)
    assert picked is not None
    assert picked.reason == "orientation or spacing 1 of 2: chosen among 2 of as many slices, of 2 volumes"
    assert pick([]) is None


def test_water_is_looked_at_before_fat_and_magnitude_before_phase() -> None:
    for words, first in ((("F", "IP", "OP", "W"), "W"), (("P", "M"), "M")):
        made = [e for w in words for e in changed(slices([0, 2], modality="MR"), w, image_type=("D", "PRIMARY", w))]
        picked = pick(assemble(made).volumes)
        assert picked is not None
        assert picked.volume.first.image_type[2] == first
        assert picked.reason.startswith(f"image type {first}: chosen among {len(words)}")


def _diffusion(root: Path, patients: int, values: tuple[float, ...] = (0.0, 1000.0)) -> Path:
    for n in range(patients):
        for b in values:
            for z in range(3):
                facts = {
                    "Modality": "MR", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4", "DiffusionBValue": b,
                    "SOPInstanceUID": uid(n, b, z), "ConvolutionKernel": None, "RescaleIntercept": b,
                    "AccessionNumber": f"A{n}",
                }  # fmt: skip
                save(root / f"p{n}/{uid(n, b, z)[-8:]}", dataset(f"p{n}/s/dwi", facts, number=z))
    return root


def _least(cohort: Cohort, name: str) -> float:
    return float(np.median(readers.read(cohort, cohort.samples[0].inputs[name][0].ref).array.astype(np.float64)))


def test_a_disk_tells_its_phases_and_gives_the_one_that_is_asked_for(tmp_path: Path) -> None:
    disk = _diffusion(tmp_path / "d", 4)
    cohort = explore(disk)
    listed = {t.title: t.rows for t in cohort.listings}
    assert "2 phases by b-value (0 to 1000 s/mm2)" in listed["Studies and their series"][0][4]
    assert listed["Of the series that are used"][0][-1] == (
        "looked at: b-value 1000 s/mm2: the highest b-value of 2 phases by b-value (0 to 1000 s/mm2)"
    )
    high = _least(cohort, "image")
    low = _least(explore(disk, Roles(series="DiffusionBValue == 0")), "image")
    assert high - low == 1000
    both = explore(disk, Roles(image="phases"))
    assert [i.name for i in both.schema.inputs] == ["b_0", "b_1000"]
    assert _least(both, "b_1000") - _least(both, "b_0") == 1000
    with pytest.raises(UnknownNameError, match="phases"):
        explore(disk, Roles(image="fases"))


def test_cases_without_all_phases_are_set_apart_and_too_many_are_refused(tmp_path: Path) -> None:
    disk = _diffusion(tmp_path / "d", 10)
    for file in (disk / "p3").iterdir():
        if b"1000" in file.read_bytes() and file.stat().st_size and _b_value(file) == 1000.0:
            file.unlink()
    table = tmp_path / "a.csv"
    table.write_text("accession,label\n" + "".join(f"A{n},{n % 2}\n" for n in range(10)))
    cohort = understand(disk, Roles(labels=str(table), image="phases"))
    assert len(cohort) == 9
    assert [a.reason for a in cohort.set_aside if a.sample == "A3"] == ["no image b_1000"]
    many = _diffusion(tmp_path / "m", 1, tuple(float(b) for b in range(0, 1500, 100)))
    with pytest.raises(CohortError, match="15 phases"):
        explore(many, Roles(image="phases"))


def _b_value(path: Path) -> float:
    from hounsfield.data.dicom.headers import read_header

    return read_header(path).b_value or 0.0


def test_a_cine_of_one_place_is_one_picture_with_its_phases(tmp_path: Path) -> None:
    for n in range(5):
        facts = {"Modality": "MR", "TriggerTime": 40.0 * n, "ImagePositionPatient": [0, 0, 0], "RescaleIntercept": n}
        save(tmp_path / f"d/{9 - n}", dataset("p/s/cine", facts, number=n))
    cohort = explore(tmp_path / "d")
    assert cohort.schema.inputs[0].ndim == 2
    listed = {t.title: t.rows for t in cohort.listings}
    assert "5 phases by trigger time (0 to 160 ms)" in listed["Studies and their series"][0][4]
    assert readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).array.shape == (1, 8, 8)
    every = explore(tmp_path / "d", Roles(image="phases"))
    assert [i.name for i in every.schema.inputs] == [f"phase_{n}" for n in range(1, 6)]
    asked = explore(tmp_path / "d", Roles(series="TriggerTime == 80"))
    assert asked.samples[0].inputs["image"][0].ref.path == "7"
