"""Masks that cannot be used: each is set aside or refused with its reason, and the run goes on where it can."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import CohortError, InputError, PlanError
from hounsfield.core.image import Grid, Image
from hounsfield.core.plan import Budget, Facts, Machine
from hounsfield.core.progress import SILENT
from hounsfield.data.readers import read
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.learn.dense.case import prepare_images
from hounsfield.learn.dense.preparing import DensePreparation
from hounsfield.stages.planning.dense import draft_dense
from hounsfield.workflow.planning import plan as planned
from hounsfield.workflow.study import Study, study
from hounsfield.workflow.training import train
from hounsfield.workflow.wishes import Wishes
from tests.workflow.dense.making import disc, write_pictures, write_volumes

WISHES = Wishes(task="annotate")


def reasons(known: Study) -> dict[str, str]:
    return {a.sample: a.reason for a in known.audit.unreadable}


def test_a_mask_larger_than_its_image_is_set_aside(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    Pillow.fromarray(np.ones((60, 70), dtype=np.uint8)).save(folder / "masks" / "p01.png")
    known = study(folder, WISHES, progress=SILENT)
    assert "70 x 60" in reasons(known)["p01"] or "60 x 70" in reasons(known)["p01"]
    assert "p01" not in {s.id for s in known.cohort.samples}


def test_a_mask_on_another_grid_without_affine_is_set_aside(tmp_path: Path) -> None:
    folder = write_volumes(tmp_path / "data")
    write_nifti(folder / "labelsTr" / "b_03.nii.gz", Image(np.ones((1, 9, 9, 9), dtype=np.uint8)))
    known = study(folder, WISHES, progress=SILENT)
    gone = {a.sample for a in (*known.cohort.set_aside, *known.audit.unreadable)}
    assert "b_03" in gone


def test_an_unknown_label_is_set_aside_by_its_number(tmp_path: Path) -> None:
    folder = write_volumes(tmp_path / "data")
    before = read(Cohort("x", str(folder), (), Schema()), Ref("nifti", "labelsTr/b_05.nii.gz"))
    labels = before.array.copy()
    labels[0, 0, 0, 0] = 9
    write_nifti(folder / "labelsTr" / "b_05.nii.gz", Image(labels, before.grid))
    known = study(folder, WISHES, progress=SILENT)
    assert "label 9" in reasons(known)["b_05"]


def test_masks_that_are_all_empty_are_refused(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    for path in (folder / "masks").iterdir():
        Pillow.fromarray(np.zeros((40, 46), dtype=np.uint8)).save(path)
    known = study(folder, WISHES, progress=SILENT)
    facts = Facts(
        known.fingerprint, Budget(), Machine(), known.cohort.schema.targets, network=None, wishes={}, decided={}
    )
    with pytest.raises(CohortError, match="0 of 14 training masks"):
        draft_dense(facts)


def test_a_missing_mask_file_leaves_its_case_to_be_annotated(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    (folder / "masks" / "p02.png").unlink()
    known = study(folder, WISHES, progress=SILENT)
    assert "no mask" in reasons(known)["p02"]
    assert len(known.cohort.samples) == 19


def test_a_mask_of_grey_levels_is_set_aside(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    ramp = np.arange(40 * 46, dtype=np.int64).reshape(40, 46) % 256
    Pillow.fromarray(ramp.astype(np.uint8)).save(folder / "masks" / "p03.png")
    known = study(folder, WISHES, progress=SILENT)
    assert "256 different values" in reasons(known)["p03"]


def test_coloured_masks_are_set_aside_and_grey_ones_saved_in_colour_are_not(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    mask = np.array(Pillow.open(folder / "masks" / "p06.png")).astype(np.uint8) * 255
    Pillow.fromarray(np.repeat(mask[..., None], 3, axis=2)).save(folder / "masks" / "p06.png")
    colours = np.zeros((40, 46, 3), dtype=np.uint8)
    colours[:20, :, 0] = 255
    Pillow.fromarray(colours).save(folder / "masks" / "p07.png")
    known = study(folder, WISHES, progress=SILENT)
    assert "channels that differ" in reasons(known)["p07"]
    assert "p06" not in reasons(known)


def test_what_is_said_of_a_bad_mask_is_found_expected_and_next(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    Pillow.fromarray(np.ones((60, 70), dtype=np.uint8)).save(folder / "masks" / "p01.png")
    ramp = np.arange(40 * 46, dtype=np.int64).reshape(40, 46) % 256
    Pillow.fromarray(ramp.astype(np.uint8)).save(folder / "masks" / "p03.png")
    (folder / "masks" / "p04.png").write_bytes(b"no picture")
    told = reasons(study(folder, WISHES, progress=SILENT))
    for name in ("p01", "p03", "p04"):
        assert "Expected: " in told[name]
        assert "Next: " in told[name]
        assert str(tmp_path) not in told[name]


def test_missing_mask_files_are_counted(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    for name in ("p02", "p07"):
        (folder / "masks" / f"{name}.png").rename(tmp_path / f"{name}.png")
        Pillow.open(folder / "images" / f"{name}.png").save(folder / "images" / f"{name}_0.png")
        (folder / "images" / f"{name}.png").unlink()
    text = (folder / "labels.csv").read_text()
    for name in ("p02", "p07"):
        text = text.replace(f"images/{name}.png", f"images/{name}_0.png")
    (folder / "labels.csv").write_text(text)
    known = study(folder, WISHES, progress=SILENT)
    assert any("2 rows of column 'mask' name a mask file that is not there" in u for u in known.cohort.schema.unsure)
    assert {"p02", "p07"} <= set(reasons(known))


# seen only beside the others: set aside, and the run goes on


def relabelled(folder: Path, name: str, value: int) -> None:
    """Give the labels of a volume a further number in one corner."""
    ref = Ref("nifti", f"labelsTr/{name}.nii.gz")
    before = read(Cohort("x", str(folder), (), Schema()), ref)
    labels = before.array.copy()
    labels[0, :2, :2, :2] = value
    write_nifti(folder / ref.path, Image(labels, before.grid))


def undeclared(folder: Path) -> Path:
    """Write volumes with numbers whose meaning nothing declares, as a table of files with parts."""
    write_volumes(folder)
    (folder / "dataset.json").unlink()
    lines = ["id,split,image,mask"]
    for n in range(12):
        part = ("train", "train", "train", "val", "test", "test")[n % 6]
        lines.append(f"b_{n:02d},{part},imagesTr/b_{n:02d}.nii.gz,labelsTr/b_{n:02d}.nii.gz")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def thinned(folder: Path, name: str, *, axis: int) -> None:
    """Leave one voxel of a volume and its mask along an axis of the file's array."""
    cohort = Cohort("x", str(folder), (), Schema())
    for place in ("imagesTr", "labelsTr"):
        one = read(cohort, Ref("nifti", f"{place}/{name}.nii.gz"))
        middle = [slice(None)] * 4
        middle[axis] = slice(one.array.shape[axis] // 2, one.array.shape[axis] // 2 + 1)
        write_nifti(folder / place / f"{name}.nii.gz", Image(one.array[tuple(middle)], one.grid))


def test_odd_cases_of_training_are_set_aside_those_of_the_test_part_are_counted_and_the_run_goes_on(
    tmp_path: Path,
) -> None:
    folder = undeclared(tmp_path / "data")
    relabelled(folder, "b_03", 7)
    relabelled(folder, "b_04", 8)
    thinned(folder, "b_00", axis=2)  # one voxel thin
    thinned(folder, "b_01", axis=1)  # one slice: a plane
    thinned(folder, "b_10", axis=1)
    run = train(folder, out=tmp_path / "run", wishes=Wishes(task="annotate", threads=1, max_steps=2))
    audit = json.loads((run.path / "audit.json").read_text(encoding="utf-8"))
    told = {a["sample"]: a["reason"] for a in audit["unreadable"]}
    assert set(told) == {"b_00", "b_01", "b_03"}
    assert "pixels" in told["b_00"]
    for words in ("label 7, which no training mask holds", "Expected: 1, 2", "Next: "):
        assert words in told["b_03"]
    for words in ("2 space axes", "Expected: ", "Next: "):
        assert words in told["b_01"]
    rows = {r["sample"]: r for r in csv.DictReader((run.path / "predictions.csv").read_text().splitlines())}
    assert "unknown label 8" in rows["b_04"]["refusal"]
    assert "2 space axes" in rows["b_10"]["refusal"]
    assert set(rows) == {"b_09", "b_04", "b_05", "b_10", "b_11"}
    assert run.report.parts["val"].samples == 1
    assert run.report.target.classes == ("1", "2")


def test_a_second_number_is_not_taken_for_the_one_structure(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    for path in (folder / "masks").iterdir():
        Pillow.fromarray((np.array(Pillow.open(path)) > 0).astype(np.uint8)).save(path)
    two = np.zeros((40, 46), dtype=np.uint8)
    two[5:20, 5:20], two[25:35, 25:35] = 1, 2
    other = np.zeros((40, 46), dtype=np.uint8)
    other[5:20, 5:20] = 255
    Pillow.fromarray(two).save(folder / "masks" / "p03.png")
    Pillow.fromarray(other).save(folder / "masks" / "p08.png")
    known = study(folder, WISHES, progress=SILENT)
    assert "label 2" in reasons(known)["p03"]
    assert "p08" not in reasons(known)  # 255 alone says the same as 1 alone
    assert "p03" not in known.split.parts
    assert "p03" not in {s.id for s in known.cohort.samples}


def test_masks_and_volumes_of_other_channels_are_set_aside(tmp_path: Path) -> None:
    folder = undeclared(tmp_path / "data")
    cohort = Cohort("x", str(folder), (), Schema())
    for place, name in (("labelsTr", "b_01"), ("imagesTr", "b_02")):
        one = read(cohort, Ref("nifti", f"{place}/{name}.nii.gz"))
        write_nifti(folder / place / f"{name}.nii.gz", Image(np.concatenate([one.array] * 2), one.grid))
    known = study(folder, WISHES, progress=SILENT)
    told = reasons(known)
    assert "has 2 channels, most training masks have 1 channel" in told["b_01"]
    assert "has 2 channels, most training images have 1 channel" in told["b_02"]
    assert known.fingerprint.samples == 4
    spec = DensePreparation(ndim=3, channels={"image": 1})
    with pytest.raises(PlanError, match="2 channels where 1 is expected"):
        prepare_images({"image": Image(np.ones((2, 4, 5, 6), dtype=np.float32))}, spec)


def test_single_slices_of_volumes_are_planes_and_told_to_be(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True)
    lines = ["id,image,mask"]
    for n in range(10):
        picture, mask = disc(n)
        grid = Grid(np.diag([1.0, 1.0, 5.0, 1.0]))
        for place, array in (("images", picture.astype(np.int16)), ("masks", mask.astype(np.uint8))):
            write_nifti(folder / place / f"s{n}.nii.gz", Image(array[None, None], grid))
        lines.append(f"s{n},images/s{n}.nii.gz,masks/s{n}.nii.gz")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    known = study(folder, WISHES, progress=SILENT)
    assert known.fingerprint.inputs["image"].ndim == 2
    assert not reasons(known)
    facts = Facts(
        known.fingerprint, Budget(), Machine(), known.cohort.schema.targets, network=None, wishes={}, decided={}
    )
    assert "(2D)" in draft_dense(facts)["preparation"]["slices"].rule


def test_without_masks_the_task_is_refused(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    lines = (folder / "labels.csv").read_text().splitlines()
    rows = ["id,split,image,label", *(",".join([*r.split(",")[:3], str(n % 2)]) for n, r in enumerate(lines[1:]))]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(CohortError, match="no masks to learn from"):
        study(folder, WISHES, progress=SILENT)


def test_wishes_that_would_be_ignored_are_refused(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "data")
    with pytest.raises(InputError, match="--sensitivity"):
        planned(folder, wishes=Wishes(task="annotate", sensitivity=0.9))
