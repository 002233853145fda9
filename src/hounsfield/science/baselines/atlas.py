"""The mean mask of the training images: where in the picture the structure usually is, whatever the picture shows."""

import numpy as np
from scipy import ndimage

from hounsfield.core.types import AnyArray, Float32Array, Float64Array
from hounsfield.science.baselines.cases import LEAST, Cases, Fitted, none_seen, sharpened

_SIDE = {2: 128, 3: 48}
"""Pixels of the atlas along each axis, whatever the size of the images."""


def fit(cases: Cases, *, rng: np.random.Generator) -> Fitted:
    """Average the masks, each stretched to one size, and find the share from which marking gives the largest Dice.

    Parameters
    ----------
    cases : Cases
        Gone through twice.
    rng : numpy.random.Generator
        Not needed.

    Notes
    -----
    Images are laid on each other by their edges, without any registration.
    """
    total: Float64Array | None = None
    count = 0
    for case in cases():
        found = np.stack([_stretched(m, (_SIDE[m.ndim],) * m.ndim) for m in case.masks])
        total = found if total is None else total + found
        count += 1
    if total is None:
        raise none_seen("atlas")
    mean = total / count
    shares = (np.arange(count + 1) / count) if count < 100 else np.linspace(0, 1, 101)
    sums: Float64Array = np.zeros((len(mean), len(shares), 3))
    for case in cases():
        for n, mask in enumerate(case.masks):
            held, true = _stretched(mean[n], mask.shape), mask.astype(np.float64)
            for at, share in enumerate(shares):
                said = held >= min(max(float(share), LEAST), 1 - LEAST)
                sums[n, at] += (float((said * true).sum()), float(said.sum()), float(true.sum()))
    dice = 2 * sums[..., 0] / np.maximum(sums[..., 1] + sums[..., 2], 1)
    best = [float(shares[int(np.argmax(row))]) for row in dice]
    return Fitted({"thresholds": [*best], "cases": count}, {"mean": mean.astype(np.float32)})


def apply(fitted: Fitted, image: AnyArray) -> Float32Array:
    """Return the mean mask of each class at the size of an image, its threshold moved to one half: ``k ...``."""
    thresholds = np.asarray(fitted.json["thresholds"], dtype=np.float64)
    mean = fitted.arrays["mean"]
    parts = [sharpened(_stretched(m, image.shape), float(t)) for m, t in zip(mean, thresholds, strict=True)]
    return np.stack(parts).astype(np.float32)


def _stretched(values: AnyArray, size: tuple[int, ...]) -> Float64Array:
    """Return an array at another size, linearly, edges on edges; averaged first where it shrinks."""
    steps = [n / m for n, m in zip(values.shape, size, strict=True)]
    held = np.asarray(values, dtype=np.float64)
    smooth = ndimage.gaussian_filter(held, [max(0.0, (s - 1) / 2) for s in steps], mode="nearest")
    moved = ndimage.affine_transform(smooth, steps, [0.5 * s - 0.5 for s in steps], size, order=1, mode="nearest")
    return np.clip(np.asarray(moved, dtype=np.float64), 0.0, 1.0)
