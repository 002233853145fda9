"""cohort.yaml and samples.csv: written, corrected, read back to the same cohort."""

from pathlib import Path

import pytest

from hounsfield.core.cohort import Cohort, Ref, Roles
from hounsfield.core.errors import CohortError, UnknownNameError
from hounsfield.data.cohorts import cohort_yaml, digest, samples_csv, understand
from hounsfield.data.ref_text import parse_ref, ref_text
from tests.data_room.folders import manifest, save
from tests.data_room.test_npz import _save


def _written(cohort: Cohort, folder: Path) -> None:
    (folder / "cohort.yaml").write_text(cohort_yaml(cohort), encoding="utf-8")
    (folder / "samples.csv").write_text(samples_csv(cohort), encoding="utf-8")


def _same(first: Cohort, second: Cohort) -> None:
    assert second.schema == first.schema
    assert second.samples == first.samples
    assert second.set_aside == first.set_aside
    assert second.name == first.name
    assert digest(second) == digest(first)


def test_manifest_reads_back(tmp_path: Path) -> None:
    extra = [
        {
            "label": ["0", "1", ""][i % 3],
            "age": 40 + i if i % 5 else "",
            "sex": "MF"[i % 2],
            "orig_filename": f"a,{i};b.png",
            "offset_days": i,
            "split": ["train", "test"][i % 2],
        }
        for i in range(24)
    ]
    cohort = understand(manifest(tmp_path, extra=extra))
    _written(cohort, tmp_path)
    _same(cohort, understand(tmp_path))
    _same(cohort, understand(tmp_path / "cohort.yaml"))
    assert str(tmp_path) not in cohort_yaml(cohort) + samples_csv(cohort)


def test_npz_and_multi_label_read_back(tmp_path: Path) -> None:
    cohort = understand(_save(tmp_path / "chest.npz", (12, 12), labels=(4,)))
    _written(cohort, tmp_path)
    _same(cohort, understand(tmp_path))


def test_corrections_by_hand(tmp_path: Path) -> None:
    cohort = understand(manifest(tmp_path))
    text = cohort_yaml(cohort).replace("positive: '1'", "positive: '0'").replace("source: assumed", "source: declared")
    (tmp_path / "cohort.yaml").write_text(text, encoding="utf-8")
    rows = samples_csv(cohort).replace("case_003,P1,,0.0,img/case_003.png,1", "case_003,P1,,0.0,img/case_003.png,0")
    (tmp_path / "samples.csv").write_text(rows, encoding="utf-8")
    read = understand(tmp_path)
    assert (read.schema.targets[0].positive, read.samples[3].targets["label"]) == ("0", "0")
    assert understand(tmp_path, Roles(positive="1")).schema.targets[0].positive == "1"


DECLARED = """
schema_version: 1
manifest: answers.csv
targets:
  - {name: lesion, kind: categorical, positive: "yes"}
  - {name: types, kind: multilabel, classes: [nodule, cyst], columns: [nodule, cyst]}
  - {name: grade, kind: ordinal, classes: [low, mid, high]}
  - {name: diameter, kind: number, unit: mm}
columns: {scanner: unused, who: patient}
"""


def _declared(root: Path) -> Path:
    rows = ["path,who,lesion,nodule,cyst,grade,diameter,scanner"]
    for i in range(24):
        save(root / f"{i}.png", i)
        grade = ["low", "mid", "high", ""][i % 4]
        rows.append(f"{i}.png,w{i // 2},{['no', 'yes'][i % 2]},{i % 2},{i // 2 % 2},{grade},{i * 1.5},A")
    (root / "answers.csv").write_text("\n".join(rows), encoding="utf-8")
    (root / "cohort.yaml").write_text(DECLARED, encoding="utf-8")
    return root


def test_declared_by_hand(tmp_path: Path) -> None:
    cohort = understand(_declared(tmp_path))
    kinds = {t.name: (t.kind, t.classes, t.positive, t.unit) for t in cohort.schema.targets}
    assert kinds == {
        "lesion": ("categorical", ("no", "yes"), "yes", ""),
        "types": ("multilabel", ("nodule", "cyst"), None, ""),
        "grade": ("ordinal", ("low", "mid", "high"), None, ""),
        "diameter": ("number", (), None, "mm"),
    }
    assert [t.name for t in cohort.schema.targets] == ["lesion", "types", "grade", "diameter"]
    sample = cohort.samples[3]
    assert dict(sample.targets) == {"lesion": "yes", "types": ("nodule", "cyst"), "grade": None, "diameter": 4.5}
    assert sample.patient == "w1"
    chosen = understand(tmp_path, Roles(target=("grade",)))
    assert [t.kind for t in chosen.schema.targets] == ["ordinal"]
    assert len(chosen) == 18
    _written(cohort, tmp_path)
    _same(cohort, understand(tmp_path))


def test_bad_cohort_files(tmp_path: Path) -> None:
    root = _declared(tmp_path)
    file = root / "cohort.yaml"
    file.write_text(DECLARED.replace("manifest:", "manifst:"), encoding="utf-8")
    with pytest.raises(UnknownNameError, match=r"'manifst'[\s\S]*write 'manifest'"):
        understand(root)
    file.write_text(DECLARED.replace("unit:", "units:"), encoding="utf-8")
    with pytest.raises(UnknownNameError, match="write 'unit'"):
        understand(root)
    file.write_text(DECLARED.replace("schema_version: 1", "schema_version: 2"), encoding="utf-8")
    with pytest.raises(CohortError, match="schema_version 2"):
        understand(root)
    file.write_text("a: [", encoding="utf-8")
    with pytest.raises(CohortError, match="cannot be read as YAML"):
        understand(root)
    file.write_text(DECLARED.replace("scanner: unused", "scaner: unused"), encoding="utf-8")
    with pytest.raises(UnknownNameError, match="write 'scanner'"):
        understand(root)
    file.write_text(DECLARED.replace("[low, mid, high]", "[low, high]"), encoding="utf-8")
    with pytest.raises(UnknownNameError, match="no class of 'grade' named 'mid'"):
        understand(root)


def test_moved_away_from_its_data(tmp_path: Path) -> None:
    cohort = understand(manifest(tmp_path / "data"))
    (tmp_path / "run").mkdir()
    _written(cohort, tmp_path / "run")
    with pytest.raises(CohortError, match="None of the files"):
        understand(tmp_path / "run")
    text = (tmp_path / "run/cohort.yaml").read_text(encoding="utf-8")
    (tmp_path / "run/cohort.yaml").write_text(text + "root: ../data\n", encoding="utf-8")
    assert understand(tmp_path / "run").samples == cohort.samples


@pytest.mark.parametrize(
    "ref",
    [
        Ref("raster", "a b/ü.png"),
        Ref("npz", "x.npz", (("array", "train_images"), ("index", 3))),
        Ref("raster", "we|rd%.png"),
        Ref("raster", "v.tif", (("pages", "all"),)),
        Ref("raster", "[x].png"),
    ],
)
def test_refs_as_text(ref: Ref) -> None:
    assert parse_ref(ref_text(ref)) == ref
