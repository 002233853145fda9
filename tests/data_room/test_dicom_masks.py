"""Segmentations and structure sets on a DICOM disk become the masks of its samples."""

import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import highdicom
import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.sr.codedict import codes

from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.errors import ReadError, UnknownNameError
from hounsfield.core.types import AnyArray
from hounsfield.data.cohorts import cohort_yaml, digest, explore, samples_csv, understand
from hounsfield.data.dicom.naming import structure_key, structure_name
from hounsfield.data.masks import read_mask
from hounsfield.data.readers import header, read
from hounsfield.data.ref_text import parse_ref, ref_text
from hounsfield.geometry.affines import reorient
from tests.data_room.dicom.making import dataset, save, uid
from tests.data_room.dicom.test_contours import contour, item, square, structures

SLICES = 4
EMPTY = dict.fromkeys(("PatientBirthDate", "StudyTime", "ReferringPhysicianName", "StudyID"), "")


def ct(disk: Path, who: str, series: str = "a", count: int = SLICES) -> list[Dataset]:
    made = [dataset(f"{who}/s/{series}", {"AccessionNumber": f"A{who}", **EMPTY}, number=n) for n in range(count)]
    for n, one in enumerate(made):
        save(disk / f"{who}/{series}{n}", one)
    return made


def box(number: int = 0) -> AnyArray:
    """A mask of the test's slices, another one for every number."""
    mask = np.zeros((SLICES, 8, 8), dtype=bool)
    mask[1:3, number + 1 : number + 4, 2:6] = True
    return mask


def seg(
    sources: Sequence[Dataset],
    masks: dict[str, AnyArray],
    *,
    number: int = 1,
    facts: dict[str, object] | None = None,
    automatic: bool = False,
) -> Dataset:
    kind: dict[str, Any] = {"algorithm_type": "MANUAL"}
    if automatic:
        family = highdicom.AlgorithmIdentificationSequence("net", codes.DCM.ArtificialIntelligence, "1")
        kind = {"algorithm_type": "AUTOMATIC", "algorithm_identification": family}
    described = [
        highdicom.seg.SegmentDescription(
            segment_number=n + 1, segment_label=name, segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Liver, **kind,
        )
        for n, name in enumerate(masks)
    ]  # fmt: skip
    made: Dataset = highdicom.seg.Segmentation(
        source_images=list(sources), pixel_array=np.stack(list(masks.values()), axis=-1), segmentation_type="BINARY",
        segment_descriptions=described, series_instance_uid=uid(sources[0].SOPInstanceUID, "seg", number),
        series_number=9, sop_instance_uid=uid(sources[0].SOPInstanceUID, "seg", number, 1), instance_number=1,
        manufacturer="m", manufacturer_model_name="m", software_versions="1", device_serial_number="1",
        omit_empty_frames=True,
    )  # fmt: skip
    made.ContentDate, made.ContentTime = "20240201", f"1200{number:02d}"
    for keyword, value in (facts or {}).items():
        setattr(made, keyword, value)
    return made


def mask_of(cohort: Cohort, sample: int = 0) -> AnyArray:
    one = cohort.samples[sample]
    image = read(cohort, next(iter(one.inputs.values()))[-1].ref)
    mask = read_mask(cohort, one.masks["mask"], image)
    assert mask.grid == image.grid
    return mask.array


