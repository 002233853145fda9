"""Extraction: all features of one region, by their tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite, nan

import numpy as np

from hounsfield.core.types import Float64Array
from hounsfield.science.radiomics import (
    cooccurrence,
    histograms,
    intensities,
    local_intensity,
    morphology,
    neighbourhoods,
    run_lengths,
    zones,
)
from hounsfield.science.radiomics.autocorrelation import autocorrelation
from hounsfield.science.radiomics.discretisation import Levels, discretise
from hounsfield.science.radiomics.region import Region
from hounsfield.science.radiomics.settings import Settings
from hounsfield.science.radiomics.texture import Texture, texture

Tagged = Iterator[tuple[str, float]]
PAIRED = {"cm": cooccurrence.NAMES, "rlm": run_lengths.NAMES}
SINGLE = {
    "szm": zones.SIZE_NAMES,
    "dzm": zones.DISTANCE_NAMES,
    "ngt": neighbourhoods.TONE_NAMES,
    "ngl": neighbourhoods.DEPENDENCE_NAMES,
}
PLAIN = {
    "morph": morphology.NAMES,
    "loc": local_intensity.NAMES,
    "stat": intensities.NAMES,
    "ih": histograms.NAMES,
    "ivh": histograms.VOLUME_NAMES,
}

_OF_NEIGHBOURS = (*PAIRED, *SINGLE)
_OF_LEVELS = ("ih", *_OF_NEIGHBOURS)


@dataclass(frozen=True)
class Facts:
    """What decides which features of a region are undefined.

    Parameters
    ----------
    voxels : int
        Of the shape.
    kept : int
        Whose intensities count.
    constant : bool
        Whether those are all the same.
    levels : int
        Grey levels that occur.
    planar : bool
    placed : bool
        Whether the image says how large its voxels are.
    complete : bool
        Whether every voxel within reach of the region has a finite intensity.
    """

    voxels: int
    kept: int
    constant: bool
    levels: int
    planar: bool
    placed: bool
    complete: bool


def aggregations(family: str, dimensions: str, *, planar_image: bool = False) -> tuple[str, ...]:
    """Return the endings of a family's tags: ``""`` for families without aggregation.

    Parameters
    ----------
    family : str
    dimensions : str
        ``2D``, ``3D`` or ``both``.
    planar_image : bool
        A plane is measured in two dimensions, whatever the settings say.
    """
    if family in PLAIN:
        return ("",)
    ends: tuple[str, ...] = ()
    if dimensions != "3D" or planar_image:
        ends += ("_2D_avg", "_2D_comb", "_2_5D_avg", "_2_5D_comb") if family in PAIRED else ("_2D", "_2_5D")
    if dimensions != "2D" and not planar_image:
        ends += ("_3D_avg", "_3D_comb") if family in PAIRED else ("_3D",)
    return ends


def tags(settings: Settings, *, planar_image: bool = False) -> tuple[str, ...]:
    """Return the tags of all features that settings ask for, in the order of the table."""
    return _asked(settings, planar_image=planar_image).tags


@dataclass(frozen=True)
class _Asked:
    """What settings ask for.

    Parameters
    ----------
    tags : tuple of str
    families : frozenset of str
        Those of which a feature is asked for.
    shape, histogram : tuple of str
        Features of ``morph`` and of ``ih``.
    planar, solid : frozenset of str
        Families of texture of which a feature slice by slice is asked for, and one in three dimensions.
    """

    tags: tuple[str, ...]
    families: frozenset[str]
    shape: tuple[str, ...]
    histogram: tuple[str, ...]
    planar: frozenset[str]
    solid: frozenset[str]


def _asked(settings: Settings, *, planar_image: bool) -> _Asked:
    return _found_asked(
        settings.families, settings.features, settings.dimensions, slow=settings.slow, planar_image=planar_image
    )


@lru_cache(maxsize=256)
def _found_asked(
    families: tuple[str, ...], features: tuple[str, ...], dimensions: str, *, slow: bool, planar_image: bool
) -> _Asked:
    names, wanted = {**PLAIN, **PAIRED, **SINGLE}, frozenset(features)
    found: list[tuple[str, str, str]] = []
    for family in families:
        ends = aggregations(family, dimensions, planar_image=planar_image)
        for name in names[family]:
            if family == "morph" and name in ("moran_i", "geary_c") and not slow:
                continue
            found += [
                (family, name, end)
                for end in ends
                if not wanted or {f"{family}_{name}", f"{family}_{name}{end}"} & wanted
            ]
    return _Asked(
        tuple(f"{family}_{name}{end}" for family, name, end in found),
        frozenset(family for family, _, _ in found),
        tuple(name for family, name, _ in found if family == "morph"),
        tuple(name for family, name, _ in found if family == "ih"),
        frozenset(family for family, _, end in found if end.startswith("_2")),
        frozenset(family for family, _, end in found if end.startswith("_3D")),
    )


def features(region: Region, settings: Settings, *, placed: bool = True) -> tuple[dict[str, float], Facts]:
    """Return the features of a region by tag, NaN where undefined, and what explains that.

    Parameters
    ----------
    region : Region
    settings : Settings
    placed : bool
        Whether the image says how large its voxels are.

    Raises
    ------
    ReadError
        If intensities cannot be discretised as the settings say.
    """
    held, asked = region.intensities, _asked(settings, planar_image=region.planar)
    complete = bool(np.isfinite(region.around).all())
    shaped = placed and not region.planar
    found: list[tuple[str, float]] = []
    if asked.shape and shaped:
        found += _shape(region, asked.shape)
    present, constant = 0, False
    if len(held):
        if "loc" in asked.families and placed and complete:
            around = np.zeros(region.around.shape, dtype=np.bool_)
            around[region.inner] = region.kept
            found += _named("loc", local_intensity.peaks(region.around, around, region.spacing_mm))
            del around
        levels = None
        if not asked.families.isdisjoint(_OF_LEVELS):
            levels = discretise(held, settings.discretisation, lowest=settings.resegmentation.lowest)
            present = int(np.count_nonzero(np.bincount(levels.values)))
        held.sort()
        constant = bool(held[0] == held[-1])
        found += _of_intensities(held, levels, settings, asked)
        # what is not needed any more makes room for texture
        held = held[:0]
        if levels is not None and not asked.families.isdisjoint(_OF_NEIGHBOURS):
            laid = texture(region.kept, levels)
            del levels
            for families, planar in ((asked.planar, True), (asked.solid, False)):
                found += _in_one_way(laid, region, families, planar=planar)
    values = dict(found)
    facts = Facts(
        voxels=int(np.count_nonzero(region.whole)),
        kept=int(np.count_nonzero(region.kept)),
        constant=constant,
        levels=present,
        planar=region.planar,
        placed=placed,
        complete=complete,
    )
    return {t: v if isfinite(v := values.get(t, nan)) else nan for t in asked.tags}, facts


def _named(family: str, values: Float64Array) -> Tagged:
    return zip(_names(family, ""), values.tolist(), strict=True)


@lru_cache(maxsize=256)
def _names(family: str, end: str) -> tuple[str, ...]:
    names = PLAIN.get(family) or PAIRED.get(family) or SINGLE[family]
    return tuple(f"{family}_{name}{end}" for name in names)


def _shape(region: Region, names: tuple[str, ...]) -> Tagged:
    found = morphology.shape_features(region.whole, region.spacing_mm, names)
    wanted = frozenset(names) if region.kept.any() else frozenset()
    if "com" in wanted:
        found["com"] = morphology.shift(region.image, region.kept, region.whole, region.spacing_mm)
    if "integ_int" in wanted:
        found["integ_int"] = float(region.intensities.mean()) * found["volume"]
    if not wanted.isdisjoint(("moran_i", "geary_c")):
        found["moran_i"], found["geary_c"] = autocorrelation(region.image, region.kept, region.spacing_mm)
    return ((f"morph_{name}", float(value)) for name, value in found.items())


def _of_intensities(ordered: Float64Array, levels: Levels | None, settings: Settings, asked: _Asked) -> Tagged:
    if "stat" in asked.families:
        yield from _named("stat", intensities.statistics(ordered))
    if "ivh" in asked.families:
        curve = histograms.volume_histogram(ordered, settings.volume_histogram, settings.resegmentation)
        yield from _named("ivh", curve)
    if "ih" in asked.families and levels is not None:
        yield from _named("ih", histograms.histogram(levels, asked.histogram))


def _in_one_way(laid: Texture, region: Region, asked: frozenset[str], *, planar: bool) -> list[tuple[str, float]]:
    way = "2D" if planar else "3D"
    found: list[tuple[str, float]] = []
    if "cm" in asked:
        found += _rows("cm", cooccurrence.cooccurrence(laid, planar=planar), way)
    if "rlm" in asked:
        found += _rows("rlm", run_lengths.run_lengths(laid, planar=planar), way)
    if not asked.isdisjoint(("szm", "dzm")):
        sizes, distances = zones.zones(laid, region.whole if "dzm" in asked else None, planar=planar)
        found += _rows("szm", sizes, way)
        found += _rows("dzm", distances, way)
    if not asked.isdisjoint(("ngt", "ngl")):
        tones, dependences = neighbourhoods.neighbourhoods(laid, planar=planar)
        found += _rows("ngt", tones, way)
        found += _rows("ngl", dependences, way)
    return found


def _rows(family: str, table: Float64Array, way: str) -> Tagged:
    names = _names_in(family, way)
    # in three dimensions rows repeat themselves, and fewer are named
    rows = len(names) // table.shape[1]
    return zip(names, table[:rows].reshape(-1).tolist(), strict=True)


@lru_cache(maxsize=256)
def _names_in(family: str, way: str) -> tuple[str, ...]:
    return tuple(name for end in aggregations(family, way) for name in _names(family, end))
