"""Catalogue: what each feature is, by its tag."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from hounsfield.science.radiomics import definitions


@dataclass(frozen=True)
class Feature:
    """One feature, whatever its aggregation.

    Parameters
    ----------
    tag : str
        As columns are called, without aggregation: ``cm_contrast``.
    name : str
        ``Contrast``.
    family : str
        Prefix of the tag.
    code : str
        Identifier of the IBSI manual.
    section : str
        Of the manual.
    unit : str
    formula : str
        In the notation of `hounsfield.science.radiomics.definitions`.
    undefined : str
        When it has no value, one clause; ``""`` where a region of one voxel has one.
    """

    tag: str
    name: str
    family: str
    code: str
    section: str
    unit: str
    formula: str
    undefined: str


@dataclass(frozen=True)
class Family:
    """A family of features.

    Parameters
    ----------
    prefix, name, code, section : str
    size : str
        What the second index of its matrix is, where it has one of sizes.
    rows : tuple
    """

    prefix: str
    name: str
    code: str
    section: str
    rows: tuple[definitions.Row, ...]
    size: str = ""


FAMILIES = (
    Family("morph", "Morphology", "HCUG", "3.1", definitions.MORPHOLOGY),
    Family("loc", "Local intensity", "9ST6", "3.2", definitions.LOCAL),
    Family("stat", "Intensity statistics", "UHIW", "3.3", definitions.STATISTICS),
    Family("ih", "Intensity histogram", "ZVCW", "3.4", definitions.HISTOGRAM),
    Family("ivh", "Intensity-volume histogram", "P88C", "3.5", definitions.VOLUME_HISTOGRAM),
    Family("cm", "Grey level co-occurrence", "LFYI", "3.6", definitions.COOCCURRENCE),
    Family("rlm", "Grey level run lengths", "TP0I", "3.7", definitions.RUNS, "run length"),
    Family("szm", "Grey level size zones", "9SAK", "3.8", definitions.ZONE_SIZES, "zone size"),
    Family("dzm", "Grey level distance zones", "VMDZ", "3.9", definitions.ZONE_DISTANCES, "zone distance"),
    Family("ngt", "Neighbourhood grey tone difference", "IPET", "3.10", definitions.TONES),
    Family("ngl", "Neighbouring grey level dependence", "REK0", "3.11", definitions.DEPENDENCES, "dependence"),
)
_VOLUME_SECTIONS = (1, 1, 2, 2, 3, 4, 5)
ENDINGS = ("_2_5D_avg", "_2_5D_comb", "_2_5D", "_2D_avg", "_2D_comb", "_2D", "_3D_avg", "_3D_comb", "_3D")


def features() -> Iterator[Feature]:
    """Yield every feature, in the order of the manual."""
    for family in FAMILIES:
        for n, (tag, name, code, unit, formula, undefined) in enumerate(family.rows):
            place = _VOLUME_SECTIONS[n] if family.prefix == "ivh" else n + 1
            yield Feature(
                tag=f"{family.prefix}_{tag}",
                name=name,
                family=family.prefix,
                code=code,
                section=f"{family.section}.{place}",
                unit=unit.replace("size", family.size or "size"),
                formula=formula,
                undefined=undefined,
            )


@cache
def _by_tag() -> dict[str, Feature]:
    return {f.tag: f for f in features()}


def tags() -> tuple[str, ...]:
    """Return the tags of all features, without aggregation."""
    return tuple(_by_tag())


def tag_of(name: str) -> str:
    """Return a tag without its aggregation: ``cm_contrast`` for ``cm_contrast_3D_avg``."""
    end = "" if name in _by_tag() else next((e for e in ENDINGS if name.endswith(e)), "")
    return name.removesuffix(end)


def feature(tag: str) -> Feature:
    """Return what a column is.

    Parameters
    ----------
    tag : str
        With or without aggregation: ``cm_contrast_3D_avg``.

    Raises
    ------
    KeyError
        If no feature is called so.

    Examples
    --------
    >>> feature("cm_contrast_3D_avg").code
    'ACUI'
    """
    return _by_tag()[tag_of(tag)]