def test_overlapping_structures_become_channels_of_one_mask(tmp_path: Path) -> None:
    for n in range(3):
        sources = ct(tmp_path, f"p{n}")
        save(tmp_path / f"p{n}/seg", seg(sources, {"Liver": box(0), "Tumor": box(2 + n % 2)}))
    ct(tmp_path, "p9")
    cohort = understand(tmp_path)
    (target,) = cohort.schema.targets
    assert (target.name, target.kind, target.classes) == ("mask", "mask", ("Liver", "Tumor"))
    assert [s.patient for s in cohort.samples] == ["p0", "p1", "p2"]
    for n in range(3):
        found = mask_of(cohort, n)
        assert found.dtype == np.bool_
        np.testing.assert_array_equal(found, np.stack([box(0), box(2 + n % 2)]))
    assert (found[0] & found[1]).any()
    ref = cohort.samples[0].masks["mask"]
    assert header(cohort, ref).size == (SLICES, 8, 8)
    assert header(cohort, ref).channels == 2
    assert any(a.reason == "no mask on the series that is used" for a in cohort.set_aside)
    assert any(t.title == "Structures in masks" and ("Liver", "3", "3") in t.rows for t in cohort.listings)
    assert any("Samples with masks: 3;" in n and "Liver (3), Tumor (3)" in n for n in cohort.schema.notes)


def test_one_structure_is_named_behind_the_background_and_written_and_read_again(tmp_path: Path) -> None:
    for n in range(2):
        save(tmp_path / f"p{n}/seg", seg(ct(tmp_path, f"p{n}"), {"Liver": box(n)}))
    cohort = understand(tmp_path)
    assert cohort.schema.targets[0].classes == ("background", "Liver")
    before = digest(cohort)
    (tmp_path / "cohort.yaml").write_text(cohort_yaml(cohort))
    (tmp_path / "samples.csv").write_text(samples_csv(cohort))
    again = understand(tmp_path)
    assert again.samples == cohort.samples
    np.testing.assert_array_equal(mask_of(again, 1), box(1)[None])
    save(tmp_path / "p1/seg", seg(ct(tmp_path, "p1"), {"Liver": box(3)}))
    assert digest(cohort) != before


def test_spellings_are_one_structure_and_rare_ones_are_used_only_when_named(tmp_path: Path) -> None:
    names = ("Parotid_L", "LEFT PAROTID", "parotid lt", "Parotid_L")
    for n, name in enumerate(names):
        masks = {name: box(n)} | ({"Node": box(1)} if n == 2 else {})
        save(tmp_path / f"p{n}/seg", seg(ct(tmp_path, f"p{n}"), masks))
    cohort = understand(tmp_path)
    assert cohort.schema.targets[0].classes == ("background", "Parotid_L")
    assert len(cohort) == 4
    assert any("LEFT PAROTID, Parotid_L, parotid lt are one structure" in n for n in cohort.schema.notes)
    assert any("Node (1)" in u and "--target" in u for u in cohort.schema.unsure)
    node = understand(tmp_path, Roles(target=("node",)))
    assert node.schema.targets[0].classes == ("background", "Node")
    assert [s.patient for s in node.samples] == ["p2"]
    np.testing.assert_array_equal(mask_of(node), box(1)[None])
    with pytest.raises(UnknownNameError, match="spleen"):
        understand(tmp_path, Roles(target=("spleen",)))


def test_a_structure_without_voxels_is_absent_and_one_not_named_is_not_known(tmp_path: Path) -> None:
    nothing = np.zeros((SLICES, 8, 8), dtype=bool)
    for n in range(20):
        masks = {"Liver": box(0), "Tumor": nothing if n == 3 else box(1)}
        if n == 4:
            del masks["Tumor"]
        save(tmp_path / f"p{n:02d}/seg", seg(ct(tmp_path, f"p{n:02d}"), masks))
    cohort = understand(tmp_path)
    assert [s.patient for s in cohort.samples] == [f"p{n:02d}" for n in range(20) if n != 4]
    assert not mask_of(cohort, 3)[1].any()
    assert any(a.reason == "its masks do not name Tumor" for a in cohort.set_aside)


