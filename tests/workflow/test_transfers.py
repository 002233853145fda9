"""Pull and push as a user sees them: what would be done, what is left out, and what cannot be read."""

import json
from pathlib import Path

import pytest

pytest.importorskip("pynetdicom", reason="the packages for archives are not installed")

from hounsfield.workflow.pulling import pull
from hounsfield.workflow.pushing import push
from tests.data_room.pacs.entity import Entity, serving
from tests.data_room.pacs.making import write_studies
from tests.journeys.making import everything_in, hu


def test_a_dry_run_fetches_and_sends_nothing(tmp_path: Path) -> None:
    made = write_studies(tmp_path / "made")
    out = tmp_path / "out"
    with serving(Entity(files=made)) as entity:
        target = f"ARCHIVE@127.0.0.1:{entity.port}"
        asked = pull(target, out, query="PatientID=*", dry_run=True)
        assert (asked.dry_run, asked.studies, asked.series, asked.instances, asked.moved) == (True, 2, 4, 8, 0)
        assert not out.exists()
        said = hu("pull", target, out, "--query", "PatientID=PAT000", "--dry-run")
        assert said.exit_code == 0, said.output
        assert "Would fetch 4 files; 0 were there already." in said.stdout
        entity.files = dict(list(made.items())[:3])
        told = json.loads(hu("push", tmp_path / "made", target, "--dry-run", "--json").stdout)
        assert (told["dry_run"], told["instances"], told["present"], told["moved"]) == (True, 8, 3, 0)
        assert entity.stored == {}


def test_what_cannot_be_read_is_named_and_the_rest_is_sent(tmp_path: Path) -> None:
    made = write_studies(tmp_path / "made", studies=1, series=1)
    folder = tmp_path / "made"
    (folder / "letter.txt").write_text("Dear colleague")
    (folder / "gone").symlink_to(folder / "nowhere")
    (folder / ".0123.dcm.1-0.tmp").write_bytes(next(iter(made.values()))[:-100])  # of an interrupted pull
    with serving(Entity()) as entity:
        done = push(folder, f"ARCHIVE@127.0.0.1:{entity.port}")
    assert (done.moved, done.instances, done.others) == (2, 3, 1)
    assert [f.reason for f in done.failed] == ["it is no file that can be opened"]


def test_a_pull_clears_away_what_a_killed_one_left(tmp_path: Path) -> None:
    made = write_studies(tmp_path / "made", studies=1, series=1)
    out = tmp_path / "out"
    (out / "a").mkdir(parents=True)
    stale, foreign = out / "a" / ".b.dcm.999999999-3.tmp", out / "a" / ".mine.tmp"
    stale.write_bytes(b"half")
    foreign.write_bytes(b"of somebody else")
    with serving(Entity(files=made)) as entity:
        done = pull(f"ARCHIVE@127.0.0.1:{entity.port}", out, query="PatientID=*")
    assert done.moved == 2
    left = [name for name in everything_in(out) if name.rsplit("/", 1)[-1].startswith(".")]
    assert left == ["a/.mine.tmp"]


def test_a_file_that_is_there_is_never_written_again(tmp_path: Path) -> None:
    made = write_studies(tmp_path / "made", studies=1, series=1)
    with serving(Entity(files=made)) as entity:
        target = f"ARCHIVE@127.0.0.1:{entity.port}"
        pull(target, tmp_path / "out", query="PatientID=*")
        path = min((tmp_path / "out").rglob("*.dcm"))
        path.write_bytes(b"annotated by somebody")
        again = pull(target, tmp_path / "out", query="PatientID=*")
    assert (again.moved, again.present) == (0, 2)
    assert path.read_bytes() == b"annotated by somebody"
