"""From files to a table and back to the same bytes; what is dirty is set aside with its reason."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from PIL import Image as Picture

from hounsfield.core.errors import InputError, ReadError, RunExistsError
from hounsfield.core.image import Grid, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.science.radiomics.settings import Settings, preset, settings_from
from hounsfield.workflow.measure_cases import find_cases
from hounsfield.workflow.measured import COLUMNS
from hounsfield.workflow.measuring import MeasureWishes, as_image, measure, measure_arrays, read_settings, repeat
from tests.workflow.test_converting import disk

AFFINE = np.diag([1.0, 1.0, 2.0, 1.0])
QUICK = MeasureWishes(settings=Settings(families=("morph", "stat", "cm"), slow=False))


def volume(path: Path, array: AnyArray, affine: Float64Array = AFFINE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti(path, Image(array[None], Grid(affine)))


def drawn(seed: int = 0) -> tuple[AnyArray, AnyArray]:
    """Return an image and a label map of two labels, the second in two parts."""
    image = stream(seed, "measuring").normal(100, 20, (6, 16, 18)).astype(np.float32)
    labels = np.zeros(image.shape, dtype=np.uint8)
    labels[1:4, 2:8, 2:9] = 1
    labels[4, 10:14, 3:6] = labels[1, 11:15, 12:17] = 3
    return image, labels


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    for n in range(2):
        image, labels = drawn(n)
        volume(tmp_path / "imagesTr" / f"liver_{n:03d}_0000.nii.gz", image)
        volume(tmp_path / "labelsTr" / f"liver_{n:03d}.nii.gz", labels)
    return tmp_path / "imagesTr", tmp_path / "labelsTr"


def test_a_row_for_each_label_of_each_case(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out" / "features.parquet"
    found = measure(*folders, out=out, wishes=QUICK)
    table = pq.read_table(out)
    assert table.column_names == [*COLUMNS, *found.tags]
    assert table["case"].to_pylist() == ["liver_000_0000", "liver_000_0000", "liver_001_0000", "liver_001_0000"]
    assert table["label"].to_pylist() == [1, 3, 1, 3]
    assert table["morph_vol_approx"].to_pylist()[0] == 3 * 6 * 7 * 2.0
    image, labels = drawn(0)
    assert table["stat_mean"].to_pylist()[1] == pytest.approx(image[labels == 3].mean(), rel=1e-6)
    again = pc.read_csv(out.with_suffix(".csv"))
    assert again["stat_mean"].to_pylist() == table["stat_mean"].to_pylist()
    assert not (tmp_path / "out" / "features_apart.csv").exists()


def test_parts_are_regions_of_their_own(folders: tuple[Path, Path]) -> None:
    wishes = MeasureWishes(settings=QUICK.settings, parts=True)
    rows = measure(*folders, wishes=wishes).rows
    assert [(r.label, r.part) for r in rows[:3]] == [(1, 1), (3, 1), (3, 2)]
    assert [r.values["stat_energy"] > 0 for r in rows] == [True] * 6


def test_threads_change_nothing(folders: tuple[Path, Path]) -> None:
    one, two = (measure(*folders, wishes=MeasureWishes(settings=QUICK.settings, threads=n)).parquet() for n in (1, 2))
    assert one == two


def test_a_table_is_repeated_to_the_byte(folders: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "features.parquet"
    measure(*folders, out=out, wishes=QUICK)
    assert repeat(out).changed == ()
    moved = tmp_path / "elsewhere"
    folders[0].rename(moved)
    with pytest.raises(InputError, match="IMAGES does not exist"):
        repeat(out)
    assert repeat(out, sources=(moved, folders[1]), out=tmp_path / "second.parquet").changed == ()
    assert (tmp_path / "second.parquet").read_bytes() == out.read_bytes()
    image, _ = drawn(1)
    image[2, 3, 3] += 500
    volume(moved / "liver_001_0000.nii.gz", image)
    said = "; ".join(repeat(out, sources=(moved, folders[1])).changed)
    assert "1 cases have other voxels" in said
    assert "columns differ" in said
    with pytest.raises(InputError, match="no record"):
        repeat(out.with_suffix(".csv"))


def test_nothing_is_overwritten_and_the_name_is_checked(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "there.parquet").write_bytes(b"")
    with pytest.raises(RunExistsError, match="exists already"):
        measure(*folders, out=tmp_path / "there.parquet")
    with pytest.raises(InputError, match="parquet"):
        measure(*folders, out=tmp_path / "features.xlsx")


def test_dirty_cases_are_set_aside(folders: tuple[Path, Path], tmp_path: Path) -> None:
    image, labels = drawn(5)
    images, masks = folders
    volume(images / "empty.nii.gz", image)
    volume(masks / "empty_mask.nii.gz", np.zeros_like(labels))
    hole = image.copy()
    hole[2, 4, 4] = np.nan
    volume(images / "hole.nii.gz", hole)
    volume(masks / "hole_seg.nii.gz", labels)
    volume(images / "soft.nii.gz", image)
    volume(masks / "soft.nii.gz", labels.astype(np.float32) * 0.3)
    volume(images / "other.nii.gz", image)
    volume(masks / "other.nii.gz", labels, np.diag([1.0, 1.0, 2.0, 1.0]) + np.eye(4, k=3) * 5000)
    volume(images / "lonely.nii.gz", image)
    volume(masks / "nobody.nii.gz", labels)
    (images / "broken.nii.gz").write_bytes(b"\x1f\x8b no volume")
    volume(masks / "broken.nii.gz", labels)
    found = measure(images, masks, out=tmp_path / "f.parquet", wishes=QUICK)
    told = {a.sample: a.reason for a in found.apart}
    assert told["empty"] == "the mask is empty"
    assert told["hole label 1"] == "The region holds intensities that are not finite numbers"
    assert "hole label 3" not in told
    assert "no labels" in told["soft"]
    assert "do not overlap" in told["other"]
    assert told["lonely"] == "no mask has its name"
    assert told["nobody.nii.gz"] == "a mask of no image"
    assert "broken" in told
    assert {r.case for r in found.rows} == {"liver_000_0000", "liver_001_0000", "hole"}
    assert (tmp_path / "f_apart.csv").read_text(encoding="utf-8").count("\n") == len(found.apart) + 1
    assert repeat(tmp_path / "f.parquet").changed == ()


def test_a_mask_on_another_grid_is_brought_to_the_image(tmp_path: Path) -> None:
    image, labels = drawn(0)
    volume(tmp_path / "image.nii.gz", image)
    flipped = np.diag([1.0, 1.0, -2.0, 1.0])
    flipped[2, 3] = 2.0 * (len(labels) - 1)
    volume(tmp_path / "turned.nii.gz", labels[::-1].copy(), flipped)
    volume(tmp_path / "mask.nii.gz", labels)
    rows = [
        measure(tmp_path / "image.nii.gz", tmp_path / m, wishes=QUICK).rows for m in ("mask.nii.gz", "turned.nii.gz")
    ]
    assert [r.values for r in rows[0]] == [r.values for r in rows[1]]
    assert rows[1][0].notes == ("the mask is brought to the image's grid by the affines",)


def test_pictures_are_measured_in_two_dimensions(tmp_path: Path) -> None:
    image = stream(9, "picture").integers(0, 255, (40, 50)).astype(np.uint8)
    mask = np.zeros(image.shape, dtype=np.uint8)
    mask[5:25, 8:30] = 255
    Picture.fromarray(image).save(tmp_path / "benign (1).png")
    Picture.fromarray(mask).save(tmp_path / "benign (1)_mask.png")
    Picture.fromarray(mask.T.copy()).save(tmp_path / "benign (2)_mask.png")
    found = measure(tmp_path, tmp_path, wishes=MeasureWishes())
    (row,) = found.rows
    assert (row.case, row.label, row.voxels) == ("benign (1)", 255, 440)
    assert row.values["stat_max"] == image[mask > 0].max()
    assert row.values["cm_joint_entr_2D_avg"] > 0
    assert row.missing["morph_volume"].startswith("the image is a plane")
    assert row.notes == ("not interpolated: the image does not say how large its voxels are",)


def test_arrays_in_memory_give_what_files_give(folders: tuple[Path, Path]) -> None:
    image, labels = drawn(0)
    wanted = measure(*folders, wishes=QUICK).rows[:2]
    found = measure_arrays(as_image(image, (2, 1, 1)), as_image(labels, (2, 1, 1)), wishes=QUICK).rows
    assert [r.values for r in found] == [r.values for r in wanted]
    with pytest.raises(InputError, match="voxels, the mask"):
        measure_arrays(as_image(image, None), as_image(labels[1:], None))
    with pytest.raises(InputError, match="spacing_mm"):
        as_image(image, (1, 1))
    with pytest.raises(ReadError, match="the mask is empty"):
        measure_arrays(as_image(image, None), as_image(labels * 0, None))


def test_names_that_belong_together(tmp_path: Path) -> None:
    for name in ("a/image.nii.gz", "a/mask.nii.gz", "b/image.nii.gz", "b/mask.nii.gz", "c/scan_mask_1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "c/scan_mask.png").write_bytes(b"")
    (tmp_path / "c/scan.png").write_bytes(b"")
    cases, aside = find_cases(tmp_path, tmp_path)
    assert [c.name for c in cases] == ["a/image", "b/image", "c/scan"]
    assert aside == []


def test_columns_are_those_that_pyarrow_makes_of_lists(folders: tuple[Path, Path], tmp_path: Path) -> None:
    found = measure(*folders, wishes=QUICK)
    rows = [replace(r, case=f"Fürst {n}", notes=("=1", "") * n) for n, r in enumerate(found.rows)]
    rows[1] = replace(rows[1], values=dict.fromkeys(found.tags, np.nan), missing=dict.fromkeys(found.tags, "no reason"))
    made = replace(found, rows=tuple(rows)).table()
    for name in made.column_names:
        values = made[name].to_pylist()
        assert made[name].combine_chunks().equals(pa.array(values, made.schema.field(name).type))
        assert made[name].null_count == sum(v is None for v in values)
    assert made["stat_mean"].to_pylist()[:2] == [found.rows[0].values["stat_mean"], None]
    assert made["case"].to_pylist() == [r.case for r in rows]
    none = replace(found, rows=()).table()
    assert none.num_rows == 0
    assert none["case"].type == pa.string()


def test_a_small_region_imports_no_package_that_it_does_not_need(folders: tuple[Path, Path], tmp_path: Path) -> None:
    code = (
        "import sys; from hounsfield.cli.app import app; app(sys.argv[1:], standalone_mode=False); "
        "heavy = {'pandas', 'scipy.fft', 'scipy.ndimage', 'scipy.spatial', 'skimage', 'torch'}; "
        "print(sorted(heavy & sys.modules.keys()))"
    )
    image, mask = (min(f.iterdir()) for f in folders)
    command = [sys.executable, "-c", code, "measure", str(image), str(mask), "--out", str(tmp_path / "a.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_features_asked_for_by_name_are_those_of_all(folders: tuple[Path, Path]) -> None:
    names = ("morph_diam", "stat_mean", "ih_entropy", "cm_contrast", "rlm_sre_3D_comb")
    some = measure(*folders, wishes=MeasureWishes(settings=Settings(features=names)))
    whole = measure(*folders, wishes=MeasureWishes(settings=Settings()))
    wanted = ("morph_diam", "stat_mean", "ih_entropy", "cm_contrast_3D_avg", "cm_contrast_3D_comb", "rlm_sre_3D_comb")
    assert some.tags == wanted
    for one, other in zip(some.rows, whole.rows, strict=True):
        assert dict(one.values) == {t: other.values[t] for t in wanted}
    assert Settings.model_validate_json(some.record.settings.model_dump_json()) == some.record.settings


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"features": ["cm_contrst"]}, "cm_contrast"),
        ({"features": ["cm_contrast"], "families": ["stat"]}, "none of the families"),
        ({"features": ["morph_moran_i"], "slow": False}, "slow"),
    ],
)
def test_features_that_cannot_be_had_are_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        settings_from(given)


def test_settings_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("dimensions: 2D\ndiscretisation: {method: width, width: 25}\n", encoding="utf-8")
    assert read_settings(str(path)).discretisation.width == 25.0
    assert read_settings("ibsi-D") == preset("ibsi-D")
    path.write_text("dimension: 2D\n", encoding="utf-8")
    with pytest.raises(InputError, match="dimension"):
        read_settings(str(path))
    with pytest.raises(InputError, match="cannot be read"):
        read_settings(str(tmp_path / "none.yaml"))


def test_structures_of_a_dicom_disk_are_rows_without_a_name(tmp_path: Path) -> None:
    source = disk(tmp_path / "in")
    Picture.fromarray(np.zeros((9, 9), dtype=np.uint8)).save(source / "preview.png")
    out = tmp_path / "features.parquet"
    found = measure(source, source, out=out, wishes=QUICK)
    assert [(r.mask, r.label) for r in found.rows] == [("mask-1", 1), ("liver-right", 1)]
    assert found.rows[0].case.startswith("ct-")
    assert all(r.values["morph_vol_approx"] > 0 for r in found.rows)
    assert repeat(out).changed == ()
    for path in tmp_path.glob("features*"):
        assert b"jane" not in path.read_bytes().lower()


def test_the_structure_set_of_the_phantom_gives_the_values_of_its_mask(shared_data: Path) -> None:
    folder = shared_data / "ibsi" / "ibsi1_ct_phantom"
    if not (folder / "dicom_ct_rtstruct.tar.xz").is_file():
        pytest.skip("the IBSI's CT phantom is not in the folder that HOUNSFIELD_DATA names")
    wishes = MeasureWishes(
        settings=preset("ibsi-A").model_copy(update={"families": ("morph", "stat", "ih"), "slow": False})
    )
    archive = folder / "dicom_ct_rtstruct.tar.xz"
    (drawn_row,) = measure(archive, archive, wishes=wishes).rows
    (mask_row,) = measure(folder / "image.nii.gz", folder / "mask.nii.gz", wishes=wishes).rows
    assert drawn_row.mask == "gtv-1"
    assert drawn_row.values["int_mask_vox_count_init_roi"] == pytest.approx(125256, rel=0.002)
    for tag in ("morph_volume", "stat_var", "stat_median", "ih_entropy"):
        assert drawn_row.values[tag] == pytest.approx(mask_row.values[tag], rel=0.01)