def test_versions_readers_and_programs_are_told_apart_with_the_reason(tmp_path: Path) -> None:
    ann, bob = ({"ContentCreatorName": name} for name in ("Ann", "Bob"))
    sources = ct(tmp_path, "p")
    save(tmp_path / "p/old", seg(sources, {"Liver": box(0)}, number=1, facts={**ann, "ContentDate": "20240110"}))
    save(tmp_path / "p/new", seg(sources, {"Liver": box(1)}, number=2, facts={**ann, "ContentDate": "20240120"}))
    save(tmp_path / "p/bob", seg(sources, {"Liver": box(2)}, number=3, facts={**bob, "ContentDate": "20240115"}))
    save(
        tmp_path / "p/net", seg(sources, {"Liver": box(3)}, number=4, facts={"ContentDate": "20240301"}, automatic=True)
    )
    cohort = understand(tmp_path)
    np.testing.assert_array_equal(mask_of(cohort), box(1)[None])
    (sample,) = cohort.samples
    other = sample.opinions["mask (another reader)"]
    assert isinstance(other, Ref)
    np.testing.assert_array_equal(read(cohort, other).array, box(2)[None])
    assert any("the latest day (of 4 files)" in n for n in cohort.schema.notes)
    assert not any("Ann" in text or "Bob" in text for text in (*cohort.schema.notes, samples_csv(cohort)))


def _contoured(sources: Sequence[Dataset], name: str, day: str) -> Dataset:
    made = structures({name: [contour(square(-3.0, 3.0), height) for height in (2.0, 4.0)]})
    first = sources[0]
    for keyword in ("PatientID", "StudyInstanceUID", "AccessionNumber"):
        setattr(made, keyword, first[keyword].value)
    made.SOPInstanceUID, made.SeriesInstanceUID = uid(name, first.PatientID), uid(name, first.PatientID, 2)
    made.StructureSetDate, made.StructureSetTime = day, "130000"
    frame = made.ReferencedFrameOfReferenceSequence[0]
    frame.FrameOfReferenceUID = first.FrameOfReferenceUID
    study = frame.RTReferencedStudySequence[0]
    study.RTReferencedSeriesSequence = Items([item(SeriesInstanceUID=first.SeriesInstanceUID)])
    return made


def test_of_contours_and_voxels_one_is_chosen(tmp_path: Path) -> None:
    for who, day in (("p", "20240201"), ("q", "20240202")):
        sources = ct(tmp_path, who)
        save(tmp_path / f"{who}/seg", seg(sources, {"Liver": box(0)}))
        save(tmp_path / f"{who}/rt", _contoured(sources, "LIVER", day))
    cohort = understand(tmp_path)
    np.testing.assert_array_equal(mask_of(cohort, 0), box(0)[None])
    filled = np.zeros((SLICES, 8, 8), dtype=bool)
    filled[1:3, 1:5, 1:5] = True  # centres at -2.5 to 2, 1.5 mm apart from -4
    np.testing.assert_array_equal(mask_of(cohort, 1), filled[None])
    told = " ".join(cohort.schema.notes)
    assert "a segmentation, which needs no filling" in told
    assert "the latest day" in told


def test_a_rejected_or_foreign_mask_is_told_and_not_used(tmp_path: Path) -> None:
    sources = ct(tmp_path, "p")
    save(tmp_path / "p/seg", seg(sources, {"Liver": box(0)}))
    rejected = _contoured(sources, "Heart", "20240301")
    rejected.ApprovalStatus = "REJECTED"
    save(tmp_path / "p/rt", rejected)
    save(tmp_path / "q/seg", seg(ct(tmp_path / "elsewhere", "q"), {"Liver": box(1)}))
    for path in (tmp_path / "elsewhere/q").iterdir():
        path.unlink()
    cohort = understand(tmp_path)
    reasons = {a.sample: a.reason for a in cohort.set_aside}
    assert reasons["p/rt"] == "the mask object was rejected by its reviewer"
    assert reasons["q/seg"] == "a mask of images that are not on the disk"
    assert [s.patient for s in cohort.samples] == ["p"]


