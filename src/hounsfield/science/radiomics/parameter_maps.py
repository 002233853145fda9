"""Parameter maps: a feature of the neighbourhood of each voxel of a slice."""

from dataclasses import dataclass, field

import numpy as np

from hounsfield.core.errors import InputError, ReadError
from hounsfield.core.types import AnyArray, Float64Array
from hounsfield.science.radiomics.catalogue import ENDINGS
from hounsfield.science.radiomics.discretisation import discretise
from hounsfield.science.radiomics.extraction import features, tags
from hounsfield.science.radiomics.region import Region
from hounsfield.science.radiomics.settings import Discretisation, Prefix, Resegmentation, Settings

FAMILIES: tuple[Prefix, ...] = ("stat", "ih", "cm", "rlm", "szm", "dzm", "ngt", "ngl")
"""Families of which there are maps: the others are of a region's shape or of a region as a whole."""
MOST = 4096
"""Neighbourhoods that are measured for one map; a larger slice is walked in wider steps."""


@dataclass(frozen=True)
class ParameterMap:
    """A feature over a slice.

    Parameters
    ----------
    tag : str
    values : numpy.ndarray
        ``y x`` float64, one for each `step` by `step` voxels of the slice; NaN where the feature is undefined.
    step : int
    """

    tag: str
    values: Float64Array = field(repr=False)
    step: int = 1


def family_of(tag: str) -> Prefix:
    """Return the family of a feature of which there can be a map.

    Raises
    ------
    InputError
        If there is no map of it.
    """
    family = next((f for f in FAMILIES if tag.startswith(f"{f}_")), None)
    if family is not None:
        known = {t for way in ("2D", "3D") for t in tags(Settings(families=(family,), dimensions=way))}
        if tag in known:
            return family
    raise InputError(
        f"There is no parameter map of {tag!r}.",
        expected="the tag of a feature of intensity, histogram or texture, such as cm_joint_entr_3D_avg",
        next_step="take a tag from a column of the table",
    )


def parameter_map(
    volume: AnyArray,
    spacing_mm: tuple[float, float, float],
    *,
    depth: int,
    tag: str,
    how: Discretisation,
    radius: int = 2,
) -> ParameterMap:
    """Return a feature of the cube, or square, around each voxel of a slice.

    Parameters
    ----------
    volume : numpy.ndarray
        ``z y x``: what the slice is to show, with as many slices beside it as are to count.
    spacing_mm : tuple of float
        Along z, y, x.
    depth : int
        Which slice.
    tag : str
        A feature of a family of `FAMILIES`; by its aggregation neighbourhoods are squares (2D, 2.5D) or cubes.
    how : Discretisation
        Of the whole volume given, once: grey levels mean the same everywhere in the map.
    radius : int
        Neighbourhoods reach so many voxels to each side, less at the volume's edge.

    Raises
    ------
    InputError
        If there is no map of the feature, the slice does not exist or the radius is below 1.
    ReadError
        If intensities cannot be discretised so, or a feature of three dimensions is asked for of a plane.

    Notes
    -----
    Neighbourhoods that hold a value that is not finite have none. Voxels beyond the region count: the map is of the
    image.
    """
    family = family_of(tag)
    if not 0 <= depth < len(volume) or radius < 1:
        raise InputError(
            f"A map of slice {depth} of {len(volume)} with radius {radius} was asked for.",
            expected="a slice of the volume, a radius of 1 or more",
            next_step="correct them",
        )
    if len(volume) == 1 and any(tag.endswith(e) for e in ENDINGS if e.startswith("_3D")):
        raise ReadError(
            f"There is no {tag} of a plane.", expected="a feature of two dimensions", next_step="take its 2D name"
        )
    planar = len(volume) == 1 or any(tag.endswith(e) for e in ENDINGS if not e.startswith("_3D"))
    near = volume[depth : depth + 1] if planar else volume[max(0, depth - radius) : depth + radius + 1]
    values = near.astype(np.float64)
    if family != "stat":
        values = _levels(values, how)
    settings = Settings(
        families=(family,),
        dimensions="2D" if planar else "3D",
        # statistics are of intensities, which are no grey levels
        discretisation=Discretisation(method="number" if family == "stat" else "none"),
        resegmentation=Resegmentation(),
    )
    height, width = values.shape[1:]
    step = max(1, int(np.ceil(np.sqrt(height * width / MOST))))
    rows, columns = range(0, height, step), range(0, width, step)
    found = np.full((len(rows), len(columns)), np.nan)
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            window = values[:, max(0, y - radius) : y + radius + 1, max(0, x - radius) : x + radius + 1]
            if np.isfinite(window).all():
                found[i, j] = _measured(np.ascontiguousarray(window), spacing_mm, settings, planar=planar).get(
                    tag, np.nan
                )
    return ParameterMap(tag, found, step)


def _levels(values: Float64Array, how: Discretisation) -> Float64Array:
    finite = np.isfinite(values)
    if not finite.any():
        raise ReadError("No intensity near the region is a finite number.", expected="numbers", next_step="look at it")
    made = np.full(values.shape, np.nan)
    made[finite] = discretise(values[finite], how).values
    return made


def _measured(
    window: Float64Array, spacing_mm: tuple[float, float, float], settings: Settings, *, planar: bool
) -> dict[str, float]:
    every = np.ones(window.shape, dtype=np.bool_)
    z, y, x = (slice(0, n) for n in window.shape)
    region = Region(
        whole=every,
        kept=every,
        around=window,
        inner=(z, y, x),
        spacing_mm=spacing_mm,
        planar=planar,
        grid=window.shape,
        box=(z, y, x),
    )
    return features(region, settings)[0]
