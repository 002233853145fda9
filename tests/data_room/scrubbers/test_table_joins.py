"""What a table says after de-identification still joins the images that were de-identified with it."""

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest

from hounsfield.data.files import list_files
from hounsfield.data.layouts.manifest import tables_in
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.data.scrubbers.tables import TableScrubber
from hounsfield.privacy.pseudonyms import Pseudonyms
from hounsfield.workflow.deidentify import deidentify

PSEUDONYMS = Pseudonyms(bytes(range(32)))
CT = "1.2.840.10008.5.1.4.1.1.2"


def _scrubbed(folder: Path, heads: list[str], rows: list[list[str]]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    path = folder / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([heads, *rows])
    done = TableScrubber().scrub(path, ScrubOrder(PSEUDONYMS, frozenset({"shift-dates"})))
    assert done.content is not None
    return list(csv.DictReader(done.content.decode().splitlines())), done.identifiers


@pytest.mark.parametrize("header", ["image_id", "study", "SOPInstanceUID", "notes", "case"])
@pytest.mark.parametrize("root", ["2.25.33812345678901234567890123456789012", "1.3.6.1.4.1.9590.100.1.2"])
def test_uids_get_the_uids_of_the_images_whatever_their_column_is_called(
    tmp_path: Path, header: str, root: str
) -> None:
    uids = [f"{root}{n}" for n in range(1, 5)]
    rows, _ = _scrubbed(tmp_path, [header, "lesion"], [[u, "yes"] for u in uids])
    assert [r[header] for r in rows] == [PSEUDONYMS.uid(u) for u in uids]


def test_uids_of_the_standard_stay(tmp_path: Path) -> None:
    rows, told = _scrubbed(tmp_path, ["SOPClassUID", "lesion"], [[CT, "yes"], [CT, "no"]])
    assert [r["SOPClassUID"] for r in rows] == [CT, CT]
    assert CT not in told


def test_dates_move_with_the_patient_and_not_with_the_first_number(tmp_path: Path) -> None:
    given = [[f"rec{n}x", f"MRN{n:05d}", f"2020-01-{n:02d}"] for n in range(1, 6)]
    rows, _ = _scrubbed(tmp_path, ["record", "PatientID", "scan_date"], given)
    wanted = [str(date.fromisoformat(d) + timedelta(days=PSEUDONYMS.days(p))) for _, p, d in given]
    assert [r["scan_date"] for r in rows] == wanted


def test_reasons_hold_no_hash_of_a_path_and_the_list_is_no_table_of_answers(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "broken.dcm").write_bytes(bytes(128) + b"DICM" + b"\xe0\x7f\x10\x00OW\0\0\x00\x12\0\0" + bytes(40))
    (source / "answers.csv").write_text("image,lesion\na.png,yes\nb.png,no\n")
    done = deidentify(source, tmp_path / "out")
    assert done.withheld == 1
    assert not [r for r in done.reasons if r.startswith("Case ")]
    assert [s.name for s in tables_in(list_files(tmp_path / "out"))[0]] == ["answers.csv"]
