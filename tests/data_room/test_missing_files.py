"""A file that a table names and that is not there: missing, never another case's file."""

from pathlib import Path

import pytest

from hounsfield.core.cohort import Cohort
from hounsfield.core.errors import CohortError
from hounsfield.data.cohorts import understand
from hounsfield.data.file_columns import resolve_column
from hounsfield.data.files import list_files
from tests.data_room.folders import save, save_mask, table

SITES = ("siteA", "siteB")


def two_sites(root: Path, *, above: str = "") -> Path:
    """Write two folders with files of the same names, and a table of pictures and masks."""
    rows = []
    for place, site in enumerate(SITES):
        for i in range(6):
            save(root / site / f"{i:04d}.png", 6 * place + i)
            save_mask(root / site / f"{i:04d}_mask.png")
            rows.append({"image": f"{above}{site}/{i:04d}.png", "mask": f"{above}{site}/{i:04d}_mask.png"})
    table(root / "labels.csv", rows)
    return root


def masks(cohort: Cohort) -> dict[str, str]:
    """Return path of image to path of mask."""
    return {s.inputs["image"][0].ref.path: s.masks["mask"].path if s.masks else "" for s in cohort.samples}


@pytest.mark.parametrize("above", ["", "export/data/"])
def test_a_missing_mask_is_not_that_of_another_site(tmp_path: Path, above: str) -> None:
    root = two_sites(tmp_path, above=above)
    (root / "siteB/0003_mask.png").unlink()
    cohort = understand(root)
    assert masks(cohort) == {
        f"{site}/{i:04d}.png": "" if (site, i) == ("siteB", 3) else f"{site}/{i:04d}_mask.png"
        for site in SITES
        for i in range(6)
    }
    assert any("name a mask file that is not there (first in row 11)" in u for u in cohort.schema.unsure)


@pytest.mark.parametrize("above", ["", "export/data/"])
def test_a_missing_image_is_not_that_of_another_site(tmp_path: Path, above: str) -> None:
    root = two_sites(tmp_path, above=above)
    (root / "siteB/0003.png").unlink()
    cohort = understand(root)
    assert len(cohort) == 11
    assert [a.reason for a in cohort.set_aside] == ["image file missing"]
    assert "siteA/0003.png" in masks(cohort)


def test_a_site_that_was_not_copied_is_missing_as_a_whole(tmp_path: Path) -> None:
    root = two_sites(tmp_path)
    for file in (root / "siteB").iterdir():
        file.unlink()
    cohort = understand(root)
    assert len(cohort) == 6
    assert {a.reason for a in cohort.set_aside} == {"image file missing"}


@pytest.mark.parametrize("bare", [False, True])
def test_pictures_and_masks_of_one_name_are_never_taken_for_each_other(tmp_path: Path, *, bare: bool) -> None:
    rows = []
    for i in range(8):
        save(tmp_path / f"images/c {i}.png", i)
        save_mask(tmp_path / f"masks/c {i}.png")
        rows.append({"image": f"c {i}.png" if bare else f"images/c {i}.png", "mask": f"masks/c {i}.png"})
        if bare:
            rows[-1]["mask"] = f"c {i}.png"
    table(tmp_path / "labels.csv", rows)
    whole = masks(understand(tmp_path))
    assert whole == {f"images/c {i}.png": f"masks/c {i}.png" for i in range(8)}
    (tmp_path / "masks/c 1.png").unlink()
    (tmp_path / "images/c 5.png").unlink()
    cohort = understand(tmp_path)
    assert masks(cohort) == {k: "" if "c 1" in k else v for k, v in whole.items() if "c 5" not in k}
    assert [a.reason for a in cohort.set_aside] == ["image file missing"]


def test_where_all_masks_are_missing_no_image_is_its_own_mask(tmp_path: Path) -> None:
    rows = []
    for i in range(6):
        save(tmp_path / f"images/{i}.png", i)
        rows.append({"image": f"images/{i}.png", "mask": f"masks/{i}.png", "label": "ab"[i % 2]})
    table(tmp_path / "labels.csv", rows)
    cohort = understand(tmp_path)
    assert not any(s.masks for s in cohort.samples)
    assert any(u.startswith("6 rows of column 'mask' name a mask file that is not there") for u in cohort.schema.unsure)


def test_a_part_does_not_lend_its_files_to_another(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = []
    for part in ("train", "test"):
        for i in range(6):
            save(tmp_path / part / f"{i}.png", len(rows))
            rows.append({"image": f"{i}.png", "split": part, "label": "ab"[i % 2]})
    table(tmp_path / "labels.csv", rows)
    assert len(understand(tmp_path)) == 12
    (tmp_path / "test/4.png").unlink()
    cohort = understand(tmp_path)
    assert [a.reason for a in cohort.set_aside] == ["image file missing"]
    assert sum(s.part == "train" for s in cohort.samples) == 6


def test_another_ending_is_read_unless_another_row_means_it(tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "sub/c.png"):
        save(tmp_path / "img" / name)
    files = list_files(tmp_path)
    assert resolve_column("f", ("img/a.jpg", "img/b.jpg", "c.jpg"), files=files).paths == files.images
    assert resolve_column("f", ("img/a.png", "img/a.jpg"), files=files).paths == ("img/a.png", None)
    assert resolve_column("f", ("img/a.bmp", "img/a.jpg"), files=files).paths == (None, None)
    assert resolve_column("f", ("old/a.png", "old/b.png", None), files=files).paths == ("img/a.png", "img/b.png", None)
    assert resolve_column("f", ("old/a.png", "new/a.png"), files=files).missing == (0, 1)
    assert resolve_column("f", ("img/a.png", "img/sub/c.png", "img/c.png"), files=files).missing == (2,)


def test_a_few_stray_copies_do_not_spoil_a_folder(tmp_path: Path) -> None:
    for name in ("a.png", "sub/a.png", "sub/b.png", "sub/c.png"):
        save(tmp_path / name)
    found = resolve_column("f", ("a.png", "b.png", "c.png"), files=list_files(tmp_path))
    assert found.paths == ("a.png", "sub/b.png", "sub/c.png")


def test_a_list_of_boxes_does_not_lead_to_another_folder(tmp_path: Path) -> None:
    for site in SITES:
        for i in range(3):
            save(tmp_path / site / f"{i}.png", i)
    (tmp_path / "siteB/1.png").unlink()
    files = list_files(tmp_path)
    assert files.candidates("siteB/1.png") == []
    assert files.candidates("siteB/2.png") == ["siteB/2.png"]
    assert files.candidates("elsewhere/1.png") == ["siteA/1.png"]


def test_no_image_at_all_is_told(tmp_path: Path) -> None:
    root = two_sites(tmp_path)
    for file in tmp_path.glob("site*/*[0-9].png"):
        file.unlink()
    with pytest.raises(CohortError, match="None of the 12 images"):
        understand(root)
