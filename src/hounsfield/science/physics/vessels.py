"""Branching vessels and airways of the lungs, as a slice cuts them."""

from collections.abc import Iterator
from math import cos, pi, sin

import numpy as np

from hounsfield.science.physics.raster import Capsule

Hilum = tuple[float, float, float]
"""Where a lung's vessels enter: y in mm, x in mm, and the side (-1 or 1) to which they run along x."""

_IN_PLANE = 0.45
_LEAST_RADIUS_MM = 0.85


def pulmonary_vessels(
    hila: tuple[Hilum, ...], *, extent_mm: float, density: float, rng: np.random.Generator
) -> Iterator[tuple[Capsule, float]]:
    """Draw the vessels that a slice shows: branches that run in it, and dots where others cross it.

    Parameters
    ----------
    hila : tuple of (y, x, side)
        Roots of the trees, in mm.
    extent_mm : float
        Half width of the chest, which scales lengths and positions.
    density : float
        Around 1: more makes vessels more and wider.
    rng : numpy.random.Generator

    Yields
    ------
    (Capsule, float)
        A piece and its opacity, under 1 where it only grazes the slice. Pieces may lie outside the lungs.

    Notes
    -----
    Children of a branch have about 0.79 of its radius (Murray's law for two equal branches, ``r^3 = 2 r'^3``).
    """
    for y, x, side in hila:
        for start in np.linspace(-1.25, 1.25, 6):
            angle = start + float(rng.normal(0.0, 0.12))
            root = (y + 10.0 * sin(angle), x + side * 4.0 * cos(angle))
            yield from _branch(root, angle, side=side, radius=3.1 * density, length=0.19 * extent_mm, rng=rng)
        for _ in range(round(22 * density)):
            away = float(rng.uniform(0.1, 0.62)) * extent_mm
            angle = float(rng.uniform(-1.5, 1.5))
            dot_y, dot_x = y + 1.15 * away * sin(angle), x + side * away * cos(angle)
            radius = float(np.clip(rng.gamma(3.0, 0.42) * (1.15 - away / extent_mm), 0.4, 2.1))
            long, turn = float(rng.uniform(0.0, 1.6)) * radius, float(rng.uniform(0.0, pi))
            yield (
                Capsule(dot_y, dot_x, dot_y + long * sin(turn), dot_x + long * cos(turn), radius),
                float(rng.uniform(0.4, 0.85)),
            )


def airway_tree(hila: tuple[Hilum, ...], *, rng: np.random.Generator) -> Iterator[tuple[Capsule, float]]:
    """Draw a few air-filled bronchi near the hila; parameters and yields as in `pulmonary_vessels`."""
    for y, x, side in hila:
        for _ in range(3):
            angle, away = float(rng.uniform(-1.0, 1.0)), float(rng.uniform(4.0, 22.0))
            y0, x0 = y + away * sin(angle), x + side * away * cos(angle)
            long = float(rng.uniform(2.0, 10.0))
            yield (
                Capsule(y0, x0, y0 + long * sin(angle), x0 + side * long * cos(angle), float(rng.uniform(1.0, 2.2))),
                float(rng.uniform(0.6, 1.0)),
            )


def _branch(
    start: tuple[float, float], angle: float, *, side: float, radius: float, length: float, rng: np.random.Generator
) -> Iterator[tuple[Capsule, float]]:
    """Yield a branch and its children; a branch out of the slice is skipped, its children may come back."""
    if radius < _LEAST_RADIUS_MM or length < 5.0:
        return
    reach = length * float(rng.uniform(0.75, 1.25))
    end = (start[0] + reach * sin(angle), start[1] + side * reach * cos(angle))
    if rng.random() < _IN_PLANE:
        yield Capsule(*start, *end, radius * float(rng.uniform(0.7, 1.0))), float(rng.uniform(0.3, 0.8))
    for turn in (-1.0, 1.0):
        child = angle + turn * float(rng.uniform(0.2, 0.65))
        yield from _branch(
            end,
            child,
            side=side,
            radius=radius * float(rng.uniform(0.6, 0.79)),
            length=length * float(rng.uniform(0.72, 0.95)),
            rng=rng,
        )
