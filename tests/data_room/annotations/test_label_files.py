import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
from PIL import Image as Picture

from hounsfield.core.annotation import Annotation
from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.types import Float64Array
from hounsfield.data.annotations.nifti import NiftiWriter
from hounsfield.data.annotations.png import PngWriter
from hounsfield.data.readers import read
from tests.data_room.annotations.making import FLIPPED, OBLIQUE, answer, blobs, labels, source


def opened(path: Path) -> Any:  # noqa: ANN401 - of a kind that its package does not name
    """Return a file as nibabel reads it, which types only its general form."""
    return nibabel.load(path)


@pytest.mark.parametrize("affine", [OBLIQUE, FLIPPED])
def test_labels_come_back_on_their_grid(affine: Float64Array, tmp_path: Path) -> None:
    where = source((6, 20, 24), affine)
    made = answer(where, labels((6, 20, 24)))
    path, names = NiftiWriter().write(made, where, tmp_path)
    stored = opened(path)
    np.testing.assert_array_equal(np.asarray(stored.dataobj).transpose(2, 1, 0), made.array)
    np.testing.assert_allclose(stored.affine, affine, atol=1e-5)
    assert json.loads(names.read_text(encoding="utf-8")) == {"1": "lesion", "2": "病灶"}
    ours = read(Cohort("t", str(tmp_path), (), Schema()), Ref("nifti", path.relative_to(tmp_path).as_posix()))
    np.testing.assert_array_equal(ours.array[0], made.array)


def test_many_classes_take_two_bytes(tmp_path: Path) -> None:
    where = source((2, 20, 20), OBLIQUE)
    array = np.arange(400, dtype=np.uint16).reshape(20, 20)[None].repeat(2, axis=0)
    path, _ = NiftiWriter().write(answer(where, array, tuple(map(str, range(1, 400)))), where, tmp_path)
    np.testing.assert_array_equal(np.asarray(opened(path).dataobj).T, array)


def test_overlapping_classes_have_a_file_each(tmp_path: Path) -> None:
    where = source((6, 20, 24), OBLIQUE)
    array = np.stack([blobs((6, 20, 24), 1), blobs((6, 20, 24), 1) | blobs((6, 20, 24), 2)])
    share = np.stack([array[0] * 0.75, array[1] * 0.25]).astype(np.float32)
    held = Annotation(array, ("inner", "外"), where.image.grid, share)
    files = NiftiWriter().write(held, where, tmp_path)
    assert len(files) == 5
    for index, path in enumerate(files[:2]):
        np.testing.assert_array_equal(np.asarray(opened(path).dataobj).T, array[index])
    np.testing.assert_allclose(np.asarray(opened(files[3]).dataobj).T, share[1])


def test_pictures_come_back_as_labels(tmp_path: Path) -> None:
    where = source((20, 24), name="p1")
    made = answer(where, labels((20, 24)))
    (path,) = PngWriter().write(made, where, tmp_path)
    assert path.name == "p1.png"
    with Picture.open(path) as picture:
        assert picture.mode == "P"
        np.testing.assert_array_equal(np.asarray(picture), made.array)
    (plain, _) = NiftiWriter().write(made, where, tmp_path)
    header = opened(plain).header
    assert (int(header["sform_code"]), int(header["qform_code"])) == (0, 0)


def test_numbers_of_two_targets_are_told_apart(tmp_path: Path) -> None:
    first, second = (replace(source((20, 24), name=f"a__{t}"), target=t) for t in ("organs", "lesions"))
    NiftiWriter().write(answer(first, labels((20, 24)), ("liver", "spleen")), first, tmp_path)
    NiftiWriter().write(answer(second, labels((20, 24)), ("cyst", "tumour")), second, tmp_path)
    told = {p.name: json.loads(p.read_text(encoding="utf-8")) for p in (tmp_path / "masks").glob("*.json")}
    assert told == {
        "labels__organs.json": {"1": "liver", "2": "spleen"},
        "labels__lesions.json": {"1": "cyst", "2": "tumour"},
    }
