"""Folders as answers, folders without answers, iterables, digests."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hounsfield.core.cohort import Reading, Ref, Roles, Sample
from hounsfield.core.errors import CohortError, UnknownNameError
from hounsfield.data import readers
from hounsfield.data.cohorts import digest, understand, unlabelled
from hounsfield.data.layouts import LAYOUTS
from tests.counting import lines
from tests.data_room.folders import manifest, picture, save, save_mask


def test_class_folders(tmp_path: Path) -> None:
    for i in range(10):
        save(tmp_path / f"data/{'Malignant' if i % 2 else 'benign'}/im {i % 2} {i}.PNG", i)
    (tmp_path / ".hidden.png").write_bytes(b"x")
    (tmp_path / "data/Thumbs.db").write_bytes(b"x")
    save(tmp_path / "__MACOSX/benign/x.png")
    cohort = understand(tmp_path)
    assert len(cohort) == 10
    target = cohort.schema.targets[0]
    assert (target.classes, target.positive) == (("benign", "Malignant"), "Malignant")
    assert cohort.schema.layout == "class folders"


@pytest.mark.parametrize("order", ["{part}/{label}", "{label}/{part}"])
def test_split_folders(tmp_path: Path, order: str) -> None:
    for i in range(18):
        folder = order.format(part=["train", "valid", "test"][i % 3], label="ab"[i // 3 % 2])
        save(tmp_path / folder / f"{i // 6}.png", i)
    cohort = understand(tmp_path)
    assert cohort.schema.official_parts == ("train", "val", "test")
    assert cohort.schema.targets[0].classes == ("a", "b")
    assert len({s.id for s in cohort.samples}) == 18


def test_patient_folders_and_masks_beside(tmp_path: Path) -> None:
    for i in range(24):
        path = tmp_path / f"{'tumor' if i % 2 else 'normal'}/p{i % 12:02d}/s{i}.png"
        save(path, i)
        save_mask(path.with_name(f"s{i}_mask.png"))
    cohort = understand(tmp_path)
    assert len(cohort) == 24
    assert cohort.schema.patients_known
    assert len({s.patient for s in cohort.samples}) == 12
    assert [t.kind for t in cohort.schema.targets] == ["categorical", "mask"]
    assert all("mask" in s.masks for s in cohort.samples)


def test_nothing_to_understand(tmp_path: Path) -> None:
    with pytest.raises(CohortError, match="is empty"):
        understand(tmp_path)
    (tmp_path / "readme.md").write_text("hello", encoding="utf-8")
    with pytest.raises(CohortError, match="holds no images: 1 other file"):
        understand(tmp_path)
    for i in range(3):
        save(tmp_path / f"images/{i}.png", i)
    with pytest.raises(CohortError, match=r"no labels: .* 3 images"):
        understand(tmp_path)
    with pytest.raises(CohortError, match="no file or folder"):
        understand(tmp_path / "none")


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    save(tmp_path / "secret.png")
    for i in range(8):
        save(tmp_path / f"d/{'ab'[i % 2]}/{i}.png", i)
    (tmp_path / "d/a/link.png").symlink_to(tmp_path / "secret.png")
    cohort = understand(tmp_path / "d")
    assert len(cohort) == 8
    assert cohort.set_aside[0].reason == "the link leads outside the folder"


def test_unlabelled_files_and_folders(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / f"x/{i}.png", i)
    single = save(tmp_path / "y/z/one.png", 9)
    cohort = unlabelled([tmp_path / "x", single])
    assert [s.id for s in cohort.samples] == ["0", "1", "2", "one"]
    np.testing.assert_array_equal(readers.read(cohort, cohort.samples[3].inputs["image"][0].ref).array[0], picture(9))
    with pytest.raises(CohortError, match="does not exist"):
        unlabelled([tmp_path / "none"])
    labelled = unlabelled([manifest(tmp_path / "m")])
    assert len(labelled) == 24
    assert not labelled.samples[0].targets


def test_iterable_of_mappings(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", 3)
    items = [
        {"image": picture(i) if i else path, "label": i % 2, "patient": f"p{i // 2}", "age": 50 + i, "split": "train"}
        for i in range(6)
    ]
    cohort = understand(items)
    assert cohort.schema.targets[0].classes == ("0", "1")
    assert cohort.samples[5].patient == "p2"
    assert dict(cohort.samples[5].attributes) == {"age": 55.0}
    assert cohort.samples[5].part == "train"
    for i, seed in ((0, 3), (4, 4)):
        image = readers.read(cohort, cohort.samples[i].inputs["image"][0].ref)
        np.testing.assert_array_equal(image.array[0], picture(seed))
    kinds = [{"image": picture(i), "d": 0.5 + i, "t": ["a"] if i % 2 else []} for i in range(30)]
    several = understand(kinds, Roles(target=("t", "d")))
    assert [t.kind for t in several.schema.targets] == ["multilabel", "number"]
    with pytest.raises(CohortError, match="No samples"):
        understand([])
    with pytest.raises(CohortError, match="no image"):
        understand([{"image": None, "label": 1}])


def test_iterable_of_mappings_as_data_frames_give_them() -> None:
    nan, whole = float("nan"), np.int64
    people = [12.0, nan, 12, nan, "b", "b"]
    items = [
        {
            "image": picture(i),
            "label": "ab"[i % 2],
            "patient": people[i],
            "split": nan,
            "id": nan,
            "time_days": whole(i),
        }
        for i in range(6)
    ]
    cohort = understand(items)
    ids = [s.id for s in cohort.samples]
    assert [s.patient for s in cohort.samples] == ["12", ids[1], "12", ids[3], "b", "b"]
    assert len(set(ids)) == 6
    assert "nan" not in " ".join(ids)
    assert [s.time_days for s in cohort.samples] == [0, 1, 2, 3, 4, 5]
    assert cohort.schema.official_parts == ()


def test_iterable_of_signals() -> None:
    refs = [Ref("wfdb", f"{i}.hea") for i in range(4)]
    samples = [Sample(r.path, r.path, {"trace": (Reading(r),)}, {"y": "ab"[i % 2]}) for i, r in enumerate(refs)]
    spec = understand(samples).schema.inputs[0]
    assert (spec.name, spec.kind, spec.ndim) == ("trace", "signal", 1)


def test_iterable_of_samples() -> None:
    samples = [
        Sample(
            id=f"s{i}",
            patient=f"s{i}",
            inputs={"image": (Reading(Ref("raster", "a.png")),)},
            targets={"y": "ab"[i % 2]},
        )
        for i in range(4)
    ]
    cohort = understand(samples)
    assert cohort.samples == tuple(samples)
    assert cohort.schema.targets[0].classes == ("a", "b")


def test_digest_follows_the_data_but_not_test_answers(tmp_path: Path) -> None:
    extra = [{"split": "test" if i < 6 else "train"} for i in range(24)]
    root = manifest(tmp_path, extra=extra)
    first = digest(understand(root))
    assert first == digest(understand(root))
    text = (root / "labels.csv").read_text(encoding="utf-8")
    changed = text.replace("case_000.png,0", "case_000.png,1")
    (root / "labels.csv").write_text(changed, encoding="utf-8")
    assert digest(understand(root)) == first
    assert digest(understand(root), without_test_answers=False) != digest(understand(root))
    (root / "labels.csv").write_text(text.replace("case_010.png,1", "case_010.png,0"), encoding="utf-8")
    assert digest(understand(root)) != first
    (root / "labels.csv").write_text(text, encoding="utf-8")
    save(root / "img/case_009.png", 9, (30, 30))
    assert digest(understand(root)) != first


def test_work_grows_with_the_number_of_files_and_not_with_its_square(tmp_path: Path) -> None:
    def understood(count: int) -> int:
        root = tmp_path / str(count)
        rows = ["path,label,patient"]
        data = save(root / "one.png").read_bytes()
        (root / "one.png").unlink()
        (root / "img").mkdir()
        for i in range(count):
            (root / f"img/{i}.png").write_bytes(data)
            rows.append(f"img/{i}.png,{i % 2},p{i // 3}")
        (root / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
        assert len(understand(root)) == count
        return lines(lambda: understand(root))

    assert understood(400) < 4.2 * understood(100)


def test_a_toy_layout_and_reader_need_one_line_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.toy").write_bytes(b"TOY1")
    monkeypatch.setitem(LAYOUTS.entries, "toy", "tests.data_room.toy:ToyLayout")
    monkeypatch.setitem(readers.READERS.entries, "toy", "tests.data_room.toy:ToyReader")
    cohort = understand(tmp_path)
    assert cohort.schema.layout == "toy"
    assert readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).size == (8, 8)
    assert readers.reader_for(tmp_path / "x.toy") == "toy"


def test_columns_cannot_be_named_where_there_are_none(tmp_path: Path) -> None:
    for i in range(8):
        save(tmp_path / f"{'ab'[i % 2]}/{i}.png", i)
    assert understand(tmp_path, Roles(target=("diagnosis",))).schema.targets[0].name == "diagnosis"
    for wrong in (Roles(target=("clas",)), Roles(group="patient"), Roles(split="part")):
        with pytest.raises(UnknownNameError, match="There is no column"):
            understand(tmp_path, wrong)


def test_accents_and_pages(tmp_path: Path) -> None:
    rows = ["file,label"]
    for i in range(8):
        name = f"Mu\u0308ller {i}.tif"
        first, second = (Image.fromarray(picture(i + k)) for k in range(2))
        first.save(tmp_path / name, save_all=True, append_images=[second])
        rows.append(f"M\u00fcller {i}.tif,{'ab'[i % 2]}")
    (tmp_path / "t.csv").write_text("\n".join(rows), encoding="utf-8")
    cohort = understand(tmp_path)
    assert len(cohort) == 8
    assert any("2 in the first" in u for u in cohort.schema.unsure)
