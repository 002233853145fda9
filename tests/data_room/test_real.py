"""Real public folders come out right without flags; skipped where they are absent."""

import os
from pathlib import Path

import pytest

from hounsfield.core.cohort import Cohort
from hounsfield.data import readers
from hounsfield.data.cohorts import cohort_yaml, samples_csv, understand

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[2] / "../shared/data"))


def _cohort(name: str) -> Cohort:
    if not (DATA / name).exists():
        pytest.skip(f"{name} is not in the folder that HOUNSFIELD_DATA names")
    return understand(DATA / name)


def _roles(cohort: Cohort) -> dict[str, str]:
    return {c.column: c.role for c in cohort.schema.columns}


def test_covid_ct() -> None:
    cohort = _cohort("covid-ct")
    target = cohort.schema.targets[0]
    assert (target.name, target.classes, target.positive) == ("label", ("NonCOVID", "COVID"), "COVID")
    assert len(cohort) == 746
    assert [sum(s.part == p for s in cohort.samples) for p in ("train", "val", "test")] == [425, 118, 203]
    assert len({s.patient for s in cohort.samples}) == 384
    assert cohort.schema.side_tables == ("covid_metadata.csv", "near_duplicates.csv")
    roles = _roles(cohort)
    assert roles["original_filename"] == roles["orig_width"] == roles["orig_height"] == "record"
    by_id = {s.id: s for s in cohort.samples}
    assert by_id["kjr-21-e24-p5-29"].targets["label"] == "COVID"
    assert by_id["71_pct_0"].part == "train"
    listed = [s.records["in:covid_metadata.csv"] == 1.0 for s in cohort.samples]
    assert listed == [s.targets["label"] == "COVID" for s in cohort.samples]
    assert readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).channels == 1


def test_busi() -> None:
    cohort = _cohort("busi")
    roles = _roles(cohort)
    assert roles["class"] == "target"
    assert roles["label"] == "same as target"
    assert roles["mask"] == "mask"
    assert roles["mask_fraction"] == "leaks the answer"
    assert roles["orig_width"] == "record"
    assert cohort.schema.targets[0].classes == ("normal", "benign", "malignant")
    assert [t.kind for t in cohort.schema.targets] == ["categorical", "mask"]
    assert {s.id for s in cohort.samples} >= {"benign_433", "malignant_145"}
    assert not cohort.schema.patients_known


def test_cxr_lung_tb() -> None:
    cohort = _cohort("cxr-lung-tb")
    target = cohort.schema.targets[0]
    assert (target.name, target.positive, target.positive_source) == ("tb_label", "1", "name")
    assert sum(bool(s.masks) for s in cohort.samples) == 566
    assert len(cohort) == 662


def test_drive() -> None:
    cohort = _cohort("drive")
    assert [(t.name, t.kind) for t in cohort.schema.targets] == [("vessels", "mask")]
    assert cohort.schema.official_parts == ("train", "test")
    assert sum("vessels_2nd" in s.opinions for s in cohort.samples) == 20
    assert all("fov" in s.regions and "vessels" in s.masks for s in cohort.samples)
    assert any("nothing to classify" in n for n in cohort.schema.notes)
    image = readers.read(cohort, cohort.samples[0].inputs["image"][0].ref)
    assert (image.channels, image.size) == (3, (584, 565))


def test_msd_hippocampus() -> None:
    cohort = _cohort("msd-hippocampus")
    assert [(t.name, t.kind) for t in cohort.schema.targets] == [("label", "mask")]
    assert cohort.schema.inputs[0].ndim == 3
    assert any("nothing to classify" in n for n in cohort.schema.notes)


def test_sts_multimodal() -> None:
    cohort = _cohort("sts_multimodal")
    assert cohort.schema.targets[0].name == "lung_metastasis"
    assert sum(s.targets["lung_metastasis"] == "1" for s in cohort.samples) == 19
    assert [(i.name, i.ndim, i.modality) for i in cohort.schema.inputs] == [
        ("ct", 3, "CT"), ("mr_t1", 3, "MR"), ("pet", 3, "PT"),
    ]  # fmt: skip
    assert readers.read(cohort, cohort.samples[0].inputs["ct"][0].ref).size == (38, 39, 40)


def test_covid_chestxray() -> None:
    cohort = _cohort("covid-chestxray")
    assert cohort.schema.targets[0].name == "finding"
    assert len({s.patient for s in cohort.samples}) <= 348
    assert _roles(cohort)["patient_group"] == "patient"
    assert _roles(cohort)["clinical_notes"] == "free text"
    assert "todo" not in cohort.schema.targets[0].classes


@pytest.mark.parametrize(("name", "sizes", "ndim"), [
    ("breastmnist", (546, 78, 156), 2), ("pneumoniamnist", (4708, 524, 624), 2), ("adrenalmnist3d", (1188, 98, 298), 3),
])  # fmt: skip
def test_medmnist(name: str, sizes: tuple[int, ...], ndim: int) -> None:
    cohort = _cohort(f"medmnist/{name}.npz")
    assert tuple(sum(s.part == p for s in cohort.samples) for p in ("train", "val", "test")) == sizes
    assert cohort.schema.targets[0].positive_source == "assumed"
    assert cohort.samples[115].id == "train_115"
    assert readers.read(cohort, cohort.samples[0].inputs["image"][0].ref).ndim == ndim


@pytest.mark.parametrize("name", ["covid-ct", "busi", "drive", "sts_multimodal", "covid-chestxray"])
def test_reads_back(name: str, tmp_path: Path) -> None:
    cohort = _cohort(name)
    (tmp_path / "cohort.yaml").write_text(cohort_yaml(cohort) + f"root: {DATA.resolve() / name}\n", encoding="utf-8")
    (tmp_path / "samples.csv").write_text(samples_csv(cohort), encoding="utf-8")
    read = understand(tmp_path)
    assert read.samples == cohort.samples
    assert read.schema == cohort.schema
    assert read.set_aside == cohort.set_aside
