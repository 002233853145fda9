import csv
import gzip
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from nibabel.nifti1 import Nifti1Image

from hounsfield.core.errors import InputError, RunExistsError
from hounsfield.workflow.converting import APART, TABLE, convert
from tests.data_room.dicom.making import CAPTURE, dataset, save, series
from tests.data_room.dicom.test_contours import contour, square, structures


def disk(root: Path) -> Path:
    """A CT with contures on it, an MR with a gap, a scout, a capture and a text, under names that tell a patient."""
    series(root / "DOE_JANE/ct", "p/s/a", 5, facts={"SeriesDescription": "Doe Jane chest"})
    contours = {"Doe Jane": [contour(square(-3.0, 6.0), 2.0)], "=Liver / right": [contour(square(-3.0, 2.0), 4.0)]}
    save(root / "DOE_JANE/rt", structures(contours))
    for number, height in enumerate((0, 2, 6, 8)):
        facts = {
            "Modality": "MR",
            "SOPClassUID": "1.2.840.10008.5.1.4.1.1.4",
            "ImagePositionPatient": [0.0, 0.0, float(height)],
        }
        save(root / f"mr{number}", dataset("q/s/b", facts, number=number))
    save(root / "scout", dataset("p/s/c", {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}))
    save(root / "shot", dataset("p/s/d", {"SOPClassUID": CAPTURE}))
    (root / "DOE_JANE/notes.dcm").write_bytes(b"DOE JANE " * 100)
    return root


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_volumes_masks_overlay_and_tables_are_written(tmp_path: Path) -> None:
    done = convert(disk(tmp_path / "in"), tmp_path / "out")
    (volume,) = done.of_kind("volume")
    masks, (picture,) = done.of_kind("mask"), done.of_kind("overlay")
    assert volume.file.startswith("ct-")
    stem = volume.file.removesuffix(".nii.gz")
    # one label names the patient, the other would be a formula and a path
    assert [m.file for m in masks] == [f"{stem}_mask-1.nii.gz", f"{stem}_liver-right.nii.gz"]
    image = Nifti1Image.from_filename(tmp_path / "out" / volume.file)
    assert image.shape == (8, 8, 5)
    for number in range(5):
        stored = np.frombuffer(dataset("p/s/a", number=number).PixelData, np.uint16).reshape(8, 8)
        np.testing.assert_array_equal(np.asarray(image.dataobj)[:, :, number], stored.T.astype(int) - 1024)
    for mask in masks:
        marked = Nifti1Image.from_filename(tmp_path / "out" / mask.file)
        np.testing.assert_allclose(marked.affine, image.affine)
        assert int(np.asarray(marked.dataobj).sum()) == mask.voxels > 0
    assert (tmp_path / "out" / picture.file).read_bytes().startswith(b"\x89PNG")
    table = rows(tmp_path / "out" / TABLE)
    assert [r["file"] for r in table] == [w.file for w in done.written]
    assert (table[0]["size"], table[0]["units"], table[0]["orientation"]) == ("8 x 8 x 5", "HU", "LPS")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [*(w.file for w in done.written), TABLE, APART]
    )


def test_what_is_set_apart_is_listed_with_its_reason(tmp_path: Path) -> None:
    done = convert(disk(tmp_path / "in"), tmp_path / "out")
    reasons = [a.reason for a in done.apart]
    for word in ("localizer", "secondary capture", "1 slice is missing"):
        assert sum(word in reason for reason in reasons) == 1, word
    assert len(rows(tmp_path / "out" / APART)) == len(done.apart) == 4


def test_no_name_of_a_patient_leaves(tmp_path: Path) -> None:
    done = convert(disk(tmp_path / "in"), tmp_path / "out")
    said = json.dumps(done.model_dump(mode="json")).casefold()
    for path in (tmp_path / "out").iterdir():
        said += path.name.casefold()
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        said += content.decode("latin-1").casefold()
    assert not re.search(r"\b(doe|jane)\b", said)


def test_the_same_disk_gives_the_same_bytes(tmp_path: Path) -> None:
    source = disk(tmp_path / "in")
    for out in ("a", "b"):
        convert(source, tmp_path / out)
    names = sorted(p.name for p in (tmp_path / "a").iterdir())
    assert names == sorted(p.name for p in (tmp_path / "b").iterdir())
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_nothing_is_overwritten_unasked(tmp_path: Path) -> None:
    source = disk(tmp_path / "in")
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    with pytest.raises(RunExistsError, match="not an empty folder"):
        convert(source, tmp_path / "out")
    convert(source, tmp_path / "out", overwrite=True)
    assert (tmp_path / "out/mine.txt").read_text() == "mine"
    with pytest.raises(RunExistsError):
        convert(source, tmp_path / "out")
    with pytest.raises(InputError, match="inside the source"):
        convert(source, source / "out")
    with pytest.raises(InputError, match="does not exist"):
        convert(tmp_path / "nowhere", tmp_path / "other")


def test_a_query_chooses_and_an_empty_choice_is_told(tmp_path: Path) -> None:
    source = disk(tmp_path / "in")
    done = convert(source, tmp_path / "ct", series="Modality == 'CT'")
    assert len(done.of_kind("volume")) == 1
    with pytest.raises(InputError, match="matches the query"):
        convert(source, tmp_path / "us", series="Modality == 'US'")
    assert not (tmp_path / "us").exists()


def test_an_archive_gives_what_its_folder_gives(tmp_path: Path) -> None:
    source = disk(tmp_path / "in")
    shutil.make_archive(str(tmp_path / "disk"), "zip", source)
    folder = convert(source, tmp_path / "a").of_kind("volume")
    archive = convert(tmp_path / "disk.zip", tmp_path / "b").of_kind("volume")
    assert [w.model_dump() for w in archive] == [w.model_dump() for w in folder]
    assert (tmp_path / "a" / folder[0].file).read_bytes() == (tmp_path / "b" / folder[0].file).read_bytes()


@pytest.mark.parametrize(("facts", "note"), [
    ({"Units": "GML", "SUVType": "BW"}, "values are SUV by body weight in g/ml"),
    ({"Units": "CNTS"}, "no SUV, values in counts"),
])  # fmt: skip
def test_pet_says_how_its_values_become_uptake(facts: dict[str, str], note: str, tmp_path: Path) -> None:
    pet = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.128", "Modality": "PT", "RescaleIntercept": 0}
    series(tmp_path / "in", "p/s/pet", 3, facts={**pet, **facts, "CorrectedImage": ["DECY", "ATTN"]})
    (volume,) = convert(tmp_path / "in", tmp_path / "out").of_kind("volume")
    assert note in volume.notes
    assert volume.units == ("g/ml" if facts["Units"] == "GML" else "counts")
