"""A folder with identifiers planted in some thirty places leaves without any, and nothing else is lost."""

import csv
import io
import json
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from typer.testing import CliRunner

from hounsfield.cli.app import app
from hounsfield.core.errors import InputError, RunExistsError
from hounsfield.data.protocols import Scrubbed
from hounsfield.data.scrubbers.order import ScrubOrder
from hounsfield.data.scrubbers.raster import RasterScrubber
from hounsfield.workflow.deidentify import Deidentified, deidentify
from hounsfield.workflow.deidentify_ledger import Treated
from tests.data_room.dicom.planted import holds
from tests.journeys.planting import SECRETS, Planted, burned_in, opened_up, plant


@dataclass(frozen=True)
class Journey:
    source: Path
    out: Path
    files: tuple[Planted, ...]
    done: Deidentified
    links: dict[str, str]


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _links(path: Path) -> dict[str, str]:
    return {row["input"]: row["output"] for row in _rows(path)}


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Journey:
    root = tmp_path_factory.mktemp("deidentify")
    source, out = root / "in", root / "out"
    source.mkdir()
    files = plant(source)
    done = deidentify(source, out)
    return Journey(source, out, files, done, _links(root / "out.links.csv"))


def test_none_survives(journey: Journey) -> None:
    clean = 0
    written = [p for p in journey.out.rglob("*") if p.is_file()]
    found = {
        (str(p.relative_to(journey.out)), secret)
        for p in written
        for view in [*opened_up(p.read_bytes()), str(p.relative_to(journey.out)).encode()]
        for secret in SECRETS
        if holds(view, secret)
    }
    assert found == set()
    for file in journey.files:
        clean += bool(journey.links[file.path]) == (file.same is not None)
    sys.stdout.write(f"{clean} of {len(journey.files)} planted files are as they should be\n")
    assert clean == len(journey.files) >= 24, {
        f.path: journey.links[f.path] for f in journey.files if bool(journey.links[f.path]) != (f.same is not None)
    }


def test_nothing_else_is_lost(journey: Journey) -> None:
    same = [f for f in journey.files if f.same is not None]
    changed = [
        f.path
        for f in same
        if f.same is not None and f.same(f.content) != f.same((journey.out / journey.links[f.path]).read_bytes())
    ]
    assert changed == []


def test_every_input_is_named(journey: Journey) -> None:
    rows = _rows(journey.out / "deidentified.csv")
    assert len(rows) == len(journey.files) == journey.done.files
    assert all((row["outcome"] == "written") == bool(row["output"]) for row in rows)
    assert all(row["reason"] for row in rows if row["outcome"] == "withheld")
    assert {row["output"] for row in rows if row["output"]} == {
        p.relative_to(journey.out).as_posix() for p in journey.out.rglob("*") if p.is_file()
    } - {"deidentified.csv", "deidentified.json"}
    assert json.loads((journey.out / "deidentified.json").read_text())["edition"].startswith("PS3.15")
    assert journey.done.leaks == {}
    assert journey.done.written + journey.done.withheld == journey.done.files


def test_text_in_the_last_frame_is_covered(journey: Journey) -> None:
    _, shown, letters = burned_in()
    frames = dcmread(journey.out / journey.links["dicom/burned in.dcm"]).pixel_array
    assert not (frames[-1][letters] == 255).any()
    assert np.array_equal(frames[-1][60:], shown[-1][60:])


def test_files_of_one_person_still_belong_together(journey: Journey) -> None:
    rows = _rows(journey.out / journey.links["answers.csv"])
    patient = dcmread(journey.out / journey.links["dicom/header.dcm"]).PatientID
    assert rows[0]["patient_id"] == patient
    assert (journey.out / journey.links["sleep.edf"]).read_bytes()[8:88].split()[0].decode() == patient
    header = (journey.out / journey.links["kowalewska_778899.hea"]).read_text().split()
    assert f"{header[0]}.dat" == journey.links["kowalewska_778899.dat"]
    assert f"{header[0]}.dat" in header
    # the picture that a row names has the stem that such a file would get
    assert rows[0]["age"] == "90"
    assert rows[1]["age"] == "51"
    assert [r["name"] for r in rows] == ["", ""]


def test_dates_of_one_patient_move_alike(journey: Journey) -> None:
    rows = _rows(journey.out / journey.links["answers.csv"])
    day, month, year = rows[0]["visit"].split(".")
    study = dcmread(journey.out / journey.links["dicom/header.dcm"]).StudyDate
    assert study == f"{year}{month}{day}" != "20190412"
    edf = (journey.out / journey.links["sleep.edf"]).read_bytes()[168:176].decode()
    assert edf == f"{day}.{month}.{year[2:]}"


