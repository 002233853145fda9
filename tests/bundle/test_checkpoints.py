import errno
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.checkpoints import load_checkpoint, save_checkpoint
from hounsfield.core.errors import BundleError, StorageError
from hounsfield.core.types import AnyArray, Json

DTYPES = [
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
    "complex64", "complex128", "S5", "U3", "datetime64[s]",
]  # fmt: skip


def arrays() -> dict[str, AnyArray]:
    random = np.random.default_rng(0)
    found: dict[str, AnyArray] = {}
    for name in DTYPES:
        raw = random.integers(0, 2 if name == "bool" else 120, 6 * np.dtype(name).itemsize, dtype=np.uint8)
        if name == "U3":
            found[name] = np.array([["aé良", "", "x"], ["b", "c", "d"]])
        else:
            found[name] = raw.view(name).reshape(2, 3)
    found["scalar"] = np.array(3, dtype=np.int64)
    found["empty"] = np.zeros((0, 4), dtype=np.float32)
    found["transposed"] = np.arange(6, dtype=np.float64).reshape(2, 3).T
    found["nan payload"] = np.array([0x7FC00123, 0xFF800000], dtype=np.uint32).view(np.float32)
    return found


def test_every_dtype_is_kept_to_the_bit(tmp_path: Path) -> None:
    meta: Json = {"step": 12, "loss": [0.1, math.inf], "text": "良", "nested": {"a": None, "b": True}}
    save_checkpoint(tmp_path / "c.safetensors", arrays(), meta)
    loaded = load_checkpoint(tmp_path / "c.safetensors")
    assert loaded is not None
    found, found_meta = loaded
    assert found_meta == meta
    assert set(found) == set(arrays())
    for name, array in arrays().items():
        assert found[name].dtype == array.dtype, name
        assert found[name].shape == array.shape, name
        assert found[name].tobytes() == array.tobytes(), name
        assert found[name].flags.writeable


def test_big_endian_input_is_left_alone(tmp_path: Path) -> None:
    array = np.arange(4, dtype=">f4")
    save_checkpoint(tmp_path / "c.safetensors", {"a": array}, None)
    loaded = load_checkpoint(tmp_path / "c.safetensors")
    assert loaded is not None
    np.testing.assert_array_equal(array, np.arange(4))
    np.testing.assert_array_equal(loaded[0]["a"], np.arange(4))


def test_same_content_same_bytes(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a", arrays(), {"x": 1})
    save_checkpoint(tmp_path / "b", dict(reversed(arrays().items())), {"x": 1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_absent_is_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "absent") is None


def test_objects_are_not_stored(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        save_checkpoint(tmp_path / "c", {"a": np.array([object()])}, None)
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {"w": np.arange(6, dtype=np.float32), "n": np.arange(3)}, {"step": 1})
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        with pytest.raises(BundleError, match="damaged"):
            load_checkpoint(path)


@pytest.mark.parametrize("keep", [0, 5, 8, 60, -1])
def test_a_cut_file_is_found(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {"w": np.arange(6)}, None)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BundleError):
        load_checkpoint(path)


def test_disk_full_keeps_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {"w": np.arange(3)}, {"step": 1})

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        save_checkpoint(path, {"w": np.arange(4)}, {"step": 2})
    loaded = load_checkpoint(path)
    assert loaded is not None
    assert loaded[1] == {"step": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["c.safetensors"]


def test_killed_again_and_again_the_file_is_always_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    save_checkpoint(path, {"w": np.zeros(200_000)}, {"step": 0})
    code = (
        "import pathlib, sys, numpy as np\n"
        "from hounsfield.bundle.checkpoints import save_checkpoint\n"
        "print('go', flush=True)\n"
        "for step in range(1, 100000):\n"
        "    save_checkpoint(pathlib.Path(sys.argv[1]), {'w': np.full(200_000, float(step))}, {'step': step})\n"
    )
    for wait in (0.05, 0.083):
        with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(wait)
            process.kill()
        loaded = load_checkpoint(path)
        assert loaded is not None
        assert isinstance(loaded[1], dict)
        np.testing.assert_array_equal(loaded[0]["w"], np.full(200_000, loaded[1]["step"], dtype=np.float64))
