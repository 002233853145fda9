"""Volumes judged slice by slice: cut, put back, and learned where slices are thick."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from hounsfield.bundle.sealed import Member
from hounsfield.core.image import Grid, Image
from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.dense import window
from hounsfield.learn.dense.case import ArrayRows, prepare_images
from hounsfield.learn.dense.cases import DenseFeed, Prepared, fill_cases
from hounsfield.learn.dense.job import INPUT, DenseJob, Patches, dense_json
from hounsfield.learn.dense.learner import DENSE
from hounsfield.learn.dense.model import DenseRunner
from hounsfield.learn.dense.patches import DenseBatches, outlined, seen
from hounsfield.learn.dense.preparing import DensePreparation, prepare_labels, put_back
from hounsfield.learn.dense.window import Windows, judge_case
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from tests.learn.dense.making import ONE, flat_job


def test_a_slice_is_seen_with_its_neighbours_and_the_last_one_with_itself() -> None:
    volume = np.arange(2 * 4 * 5 * 6, dtype=np.float32).reshape(2, 4, 5, 6)
    middle = seen(volume, (1, 0, 0), (5, 6), depth=3)
    assert middle.shape == (6, 5, 6)
    np.testing.assert_array_equal(middle, np.concatenate([volume[:, n] for n in (0, 1, 2)]))
    last = seen(volume, (3, 1, 2), (2, 3), depth=3)
    np.testing.assert_array_equal(last, np.concatenate([volume[:, n, 1:3, 2:5] for n in (2, 3, 3)]))
    np.testing.assert_array_equal(outlined(volume, (3, 1, 2), (2, 3)), volume[:, 3, 1:3, 2:5])


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_volumes_come_back_from_slices_along_any_axis(axis: str) -> None:
    rng = np.random.default_rng(0)
    matrix: Float64Array = np.diag([-1.0, 1.0, 4.0, 1.0])[:, [1, 0, 2, 3]]
    image = Image(rng.normal(size=(1, 6, 8, 10)).astype(np.float32), Grid(matrix))
    spec = DensePreparation.model_validate(
        {
            "ndim": 3,
            "channels": {"image": 1},
            "orientation": "RAS",
            "slices": axis,
            "neighbours": 1,
            "spacing_mm": [None if a == axis else 1.0 if a != "z" else 4.0 for a in "zyx"],
        }
    )
    prepared = prepare_images({"image": image}, spec)
    assert prepared.shape[1:] == {"z": (6, 10, 8), "y": (10, 6, 8), "x": (8, 6, 10)}[axis]
    back = put_back(prepared, image, spec)
    whole = (image.array - image.array.mean()) / image.array.std()
    np.testing.assert_allclose(back, whole, atol=1e-5)
    labels = (rng.random((1, 6, 8, 10)) < 0.3).astype(np.uint8)
    cut = prepare_labels(labels, image, spec, ONE["mask"])
    assert cut.shape == prepared.shape
    np.testing.assert_array_equal(put_back(cut.astype(np.float32), image, spec) > 0.5, labels > 0)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("chunk", [1 << 20, 50])
@pytest.mark.parametrize("depth", [1, 3, 7])
@pytest.mark.parametrize("length", [1, 2, 5, 11])
def test_windows_of_slices_leave_no_trace(
    length: int, depth: int, chunk: int, axis: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(window, "CHUNK", chunk)
    image = np.random.default_rng(1).random((2, length, 30, 13)).astype(np.float32)
    weights = 1.0 + np.arange(2 * depth, dtype=np.float32)

    def every(windows: Iterable[AnyArray]) -> Iterator[Mapping[str, Float32Array]]:
        for w in windows:
            assert w.shape == (2 * depth, 16, 16)
            yield {"a": np.einsum("c,cyx->yx", weights, np.asarray(w, dtype=np.float32))[None]}

    parts = list(judge_case(ArrayRows(image), Windows((1, 16, 16), 0.5, depth=depth), {"a": 1}, calls=every, axis=axis))
    assert [r.start for r, _ in parts[1:]] == [r.stop for r, _ in parts[:-1]]
    found = np.moveaxis(np.concatenate([p["a"] for _, p in parts], axis=1), 1, 1 + axis)
    assert found.shape == (1, *image.shape[1:])
    # slice by slice: the channels of the first neighbour, then those of the next; past the ends the last slice again
    wanted = np.zeros(image.shape[1:])
    for z in range(length):
        for place in range(depth):
            neighbour = min(max(0, z + place - depth // 2), length - 1)
            for channel in range(2):
                wanted[z] += weights[2 * place + channel] * image[channel, neighbour]
    np.testing.assert_allclose(found[0], wanted, rtol=1e-4)


class Counted:
    """Rows that tell how much of them is asked for at a time, and altogether."""

    def __init__(self, array: AnyArray) -> None:
        self._rows = ArrayRows(array)
        self.shape, self.dtype = array.shape, array.dtype
        self.asked: list[int] = []

    def rows(self, axis: int, start: int, stop: int) -> AnyArray:
        self.asked += range(start, stop)
        return self._rows.rows(axis, start, stop)


def test_each_slice_is_read_once() -> None:
    case = Counted(np.zeros((1, 9, 20, 20), dtype=np.float32))

    def nothing(windows: Iterable[AnyArray]) -> Iterator[Mapping[str, Float32Array]]:
        for w in windows:
            yield {"a": np.asarray(w[:1], dtype=np.float32)}

    for turn, (rows, _) in enumerate(judge_case(case, Windows((1, 16, 16), depth=5), {"a": 1}, calls=nothing)):
        assert rows == slice(turn, turn + 1)
        assert len(case.asked) == min(9, max(5, turn + 3))
    assert case.asked == list(range(9))


# ------------------------------------------------------------------------------------------------ a thick-slice cohort


def rod(number: int, *, slices: int = 7, size: int = 40) -> tuple[Float32Array, AnyArray]:
    """A noisy volume of few thick slices: of two equal discs in a slice the one that goes on in the next is meant.

    A slice alone does not tell them apart.
    """
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:size, :size]
    volume = 0.3 * rng.standard_normal((slices, size, size))
    labels = np.zeros((slices, size, size), dtype=np.uint8)
    sides = rng.permutation(2)
    centre = rng.uniform(14, size - 14, 2)
    for z in range(slices):
        for place, x0 in enumerate((11, size - 11)):
            inside = (y - centre[place]) ** 2 + (x - x0) ** 2 < 36
            meant = place == sides[0]
            if meant or z % 2 == 0:
                volume[z][inside] += 1.5
            labels[z][inside & meant] = 1
    return volume[None].astype(np.float32), labels[None]


def feed(folder: Path, count: int = 20) -> DenseFeed:
    rows = [Prepared(image, np.concatenate([labels, np.ones_like(labels)])) for image, labels in map(rod, range(count))]
    every = np.arange(count)
    return DenseFeed(fill_cases(folder, "rods", rows, seed=0, layouts=(1, 0)), every[:-10], every[-10:], every)


def job(neighbours: int) -> DenseJob:
    preparation = DensePreparation(ndim=3, channels={"image": 1}, slices="z", neighbours=neighbours)
    return flat_job(
        network=NetworkSpec(
            family="unet",
            inputs={INPUT: InputShape(channels=preparation.width, ndim=2, size=(40, 40))},
            heads={"mask": 1},
            options={"width": 8, "depths": [1, 1, 1], "deep": 1},
        ),
        preparation=preparation,
        structures=ONE,
        patches=Patches(size=[40, 40], marked=0.0),
        augmentation=AugmentSpec(flips=("y", "x")),
        optimisation=Optimisation(steps=60, batch=8, learning_rate=5e-3, averaging=0.9, plain_norms=True),
    )


def learned(folder: Path, neighbours: int) -> float:
    """Return the mean Dice on volumes that were not learned from, over the slices that show two discs."""
    cases, spec = feed(folder), job(neighbours)
    member = Member("dense", DENSE.fit(cases, spec, watch=Watch()).arrays, dense_json(spec, None))
    runner = DenseRunner([member], windows=Windows((1, 40, 40), depth=spec.preparation.depth), engine="torch")
    scores = []
    for row in cases.val:
        said = runner.dense(cases.cases.image(int(row)))["mask"][0][::2] > 0.5
        truth = cases.cases.label(int(row))[0][::2] > 0
        scores.append(2 * (said & truth).sum() / (said.sum() + truth.sum()))
    return float(np.mean(scores))


def test_thick_slices_are_learned_with_their_neighbours_where_one_alone_does_not_tell(tmp_path: Path) -> None:
    with_neighbours, alone = learned(tmp_path, 1), learned(tmp_path, 0)
    assert with_neighbours > 0.85
    assert alone < with_neighbours - 0.1


def test_batches_of_slices_are_addressed_and_hold_the_middle_slice_as_labels(tmp_path: Path) -> None:
    cases, spec = feed(tmp_path), job(1)
    plain = spec.model_copy(update={"augmentation": AugmentSpec(), "patches": Patches(size=[40, 40], marked=1.0)})
    batch, again = DenseBatches(cases, plain)(3), DenseBatches(cases, plain)(3)
    assert tuple(batch.inputs[INPUT].shape) == (8, 3, 40, 40)
    np.testing.assert_array_equal(batch.inputs[INPUT].numpy(), again.inputs[INPUT].numpy())
    labels = batch.targets["labels"].numpy()
    assert labels.shape == (8, 2, 40, 40)
    assert (labels[:, 0].reshape(8, -1).sum(axis=1) > 0).all()  # near something marked: its own slice is met
    for n in range(8):
        place = DenseBatches(cases, plain).place(3 * 8 + n)
        np.testing.assert_array_equal(labels[n, 0], cases.cases.label(place.row)[0, place.start[0]])