def test_the_series_with_masks_is_used_only_where_masks_are_asked_for(tmp_path: Path) -> None:
    for n in range(4):
        ct(tmp_path, f"p{n}", "a", SLICES)
        thin = ct(tmp_path, f"p{n}", "b", SLICES)
        for number, made in enumerate(thin):
            made.ConvolutionKernel = "B70f"
            save(tmp_path / f"p{n}/b{number}", made)
        save(tmp_path / f"p{n}/seg", seg(thin, {"Liver": box(n)}))
    asked = understand(tmp_path)
    assert {dict(s.inputs["image"][0].ref.part)["series"] for s in asked.samples} == {
        uid(f"p{n}/s/b") for n in range(4)
    }
    rows = "\n".join(["accession,diagnosis", *(f"Ap{n},{'benign' if n % 2 else 'malignant'}" for n in range(4))])
    (tmp_path / "labels.csv").write_text(rows + "\n")
    table = understand(tmp_path)
    assert [t.name for t in table.schema.targets] == ["diagnosis"]
    assert {dict(s.inputs["image"][0].ref.part)["series"] for s in table.samples} == {
        uid(f"p{n}/s/a") for n in range(4)
    }
    both = understand(tmp_path, Roles(target=("diagnosis", "liver")))
    assert [t.name for t in both.schema.targets] == ["diagnosis", "mask"]
    np.testing.assert_array_equal(mask_of(both, 2), box(2)[None])
    only = understand(tmp_path, Roles(target=("Liver",)))
    assert [t.name for t in only.schema.targets] == ["mask"]


def test_a_single_slice_is_a_picture_with_a_flat_mask(tmp_path: Path) -> None:
    for n in range(2):
        sources = ct(tmp_path, f"p{n}", count=1)
        save(tmp_path / f"p{n}/seg", seg(sources, {"Liver": box(n)[1:2], "Tumor": box(n + 1)[1:2]}))
    cohort = understand(tmp_path)
    assert cohort.schema.inputs[0].ndim == 2
    np.testing.assert_array_equal(mask_of(cohort, 1), np.stack([box(1)[1], box(2)[1]]))


def test_a_coded_type_is_asked_for_where_no_structure_is_called_so(tmp_path: Path) -> None:
    save(tmp_path / "p/seg", seg(ct(tmp_path, "p"), {"lesion 1": box(0), "lesion 2": box(3)}))
    save(tmp_path / "q/seg", seg(ct(tmp_path, "q"), {"Liver": box(1), "other": box(2)}))
    cohort = understand(tmp_path, Roles(target=("liver",)))
    assert cohort.schema.targets[0].classes == ("background", "Liver")
    np.testing.assert_array_equal(mask_of(cohort, 0), np.logical_or(box(0), box(3))[None])
    np.testing.assert_array_equal(mask_of(cohort, 1), box(1)[None])


