"""A cohort stays a cohort: tables join images by keys that Excel has changed, and a declared cohort is understood."""

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import dcmread

from hounsfield.core.cohort import Cohort
from hounsfield.data.cohorts import cohort_yaml, samples_csv, understand
from hounsfield.workflow.deidentify import deidentify
from tests.data_room.dicom import planted


def _image(patient: str, accession: str, number: int) -> bytes:
    dataset = planted.with_pixels(planted.plain(number=number), planted.anatomy())
    dataset.PatientID, dataset.AccessionNumber, dataset.PatientName = patient, accession, f"Nowak^P{number}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.276.0.7.{number}", f"1.2.276.0.7.{number}.1"
    return planted.stored(dataset)


def test_tables_still_join_the_images(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    patients = [("000123", "00456001"), ("000456", "00456002"), ("007890", "00456003")]
    for number, (patient, accession) in enumerate(patients, start=1):
        (source / f"z{number}.dcm").write_bytes(_image(patient, accession, number))
    (source / "answers.csv").write_text("pat,Auftrag,grade\n123,456001,low\n456.0,456002,high\n7890,456003,low\n")
    done = deidentify(source, out)
    assert (done.written, done.leaks) == (4, {})
    made = {dcmread(p).PatientID: dcmread(p).AccessionNumber for p in out.rglob("*.dcm")}
    rows = list(csv.DictReader(io.StringIO((out / "answers.csv").read_text())))
    assert {r["pat"]: r["Auftrag"] for r in rows} == made
    assert [r["grade"] for r in rows] == ["low", "high", "low"]


def _pictures(root: Path) -> None:
    random = np.random.Generator(np.random.PCG64(5))
    for number in range(12):
        kind = ("benign", "malignant")[number % 2]
        (root / kind).mkdir(parents=True, exist_ok=True)
        low = 40 if kind == "benign" else 120
        grey = random.integers(low, low + 60, (32, 32)).astype(np.uint8)
        Image.fromarray(grey).save(root / kind / f"Nowak_{number}.png")


def _told(cohort: Cohort) -> list[tuple[object, str | None]]:
    return sorted((tuple(s.targets.items()), s.part) for s in cohort.samples)


def test_a_declared_cohort_needs_no_target_again(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    _pictures(source)
    cohort = understand(source)
    (source / "cohort.yaml").write_text(cohort_yaml(cohort))
    (source / "samples.csv").write_text(samples_csv(cohort))
    before = understand(source)
    done = deidentify(source, out, options=())
    assert (done.withheld, done.leaks) == (0, {}), done.reasons
    after = understand(out)
    assert after.schema.layout == before.schema.layout
    assert after.schema.targets == before.schema.targets
    assert _told(after) == _told(before)
    assert "Nowak" not in (out / "samples.csv").read_text()
