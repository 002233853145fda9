import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from hounsfield.core.errors import RunExistsError
from hounsfield.data.cohorts import understand
from hounsfield.workflow.demo import COLUMNS, TRAPS, demo, write_cohort


def test_the_cohort_is_seeded_and_understood(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_cohort(tmp_path / name, patients=10, slices=1, size=48, seed=4)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
    cohort = understand(tmp_path / "a")
    assert [t.kind for t in cohort.schema.targets] == ["categorical", "multilabel", "ordinal", "number"]
    assert cohort.schema.official_parts == ("train", "val", "test")
    assert len(cohort) == 10 + len(TRAPS)


def test_slices_are_16_bit_and_no_patient_is_in_two_parts(tmp_path: Path) -> None:
    write_cohort(tmp_path, patients=10, slices=2, size=48)
    with (tmp_path / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert len({(r["patient"], r["split"]) for r in rows}) == 10
    with Pillow.open(tmp_path / rows[0]["image"]) as image:
        assert np.asarray(image).dtype == np.uint16
        assert image.size == (48, 48)


def test_a_finished_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "report.json").write_text("{}")
    with pytest.raises(RunExistsError, match="finished demo"):
        demo(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
