"""The warm-up's loss in NumPy, as its paper writes it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


# --8<-- [start:vicreg]
def alike(first: Floats, second: Floats) -> float:
    """Mean squared difference of the two views' projections (b w)."""
    return float(((first - second) ** 2).mean())


def spread(z: Floats) -> float:
    """How far each feature's deviation over the batch stays below 1."""
    return float(np.maximum(0.0, 1.0 - np.sqrt(z.var(axis=0, ddof=1) + 1e-4)).mean())


def decorrelated(z: Floats) -> float:
    """Squared covariances between different features, over w."""
    c = np.cov(z, rowvar=False)
    return float(((c**2).sum() - (np.diag(c) ** 2).sum()) / len(c))


def vicreg(first: Floats, second: Floats) -> float:
    """Weighted sum of the three: 25, 25 and 1."""
    return (
        25.0 * alike(first, second)
        + 25.0 * (spread(first) + spread(second)) / 2
        + decorrelated(first)
        + decorrelated(second)
    )


# --8<-- [end:vicreg]
