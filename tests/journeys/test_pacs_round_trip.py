"""A cohort goes to a PACS and comes back, leaves without persons, and is trained on; the answers travel beside it."""

import csv
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import FileDataset, dcmread

import hounsfield as hf
from hounsfield.workflow.training import Run
from tests.data_room.pacs.namespace import lacking, travelled
from tests.journeys.making import hu, quick

pytestmark = pytest.mark.slow
SENT, DAMAGED = 42, 1
KEPT = ("split", "lesion", "lesion_types", "grade", "diameter_mm", "scanner", "age", "sex")
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Trip:
    """What came back from the PACS with its answers, what was made of it, and how that was reported."""

    back: Path
    out: Path
    said: Mapping[str, object]

    def pairs(self) -> list[tuple[FileDataset, FileDataset]]:
        """Return each file as it came back and as it left, by the private table of links."""
        links = _rows(self.out.with_name("out.links.csv"))
        dicom = [r for r in links if r["input"].endswith(".dcm") and r["output"]]
        return [(dcmread(self.back / r["input"]), dcmread(self.out / r["output"])) for r in dicom]

    def answers(self) -> tuple[Rows, Rows]:
        """Return the rows of the table before and after."""
        return _rows(self.back / "answers.csv"), _rows(self.out / "answers.csv")


def _rows(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def trip(tmp_path_factory: pytest.TempPathFactory) -> Trip:
    reason = lacking()
    if reason:
        pytest.skip(reason)
    root = tmp_path_factory.mktemp("round-trip")
    moved = travelled(root, "demo")["demo"]["moved"]
    assert moved == [SENT, SENT]
    back, out = root / "demo-back", root / "out"
    shutil.copyfile(root / "demo" / "answers.csv", back / "answers.csv")
    ended = hu("deidentify", back, out, "--json")
    assert ended.exit_code == 0, ended.output
    return Trip(back, out, json.loads(ended.stdout))


@pytest.fixture(scope="module")
def run(trip: Trip) -> Run:
    return quick(trip.out, trip.out.parent / "run", target=("lesion",), members=1)


def test_everything_leaves_and_the_second_pass_finds_nothing(trip: Trip) -> None:
    assert trip.said["formats"] == {"dicom": SENT, "table": 1}
    assert trip.said["leaks"] == {}
    assert trip.said["searched_to_the_end"] is True
    assert len(trip.pairs()) == SENT


def test_no_identifier_is_left_in_any_byte_or_name(trip: Trip) -> None:
    told = {
        str(old.get(keyword, "")).encode()
        for old, _ in trip.pairs()
        for keyword in ("PatientID", "PatientName", "AccessionNumber")
    }
    told |= {
        str(getattr(old, f"{kind}InstanceUID")).encode()
        for old, _ in trip.pairs()
        for kind in ("SOP", "Series", "Study")
    }
    files = [p for p in trip.out.rglob("*") if p.is_file()]
    found = [
        (path.name, value)
        for path in files
        for value in told
        if value in path.read_bytes() or value in path.relative_to(trip.out).as_posix().encode()
    ]
    assert len(files) == SENT + 3
    assert found == []


def test_pixels_and_geometry_stay(trip: Trip) -> None:
    for old, new in trip.pairs():
        assert new.PixelData == old.PixelData
        assert new.ImagePositionPatient == old.ImagePositionPatient
        assert (new.RescaleSlope, new.RescaleIntercept, new.PixelSpacing) == (
            old.RescaleSlope,
            old.RescaleIntercept,
            old.PixelSpacing,
        )
        assert new.SOPInstanceUID != old.SOPInstanceUID
        assert new.PatientIdentityRemoved == "YES"


def test_each_image_keeps_its_answers(trip: Trip) -> None:
    before, after = trip.answers()
    assert len(before) == len(after) == SENT + DAMAGED
    asked = {row["SOPInstanceUID"]: row for row in before}
    given = {row["SOPInstanceUID"]: row for row in after}
    for old, new in trip.pairs():
        was, became = asked[old.SOPInstanceUID], given[new.SOPInstanceUID]
        assert [became[name] for name in KEPT] == [was[name] for name in KEPT]
        assert became["PatientID"] == new.PatientID != was["PatientID"] == old.PatientID


def test_dates_of_a_patient_move_together(trip: Trip) -> None:
    """Another patient's new date may be this one's old date: each is looked for in the patient's own files."""
    moved: dict[str, set[str]] = {}
    for old, new in trip.pairs():
        assert str(old.StudyDate) not in str(new)
        moved.setdefault(old.PatientID, set()).add(new.StudyDate)
    assert len(moved) == 20
    assert {len(days) for days in moved.values()} == {1}


def test_it_is_trained_and_judged(trip: Trip, run: Run) -> None:
    _, rows = trip.answers()
    here = {new.SOPInstanceUID for _, new in trip.pairs()}
    test = [r for r in rows if r["split"] == "test" and r["SOPInstanceUID"] in here]
    assert run.report.target.classes == ("lesion", "no lesion")
    part = run.report.parts["test"]
    assert part.samples == len(test) > 0
    assert part.patients == len({r["PatientID"] for r in test})
    auroc = part.metrics["auroc"]
    assert auroc.value is not None
    assert auroc.low is not None
    assert auroc.high is not None
    assert 0.0 <= auroc.low <= auroc.value <= auroc.high <= 1.0
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page


def test_the_run_folder_knows_no_patient(trip: Trip, run: Run) -> None:
    told = {old.PatientName.family_name + "^" for old, _ in trip.pairs()}
    told |= {str(old.SOPInstanceUID) for old, _ in trip.pairs()}
    texts = [p for p in run.path.rglob("*") if p.suffix in (".csv", ".json", ".yaml", ".html")]
    assert len(texts) > 5
    assert [(p.name, t) for p in texts for t in told if t in p.read_text(encoding="utf-8")] == []


def test_one_file_without_an_ending_gets_an_answer(trip: Trip, run: Run, tmp_path: Path) -> None:
    source = min(trip.out.rglob("*.dcm"))
    bare = tmp_path / "IM000001"
    shutil.copyfile(source, bare)
    (said,) = hf.predict(run.path, [bare])
    assert said.refusal in (None, "")
    answer = said.targets["lesion"]
    assert answer.value in ("lesion", "no lesion")
    assert sum(answer.probabilities.values()) == pytest.approx(1.0, abs=1e-6)
    ended = hu("predict", run.path, bare)
    assert ended.exit_code == 0, ended.output
