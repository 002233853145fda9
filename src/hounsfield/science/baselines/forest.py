"""A random forest on texture: every pixel judged by smoothed values, edges and curvature around it."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from hounsfield.core.types import AnyArray, BoolArray, Float32Array, Float64Array, IntArray
from hounsfield.science.baselines.cases import Case, Cases, Fitted, finite, none_seen

SCALES = (1.0, 2.0, 4.0, 8.0)
"""Standard deviations of the Gaussians in pixels."""
TREES = 24
DEPTH = 12
_LEAF = 4
_PIXELS = 60_000
"""Over all training images."""
_LEAST = 200
_BLOCK = 1 << 17


def features(image: AnyArray) -> Float32Array:
    """Return what a pixel is judged by: ``y x f`` or ``z y x f``.

    Parameters
    ----------
    image : numpy.ndarray
        ``y x`` or ``z y x``; scaled to its own 1st and 99th percentile first.

    Notes
    -----
    The value, and at each scale the smoothed value, the length of the gradient and the eigenvalues of the Hessian,
    both scaled with the standard deviation so that they stay comparable (Lindeberg's gamma-normalised derivatives).
    An axis of length 1 has no derivative.

    References
    ----------
    Arganda-Carreras I et al. Trainable Weka segmentation. Bioinformatics 2017;33:2424-2426.
    """
    values = finite(image)
    low, high = np.percentile(values, [1, 99])
    values = np.clip((values - low) / (high - low if high > low else 1.0), -0.5, 1.5)
    long = [n for n, length in enumerate(values.shape) if length > 1]
    found = [values]
    for sigma in SCALES:
        smooth = ndimage.gaussian_filter(values, sigma, mode="nearest")
        slopes = [np.gradient(smooth, axis=n) for n in long]
        found += [smooth, sigma * np.sqrt(sum((s**2 for s in slopes), np.zeros(values.shape)))]
        if long:
            curved = np.empty((*values.shape, len(long), len(long)))
            for n, slope in enumerate(slopes):
                for m in range(n, len(long)):
                    curved[..., n, m] = curved[..., m, n] = np.gradient(slope, axis=long[m])
            bends = sigma**2 * np.linalg.eigvalsh(curved)
            found += [bends[..., n] for n in range(len(long))]
    return np.stack(found, axis=-1).astype(np.float32)


def fit(cases: Cases, *, rng: np.random.Generator) -> Fitted:
    """Fit a forest on pixels drawn from the training images.

    Parameters
    ----------
    cases : Cases
        Gone through twice: to count images, then to draw pixels from each.
    rng : numpy.random.Generator
        Draws pixels, and seeds the forest.

    Notes
    -----
    Half of the pixels of an image are drawn where any class is, and weighted by what they stand for, so that the
    probabilities are those of all pixels. Trees are kept as arrays and applied here: nothing is unpickled.
    """
    from sklearn.ensemble import RandomForestClassifier

    count = sum(1 for _ in cases())
    if not count:
        raise none_seen("forest")
    each = max(_LEAST, _PIXELS // count)
    drawn = [_drawn(case, each, rng) for case in cases()]
    seen, truth, weight = (np.concatenate([d[n] for d in drawn]) for n in range(3))
    forest = RandomForestClassifier(
        n_estimators=TREES,
        max_depth=DEPTH,
        min_samples_leaf=_LEAF,
        max_features="sqrt",
        random_state=int(rng.integers(0, 2**31 - 1)),
        n_jobs=1,
    )
    classes = truth.shape[1]
    forest.fit(seen, truth if classes > 1 else truth[:, 0], sample_weight=weight)
    names = forest.classes_ if classes > 1 else [forest.classes_]
    trees = [_stored(tree.tree_, names) for tree in forest.estimators_]
    starts = np.cumsum([0, *(len(t["feature"]) for t in trees[:-1])])
    arrays = {name: np.concatenate([t[name] for t in trees]) for name in ("feature", "threshold", "share")}
    for name in ("left", "right"):
        arrays[name] = np.concatenate([t[name] + start for t, start in zip(trees, starts, strict=True)])
    return Fitted({"classes": classes, "pixels": len(seen)}, {**arrays, "roots": starts.astype(np.int32)})


def apply(fitted: Fitted, image: AnyArray) -> Float32Array:
    """Return the mean over the trees of each class's share in the leaf of every pixel: ``k y x`` or ``k z y x``."""
    held = fitted.arrays
    feature, threshold = held["feature"], held["threshold"]
    left, right = held["left"], held["right"]
    share = np.asarray(held["share"], dtype=np.float32)
    seen = features(image).reshape(-1, _width(image.ndim, image.shape))
    result = np.zeros((share.shape[1], len(seen)), dtype=np.float32)
    for start in range(0, len(seen), _BLOCK):
        part = seen[start : start + _BLOCK]
        rows = np.arange(len(part))
        for root in held["roots"]:
            node = np.full(len(part), root, dtype=np.int64)
            for _ in range(DEPTH):
                # a leaf leads to itself
                node = np.where(part[rows, feature[node]] <= threshold[node], left[node], right[node])
            result[:, start : start + _BLOCK] += share[node].T
    return (result / np.float32(len(held["roots"]))).reshape(-1, *image.shape)


def _width(ndim: int, shape: tuple[int, ...]) -> int:
    return 1 + len(SCALES) * (2 + sum(n > 1 for n in shape[:ndim]))


def _drawn(case: Case, count: int, rng: np.random.Generator) -> tuple[Float32Array, BoolArray, Float64Array]:
    """Return features, classes and weights of pixels of one image: ``n f``, ``n k``, ``n``."""
    seen = features(case.image)
    seen = seen.reshape(-1, seen.shape[-1])
    truth = np.asarray(case.masks.reshape(len(case.masks), -1).T, dtype=np.bool_)
    marked = truth.any(axis=1)
    picked: list[IntArray] = []
    weights: list[Float64Array] = []
    for part in (np.flatnonzero(marked), np.flatnonzero(~marked)):
        if len(part):
            take = min(len(part), count // 2)
            picked.append(rng.choice(part, size=take, replace=False))
            weights.append(np.full(take, len(part) / take / len(truth)))
    chosen = np.concatenate(picked)
    return seen[chosen], truth[chosen], np.concatenate(weights)


def _stored(tree: object, classes: Sequence[AnyArray]) -> dict[str, AnyArray]:
    """Return one tree as arrays; leaves lead to themselves."""
    left, right = np.array(getattr(tree, "children_left")), np.array(getattr(tree, "children_right"))  # noqa: B009
    own = np.arange(len(left))
    leaf = left < 0
    value = np.array(getattr(tree, "value"))  # noqa: B009 - nodes, classes, no and yes
    shares = []
    for n, names in enumerate(classes):
        whole = value[:, n, :].sum(axis=1)
        yes = value[:, n, list(names).index(True)] if True in list(names) else np.zeros(len(left))
        shares.append(yes / np.where(whole > 0, whole, 1.0))
    return {
        "left": np.where(leaf, own, left).astype(np.int32),
        "right": np.where(leaf, own, right).astype(np.int32),
        "feature": np.where(leaf, 0, np.array(getattr(tree, "feature"))).astype(np.int16),  # noqa: B009
        "threshold": np.array(getattr(tree, "threshold")).astype(np.float32),  # noqa: B009
        "share": np.stack(shares, axis=1).astype(np.float32),
    }
