"""Images with masks beside them and nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.errors import CohortError, ReadError, UnknownNameError
from hounsfield.data.cohort_file import cohort_yaml, samples_csv
from hounsfield.data.cohorts import digest, understand
from hounsfield.data.joined_masks import mask_ref, refs_of
from hounsfield.data.masks_beside import masks_beside
from hounsfield.data.readers import read
from hounsfield.data.ref_text import parse_ref, ref_text
from hounsfield.data.scrubbers.naming import pseudonymous_path
from hounsfield.data.scrubbers.refs import pseudonymous_refs, refs_told
from tests.data_room.folders import save
from tests.data_room.scrubbers.told import PSEUDONYMS


def square(path: Path, place: int, *, value: int = 255, size: int = 24) -> Path:
    """Write a mask of a square of 4 x 4 pixels, from `place` on in both directions."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.zeros((size, size), np.uint8)
    array[place : place + 4, place : place + 4] = value
    Image.fromarray(array).save(path)
    return path


def write(root: Path, pairs: Mapping[str, Sequence[str]]) -> Path:
    """Write images, and of each its masks."""
    for n, (image, masks) in enumerate(pairs.items()):
        save(root / image, n, (24, 24))
        for place, mask in enumerate(masks):
            square(root / mask, 2 + 8 * place)
    return root


def masks(cohort: Cohort) -> dict[str, tuple[str, ...]]:
    """Return path of image to paths of masks."""
    return {
        s.inputs["image"][0].ref.path: tuple(
            p for ref in s.masks.values() for p in (ref.path, *(str(v) for k, v in ref.part if k == "also"))
        )
        for s in cohort.samples
    }


@pytest.mark.parametrize(
    ("image", "mask"),
    [
        ("c {} Müller.png", "c {} Müller_mask.png"),
        ("benign/benign ({}).png", "benign/benign ({})_mask.png"),
        ("images/{}.jpg", "masks/{}.png"),
        ("img/{}.png", "segmentations/{}_mask.png"),
        ("images/{}.png", "labels/{}.png"),
        ("data/{}.png", "data/masks/{}.png"),
        ("frames/{}.png", "annotations/{}.png"),
        ("train_images/{}.png", "train_masks/{}.png"),
        ("ISIC_Training_Input/{}.jpg", "ISIC_Training_GroundTruth/{}_segmentation.png"),
        ("p7/images/{}.png", "p7/masks/{}.png"),
        ("images/p7/{}.png", "masks/p7/{}.png"),
    ],
)
def test_masks_are_found_beside_their_images(tmp_path: Path, image: str, mask: str) -> None:
    wanted = {image.format(i): (mask.format(i),) if i != 3 else () for i in range(6)}
    cohort = understand(write(tmp_path, wanted))
    assert cohort.schema.layout == "pairs"
    assert [(t.name, t.kind) for t in cohort.schema.targets] == [("mask", "mask")]
    assert masks(cohort) == wanted
    assert "5 of 6 images have a mask beside them by its name." in cohort.schema.notes
    assert not cohort.set_aside
    assert digest(cohort) == digest(understand(tmp_path))


def test_parts_and_patients_are_folders(tmp_path: Path) -> None:
    wanted = {
        f"{'test' if p > 20 else 'train'}/images/p{p:02d}/{i}.png": [
            f"{'test' if p > 20 else 'train'}/masks/p{p:02d}/{i}.png"
        ]
        for p in range(24)
        for i in range(2)
    }
    cohort = understand(write(tmp_path, wanted))
    assert masks(cohort) == {k: tuple(v) for k, v in wanted.items()}
    assert cohort.schema.official_parts == ("train", "test")
    assert len({s.patient for s in cohort.samples if s.part == "test"}) == 3
    assert cohort.schema.patients_known


def test_what_is_no_pair_is_told(tmp_path: Path) -> None:
    wanted = {f"images/{i}.png": [f"masks/{i}.png"] for i in range(5)}
    write(tmp_path, wanted)
    square(tmp_path / "masks/77.png", 3)
    square(tmp_path / "labels/4.png", 3)
    cohort = understand(tmp_path)
    assert masks(cohort) == {k: tuple(v) for k, v in wanted.items()}
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [
        ("masks/77.png", "a mask, and no image beside it has its name")
    ]
    assert any("not used: 1; to use both" in u for u in cohort.schema.unsure)
    with pytest.raises(UnknownNameError, match="column"):
        understand(tmp_path, Roles(group="patient"))


