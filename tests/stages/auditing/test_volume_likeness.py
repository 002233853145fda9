"""Repeated volumes are found, in whatever format, type and orientation they were stored; different ones are not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.image import Grid, Header, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import Float32Array, Float64Array
from hounsfield.data import readers
from hounsfield.data.volume.nifti_writing import write_nifti
from hounsfield.stages.auditing.duplicates import Repeats, find_repeats
from hounsfield.stages.auditing.thumbnails import Glance, glance
from hounsfield.stages.auditing.volume_likeness import SIDE, small_volume
from tests.stages.auditing.making import TARGET, sample

SHAPE = (30, 36, 33)


def body(seed: int) -> Float32Array:
    """Return a head-like ball, the same for all, with soft structures of its own."""
    z, y, x = ((np.arange(n) - n / 2) / (n / 2) for n in SHAPE)
    ball = (z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2) < 0.8
    own = gaussian_filter(stream(seed, "body").normal(size=SHAPE), 2.0)
    volume: Float32Array = np.rint(np.clip(ball * (500 + 1500 * own), 0, 1500)).astype(np.float32)
    return volume


def seen(name: str, array: Float32Array, affine: Float64Array | None = None) -> Glance:
    image = Image(array[None], Grid(affine) if affine is not None else None)
    return glance(name, image, Header(image.size, 1, 16, "NIFTI", array.nbytes))


def repeats(glances: list[Glance]) -> Repeats:
    return find_repeats([sample(g.sample, "no") for g in glances], glances, target=TARGET)


CHANGES: dict[str, Callable[[Float32Array], Float32Array]] = {
    "noise": lambda v: v + stream(9, "noise").normal(0, 20, v.shape).astype(np.float32),
    "another scale of values": lambda v: v * 0.31 + 77.25,
    "smoothed": lambda v: gaussian_filter(v, 0.6),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_among_others(change: str) -> None:
    volumes = {f"v{i}": body(i) for i in range(40)}
    volumes["copy"] = CHANGES[change](body(3))
    found = repeats([seen(n, v) for n, v in volumes.items()])
    assert [(p.a, p.b, p.kind) for p in found.pairs] == [("v3", "copy", "near")]


def test_different_volumes_are_not_repeats() -> None:
    assert repeats([seen(f"v{i}", body(i)) for i in range(60)]).pairs == ()


def test_one_volume_in_two_formats_types_and_orientations_is_exactly_one(tmp_path: Path) -> None:
    array = body(1).astype(np.int16)[None]
    np.savez(tmp_path / "a.npz", image=array[0])
    write_nifti(tmp_path / "b.nii.gz", Image(array))
    write_nifti(tmp_path / "c.nii", Image(array.astype(np.float32), Grid(np.eye(4))))
    turned = np.ascontiguousarray(array[:, :, :, ::-1])
    write_nifti(tmp_path / "d.nii.gz", Image(turned, Grid(np.diag([-1.0, 1.0, 1.0, 1.0]))))
    cohort = Cohort(name="toy", root=str(tmp_path), samples=(), schema=Schema())
    glances = []
    for name in ("a.npz", "b.nii.gz", "c.nii", "d.nii.gz"):
        ref = Ref("npz" if name == "a.npz" else "nifti", name)
        glances.append(glance(name, readers.read(cohort, ref), readers.header(cohort, ref)))
    assert len({g.digest for g in glances}) == 1
    assert [p.kind for p in repeats(glances).pairs] == ["exact"] * 3


def test_values_between_whole_numbers_are_told_apart() -> None:
    assert seen("a", body(1)).digest != seen("b", body(1) + 0.25).digest


def test_boxes_are_averaged_by_their_overlap() -> None:
    volume = stream(0, "boxes").random((48, 72, 24)).astype(np.float32)
    wanted = volume.reshape(24, 2, 24, 3, 24).mean(axis=(1, 3))
    low, high = np.percentile(wanted, (0.5, 99.5))
    found = small_volume(volume)
    assert found.shape == (SIDE,) * 3
    np.testing.assert_allclose(found, np.clip((wanted - low) / (high - low), 0, 1) * 255, atol=0.51)
    assert not small_volume(np.zeros((5, 6, 7), np.float32)).any()
