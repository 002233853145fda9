"""What a disk must not be able to do: hang on a pipe, break on a damaged index, fill the memory with empty masks."""

import os
import sqlite3
import zipfile
from pathlib import Path

import pytest

from hounsfield.core.errors import InputError, ReadError
from hounsfield.data.dicom import masks
from hounsfield.data.dicom.archives import member_bytes
from hounsfield.data.dicom.assembling import assemble
from hounsfield.data.dicom.contours import contour_masks
from hounsfield.data.dicom.index import forget, index_tree
from hounsfield.data.dicom.opening import open_dataset
from hounsfield.data.dicom.reports import report_text
from hounsfield.data.dicom.segmentation import segmentation_masks
from hounsfield.data.layouts.dicom import DicomLayout
from tests.data_room.dicom.bytewise import element, header, part10, sequence, us
from tests.data_room.dicom.making import series
from tests.data_room.dicom.slices import slices


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes on this system")
def test_a_pipe_among_the_files_is_told_and_never_opened(tmp_path: Path) -> None:
    series(tmp_path / "d", "p/s/a")
    os.mkfifo(tmp_path / "d/0pipe")
    os.mkfifo(tmp_path / "d/I1.dcm")
    from hounsfield.core.cohort import Roles

    assert DicomLayout().claims(tmp_path / "d", Roles()) == 0.85
    index = index_tree(tmp_path / "d")
    assert len(index.entries) == 4
    assert [(p.sample, p.reason) for p in index.problems] == [
        ("0pipe", "it is no file: a pipe, socket or device"),
        ("I1.dcm", "it is no file: a pipe, socket or device"),
    ]


def test_a_damaged_index_is_an_error_of_ours(tmp_path: Path) -> None:
    for n in range(40):
        series(tmp_path / "d", f"p{n}/s/a", 2, facts={"SOPInstanceUID": f"1.2.{n}"}, ending=f"_{n}")
    kept = tmp_path / "i.sqlite"
    index_tree(tmp_path / "d", cache=kept)
    content = bytearray(kept.read_bytes())
    content[len(content) // 4 :] = os.urandom(0) + bytes([0x5A]) * (len(content) - len(content) // 4)
    kept.write_bytes(bytes(content))
    forget()
    with pytest.raises(InputError, match="cannot be used as an index"):
        index_tree(tmp_path / "d", cache=kept)


def test_an_index_with_other_content_than_was_written_is_made_again(tmp_path: Path) -> None:
    series(tmp_path / "d", "p/s/a")
    kept = tmp_path / "i.sqlite"
    before = index_tree(tmp_path / "d", cache=kept)
    base = sqlite3.connect(kept)
    for n, (path,) in enumerate(base.execute("SELECT path FROM files").fetchall()):
        wrong = ["{", "[]", '{"entries": [[1]], "problems": [], "references": []}', "null"][n]
        base.execute("UPDATE files SET found = ? WHERE path = ?", (wrong, path))
    base.commit()
    base.close()
    forget()
    assert index_tree(tmp_path / "d", cache=kept) == before


def test_thousands_of_masks_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    (volume,) = assemble(slices([0, 2, 4])).volumes
    entry = slices([0.0])[0]
    monkeypatch.setattr(masks, "MOST_MASK_BYTES", 1000)
    segments = b"".join(_item(us(0x00620004, n + 1)) for n in range(50))
    made = open_dataset(part10(header() + element(0x00620002, "SQ", segments)), pixels=True)
    with pytest.raises(ReadError, match="50 masks"):
        segmentation_masks(made, entry, volume)
    drawn = b"".join(_item(element(0x30060084, "IS", b"%d " % n)) for n in range(10, 60))
    made = open_dataset(part10(header() + element(0x30060039, "SQ", drawn)), pixels=True)
    with pytest.raises(ReadError, match="50 masks"):
        contour_masks(made, entry, volume)


def _item(content: bytes) -> bytes:
    return b"\xfe\xff\x00\xe0" + len(content).to_bytes(4, "little") + content


def test_a_document_that_is_a_text_where_bytes_are_expected() -> None:
    body = header() + element(0x00420011, "LT", b"finding: none ") + element(0x00420012, "LO", b"text/plain")
    assert report_text(open_dataset(part10(body))) == "finding: none"


def test_contours_that_are_no_numbers_are_left_out() -> None:
    (volume,) = assemble(slices([0, 2, 4])).volumes
    good = b"-49\\-59\\10\\-46\\-59\\10\\-46\\-57\\10\\-49\\-57\\10 "
    inner = b"".join(
        _item(element(0x30060042, "CS", b"CLOSED_PLANAR ") + element(0x30060050, "DS", points))
        for points in (good, b"1\\2\\x ", b"1\\2\\3\\4 ", b"1e999\\2\\3\\4\\5\\6\\7\\8\\9 ", b"")
    )
    roi = element(0x30060040, "SQ", inner) + element(0x30060084, "IS", b"1 ")
    body = header() + sequence(0x30060039, roi)
    (mask,) = contour_masks(open_dataset(part10(body), pixels=True), slices([0.0])[0], volume)
    assert mask.array.sum() > 0
    assert any(note.startswith("4 contours are points") for note in mask.notes)


def test_the_table_of_contents_of_a_zip_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was read for each slice: a disk of 50,000 files took half a second for every one of them."""
    paths = series(tmp_path / "d", "p/s/a", 6)
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    opened: list[object] = []
    real = zipfile.ZipFile.__init__

    def counted(self: zipfile.ZipFile, file: Path) -> None:
        opened.append(file)
        real(self, file)

    monkeypatch.setattr(zipfile.ZipFile, "__init__", counted)
    for path in paths:
        assert member_bytes(tmp_path / "d.zip", path.name) == path.read_bytes()
    assert len(opened) == 1
