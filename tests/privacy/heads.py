"""Heads made of ellipsoids: a skull, a jaw, a nose, lips and ears, and where the brain is."""

import numpy as np

from hounsfield.core.types import AnyArray, BoolArray, Float64Array

SPACING = 3.0


def head(background: float, tissue: float) -> tuple[AnyArray, BoolArray, BoolArray, Float64Array]:
    """Return a head ``z y x``, where its nose and lips are, where its brain is, and the affine."""
    right, anterior, superior = np.meshgrid(*(np.arange(-n, n + 1, SPACING) for n in (105, 135, 135)), indexing="ij")

    def ellipsoid(centre: tuple[float, float, float], radii: tuple[float, float, float]) -> BoolArray:
        parts = zip((right, anterior, superior), centre, radii, strict=True)
        inside: BoolArray = sum(((axis - c) / r) ** 2 for axis, c, r in parts) <= 1
        return inside

    skull = ellipsoid((0, 0, 35), (76, 95, 80))
    jaw = ellipsoid((0, 45, -45), (55, 52, 70))
    neck = (np.hypot(right, anterior + 10) < 55) & (superior < -30)
    nose, lips = ellipsoid((0, 100, -15), (12, 20, 22)), ellipsoid((0, 92, -55), (22, 12, 10))
    ears = ellipsoid((78, -5, 10), (9, 18, 28)) | ellipsoid((-78, -5, 10), (9, 18, 28))
    brain = ellipsoid((0, 0, 35), (68, 86, 68))
    whole = skull | jaw | neck | nose | lips | ears
    volume = np.where(whole, tissue, background)
    noise = np.random.Generator(np.random.PCG64(3)).normal(scale=abs(tissue - background) * 0.01, size=volume.shape)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = -105, -135, -135
    return (volume + noise).astype(np.int16).T, (nose | lips).T, brain.T, affine
