"""Masks that cannot be used: each is set aside or refused with its reason, and the run goes on where it can."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import CohortError, InputError
from hounsfield.core.image import Image
from hounsfield.core.plan import Budget, Facts, Machine
from hounsfield.core.progress import SILENT
from hounsfield.data.readers import read
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.stages.planning.dense import draft_dense
from hounsfield.workflow.planning import plan as planned
from hounsfield.workflow.study import Study, study
from hounsfield.workflow.wishes import Wishes
from tests.workflow.dense.making import write_pictures, write_volumes

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
