"""Columns of masks are told by what their files hold, where no name says mask, and by what the user asks for."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import ReadError
from hounsfield.data.cohorts import understand
from hounsfield.data.raster import values_beside_black
from hounsfield.data.words import is_numbered
from tests.data_room.folders import picture, save, table

COUNT = 8


def drawing(number: int, *, high: int = 255) -> np.ndarray:
    """Return black with one square of `high`; nothing is drawn in the first one."""
    plane = np.zeros((24, 20), np.uint8)
    if number:
        plane[number : number + 8, 5:14] = high
    return plane


def folder(root: Path, *columns: str, images: str = "image", drawings: Sequence[str] = ()) -> Path:
    """Write pictures, and for each further column a folder of drawings; `drawings` names columns of pictures."""
    rows = []
    for n in range(COUNT):
        row = {images: str(save(root / "images" / f"a{n}.png", n).relative_to(root))}
        for place, column in enumerate(columns):
            path = root / column / f"a{n}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            array = picture(100 * place + n) if column in drawings else np.roll(drawing(n), place, axis=0)
            Pillow.fromarray(array).save(path)
            row[column] = path.relative_to(root).as_posix()
        rows.append(row)
    table(root / "labels.csv", rows)
    return root


def roles(cohort: Cohort) -> dict[str, str]:
    return {c.column: c.role for c in cohort.schema.columns}


def test_eight_bits_of_two_values_are_masks(tmp_path: Path) -> None:
    """Issue 5: only pictures of one bit were, and "No column of the table is an answer" was a dead end."""
    cohort = understand(folder(tmp_path, "lesion_1"))
    assert roles(cohort) == {"image": "image", "lesion_1": "mask"}
    assert [(t.name, t.kind) for t in cohort.schema.targets] == [("lesion_1", "mask")]
    assert cohort.samples[3].masks["lesion_1"].path == "lesion_1/a3.png"


def test_a_second_structure_is_doubted_and_can_be_asked_for(tmp_path: Path) -> None:
    root = folder(tmp_path, "lesion_1", "lesion_2")
    cohort = understand(root)
    assert roles(cohort) == {"image": "image", "lesion_1": "mask", "lesion_2": "opinion"}
    (doubt,) = [u for u in cohort.schema.unsure if "second reader" in u]
    assert "say --target lesion_1 --target lesion_2" in doubt
    both = understand(root, Roles(target=("lesion_1", "lesion_2")))
    assert [(t.name, t.kind) for t in both.schema.targets] == [("lesion_1", "mask"), ("lesion_2", "mask")]
    assert not [u for u in both.schema.unsure if "second reader" in u]
    second = understand(root, Roles(target=("lesion_2",)))
    assert roles(second)["lesion_2"] == "mask"


def test_masks_named_so_are_doubted_too(tmp_path: Path) -> None:
    cohort = understand(folder(tmp_path, "mask", "mask_2"))
    assert roles(cohort) == {"image": "image", "mask": "mask", "mask_2": "opinion"}
    assert any("--target mask --target mask_2" in u for u in cohort.schema.unsure)
    assert not understand(folder(tmp_path / "second", "mask", "mask_reader_2")).schema.unsure


@pytest.mark.parametrize("drawn", [True, False], ids=["two values", "grey"])
def test_a_second_reader_beside_a_mask_is_an_opinion(tmp_path: Path, drawn: bool) -> None:  # noqa: FBT001 (a case)
    cohort = understand(folder(tmp_path, "mask", "second_reader", drawings=() if drawn else ("second_reader",)))
    assert roles(cohort)["second_reader"] == "opinion"
    assert list(cohort.samples[2].opinions) == ["second_reader"]


def test_what_the_user_asks_for_is_a_mask_whatever_it_holds(tmp_path: Path) -> None:
    root = folder(tmp_path, "graded", drawings=("graded",))
    assert [t.kind for t in understand(root, Roles(target=("graded",))).schema.targets] == ["mask"]


def test_pictures_stay_pictures(tmp_path: Path) -> None:
    """Drawings beside nothing, drawings that are called images, and second views are no masks."""
    rows = []
    for n in range(COUNT):
        (tmp_path / "alone").mkdir(exist_ok=True)
        Pillow.fromarray(drawing(n + 1)).save(tmp_path / "alone" / f"s{n}.png")
        rows.append({"spiral": f"s{n}.png", "label": n % 2})
    table(tmp_path / "alone" / "labels.csv", rows)
    assert roles(understand(tmp_path / "alone")) == {"spiral": "image", "label": "target"}
    views = folder(tmp_path / "views", "mask", "view_2", drawings=("view_2",))
    assert roles(understand(views)) == {"image": "image", "mask": "mask", "view_2": "unused"}


def test_of_two_columns_called_images_the_drawn_one_is_the_mask(tmp_path: Path) -> None:
    root = folder(tmp_path, "lesion_path", images="image_path")
    assert roles(understand(root)) == {"image_path": "image", "lesion_path": "mask"}
    forced = understand(folder(tmp_path / "forced", "lesion_path"), Roles(image="lesion_path", target=("image",)))
    assert roles(forced) == {"image": "mask", "lesion_path": "image"}


def test_values_beside_black(tmp_path: Path) -> None:
    def of(array: np.ndarray, name: str = "a.png") -> int:
        Pillow.fromarray(array).save(tmp_path / name)
        return values_beside_black(tmp_path / name)

    assert of(drawing(3)) == 2
    assert of(drawing(3, high=1)) == 2
    assert of(drawing(0)) == 1
    assert of(drawing(3) > 0) == 2
    assert of(np.stack([drawing(3)] * 3, axis=-1)) == 2
    assert of(drawing(3).astype(np.uint16) * 3) == 2
    assert of(picture(0)) == 0
    assert of(drawing(3) // 2 + np.uint8(1)) == 0  # 1 and 128: nothing is black
    assert of(np.maximum(drawing(3), 100)) == 0
    assert of(np.stack([drawing(3), drawing(4), drawing(5)], axis=-1)) == 0
    assert of(drawing(3), "a.jpg") == 0
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n123")
    with pytest.raises(ReadError):
        values_beside_black(tmp_path / "b.png")


def test_numbers_at_the_end_of_a_name() -> None:
    assert all(is_numbered(n) for n in ("lesion_2", "tumor_b", "seg_2", "mask 2"))
    assert not any(is_numbered(n) for n in ("reader_2", "mask_observer_2", "vessels_2nd", "second", "t2", "lesion"))
