"""A tree is indexed by content: what is found, what is told as a problem, and what is not looked at twice."""

import gc
import io
import os
import shutil
import sqlite3
import tarfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pydicom
import pytest
from pydicom.fileset import FileSet

from hounsfield.core.errors import CohortError, InputError, ReadError
from hounsfield.core.progress import Step
from hounsfield.data.dicom import index as index_module
from hounsfield.data.dicom.archives import archive_kind, members
from hounsfield.data.dicom.cache import Found
from hounsfield.data.dicom.index import Index, index_of, index_tree, series_entries, source_of
from tests.data_room.dicom.making import DX, dataset, save, series, uid

DATA = Path(os.environ.get("HOUNSFIELD_DATA", Path(__file__).parents[3] / "../shared/data"))


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    root = tmp_path / "disk"
    series(root / "DATA/A", "anna/1/thin", 4)
    series(root / "DATA/B", "anna/1/thick", 3, facts={"SliceThickness": 5.0})
    series(root / "DATA/A", "bert/2/thin", 2, facts={"IssuerOfPatientID": "H1"}, ending=".bert")
    save(root / "x.dcm", dataset("bert/3/chest", {"SOPClassUID": DX, "Modality": "DX"}))
    (root / "readme.txt").write_text("hello")
    (root / "report.pdf").write_bytes(b"%PDF-1.4" + bytes(300))
    (root / "broken.dcm").write_bytes(b"no dicom at all" * 30)
    (root / "empty.dcm").touch()
    (root / ".hidden").write_bytes((root / "x.dcm").read_bytes())
    return root


def _reasons(index: Index) -> dict[str, str]:
    return {p.sample: p.reason for p in index.problems}


def test_patients_studies_and_series_by_content(disk: Path) -> None:
    index = index_tree(disk)
    assert len(index.entries) == 10
    assert [(p.id, p.issuer, len(p.studies)) for p in index.patients()] == [
        ("anna", "", 1), ("bert", "H1", 1), ("bert", "", 1)
    ]  # fmt: skip
    assert sorted((s.study == uid("anna", "1"), s.images) for s in index.series()) == [
        (False, 1), (False, 2), (True, 3), (True, 4)
    ]  # fmt: skip
    assert index.studies()[0].accession == "A1"
    assert _reasons(index) == {
        "broken.dcm": "its name says DICOM, its content does not",
        "empty.dcm": "the file is empty",
    }