def test_the_key_lies_apart_and_is_the_owners(journey: Journey) -> None:
    key = journey.out.parent / "out.key"
    assert (
        stat.S_IMODE(key.stat().st_mode) == stat.S_IMODE((journey.out.parent / "out.links.csv").stat().st_mode) == 0o600
    )
    secret = key.read_text().strip()
    for path in journey.out.rglob("*"):
        if path.is_file():
            assert secret.encode() not in path.read_bytes()
            assert bytes.fromhex(secret) not in path.read_bytes()
    assert {p.name for p in journey.out.parent.iterdir()} == {"in", "out", "out.key", "out.links.csv"}


def test_the_same_key_gives_the_same_and_nothing_is_overwritten(journey: Journey, tmp_path: Path) -> None:
    with pytest.raises(RunExistsError):
        deidentify(journey.source, journey.out)
    again = tmp_path / "again"
    deidentify(journey.source, again, key=journey.out.parent / "out.key")
    one = {p.relative_to(journey.out): p.read_bytes() for p in journey.out.rglob("*") if p.is_file()}
    other = {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()}
    assert one == other
    new = tmp_path / "new"
    deidentify(journey.source / "dicom/header.dcm", new)
    assert (
        dcmread(next(new.glob("*.dcm"))).PatientID != dcmread(journey.out / journey.links["dicom/header.dcm"]).PatientID
    )


@pytest.mark.parametrize("key", ["out/secret.key", "in/secret.key"])
def test_a_key_in_the_output_or_input_is_refused(journey: Journey, tmp_path: Path, key: str) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.png").write_bytes(journey.files[14].content)
    with pytest.raises(InputError, match="key would lie"):
        deidentify(source, tmp_path / "out", key=tmp_path / key)
    assert not (tmp_path / "out").exists()


def _leaking(self: RasterScrubber, source: Path, order: ScrubOrder) -> Scrubbed:
    """A scrubber that knows what identifies and lets it out."""
    del self, order
    return Scrubbed(source.read_bytes(), identifiers=("Kowalewska^Zofia", "PID-778899"))


def test_a_scrubber_that_leaks_is_caught(journey: Journey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "in"
    source.mkdir()
    wanted = ("pictures/text.png", "pictures/exif.jpg", "answers.csv")
    for file in journey.files:
        if file.path in wanted:
            (source / Path(file.path).name).write_bytes(file.content)
    monkeypatch.setattr(RasterScrubber, "scrub", _leaking)
    ended = CliRunner().invoke(app, ["deidentify", str(source), str(tmp_path / "out"), "--json"])
    assert ended.exit_code == 3, ended.output
    done = json.loads(ended.stdout)
    assert len(done["leaks"]) == 2
    assert done["written"] == 1
    left = {p.suffix for p in (tmp_path / "out").iterdir()}
    assert left == {".csv", ".json"}
    said = (
        ended.output
        + (tmp_path / "out/deidentified.csv").read_text()
        + (tmp_path / "out/deidentified.json").read_text()
    )
    assert "zlib in bytes" in said
    assert not [s for s in SECRETS if s.casefold() in said.casefold()]


def test_an_interrupted_run_goes_on(journey: Journey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hounsfield.workflow import deidentify as verb

    out, key = tmp_path / "out", journey.out.parent / "out.key"
    seen: list[str] = []
    treated = verb._treated

    def counted(blank: Treated, *rest: object) -> Treated:
        if len(seen) == 5:
            raise KeyboardInterrupt
        seen.append(blank.path)
        return treated(blank, *rest)  # type: ignore[arg-type]  # handed on as it came

    monkeypatch.setattr(verb, "_treated", counted)
    with pytest.raises(KeyboardInterrupt):
        deidentify(journey.source, out, key=key)
    assert not out.exists()
    seen[:] = ["more than five"] * 6
    deidentify(journey.source, out, key=key)
    assert len(seen) == 6 + len(journey.files) - 5
    one = {p.relative_to(journey.out): p.read_bytes() for p in journey.out.rglob("*") if p.is_file()}
    assert one == {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def test_damaged_and_unknown_files_are_set_aside(journey: Journey, tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for file in journey.files:
        (source / Path(file.path).name).write_bytes(file.content[: len(file.content) // 2])
    (source / "empty.dcm").touch()
    (source / "data.zip").write_bytes(b"PK\x03\x04" + bytes(60))
    (source / "link.png").symlink_to(source / "text.png")
    done = deidentify(source, tmp_path / "out")
    assert done.files == len(journey.files) + 3
    assert any("archive" in reason for reason in done.reasons)
    assert any("link" in reason for reason in done.reasons)
    said = "".join(done.reasons).casefold()
    assert not [s for s in SECRETS if s.casefold() in said]


def test_messages_hold_no_identifier(journey: Journey) -> None:
    shown: Sequence[str] = (repr(journey.done), journey.done.model_dump_json())
    assert not [s for s in SECRETS for text in shown if s in text]
    assert not io.StringIO("".join(shown)).read().count("kowalewska")
