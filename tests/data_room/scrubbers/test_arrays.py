"""Archives of arrays: numbers stay, and whatever may be a text withholds them."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray
from tests.data_room.scrubbers.told import SECRETS, order, scrub, top_left, written


def _npz(**arrays: AnyArray) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.save(part, array)
            archive.writestr(f"{name}.npy", part.getvalue())
        archive.comment = b"of Kowalewska"
    return out.getvalue()


IMAGES = np.arange(4 * 60 * 64, dtype=np.uint16).reshape(4, 60, 64)
LABELS = np.array([[0], [1], [0], [1]], np.uint8)


def test_numbers_stay(tmp_path: Path) -> None:
    content = _npz(train_images=IMAGES, train_labels=LABELS, arr_0=np.array([0.5, -1.0]))
    made = np.load(io.BytesIO(written(scrub(tmp_path, "data.npz", content))))
    assert sorted(made) == ["arr_0", "train_images", "train_labels"]
    assert np.array_equal(made["train_images"], IMAGES)
    assert np.array_equal(made["train_labels"], LABELS)
    assert made["train_images"].dtype == np.uint16
    assert scrub(tmp_path, "data.npz", content).content == scrub(tmp_path, "data.npz", content).content


def test_text_in_pictures_is_covered(tmp_path: Path) -> None:
    result = scrub(tmp_path, "data.npz", _npz(images=IMAGES, small=IMAGES[:, :20, :20][:0]), order(text=top_left))
    assert result.content is None  # "small" is no word of the list
    result = scrub(tmp_path, "data.npz", _npz(images=IMAGES, labels=LABELS), order(text=top_left))
    made = np.load(io.BytesIO(written(result)))["images"]
    assert (made[:, :4, :10] == IMAGES.min(axis=(1, 2))[:, None, None]).all()
    assert np.array_equal(made[:, 4:], IMAGES[:, 4:])


@pytest.mark.parametrize(
    "arrays",
    [
        {"images": np.array(["Kowalewska"])},
        {"images": np.array([b"Kowalewska"])},
        {"images": np.array(["2019-04-12"], "datetime64[D]")},
        {"images": np.array([(1, 2)], [("Kowalewska", "i4"), ("b", "i4")])},
        {"patient_ids": np.array([778899])},
        {"Kowalewska": np.array([1])},
    ],
)
def test_what_may_be_text_is_withheld(tmp_path: Path, arrays: dict[str, AnyArray]) -> None:
    result = scrub(tmp_path, "data.npz", _npz(**arrays))
    assert result.content is None
    assert not [s for s in SECRETS if s in result.withheld]


def test_objects_and_damage(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.savez(out, images=np.array([{"name": "Kowalewska"}], dtype=object))
    assert scrub(tmp_path, "data.npz", out.getvalue()).content is None
    with pytest.raises(ReadError):
        scrub(tmp_path, "data.npz", _npz(images=IMAGES)[:500])
    lying = _npz(labels=LABELS).replace(b"(4, 1)", b"(9999999, 1)"[:6])
    with pytest.raises(ReadError):
        scrub(tmp_path, "data.npz", lying)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("labels.npy", b"\x93NUMPY\x01\x00\x76\x00" + b"{'descr': '|u1', 'fortran_order': False, "
                      b"'shape': (99999999, 99999)}".ljust(117) + b"\n")  # fmt: skip
    with pytest.raises(ReadError):
        scrub(tmp_path, "data.npz", archive.getvalue())
