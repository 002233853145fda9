"""Tensors of another program's file, exactly, and nothing else than such a file."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from hounsfield.bundle.weights import read_weights
from hounsfield.core.errors import InputError
from hounsfield.core.types import AnyArray


def test_tensors_and_digest_are_those_of_the_file(tmp_path: Path) -> None:
    tensors: dict[str, AnyArray] = {
        "a.weight": np.arange(6, dtype=np.float32).reshape(2, 3),
        "half": np.array([0.5, 2.0], dtype=np.float16),
        "count": np.array(3, dtype=np.int64),
    }
    safetensors.numpy.save_file(tensors, tmp_path / "w.safetensors")
    digest, found = read_weights(tmp_path / "w.safetensors")
    assert digest == hashlib.sha256((tmp_path / "w.safetensors").read_bytes()).hexdigest()
    assert found.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(found[name], values)
        assert found[name].shape == values.shape


def test_bfloat16_becomes_float32_exactly(tmp_path: Path) -> None:
    values = np.array([1.0, -2.5, 0.15625], dtype=np.float32)  # exact in bfloat16
    data = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    head = json.dumps({"w": {"dtype": "BF16", "shape": [3], "data_offsets": [0, len(data)]}}).encode()
    (tmp_path / "b.safetensors").write_bytes(struct.pack("<Q", len(head)) + head + data)
    np.testing.assert_array_equal(read_weights(tmp_path / "b.safetensors")[1]["w"], values)


@pytest.mark.parametrize("kind", ["absent", "folder", "pickle"])
def test_anything_else_is_refused_without_its_path(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "secret-name"
    if kind == "folder":
        path.mkdir()
    if kind == "pickle":
        path.write_bytes(b"\x80\x04K\x01.")
    with pytest.raises(InputError) as caught:
        read_weights(path)
    assert "secret-name" not in caught.value.message()
    assert caught.value.next_step
