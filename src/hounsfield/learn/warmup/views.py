"""Batches of two augmented views of each image, addressed by number."""

from functools import partial

import numpy as np
import torch
from torch import Tensor

from hounsfield.core.streams import address, stream, uniforms
from hounsfield.core.types import AnyArray, IntArray
from hounsfield.learn.augment.apply import apply_
from hounsfield.learn.augment.draw import draw
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.batch import Batch
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.protocol import Job
from hounsfield.learn.learners.supervised import as_unit
from hounsfield.learn.prepare.image import as_images
from hounsfield.learn.ranks import Ranks

VIEWS = 2


def wider(spec: AugmentSpec) -> AugmentSpec:
    """Return an augmentation for views: each range about twice that of the fit, no mixing.

    Parameters
    ----------
    spec : AugmentSpec
        Of the fit. What is off there stays off, where it says what a change would mean: mirror images, gamma, blur.

    Notes
    -----
    Geometry that the fit may not touch (zoom, where a number is measured) is allowed here: the encoder is only being
    warmed, and views that differ too little teach nothing.
    """
    return spec.model_copy(
        update={
            "scale": (0.8, 1.8),
            "translation": max(0.2, spec.translation),
            "rotation_deg": max(20.0, spec.rotation_deg),
            "contrast": _squared(spec.contrast),
            "gamma": _squared(spec.gamma),
            "brightness": 2.0 * spec.brightness,
            "noise": 2.0 * spec.noise,
            "intensity_chance": 0.8,
            "geometry_chance": 1.0,
            "cutout": max(0.4, spec.cutout),
            "cutout_chance": 0.5,
            "mixup": 0.0,
            "cutmix": 0.0,
        }
    )


def _squared(bounds: tuple[float, float]) -> tuple[float, float]:
    return bounds[0] ** 2, bounds[1] ** 2


class ViewBatches:
    """Batches of the training rows and of the images without answers; the same number gives the same batch.

    Parameters
    ----------
    feed : Feed
        Only its training rows and its unlabelled images are ever looked at.
    job : Job
    ranks : Ranks
        Which share of each batch is wanted.
    """

    def __init__(self, feed: Feed, job: Job, *, ranks: Ranks) -> None:
        self._feed = feed
        self._job = job
        self._ranks = ranks
        self._spec = wider(job.augmentation)
        self._first = len(next(iter(feed.inputs.values())))
        self._preparation = as_images(job.preparation, what="unlabelled")
        beside = len(next(iter(feed.unlabelled.values()))) if feed.unlabelled else 0
        self.pool: IntArray = np.concatenate([feed.train, self._first + np.arange(beside, dtype=np.int64)])
        self._size = min(job.optimisation.batch, len(self.pool))
        self._per_epoch = max(1, len(self.pool) // self._size)

    def __call__(self, number: int) -> Batch:
        """Return a batch by its number: the first view of all its images, then the second."""
        epoch, place = divmod(number, self._per_epoch)
        order = self.pool[stream(self._job.seed, "warm-up order", epoch).permutation(len(self.pool))]
        rows = order[place * self._size : (place + 1) * self._size]
        rows = rows[self._ranks.share(len(rows))]
        views = [self._view(rows, epoch, view) for view in range(VIEWS)]
        seed = self._job.seed
        keys = [address(seed, f"warm-up drop {v}", epoch, int(r)) & (2**62 - 1) for v in range(VIEWS) for r in rows]
        return Batch(
            index=torch.from_numpy(np.tile(rows, VIEWS)),
            inputs={name: torch.cat([view[name] for view in views]) for name in self._feed.inputs},
            targets={},
            weight=torch.ones(VIEWS * len(rows)),
            context={"keys": torch.tensor(keys, dtype=torch.int64)},
        )

    def _view(self, rows: IntArray, epoch: int, view: int) -> dict[str, Tensor]:
        made = {}
        for name in self._feed.inputs:
            preparation = self._preparation[name]
            numbers = partial(uniforms, self._job.seed, f"warm-up {view} {name}", epoch, rows.tolist())
            images = torch.from_numpy(as_unit(self._stored(name, rows)))
            apply_(images, draw(self._spec, numbers, ndim=preparation.ndim))
            made[name] = images.sub_(preparation.mean).mul_(1.0 / preparation.std)
        return made

    def _stored(self, name: str, rows: IntArray) -> AnyArray:
        own = rows < self._first
        known = self._feed.inputs[name]
        stored = np.empty((len(rows), *known.shape[1:]), dtype=known.dtype)
        stored[own] = known[rows[own]]
        if not own.all():
            stored[~own] = self._feed.unlabelled[name][rows[~own] - self._first]
        return stored
