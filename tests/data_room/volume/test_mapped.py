"""Large volumes that stay in their file until they are looked at."""

import subprocess
import sys
from pathlib import Path

import nibabel
import numpy as np
import pytest

from hounsfield.core.errors import ReadError
from hounsfield.core.types import AnyArray
from hounsfield.data.volume import stored
from hounsfield.data.volume.mapped import is_mapped, mapped, release
from tests.data_room.volume.making import oblique, ours, read, volume


def saved(path: Path, array: AnyArray, *, slope: float = 1.0) -> Path:
    image = nibabel.Nifti1Image(array, oblique())
    if slope != 1.0:
        image.header.set_slope_inter(slope, 0.0)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "int32"])
def test_a_mapped_volume_is_the_volume(tmp_path: Path, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path / "a.nii", volume(7, 6, 5, dtype=dtype))
    plain = read(path)
    monkeypatch.setattr(stored, "LEAST_MAPPED", 1)
    image = read(path)
    assert is_mapped(image.array)
    assert not is_mapped(plain.array)
    assert image.array.dtype == plain.array.dtype
    np.testing.assert_array_equal(image.array, ours(volume(7, 6, 5, dtype=dtype)))
    release(image.array[:, ::-1])
    np.testing.assert_array_equal(image.array, plain.array)


def test_what_must_be_changed_or_unpacked_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "LEAST_MAPPED", 1)
    array = volume(7, 6, 5, dtype="int16")
    paths = [
        saved(tmp_path / "packed.nii.gz", array),
        saved(tmp_path / "scaled.nii", array, slope=2.0),
        saved(tmp_path / "signed.nii", volume(7, 6, 5, dtype="int8")),
        saved(tmp_path / "real.nii", volume(7, 6, 5, dtype="float32")),
        tmp_path / "swapped.nii",
    ]
    nibabel.save(nibabel.Nifti1Image(array, oblique(), nibabel.Nifti1Header(endianness=">")), paths[-1])
    assert [is_mapped(read(path).array) for path in paths] == [False] * 5
    np.testing.assert_array_equal(read(paths[-1]).array, ours(array))


def test_a_file_that_is_too_short_is_refused_before_it_is_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "LEAST_MAPPED", 1)
    path = saved(tmp_path / "a.nii", volume(7, 6, 5, dtype="int16"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 2)
    with pytest.raises(ReadError, match="truncated"):
        read(path)


def test_a_private_copy_is_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(range(100)))
    private = np.memmap(tmp_path / "a", dtype=np.uint8, mode="c")
    private[:] = 7
    release(private)
    assert (private == 7).all()
    held = mapped(tmp_path / "a", start=3, dtype=np.dtype("<u2"), shape=(4, 2))
    assert is_mapped(held[1:, ::-1])
    assert not is_mapped(np.array(held))
    with pytest.raises(ValueError, match="read-only"):
        held[0] = 1
    release(np.zeros(3))


LOOK = """
import sys
from pathlib import Path
import numpy as np
from hounsfield.core.cohort import Ref
from hounsfield.data.volume.nifti import NiftiReader
from hounsfield.learn.dense.case import Case
from hounsfield.learn.dense.preparing import DensePreparation
from hounsfield.learn.prepare.image import resize

def peak():
    told = Path("/proc/self/status").read_text()
    return int(next(line for line in told.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

ref = Ref("nifti", sys.argv[2])
image = NiftiReader().stored(Path(sys.argv[1]), ref).image(ref)
spec = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS", window={"image": [-1000.0, 1000.0]})
resize(np.zeros((1, 4, 4, 4), np.float32), (2, 2, 2))
Case({"image": image}, spec).rows(0, 0, 4)
before = peak()
plain = DensePreparation(ndim=3, channels={"image": 1}, orientation="RAS")
case = Case({"image": image}, plain)
axis = case.axis
total = 0.0
for start in range(0, case.size[axis], 8):
    total += float(case.rows(axis, start, min(case.size[axis], start + 8)).sum(dtype=float))
print(axis, peak() - before, total)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell the peak memory")
@pytest.mark.parametrize("way", [(0, 1, 2), (2, 0, 1)])
def test_memory_does_not_grow_with_the_volume(tmp_path: Path, way: tuple[int, int, int]) -> None:
    affine = np.diag([1.0, 1.0, 1.0, 1.0])[:, [*way, 3]]
    small = nibabel.Nifti1Image(np.zeros((1, 1, 1), np.int16), affine)
    header = small.header.copy()
    header.set_data_shape((256, 256, 640))
    path = tmp_path / "a.nii"
    nibabel.save(small, path)
    voxels = 256 * 256 * 640
    with path.open("r+b") as file:
        file.write(header.binaryblock)
        file.truncate(352 + 2 * voxels)
        file.seek(352 + voxels)
        file.write(np.full(256 * 256, 500, np.int16).tobytes())
    done = subprocess.run(  # our own interpreter
        [sys.executable, "-c", LOOK, str(tmp_path), "a.nii"], capture_output=True, text=True, check=True
    )
    axis, grown, total = done.stdout.split()
    assert int(axis) == {(0, 1, 2): 0, (2, 0, 1): 1}[way]
    assert abs(float(total)) < 1.0 * voxels
    assert float(grown) < 60.0  # the file has 80 MiB, the case would have 160
