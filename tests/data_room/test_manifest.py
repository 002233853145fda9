"""Tables beside images: roles by content and name, answers, bad input."""

from pathlib import Path

import pytest

from hounsfield.core.cohort import Cohort, Roles
from hounsfield.core.errors import CohortError, UnknownNameError
from hounsfield.data.cohorts import check_trainable, understand
from tests.data_room.folders import manifest, save, save_mask, table


def _role(cohort: Cohort, column: str) -> str:
    return next(c.role for c in cohort.schema.columns if c.column == column)


def test_plain_manifest(tmp_path: Path) -> None:
    cohort = understand(manifest(tmp_path))
    target = cohort.schema.targets[0]
    assert (target.name, target.kind, target.classes) == ("label", "categorical", ("0", "1"))
    assert (target.positive, target.positive_source) == ("1", "assumed")
    assert any("assumed" in u for u in cohort.schema.unsure)
    assert cohort.schema.patients_known
    assert cohort.samples[3].patient == "P1"
    assert cohort.samples[3].id == "case_003"
    assert cohort.samples[3].targets == {"label": "1"}
    assert understand(tmp_path / "labels.csv").samples == cohort.samples


def test_keys_without_ending_that_lost_their_zeros(tmp_path: Path) -> None:
    for i in range(12):
        save(tmp_path / f"images/{i:03d}.png", i)
        save_mask(tmp_path / f"masks/{i:03d}.png")
    table(tmp_path / "answers.csv", [{"no": i, "dx": "yes" if i % 2 else "no"} for i in range(12)], delimiter=";")
    cohort = understand(tmp_path)
    assert len(cohort) == 12
    assert cohort.samples[7].inputs["image"][0].ref.path == "images/007.png"
    assert cohort.schema.targets[0].positive == "yes"
    assert cohort.schema.targets[0].positive_source == "name"


