"""The key of a table of answers: never an attribute, and samples are named as the files are."""

import csv
from collections.abc import Sequence
from pathlib import Path

from hounsfield.core.cohort import Cohort
from hounsfield.data.cohorts import understand
from tests.data_room.dicom.making import dataset, save, uid


def _cohort(root: Path, rows: Sequence[Sequence[object]]) -> Cohort:
    """Return the cohort of four CT studies, accession 000710 to 000713, with a table."""
    for n in range(4):
        words = f"00{n + 1}/s/soft"
        for z in range(3):
            facts = {"AccessionNumber": f"000{710 + n}"}
            save(root / f"{n}" / uid(words, z)[-9:], dataset(words, facts, number=z))
    with (root / "answers.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["Zugangsnummer", "finding"], *rows])
    return understand(root)


def _role(cohort: Cohort) -> str:
    return next(c.role for c in cohort.schema.columns if c.column == "Zugangsnummer")


def test_rows_without_files_change_nothing_for_the_others(tmp_path: Path) -> None:
    rows = [[f"{710 + n}.0", "ab"[n % 2]] for n in range(4)]
    cohort = _cohort(tmp_path, [*rows, ["999.0", "a"], ["", "b"]])
    assert [s.id for s in cohort.samples] == ["000710", "000711", "000712", "000713"]
    assert _role(cohort) == "id"
    assert not any("Zugangsnummer" in s.attributes for s in cohort.samples)
    reasons = {e.sample: e.reason for e in cohort.set_aside}
    assert reasons["999.0"] == "no file has this AccessionNumber"
    assert reasons["row 7"] == "no key"


def test_a_key_that_stands_in_several_rows_is_no_attribute_either(tmp_path: Path) -> None:
    cohort = _cohort(tmp_path, [[f"{710 + n // 2}", "ab"[n % 2]] for n in range(8)])
    assert _role(cohort) == "unused"
    assert not any("Zugangsnummer" in s.attributes for s in cohort.samples)