def _zipped(disk: Path, where: Path) -> Path:
    with zipfile.ZipFile(where, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(p for p in disk.rglob("*") if p.is_file()):
            archive.write(path, path.relative_to(disk).as_posix())
        archive.writestr("../../escape.dcm", b"x")
        archive.writestr("/absolute.dcm", b"x")
    return where


def _tarred(disk: Path, where: Path, mode: str) -> Path:
    long = "y" * 120 + "/" + "z" * 150
    with tarfile.open(where, mode, format=tarfile.PAX_FORMAT if "gz" in mode else tarfile.GNU_FORMAT) as archive:  # type: ignore[call-overload]  # a mode in a variable
        for path in sorted(p for p in disk.rglob("*") if p.is_file()):
            archive.add(path, path.relative_to(disk).as_posix())
        archive.add(disk / "x.dcm", long)
        link = tarfile.TarInfo("link.dcm")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        info = tarfile.TarInfo("../escape.dcm")
        archive.addfile(info, io.BytesIO())
    return where


@pytest.mark.parametrize("kind", ["zip", "tar", "tar.gz", "tar.xz"])
def test_archives_are_read_in_place(disk: Path, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "archives"
    folder.mkdir()
    mode = {"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz"}.get(kind, "")
    archive = _zipped(disk, folder / "disk") if kind == "zip" else _tarred(disk, folder / "disk", mode)
    before = set(tmp_path.rglob("*"))
    plain = {e.sop_uid: e for e in index_tree(disk).entries}
    index = index_tree(folder)
    extra = (
        1 if kind == "zip" else 2
    )  # the hidden file, which is not hidden in an archive, and the one with a long name
    assert len(index.entries) == len(plain) + extra
    assert {e.sop_uid for e in index.entries} == set(plain)
    assert all(e.path == "disk" and e.member for e in index.entries)
    assert any(r == "its name leads outside the archive" for r in _reasons(index).values())
    for entry in index.entries[::-1]:
        content = source_of(folder, entry)
        assert isinstance(content, bytes)
        assert pydicom.dcmread(io.BytesIO(content)).SOPInstanceUID == entry.sop_uid
        assert entry.rows == plain[entry.sop_uid].rows
    assert index_tree(archive).entries == index.entries
    assert set(tmp_path.rglob("*")) == before


def test_an_archive_beside_other_things_is_indexed_by_itself(disk: Path, tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    shutil.copytree(disk, folder / "other")
    _zipped(disk, folder / "disk.zip")
    found = series_entries(folder, "disk.zip", uid("anna/1/thin"))
    assert [e.path for e in found] == ["disk.zip"] * 4
    assert folder.resolve() not in index_module._known


def test_damaged_archives_are_problems_and_nothing_else(disk: Path, tmp_path: Path) -> None:
    folder = tmp_path / "archives"
    folder.mkdir()
    whole = {
        "a.zip": _zipped(disk, tmp_path / "a").read_bytes(),
        "b.tar": _tarred(disk, tmp_path / "b", "w").read_bytes(),
        "c.tgz": _tarred(disk, tmp_path / "c", "w:gz").read_bytes(),
    }
    for name, content in whole.items():
        for cut in range(1, 12):
            (folder / f"{cut}{name}").write_bytes(content[: len(content) * cut // 12])
            changed = bytearray(content)
            changed[len(content) * cut // 12 - 7] ^= 0xFF
            (folder / f"x{cut}{name}").write_bytes(changed)
    index = index_tree(folder)
    assert len(index.entries) > 50
    assert index.problems


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    zeros = bytes(4 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for n in range(3):
            archive.writestr(f"{n}.dcm", bytes(128) + b"DICM" + zeros)
    index = index_tree(tmp_path)
    assert index.entries == ()
    assert len(index.problems) == 3
    with tarfile.open(tmp_path / "bomb.tgz", "w:gz") as packed:
        info = tarfile.TarInfo("a.dcm")
        info.size = 200 << 20
        packed.addfile(info, io.BufferedReader(_Zeros()))
    assert (tmp_path / "bomb.tgz").stat().st_size < 1 << 20
    assert archive_kind(tmp_path / "bomb.tgz") == "packed tar"
    with pytest.raises(ReadError, match="100 times"):
        list(members(tmp_path / "bomb.tgz", "packed tar"))


class _Zeros(io.RawIOBase):
    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # a buffer as BufferedReader gives it
        buffer[:] = bytes(len(buffer))
        return len(buffer)


def test_a_dicomdir_is_a_hint(tmp_path: Path) -> None:
    made = FileSet()
    for n in range(3):
        facts = {"StudyTime": "101010", "StudyID": "1"}
        made.add(save(tmp_path / f"loose/{n}", dataset("anna/1/thin", facts, number=n)))
    made.write(tmp_path / "disk")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom leaves a folder of its own to the garbage collector
        del made
        gc.collect()
    paths = sorted(p for p in (tmp_path / "disk").rglob("*") if p.is_file() and p.name != "DICOMDIR")
    gone = paths[0]
    gone.unlink()
    paths[1].rename(paths[1].with_name(paths[1].name.lower()))
    save(tmp_path / "disk/EXTRA", dataset("bert/2/thin"))
    index = index_tree(tmp_path / "disk")
    assert len(index.entries) == 3
    assert _reasons(index) == {
        gone.relative_to(tmp_path / "disk").as_posix(): "a DICOMDIR names it, but it is not there"
    }


def test_the_corpus_is_indexed(tmp_path: Path) -> None:
    corpus = DATA / "dicom-corpus"
    if not corpus.exists():
        pytest.skip("dicom-corpus is not in the folder that HOUNSFIELD_DATA names")
    index = index_tree(corpus, cache=tmp_path / "index")
    again = index_tree(corpus, cache=tmp_path / "index")
    assert index == again
    assert len(index.entries) > 300
    assert not any(e.sop_class.endswith("1.3.10") for e in index.entries)
    reasons = _reasons(index)
    assert reasons["edge/MR_truncated.dcm"] == "the file ends before its pixels do"
    assert not any(".nii" in name or name.endswith((".nrrd", ".csv", ".md")) for name in reasons)


class _Counting:
    """Progress that ends the run after some files, as a kill would."""

    def __init__(self, most: float = float("inf")) -> None:
        self.seen = 0.0
        self.most = most

    def step(self, title: str, total: float | None) -> AbstractContextManager[Step]:
        del title, total
        return self._step()

    @contextmanager
    def _step(self) -> Iterator[Step]:
        yield self

    def advance(self, amount: float = 1.0, note: str = "") -> None:
        del note
        self.seen += amount
        if self.seen >= self.most:
            raise KeyboardInterrupt

    def say(self, text: str) -> None:
        del text


def _looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    looked: list[str] = []
    look = index_module._look

    def counted(base: Path, path: str, size: int, changed: int) -> Found:
        looked.append(path)
        return look(base, path, size, changed)

    monkeypatch.setattr(index_module, "_look", counted)
    return looked


def test_the_next_run_looks_only_at_what_changed(disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "index.sqlite"
    first = index_tree(disk, cache=cache)
    looked = _looked(monkeypatch)
    for forget in (False, True):
        if forget:
            index_module.forget()
        assert index_tree(disk, cache=cache) == first
        assert looked == []
    save(disk / "new", dataset("carl/9/thin"))
    (disk / "broken.dcm").unlink()
    save(disk / "x.dcm", dataset("bert/3/other series", {"SOPClassUID": DX, "Modality": "DX"}))
    index_module.forget()
    changed = index_tree(disk, cache=cache)
    assert sorted(looked) == ["new", "x.dcm"]
    assert [p.id for p in changed.patients()] == ["anna", "bert", "carl", "bert"]
    assert "broken.dcm" not in _reasons(changed)
    index_module.forget()
    assert index_tree(disk) == changed


def test_a_run_cut_short_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(120):
        save(tmp_path / f"disk/{n:03d}", dataset(f"p{n}/1/s", size=0))
    cache = tmp_path / "index.sqlite"
    looked = _looked(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        index_tree(tmp_path / "disk", cache=cache, progress=_Counting(100))
    index_module.forget()
    assert len(index_tree(tmp_path / "disk", cache=cache).entries) == 120
    assert len(looked) == len(set(looked)) == 120


def test_the_index_is_known_within_a_process(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = index_tree(disk)
    looked = _looked(monkeypatch)
    assert index_of(disk) is first
    assert index_tree(disk) == first
    assert looked == []


def test_a_foreign_file_is_not_overwritten(disk: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("important " * 500)
    base = tmp_path / "other.sqlite"
    with sqlite3.connect(base) as other:
        other.execute("CREATE TABLE important (x)")
    other.close()
    for path in (text, base):
        before = path.read_bytes()
        with pytest.raises(InputError, match="cannot be used as an index"):
            index_tree(disk, cache=path)
        assert path.read_bytes() == before
    with pytest.raises(CohortError):
        index_tree(tmp_path / "nowhere")


def test_links_that_lead_outside_are_not_followed(disk: Path, tmp_path: Path) -> None:
    save(tmp_path / "outside/secret", dataset("eve/1/s"))
    (disk / "link").symlink_to(tmp_path / "outside/secret")
    (disk / "folder").symlink_to(tmp_path / "outside")
    (disk / "loop").symlink_to(disk)
    index = index_tree(disk)
    assert "eve" not in {p.id for p in index.patients()}
    assert _reasons(index)["link"] == "the link leads outside the folder"


def test_series_without_uid_stay_apart_by_folder(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save(tmp_path / folder / "1", dataset("p/1/s", {"SeriesInstanceUID": None}))
    assert len(index_tree(tmp_path).series()) == 2