def test_leak_twin_record_constant_and_split(tmp_path: Path) -> None:
    extra = [
        {
            "diagnosis": "tumour" if i % 4 // 2 else "Normal",
            "area": 3.0 + i / 100 if i % 4 // 2 else i / 100,
            "code": "AB"[i % 4 // 2] + str(i % 2),
            "orig_width": 100 + i,
            "scanner": "XYZ"[i % 3],
            "site": "one",
            "set": ["train", "Training", "valid", "TEST"][i % 4],
            "comment": "a long text that a doctor wrote about it, number " + str(i),
        }
        for i in range(48)
    ]
    cohort = understand(manifest(tmp_path, 48, extra=extra))
    roles = {c.column: c.role for c in cohort.schema.columns}
    assert roles == {
        "path": "image", "label": "same as target", "patient": "patient", "diagnosis": "target",
        "area": "leaks the answer", "code": "leaks the answer", "orig_width": "record", "scanner": "attribute",
        "site": "constant", "set": "split", "comment": "free text",
    }  # fmt: skip
    assert cohort.schema.targets[0].classes == ("Normal", "tumour")
    assert cohort.schema.targets[0].positive == "tumour"
    assert cohort.schema.official_parts == ("train", "val", "test")
    sample = cohort.samples[3]
    assert sample.part == "test"
    assert set(sample.records) == {"area", "code", "orig_width"}
    assert dict(sample.attributes) == {"scanner": "X"}
    assert any("'area' gives the answer away" in n for n in cohort.schema.notes)


def test_permuted_test_answers_change_no_other_conclusion(tmp_path: Path) -> None:
    def rows(*, flipped: bool) -> list[dict[str, object]]:
        out: list[dict[str, object]] = []
        for i in range(60):
            part = "test" if i % 3 == 0 else "train"
            label = i % 2
            shown = 1 - label if flipped and part == "test" and i % 4 else label
            out.append(
                {"label": shown, "diagnosis": "ill" if label else "well", "split": part, "area": label + i / 100}
            )
        return out

    plain = understand(manifest(tmp_path / "a", 60, extra=[{**r} for r in rows(flipped=False)]))
    flipped = understand(manifest(tmp_path / "b", 60, extra=[{**r} for r in rows(flipped=True)]))
    assert plain.schema.targets == flipped.schema.targets
    assert plain.schema.columns == flipped.schema.columns


def test_spellings_merge_and_missing_answers_are_set_aside(tmp_path: Path) -> None:
    words = ["COVID ", "covid", "Normal", "normal ", "COVID", "", "todo", "normal"] * 3
    cohort = understand(manifest(tmp_path, 24, extra=[{"label": w} for w in words]))
    assert cohort.schema.targets[0].classes == ("COVID", "normal")
    assert cohort.schema.targets[0].positive == "COVID"
    assert len(cohort.set_aside) == 6
    assert {a.reason for a in cohort.set_aside} == {"no answer"}
    assert any("spellings of 'normal'" in n for n in cohort.schema.notes)


def test_labels_in_one_cell_and_in_several_columns(tmp_path: Path) -> None:
    cells = ["effusion|mass", "mass", "No Finding", "effusion"] * 6
    cohort = understand(manifest(tmp_path / "a", 24, extra=[{"label": c} for c in cells]))
    assert cohort.schema.targets[0].kind == "multilabel"
    assert cohort.schema.targets[0].classes == ("effusion", "mass")
    assert [s.targets["label"] for s in cohort.samples[:3]] == [("effusion", "mass"), ("mass",), ()]
    extra = [{"effusion": i % 2, "mass": i // 2 % 2} for i in range(24)]
    joined = understand(manifest(tmp_path / "b", 24, extra=extra), Roles(target=("effusion", "mass")))
    assert joined.schema.targets[0].kind == "multilabel"
    assert [s.targets["effusion+mass"] for s in joined.samples[:4]] == [
        (),
        ("effusion",),
        ("mass",),
        ("effusion", "mass"),
    ]


def test_numbers(tmp_path: Path) -> None:
    root = manifest(tmp_path, 24, extra=[{"diameter_mm": f"{10 + i * 0.7:.1f}"} for i in range(24)])
    cohort = understand(root, Roles(target=("diameter_mm",)))
    assert cohort.schema.targets[0].kind == "number"
    assert cohort.samples[2].targets == {"diameter_mm": 11.4}
    assert _role(cohort, "label") == "attribute"


def test_manifest_beats_folders_and_says_so(tmp_path: Path) -> None:
    rows = []
    for i in range(40):
        folder = "恶性" if i % 2 else "良性"
        save(tmp_path / f"图 像/{folder}/{i}.png", i)
        rows.append({"file": f"图 像/{folder}/{i}.png", "label": 1 - i % 2 if i == 6 else i % 2})
    table(tmp_path / "表.csv", rows, encoding="gb18030")
    cohort = understand(tmp_path)
    assert cohort.schema.targets[0].classes == ("良性", "恶性")
    assert cohort.schema.targets[0].positive == "恶性"
    assert cohort.samples[6].targets["label"] == "恶性"
    assert any("1 samples lie in a folder" in u for u in cohort.schema.unsure)


def test_side_table_and_list_of_pairs(tmp_path: Path) -> None:
    root = manifest(tmp_path)
    table(root / "clinical.csv", [{"case": f"case_{i:03d}", "age": 40 + i} for i in range(0, 24, 2)])
    table(root / "dup.csv", [{"a": f"img/case_{i:03d}.png", "b": f"img/case_{i + 1:03d}.png"} for i in range(6)])
    cohort = understand(root)
    assert cohort.schema.side_tables == ("clinical.csv", "dup.csv")
    assert [s.records for s in cohort.samples[:2]] == [{"in:clinical.csv": 1.0}, {"in:clinical.csv": 0.0}]
    assert any("dup.csv" in n and "not used" in n for n in cohort.schema.notes)


def test_one_table_per_part(tmp_path: Path) -> None:
    for part, start in (("train", 0), ("test", 20)):
        rows = []
        for i in range(start, start + 20):
            save(tmp_path / f"img/{i}.png", i)
            rows.append({"image": f"{i}.png", "label": "ab"[i % 2]})
        table(tmp_path / f"{part}.csv", rows)
    cohort = understand(tmp_path)
    assert len(cohort) == 40
    assert cohort.schema.official_parts == ("train", "test")


def test_same_image_twice(tmp_path: Path) -> None:
    rows = [{"image": f"{i // 2}.png", "label": "ab"[i % 2 if i < 2 else i // 2 % 2]} for i in range(24)]
    for i in range(12):
        save(tmp_path / f"{i}.png", i)
    table(tmp_path / "t.csv", rows)
    cohort = understand(tmp_path)
    assert [s.id for s in cohort.samples[:3]] == ["0", "0#2", "1"]
    assert len(cohort.set_aside) == 11
    assert cohort.set_aside[0].reason == "listed twice"


def test_overrides(tmp_path: Path) -> None:
    extra = [{"who": f"Q{i // 3}", "phase": ["train", "val", "test"][i % 3], "other": "xy"[i % 2]} for i in range(24)]
    root = manifest(tmp_path, extra=extra)
    cohort = understand(root, Roles(target=("other",), group="who", split="phase", positive="x", image="path"))
    assert cohort.schema.targets[0].name == "other"
    assert (cohort.schema.targets[0].positive, cohort.schema.targets[0].positive_source) == ("x", "declared")
    assert cohort.samples[4].patient == "Q1"
    for wrong in (Roles(target=("lable",)), Roles(group="patien"), Roles(image="pth"), Roles(split="phse")):
        with pytest.raises(UnknownNameError, match="There is no column named"):
            understand(root, wrong)
    with pytest.raises(UnknownNameError, match="write 'label'"):
        understand(root, Roles(target=("lable",)))
    with pytest.raises(UnknownNameError, match="class of"):
        understand(root, Roles(positive="7"))
    with pytest.raises(CohortError, match="no table named"):
        understand(root, Roles(labels="other.csv"))


def test_answers_lying_elsewhere(tmp_path: Path) -> None:
    root = manifest(tmp_path / "images")
    answers = tmp_path / "elsewhere.tsv"
    (root / "labels.csv").rename(answers)
    text = answers.read_text(encoding="utf-8").replace(",", "\t")
    answers.write_text(text, encoding="utf-8")
    assert len(understand(root, Roles(labels=str(answers)))) == 24


def test_tie_is_an_error_that_lists_the_choices(tmp_path: Path) -> None:
    extra = [{"diagnosis": "ab"[i % 2]} for i in range(24)]
    with pytest.raises(CohortError, match=r"could be the answer: diagnosis, label\.[\s\S]*--target diagnosis"):
        understand(manifest(tmp_path, extra=extra))


def test_bad_paths(tmp_path: Path) -> None:
    root = manifest(tmp_path / "a")
    save(tmp_path / "secret.png")
    text = (root / "labels.csv").read_text(encoding="utf-8")
    (root / "labels.csv").write_text(text.replace("img/case_003.png", "../secret.png"), encoding="utf-8")
    with pytest.raises(CohortError, match=r"1 image paths in 'labels\.csv' lead outside") as caught:
        understand(root)
    assert "secret" not in str(caught.value)
    (root / "labels.csv").write_text(text.replace("img/case_003.png", "/etc/x.png"), encoding="utf-8")
    with pytest.raises(CohortError, match="outside"):
        understand(root)
    absolute = text.replace("img/case_003.png", str((root / "img/case_003.png").resolve()))
    (root / "labels.csv").write_text(absolute, encoding="utf-8")
    assert len(understand(root)) == 24
    (root / "labels.csv").write_text(text.replace("img/case_003.png", "img/none.png"), encoding="utf-8")
    cohort = understand(root)
    assert [(a.sample, a.reason) for a in cohort.set_aside] == [("none", "image file missing")]
    (root / "labels.csv").write_text(text.replace("img/case", "img/other"), encoding="utf-8")
    with pytest.raises(CohortError, match="None of the 24 images"):
        understand(root)


def test_one_class_is_refused_for_training(tmp_path: Path) -> None:
    cohort = understand(manifest(tmp_path, extra=[{"label": "COVID"} for _ in range(24)]))
    assert cohort.schema.targets[0].classes == ("COVID",)
    with pytest.raises(CohortError, match="All 24 samples have the same answer"):
        check_trainable(cohort)
