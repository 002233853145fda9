"""``cohort.yaml`` and ``samples.csv`` travel with the data and still describe them."""

from pathlib import Path

import pytest
import yaml

from hounsfield.core.errors import ReadError
from tests.data_room.scrubbers.told import PSEUDONYMS, SECRETS, scrub, written

TEXT = """schema_version: 1
name: Kowalewska export
layout: manifest
root: Kowalewska_Zofia
manifest: PID-778899.csv
targets:
- {name: diagnosis, kind: categorical, classes: [benign, malignant], positive: malignant}
columns: {diagnosis: target, area_mm2: attribute}
notes: [Kowalewska is missing]
set_aside: [{sample: Kowalewska_3, reason: image file missing}]
"""


def test_what_is_asked_stays_and_names_go(tmp_path: Path) -> None:
    result = scrub(tmp_path, "cohort.yaml", TEXT.encode())
    made = yaml.safe_load(written(result))
    assert made == {
        "schema_version": 1,
        "layout": "manifest",
        "root": PSEUDONYMS.patient("Kowalewska_Zofia"),
        "manifest": PSEUDONYMS.patient("PID-778899") + ".csv",
        "targets": [
            {"name": "diagnosis", "kind": "categorical", "classes": ["benign", "malignant"], "positive": "malignant"}
        ],
        "columns": {"diagnosis": "target", "area_mm2": "attribute"},
    }
    assert set(result.removed) == {"name", "notes", "set_aside"}
    assert any("Kowalewska" in t for t in result.texts)


@pytest.mark.parametrize(
    ("change", "new"),
    [("positive: malignant", "positive: PID-778899"), ("[benign, malignant]", "[malignant, 23.09.1951]")],
)
def test_a_class_that_looks_like_a_value_is_withheld(tmp_path: Path, change: str, new: str) -> None:
    result = scrub(tmp_path, "cohort.yaml", TEXT.replace(change, new).encode())
    assert result.content is None
    assert not [s for s in SECRETS if s in result.withheld]


@pytest.mark.parametrize("text", ["patient: Kowalewska", "- Kowalewska", "{{", "schema_version: Kowalewska"])
def test_what_cannot_be_understood_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ReadError) as caught:
        scrub(tmp_path, "cohort.yaml", text.encode())
    assert "Kowalewska" not in str(caught.value)


def test_a_way_out_of_the_folder_is_withheld(tmp_path: Path) -> None:
    result = scrub(tmp_path, "cohort.yaml", b"root: ../Kowalewska\nlayout: manifest")
    assert result.content is None
    assert "out of its folder" in result.withheld
