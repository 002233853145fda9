"""Reasons: why a feature of a region has no value."""

import math
from collections.abc import Mapping

from hounsfield.science.radiomics.catalogue import feature
from hounsfield.science.radiomics.extraction import Facts
from hounsfield.science.radiomics.neighbourhoods import MOST_TONES

_SHAPE_ONLY = ("morph_com", "morph_integ_int", "morph_moran_i", "morph_geary_c")


def reasons(values: Mapping[str, float], facts: Facts) -> dict[str, str]:
    """Return for each feature without a value why it has none, one clause.

    Parameters
    ----------
    values : mapping of str to float
        By tag; NaN where undefined.
    facts : Facts
        Of the region.
    """
    return {tag: _reason(tag, facts) for tag, value in values.items() if math.isnan(value)}


def _reason(tag: str, facts: Facts) -> str:
    family = tag.partition("_")[0]
    if family == "morph" and facts.planar:
        return "the image is a plane: its regions have no shape in three dimensions"
    if family in ("morph", "loc") and not facts.placed:
        return "the image does not say how large its voxels are"
    if not facts.kept and (family != "morph" or tag in _SHAPE_ONLY):
        return "re-segmentation leaves no voxel"
    if family == "loc" and not facts.complete:
        return "some voxels near the region have no finite intensity"
    if family == "ngt" and facts.levels > MOST_TONES:
        return f"the region has more than {MOST_TONES} grey levels"
    if facts.kept == 1 and family in ("cm", "ngt"):
        return "the region is one voxel: it has no neighbours"
    if family in ("cm", "ngt") and facts.levels == 1:
        return "all voxels have one grey level"
    return feature(tag).undefined or "no two voxels of the region are neighbours"
