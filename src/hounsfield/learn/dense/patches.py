"""Batches of patches by number: the same number gives the same patches in every process and after every restart."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hounsfield.core.streams import stream, uniforms
from hounsfield.core.types import AnyArray, Float32Array, IntArray
from hounsfield.learn.augment.apply import apply_
from hounsfield.learn.augment.draw import draw
from hounsfield.learn.augment.geometry import read_places
from hounsfield.learn.augment.params import AugmentParams
from hounsfield.learn.batch import Batch
from hounsfield.learn.dense.cases import DenseFeed
from hounsfield.learn.dense.job import INPUT, DenseJob
from hounsfield.learn.ranks import ALONE, Ranks

LABELS = "labels"
"""Name under which a batch holds labels, ``b p ...`` uint8: planes of all targets, then the region."""
MARGIN = 0.15
"""How much of its edge a patch that will be turned or bent is cut larger on either side, so that real image and not
padding is turned in."""


@dataclass(frozen=True)
class Place:
    """Where a patch lies in a case.

    Parameters
    ----------
    row : int
    start : tuple of int
        First voxel; may be negative, and the patch may reach beyond the case.
    """

    row: int
    start: tuple[int, ...]


def cut(array: AnyArray, start: Sequence[int], size: Sequence[int], *, outside: float = 0.0) -> AnyArray:
    """Return a box of an array, filled up where it reaches beyond.

    Parameters
    ----------
    array : numpy.ndarray
        ``c ...``
    start, size : sequence of int
        First voxel and edges of the box.
    outside : float
        What is beyond.
    """
    inner = [slice(max(0, s), max(0, min(n, s + e))) for s, e, n in zip(start, size, array.shape[1:], strict=True)]
    part = array[(slice(None), *inner)]
    if part.shape[1:] == tuple(size):
        return part
    box = np.full((array.shape[0], *size), outside, dtype=array.dtype)
    there = tuple(slice(i.start - s, i.start - s + n) for i, s, n in zip(inner, start, part.shape[1:], strict=True))
    if 0 not in part.shape:
        box[(slice(None), *there)] = part
    return box


def seen(image: AnyArray, start: Sequence[int], size: Sequence[int], *, depth: int = 1) -> AnyArray:
    """Return what a network sees of a box of a prepared image.

    Parameters
    ----------
    image : numpy.ndarray
        ``c y x`` or ``c z y x``.
    start : sequence of int
        First voxel, one number for each space axis of the image.
    size : sequence of int
        Edges of the network's input: as many as the image has space axes, or one less where it is cut into slices.
    depth : int
        Slices that enter together, odd. Beyond the first and the last slice these are seen again.

    Returns
    -------
    numpy.ndarray
        ``c ...`` of the size; of slices the channels of the first slice, then those of the next.
    """
    if image.ndim - 1 == len(size):
        return cut(image, start, size)
    across, *rest = start
    rows = np.clip(np.arange(across - depth // 2, across + depth // 2 + 1), 0, image.shape[1] - 1)
    return np.concatenate([cut(image[:, row], rest, size) for row in rows])


def outlined(labels: AnyArray, start: Sequence[int], size: Sequence[int]) -> AnyArray:
    """Return the labels ``p ...`` of a box, see `seen`: of slices those of the middle one."""
    if labels.ndim - 1 == len(size):
        return cut(labels, start, size)
    return cut(labels[:, start[0]], start[1:], size)


class DenseBatches:
    """Batches of patches of a feed.

    Parameters
    ----------
    feed : DenseFeed
    job : DenseJob
    ranks : Ranks
        Which share of each batch is wanted.
    """

    def __init__(self, feed: DenseFeed, job: DenseJob, *, ranks: Ranks = ALONE) -> None:
        self._feed = feed
        self._job = job
        self._ranks = ranks
        self._size = tuple(job.patches.size)
        self._box = (1, *self._size) if job.preparation.slices else self._size
        self._marked = {int(row): feed.cases.marked(int(row)) for row in feed.train}

    def __call__(self, number: int) -> Batch:
        """Return a batch by its number."""
        batch = self._job.optimisation.batch
        share = self._ranks.share(batch)
        wanted = range(number * batch + share.start, number * batch + share.stop)
        places = [self.place(n) for n in wanted]
        images, labels = self._augmented(places, list(wanted))
        return Batch(
            index=torch.tensor([p.row for p in places], dtype=torch.int64),
            inputs={INPUT: images},
            targets={LABELS: labels},
            weight=torch.ones(len(places)),
            context={"share": len(places) / batch},
        )

    def place(self, number: int) -> Place:
        """Return where the patch with a number lies: cases in a shuffled order, near something marked or anywhere."""
        epoch, turn = divmod(number, len(self._feed.train))
        order = _order(self._job.seed, epoch, len(self._feed.train))
        row = int(self._feed.train[order[turn]])
        shape = self._feed.cases.shape(row)
        first, second, third, *rest = uniforms(self._job.seed, "patch", epoch, [turn], count=3 + len(shape))[0]
        marked = self._marked[row]
        if marked and first < self._job.patches.marked:
            classes = sorted(marked)
            points = marked[classes[int(second * len(classes))]]
            centre = np.unravel_index(int(points[int(third * len(points))]), shape)
            start = [_near(int(c), n, u) for c, n, u in zip(centre, self._box, rest, strict=True)]
        else:
            start = [_anywhere(n, have, u) for n, have, u in zip(self._box, shape, rest, strict=True)]
        return Place(row, tuple(_inside(s, n, have) for s, n, have in zip(start, self._box, shape, strict=True)))

    def _augmented(self, places: Sequence[Place], numbers: Sequence[int]) -> tuple[Tensor, Tensor]:
        spec, size, cases = self._job.augmentation, self._size, self._feed.cases
        draws = partial(uniforms, self._job.seed, "augment", 0, list(numbers))
        drawn = draw(spec, draws, ndim=len(size))
        large = tuple(n + 2 * int(np.ceil(MARGIN * n)) for n in size) if spec.warps else size
        before = [0] * (len(self._box) - len(size)) + [(a - b) // 2 for a, b in zip(large, size, strict=True)]
        depth = self._job.preparation.depth
        images = np.zeros((len(places), cases.channels * depth, *large), dtype=np.float32)
        labels = np.zeros((len(places), cases.planes, *large), dtype=np.uint8)
        for n, place in enumerate(places):
            start = [s - b for s, b in zip(place.start, before, strict=True)]
            images[n] = seen(cases.image(place.row), start, large, depth=depth)
            labels[n] = outlined(cases.label(place.row), start, large)
        image, label = warped(torch.from_numpy(images), torch.from_numpy(labels), drawn, size)
        # geometry is done; what is left changes values only
        rest = AugmentParams(
            contrast=drawn.contrast,
            brightness=drawn.brightness,
            gamma=drawn.gamma,
            bias_field=drawn.bias_field,
            blur=drawn.blur,
            noise=drawn.noise,
            noise_key=drawn.noise_key,
            box=drawn.box,
        )
        apply_(image, rest)
        self._coarsened(image, numbers)
        return image, label

    def _coarsened(self, images: Tensor, numbers: Sequence[int]) -> None:
        """Show some patches as a coarser scan would, in place."""
        chance = self._job.patches.low_resolution
        if not chance:
            return
        for place, (met, how) in enumerate(uniforms(self._job.seed, "coarse", 0, numbers, count=2)):
            if met < chance:
                small = [max(2, round(n * (0.5 + 0.5 * how))) for n in self._size]
                one = images[place : place + 1]
                mode = "bilinear" if len(small) == 2 else "trilinear"
                coarse = functional.interpolate(one, size=small, mode="nearest")
                images[place] = functional.interpolate(coarse, size=self._size, mode=mode, align_corners=False)[0]


def warped(images: Tensor, labels: Tensor, drawn: AugmentParams, size: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    """Cut patches out of larger ones, turned, scaled, bent and mirrored as was drawn; labels move with the image.

    Parameters
    ----------
    images : Tensor
        (b c ...), float32, at least as large as `size`, the patch in its middle.
    labels : Tensor
        (b p ...), uint8.
    drawn : AugmentParams
    size : tuple of int

    Returns
    -------
    (Tensor, Tensor)
        (b c ...) float32 linearly, (b p ...) uint8 from the nearest voxel; beyond the larger patch both are 0.
    """
    large = images.shape[2:]
    image, label = images, labels
    for axis, (a, b) in enumerate(zip(large, size, strict=True), start=2):
        image, label = (t.narrow(axis, (a - b) // 2, b) for t in (image, label))
    image, label = image.clone(memory_format=torch.contiguous_format), label.clone()
    if drawn.moved is not None and drawn.matrix is not None and drawn.shift is not None:
        chosen = drawn.moved.nonzero().flatten()
        if len(chosen):
            half = 0.5 * torch.tensor(size, dtype=torch.float32)
            spacing = torch.tensor(drawn.spacing or (1.0,) * len(size), dtype=torch.float32)
            reach = half * spacing
            matrix = drawn.matrix[chosen] * reach[None, None, :] / reach[None, :, None]
            bend = None if drawn.bend is None else drawn.bend[chosen]
            grid = read_places(matrix, 2.0 * drawn.shift[chosen], bend=bend, size=size)
            # from shares of the patch to shares of the larger one; grid_sample counts x y z
            grid *= torch.tensor([b / a for a, b in zip(large, size, strict=True)][::-1])
            image[chosen] = functional.grid_sample(images[chosen], grid, mode="bilinear", align_corners=False)
            moved = functional.grid_sample(labels[chosen].float(), grid, mode="nearest", align_corners=False)
            label[chosen] = moved.to(torch.uint8)
    if drawn.flip is not None:
        for axis in range(drawn.flip.shape[1]):
            own = drawn.flip[:, axis].nonzero().flatten()
            if len(own):
                image[own] = image[own].flip(axis + 2)
                label[own] = label[own].flip(axis + 2)
    return image, label


def _order(seed: int, epoch: int, count: int) -> IntArray:
    found: IntArray = stream(seed, "order", epoch).permutation(count)
    return found


def _near(point: int, size: int, uniform: float) -> int:
    """Return a start from which a patch holds a point, not always in its middle: places must not be learned."""
    return point - round(size * (0.25 + 0.5 * uniform)) if size > 1 else point


def _anywhere(size: int, have: int, uniform: float) -> int:
    if have <= size:
        return -int(uniform * (size - have + 1))
    return int(uniform * (have - size + 1))


def _inside(start: int, size: int, have: int) -> int:
    """Return a start from which a patch reaches no further beyond a case than it has to."""
    if have <= size:
        return min(0, max(have - size, start))
    return min(max(0, start), have - size)


def plain_patches(feed: DenseFeed, job: DenseJob, *, rows: IntArray, count: int) -> tuple[Float32Array, AnyArray]:
    """Return patches that are not augmented, the same for the same job and rows.

    Parameters
    ----------
    feed : DenseFeed
    job : DenseJob
    rows : numpy.ndarray
        Rows of the feed that they are cut from, int64.
    count : int

    Returns
    -------
    (numpy.ndarray, numpy.ndarray)
        ``n c ...`` float32 and ``n p ...`` uint8.
    """
    chosen = DenseBatches(feed.with_parts(rows, rows[:0]), job)
    places = [chosen.place(n) for n in range(count)]
    size, depth = job.patches.size, job.preparation.depth
    images = np.stack([seen(feed.cases.image(p.row), p.start, size, depth=depth) for p in places]).astype(np.float32)
    labels = np.stack([outlined(feed.cases.label(p.row), p.start, size) for p in places])
    return images, labels
