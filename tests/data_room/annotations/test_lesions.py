import csv
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.annotation import Annotation
from hounsfield.core.image import Image
from hounsfield.data.annotations.lesions import LesionsWriter
from tests.data_room.annotations.making import OBLIQUE, answer, source


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "lesions.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_box_is_measured(tmp_path: Path) -> None:
    where = source((6, 30, 30), np.diag([-0.5, -0.8, 3.0, 1.0]), name='Müller, "A"')
    array = np.zeros((6, 30, 30), dtype=np.uint8)
    array[1:4, 5:15, 8:28] = 1
    array[5, 2:4, 2] = 2
    share = np.full((2, 6, 30, 30), 0.25)
    LesionsWriter().write(Annotation(array, ("lesion", "病灶"), where.image.grid, share), where, tmp_path)
    LesionsWriter().finish(tmp_path)
    big, small = table(tmp_path)
    assert (big["case"], big["class"], big["lesion"], small["class"]) == ('Müller, "A"', "lesion", "1", "病灶")
    assert float(big["volume_mm3"]) == pytest.approx(600 * 1.2)
    assert float(big["volume_ml"]) == pytest.approx(0.72)
    assert float(big["longest_mm"]) == pytest.approx(np.hypot(19 * 0.5, 10 * 0.8), rel=1e-5)
    assert float(big["perpendicular_mm"]) > 0
    assert [float(big[f"centroid_{n}_mm"]) for n in ("right", "anterior", "superior")] == [-8.75, -7.6, 6.0]
    assert [float(big[f"centroid_{n}"]) for n in "xyz"] == [17.5, 9.5, 2.0]
    assert (big["slice"], small["slice"]) == ("1", "5")
    wanted = where.image.array[0][array == 1].astype(float)
    assert float(big["mean"]) == pytest.approx(wanted.mean(), rel=1e-5)
    assert (big["unit"], big["probability"], big["area_mm2"], big["side"]) == ("a.u.", "0.25", "", "")


def test_the_side_of_a_trunk(tmp_path: Path) -> None:
    y, x = np.indices((50, 80))
    plane = np.where(((x - 40) / 20) ** 2 + ((y - 25) / 15) ** 2 < 1, 40, -1000)
    where = source((4, 50, 80), np.diag([-5.0, -5.0, 5.0, 1.0]))
    image = Image(np.repeat(plane[None, None], 4, axis=1).astype(np.int16), where.image.grid, "CT", "HU")
    where = type(where)(where.name, where.cohort, where.ref, image)
    array = np.zeros((4, 50, 80), dtype=np.uint8)
    array[1, 25, 30] = array[2, 25, 50] = 1
    LesionsWriter().write(answer(where, array), where, tmp_path)
    LesionsWriter().finish(tmp_path)
    # columns run to the patient's left
    assert [row["side"] for row in table(tmp_path)] == ["right", "left"]
    assert {row["unit"] for row in table(tmp_path)} == {"HU"}


def test_a_picture_without_a_scale_and_with_colours(tmp_path: Path) -> None:
    where = source((20, 20), channels=3, name="p")
    array = np.zeros((20, 20), dtype=np.uint8)
    array[2:4, 2:4] = 1
    LesionsWriter().write(answer(where, array), where, tmp_path)
    LesionsWriter().finish(tmp_path)
    (row,) = table(tmp_path)
    empty = [n for n, value in row.items() if value == ""]
    assert {"volume_mm3", "longest_mm", "centroid_right_mm", "side", "mean", "slice", "centroid_z"} <= set(empty)
    assert (row["voxels"], row["centroid_x"]) == ("4", "2.5")


def test_no_lesion_leaves_a_table_without_rows(tmp_path: Path) -> None:
    where = source((3, 20, 20), OBLIQUE)
    assert LesionsWriter().finish(tmp_path) == ()
    LesionsWriter().write(answer(where, np.zeros((3, 20, 20), np.uint8)), where, tmp_path)
    LesionsWriter().finish(tmp_path)
    assert table(tmp_path) == []
