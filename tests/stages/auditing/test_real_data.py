"""What the audit must find unaided in public data; skipped where the data are absent."""

from collections import Counter
from pathlib import Path

import pytest

from hounsfield.core.audit import Audit
from hounsfield.data.cohorts import understand
from hounsfield.data.readers import header, read
from hounsfield.stages.auditing import audit, glance
from hounsfield.stages.splitting import split

pytestmark = pytest.mark.slow


def audited(path: Path) -> Audit:
    cohort = understand(path)
    refs = {s.id: next(iter(s.inputs.values()))[0].ref for s in cohort.samples}
    looks = [glance(name, read(cohort, ref), header(cohort, ref)) for name, ref in refs.items()]
    found = audit(cohort, looks, [], seed=0)
    division = split(cohort, found, seed=0)
    assert division.grouped
    assert len({(division.groups[n], p) for n, p in division.parts.items() if p != "out"}) == len(
        {division.groups[n] for n, p in division.parts.items() if p != "out"}
    )
    return found


def test_covid_ct(shared_data: Path) -> None:
    found = audited(shared_data / "covid-ct")
    expected = {("kjr-21-e24-p5-29", "71_pct_0"), ("kjr-21-e24-p5-31", "71_pct_1")}
    assert {tuple(sorted(p)) for p in found.contradictions} == {tuple(sorted(p)) for p in expected}
    assert {a.sample for a in found.removed_from_training} == {"71_pct_0", "71_pct_1"}
    assert len(found.duplicates) <= 30
    assert len(found.duplicates_across_parts) == 2
    assert found.shortcut is not None
    test = found.shortcut.by_part["test"]
    assert test["ending:original_filename"].value == pytest.approx(0.75, abs=0.02)
    together = test["ending:original_filename + size:orig_width x orig_height"]
    assert together.value == pytest.approx(0.79, abs=0.03)
    said = " ".join(found.shortcut.warnings)
    assert "file ending in column original_filename" in said
    assert "orig_width x orig_height" in said
    assert "covid_metadata.csv" in said
    assert "only for samples answered COVID" in said


def test_busi(shared_data: Path) -> None:
    found = audited(shared_data / "busi")
    assert found.contradictions.count(("benign_433", "malignant_145")) == 1
    assert len({frozenset(p) for p in found.contradictions}) == len(found.contradictions)
    assert max(map(len, found.clusters)) <= 6
    listed = (shared_data / "busi" / "near_duplicates.csv").read_text().split()[1:]
    wanted = {frozenset(line.split(",")[1:]) for line in listed}
    assert len(wanted & {frozenset((p.a, p.b)) for p in found.duplicates}) >= 160


def test_cxr_lung_tb(shared_data: Path) -> None:
    assert audited(shared_data / "cxr-lung-tb").duplicates == ()


def test_breastmnist(shared_data: Path) -> None:
    found = audited(shared_data / "medmnist" / "breastmnist.npz")
    exact = [p for p in found.duplicates if p.kind == "exact"]
    assert [(p.part_a, p.part_b, p.same_answer) for p in exact] == [("train", "test", False)]
    assert [p.a.endswith("115") and p.b.endswith("76") for p in exact] == [True]
    assert (exact[0].a, exact[0].b) in found.contradictions


def test_pneumoniamnist(shared_data: Path) -> None:
    found = audited(shared_data / "medmnist" / "pneumoniamnist.npz")
    counts = Counter((p.part_a, p.part_b) for p in found.duplicates)
    assert counts == {("train", "val"): 8, ("train", "train"): 18, ("test", "test"): 3}
