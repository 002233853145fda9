"""Every file of the corpus goes through assembling, masks and reports; whatever is wrong ends in a reason."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.data.dicom.apart import is_mask
from hounsfield.data.dicom.assembling import assemble, opened, read_volume
from hounsfield.data.dicom.drawn import drawn_on, read_masks
from hounsfield.data.dicom.entries import Entry
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.dicom.reports import report_text


@pytest.fixture(scope="module")
def corpus(shared_data: Path) -> Path:
    root = shared_data / "dicom-corpus"
    if not root.is_dir():
        pytest.skip("the corpus is not here")
    return root


@pytest.fixture(scope="module")
def entries(corpus: Path) -> list[Entry]:
    found = []
    for path in sorted(p for p in corpus.rglob("*") if p.is_file()):
        try:
            found.append(read_header(path, path=path.relative_to(corpus).as_posix()))
        except ReadError:
            continue
    return found


def test_every_file_is_in_one_volume_or_set_apart_with_a_reason(corpus: Path, entries: list[Entry]) -> None:
    assert len(entries) > 300
    found = assemble(entries, root=corpus)
    used = [e for v in found.volumes for e in v.entries]
    apart = [e for e, _ in found.apart]
    # a file of several volumes (two echoes in one) is named by each of them
    assert set(used) | set(apart) == set(entries)
    assert not set(used) & set(apart)
    assert len(apart) == len(set(apart))
    assert all(reason and len(reason) < 200 and "\n" not in reason for _, reason in found.apart)
    shuffled = [entries[int(n)] for n in stream(1, "order").permutation(len(entries))]
    # without opening files: comparing pixels again would take most of the time
    unopened, again = assemble(entries), assemble(shuffled)
    assert [(v.planes, v.what) for v in again.volumes] == [(v.planes, v.what) for v in unopened.volumes]
    assert again.apart == unopened.apart
    copies = [e for e, reason in found.apart if "same place, same pixels" in reason]
    assert {e.path.split("/")[1] for e in copies} == {"one-image-nine-ways"}
    assert len(copies) == 8
    read = 0
    refused: list[tuple[str, str]] = []
    for volume in found.volumes:
        try:
            image = read_volume(corpus, volume)
        except ReadError as error:
            refused.append((volume.first.path, str(error)))
            continue
        read += 1
        assert image.size == volume.size
        assert np.isfinite(np.asarray(image.array, dtype=np.float64)).all()
        assert image.array.dtype in (np.int16, np.float32)
        assert (image.grid is None) == (not volume.regular)
    assert read >= 40
    assert len(refused) <= 2
    assert not any(path in said for path, said in refused)


def test_masks_and_reports_end_in_a_result_or_a_reason(corpus: Path, entries: list[Entry]) -> None:
    found = assemble(entries)
    masks = reports = 0
    refused: list[tuple[str, str]] = []
    for entry in entries:
        try:
            if is_mask(entry):
                volume = drawn_on(corpus, entry, found.volumes)
                masks += len(read_masks(corpus, entry, volume).masks) if volume is not None else 0
            elif entry.modality == "SR":
                reports += bool(report_text(opened(corpus, entry, pixels=False)))
        except ReadError as error:
            refused.append((entry.path, str(error)))
    # the liver in five readable encodings or more, five segments that overlap, and those of the small CT
    assert masks >= 10
    assert reports >= 6
    assert not any(path in said for path, said in refused)
