"""Values of any kind in any place of a header: volumes, masks and reports end in a result or in an error of ours."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.data.dicom.apart import is_mask
from hounsfield.data.dicom.assembling import assemble, opened, read_volume
from hounsfield.data.dicom.drawn import read_masks
from hounsfield.data.dicom.headers import read_header
from hounsfield.data.dicom.reports import report_text
from tests.data_room.dicom.making import REPORT, dataset, save
from tests.data_room.dicom.test_contours import contour, square, structures
from tests.data_room.dicom.test_multiframe import enhanced
from tests.data_room.dicom.test_reports import content
from tests.data_room.dicom.test_segmentation import ct, in_order, segmentation, truth

NUMBERS = (None, 0, -1, 1e30, 1e-30, [1.0], [0.0] * 3, [0.0] * 6, [1e9, 0.0, 0.0])
WORDS = (None, "", "X", "LABELMAP", "FRACTIONAL", "MOSAIC", "1.2.3", ["A", "B", "C"])


def places(dataset: Dataset) -> Iterator[tuple[Dataset, int]]:
    for element in dataset:
        if element.tag.group in (0x08, 0x18, 0x20, 0x28, 0x40, 0x62, 0x3006, 0x5200):
            yield dataset, element.tag
        if element.VR == "SQ":
            for item in element.value:
                yield from places(item)


def spoil(dataset: Dataset, rng: np.random.Generator) -> None:
    held = list(places(dataset))
    holder, tag = held[int(rng.integers(len(held)))]
    element = holder[tag]
    if element.keyword in ("SOPClassUID", "SOPInstanceUID", "Modality"):
        return
    if rng.random() < 0.2:
        del holder[tag]
    elif element.VR == "SQ":
        element.value = Items(list(element.value)[: int(rng.integers(0, 3))] * 2)
    elif element.VR in ("DS", "FD", "IS", "US", "UL"):
        small = NUMBERS if element.VR in ("DS", "FD") else (None, 0, 1, 2, 255, [1, 2])
        element.value = small[int(rng.integers(len(small)))]
    elif element.VR in ("CS", "LO", "SH", "UI", "UT"):
        element.value = WORDS[int(rng.integers(len(WORDS)))]


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom tells which values it finds odd while the test writes them
def test_spoilt_headers_end_in_a_result_or_a_reason(tmp_path: Path) -> None:
    volume, sources = ct(tmp_path)
    masks = segmentation(sources, in_order(truth(), sources), "BINARY")
    report = content("CONTAINER", "all", [content("NUM", "Length"), content("CODE", "Side"), content("TEXT", "Note")])
    written = dataset("p/s/r", {"SOPClassUID": REPORT, "Modality": "SR"}, size=0)
    written.update(report)
    kinds = [enhanced(), masks, structures({"a": [contour(square(-3.0, 6.0), 2.0)]}), written]
    ended = 0
    for seed in range(100):
        rng = stream(seed, "spoil")
        made = deepcopy(Dataset(kinds[seed % len(kinds)]))
        for _ in range(int(rng.integers(1, 4))):
            spoil(made, rng)
        try:
            path = save(tmp_path / "x", made)
        except (ValueError, TypeError, AttributeError, OverflowError):
            continue  # pydicom cannot write it
        try:
            entry = read_header(path, path="x")
            for found in assemble([entry], root=tmp_path).volumes:
                read_volume(tmp_path, found)
            if is_mask(entry):
                read_masks(tmp_path, entry, volume)
            if entry.modality == "SR":
                report_text(opened(tmp_path, entry, pixels=False))
        except ReadError:
            pass
        ended += 1
    assert ended > 50