def test_a_zip_of_a_disk_gives_the_same_masks(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    for n in range(2):
        save(disk / f"p{n}/seg", seg(ct(disk, f"p{n}"), {"Liver": box(n)}))
    with zipfile.ZipFile(tmp_path / "disk.zip", "w") as archive:
        for path in sorted(p for p in disk.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(disk).as_posix())
    cohort = understand(tmp_path / "disk.zip")
    np.testing.assert_array_equal(mask_of(cohort, 1), box(1)[None])


def test_names_are_alike_whatever_their_spelling_and_never_a_patients() -> None:
    assert structure_key("Parotid_L") == structure_key("left parotid") == structure_key("LT-Parotid")
    assert structure_key("tumour") == structure_key("Tumors")
    assert structure_key("GTV-1") == structure_key("gtv 1") != structure_key("GTV2")
    assert structure_key("肝脏")
    assert structure_name("Liver of Doe", 3, None, frozenset({"doe"})) == "structure 3"
    assert structure_name("Segment_1", 1, None, frozenset()) == "structure 1"


def test_a_ref_survives_odd_paths_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    ref = Ref("dicom-masks", "a|b%/s", (("image", "x|y"), ("file0", "a|b%/s"), ("structure0", "0:1")))
    assert parse_ref(ref_text(ref)) == ref
    save(tmp_path / "p/seg", seg(ct(tmp_path, "p"), {"Liver": box(0)}))
    cohort = understand(tmp_path)
    good = cohort.samples[0].masks["mask"]
    for key, value in (
        ("structure0", "0:7"),
        ("structure0", "9:1"),
        ("structure0", "x"),
        ("file0", "../../etc/passwd"),
    ):
        bad = Ref(good.reader, good.path, tuple((k, value if k == key else v) for k, v in good.part))
        with pytest.raises(ReadError):
            read(cohort, bad)


def test_the_phantom_of_ibsi_is_one_sample_with_its_mask(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "ibsi/ibsi1_ct_phantom"
    if not folder.is_dir():
        pytest.skip("the IBSI phantom is not here")
    with tarfile.open(folder / "dicom_ct_rtstruct.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    cohort = understand(tmp_path)
    assert cohort.schema.targets[0].classes == ("background", "GTV-1")
    (sample,) = cohort.samples
    image = read(cohort, sample.inputs["image"][0].ref)
    mask = read_mask(cohort, sample.masks["mask"], image)
    assert image.grid is not None
    turned, _ = reorient(mask.array[0], image.grid.affine_ras, "LPS")
    wanted = np.asarray(Nifti1Image.from_filename(folder / "mask.nii.gz").dataobj).T > 0
    np.testing.assert_array_equal(turned, wanted)


def test_the_segmentations_of_the_corpus_lie_on_their_slices(shared_data: Path) -> None:
    folder = shared_data / "dicom-corpus/ct"
    if not folder.is_dir():
        pytest.skip("the corpus is not here")
    cohort = explore(folder)
    with_masks = [s for s in cohort.samples if s.masks]
    assert with_masks
    assert any(t.title == "Structures in masks" for t in cohort.listings)
    for sample in with_masks:
        image = read(cohort, sample.inputs["image"][-1].ref)
        mask = read_mask(cohort, sample.masks["mask"], image)
        assert mask.array.shape[1:] == image.size
        assert mask.array.any()


def test_a_table_that_lists_files_and_answers_nothing_leaves_the_disk_a_disk(tmp_path: Path) -> None:
    for n in range(3):
        save(tmp_path / f"p{n}/seg", seg(ct(tmp_path, f"p{n}"), {"Liver": box(n)}))
    files = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file())
    syntaxes = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2")
    rows = [f"{name},{syntaxes[n % 2]}" for n, name in enumerate(files)]
    (tmp_path / "index.csv").write_text("\n".join(["file,transfer_syntax", *rows]) + "\n")
    cohort = understand(tmp_path)
    assert cohort.schema.layout == "dicom"
    assert [t.name for t in cohort.schema.targets] == ["mask"]
    assert len(cohort) == 3


def test_a_table_of_patients_without_answers_stays_beside_the_masks(tmp_path: Path) -> None:
    for n in range(6):
        save(tmp_path / f"p{n}/seg", seg(ct(tmp_path, f"p{n}"), {"Liver": box(n % 4)}))
    rows = [f"p{n},{40 + 3 * n}" for n in range(6)]
    (tmp_path / "patients.csv").write_text("\n".join(["PatientID,bmi", *rows]) + "\n")
    cohort = understand(tmp_path)
    assert [t.name for t in cohort.schema.targets] == ["mask"]
    assert len(cohort) == 6


def test_masks_that_a_program_drew_are_doubted(tmp_path: Path) -> None:
    for n in range(3):
        sources = ct(tmp_path, f"p{n}")
        save(tmp_path / f"p{n}/seg", seg(sources, {"Liver": box()}, automatic=n > 0))
    cohort = understand(tmp_path)
    assert len(cohort) == 3
    assert next(u for u in cohort.schema.unsure if "drawn by a program" in u).startswith("Masks of 2 of 3 samples")
    # where a person's stands beside a program's, the person's is used and there is no doubt
    for n in range(1, 3):
        save(tmp_path / f"p{n}/seg2", seg(ct(tmp_path, f"p{n}"), {"Liver": box(1)}, number=2))
    assert not any("program" in u for u in understand(tmp_path).schema.unsure)
