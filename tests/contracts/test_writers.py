"""Whatever is in the table of writers keeps the promises of a writer."""

from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.annotation import Annotation
from hounsfield.core.errors import InputError
from hounsfield.data.protocols import Writer
from hounsfield.data.writers import WRITERS, writer
from tests.data_room.annotations.making import OBLIQUE, answer, blobs, labels, source

SIZES = {"plane": (20, 24), "volume": (6, 20, 24), "thin": (1, 20, 24)}


@pytest.mark.parametrize("name", WRITERS.names())
@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("overlapping", ["exclusive", "overlapping"])
def test_what_is_accepted_is_written_twice_alike(name: str, kind: str, overlapping: str, tmp_path: Path) -> None:
    where = source(SIZES[kind], OBLIQUE, name="研究/1 a")
    array = labels(SIZES[kind]) if overlapping == "exclusive" else np.stack([blobs(SIZES[kind], n) for n in range(2)])
    made, ours = answer(where, array), writer(name)
    assert isinstance(ours, Writer)
    reason = ours.accepts(made, where)
    if reason:
        with pytest.raises(InputError, match="NIfTI"):
            ours.write(made, where, tmp_path)
        return
    files = ours.write(made, where, tmp_path)
    first = [(f, f.read_bytes()) for f in files]
    joined = [(f, f.read_bytes()) for f in ours.finish(tmp_path)]
    assert files
    assert all(tmp_path in f.parents for f in files)
    assert ours.write(made, where, tmp_path) == files
    ours.finish(tmp_path)
    assert all(f.read_bytes() == content for f, content in (*first, *joined))
    assert not list(tmp_path.rglob("*.draft"))


@pytest.mark.parametrize("name", WRITERS.names())
def test_an_annotation_beside_its_image_is_refused(name: str, tmp_path: Path) -> None:
    where = source((20, 24))
    made = answer(where, labels((20, 25)))
    assert writer(name).accepts(made, where)
    with pytest.raises(InputError) as caught:
        writer(name).write(made, where, tmp_path)
    assert "case 1" not in str(caught.value)


@pytest.mark.parametrize("name", [n for n in WRITERS if not n.startswith("dicom")])
def test_nothing_marked_and_three_hundred_pieces(name: str, tmp_path: Path) -> None:
    for number, size in enumerate(((60, 64), (3, 60, 64))):
        where = source(size, OBLIQUE if number else None)
        ours = writer(name)
        many = np.zeros(size, dtype=np.uint8)
        many[(..., slice(None, None, 3), slice(0, 60, 4))] = 1
        for array in (np.zeros(size, dtype=np.uint8), many):
            made = answer(where, array)
            if not ours.accepts(made, where):
                assert ours.write(made, where, tmp_path / str(number))
        ours.finish(tmp_path / str(number))


@pytest.mark.parametrize("name", [n for n in WRITERS if n.startswith("dicom")])
def test_what_did_not_come_as_dicom_is_told_so(name: str) -> None:
    where = source((6, 20, 24), OBLIQUE)
    reason = writer(name).accepts(Annotation(labels((6, 20, 24)), ("a", "b")), where)
    assert "did not come as DICOM" in reason
    assert "NIfTI" in reason