def test_a_mask_goes_to_no_image_of_another_folder() -> None:
    found = masks_beside(["a/3_mask.png", "b/3.png", "b/images/4.png", "c/images/5.png", "c/masks/4.png", "x.dcm"])
    assert found.masks == {}
    assert found.lonely == ("a/3_mask.png", "c/masks/4.png")
    volumes = masks_beside(["p1/scan.nii.gz", "p1/scan_seg.nii.gz", "p2/scan.nii.gz", "p2/t1.nii"])
    assert volumes.masks == {"p1/scan.nii.gz": ("p1/scan_seg.nii.gz",)}
    both = masks_beside(["images/1.jpg", "images/1.png", "masks/1.png", "images/2.jpg", "images/2.bmp", "masks/2.png"])
    assert both.masks == {"images/1.png": ("masks/1.png",)}
    assert both.lonely == ("masks/2.png",)


def test_masks_without_images_of_their_names_are_told(tmp_path: Path) -> None:
    write(tmp_path, {f"images/a{i}.png": [f"masks/b{i}.png"] for i in range(3)})
    with pytest.raises(CohortError, match=r"3 are masks by their names[\s\S]*name_mask\.png[\s\S]*rename"):
        understand(tmp_path)


def test_every_lesion_of_an_image_is_learned_from(tmp_path: Path) -> None:
    kinds = {"benign": "ab", "malignant": "cd"}
    wanted = {f"{k}/{n}.png": [f"{k}/{n}_mask.png", f"{k}/{n}_mask_1.png"] for k, names in kinds.items() for n in names}
    wanted["benign/a.png"] = wanted["benign/a.png"][:1]
    cohort = understand(write(tmp_path, wanted))
    assert cohort.schema.layout == "class folders"
    assert masks(cohort) == {k: tuple(v) for k, v in wanted.items()}
    assert any(u.startswith("3 images have several files of 'mask'") for u in cohort.schema.unsure)
    joined = read(cohort, cohort.samples[1].masks["mask"]).array
    right = np.zeros((1, 24, 24), np.uint8)
    right[0, 2:6, 2:6] = right[0, 10:14, 10:14] = 255
    np.testing.assert_array_equal(joined, right)
    before = digest(cohort)
    square(tmp_path / "benign/b_mask_1.png", 11)
    assert digest(understand(tmp_path)) != before


def test_files_of_one_mask_are_joined_by_what_they_mean(tmp_path: Path) -> None:
    square(tmp_path / "a_mask.png", 2, value=1)
    square(tmp_path / "a_mask_1.png", 4, value=255)
    square(tmp_path / "a_mask_2.png", 8, value=2, size=20)
    cohort = Cohort("x", str(tmp_path), (), understand(write(tmp_path / "o", {"b.png": ["b_mask.png"]})).schema)
    one = read(cohort, mask_ref(["a_mask.png", "a_mask_1.png"])).array
    assert set(np.unique(one)) == {0, 255}
    assert (one != 0).sum() == 4 * 4 + 4 * 4 - 2 * 2
    with pytest.raises(ReadError, match="its 2 mask files differ in size or place"):
        read(cohort, mask_ref(["a_mask.png", "a_mask_2.png"]))
    array = np.zeros((24, 24), np.uint8)
    array[:, :8], array[:, 8:12] = 1, 2
    Image.fromarray(array).save(tmp_path / "s_mask.png")
    square(tmp_path / "s_mask_1.png", 6, value=2)
    both = read(cohort, mask_ref(["s_mask.png", "s_mask_1.png"])).array[0]
    assert both[7, 6] == both[7, 8] == 2
    assert both[0, 7] == 1


def test_joined_masks_are_written_down_and_read_again(tmp_path: Path) -> None:
    ref = mask_ref(["a|b/benign (5)_mask.png", "a|b/benign (5)_mask_1.png", "a|b/benign (5)_mask_2.png"])
    assert parse_ref(ref_text(ref)) == ref
    assert mask_ref(["x.nii.gz"]) == Ref("nifti", "x.nii.gz")
    cohort = understand(write(tmp_path, {f"c{i}.png": [f"c{i}_mask.png", f"c{i}_mask_1.png"] for i in range(4)}))
    (tmp_path / "cohort.yaml").write_text(cohort_yaml(cohort), encoding="utf-8")
    (tmp_path / "samples.csv").write_text(samples_csv(cohort), encoding="utf-8")
    assert masks(understand(tmp_path / "cohort.yaml")) == masks(cohort)


def test_names_of_joined_masks_get_pseudonyms() -> None:
    ref = mask_ref(["Kowalewska/a_mask.png", "Kowalewska/a_mask_1.png"])
    made = parse_ref(pseudonymous_refs(ref_text(ref), PSEUDONYMS))
    assert [r.path for r in refs_of(made)] == [pseudonymous_path(r.path, PSEUDONYMS) for r in refs_of(ref)]
    assert "Kowalewska" not in ref_text(made)
    assert refs_told(ref_text(ref)).count("Kowalewska") == 1
    assert "a_mask_1" in refs_told(ref_text(ref))
