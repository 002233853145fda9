"""Units of signals and of measured values: one spelling for each, and how values get from one to another."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

MICRO = ("\u00b5", "\u03bc")
"""The micro sign and the Greek letter, which look alike: written ``u``."""
_SPELT: Mapping[str, str] = {
    "nv": "nV", "uv": "uV", "mv": "mV", "v": "V",
    "nanovolt": "nV", "microvolt": "uV", "millivolt": "mV", "volt": "V",
    "nanovolts": "nV", "microvolts": "uV", "millivolts": "mV", "volts": "V",
    "mmhg": "mmHg", "mm hg": "mmHg", "mm[hg]": "mmHg", "cmh2o": "cmH2O", "cm[h2o]": "cmH2O",
    "pa": "Pa", "hpa": "hPa", "kpa": "kPa",
}  # fmt: skip
_UNITS: Mapping[str, tuple[str, float, float]] = {
    # as `plain_unit` has it: quantity, how many of the quantity's own unit one of it is, what is added before that
    "nv": ("voltage", 1e-6, 0.0), "uv": ("voltage", 1e-3, 0.0), "mv": ("voltage", 1.0, 0.0), "v": ("voltage", 1e3, 0.0),
    "mmhg": ("pressure", 1.0, 0.0), "torr": ("pressure", 1.0, 0.0), "cmh2o": ("pressure", 0.7355592, 0.0),
    "mbar": ("pressure", 0.7500617, 0.0), "pa": ("pressure", 7.500617e-3, 0.0), "hpa": ("pressure", 0.7500617, 0.0),
    "kpa": ("pressure", 7.500617, 0.0),
    "bpm": ("rate", 1.0, 0.0), "1/min": ("rate", 1.0, 0.0), "/min": ("rate", 1.0, 0.0), "min-1": ("rate", 1.0, 0.0),
    "beats/min": ("rate", 1.0, 0.0), "breaths/min": ("rate", 1.0, 0.0), "insp/min": ("rate", 1.0, 0.0),
    "hz": ("rate", 60.0, 0.0),
    "cel": ("temperature", 1.0, 0.0), "c": ("temperature", 1.0, 0.0), "\u00b0c": ("temperature", 1.0, 0.0),
    "\u2103": ("temperature", 1.0, 0.0), "deg c": ("temperature", 1.0, 0.0), "degc": ("temperature", 1.0, 0.0),
    "celsius": ("temperature", 1.0, 0.0), "f": ("temperature", 5 / 9, -32.0), "\u00b0f": ("temperature", 5 / 9, -32.0),
    "\u2109": ("temperature", 5 / 9, -32.0), "deg f": ("temperature", 5 / 9, -32.0),
    "degf": ("temperature", 5 / 9, -32.0), "fahrenheit": ("temperature", 5 / 9, -32.0),
    "k": ("temperature", 1.0, -273.15), "kelvin": ("temperature", 1.0, -273.15),
    "g/l": ("mass", 1.0, 0.0), "mg/l": ("mass", 1e-3, 0.0), "ug/l": ("mass", 1e-6, 0.0), "ng/l": ("mass", 1e-9, 0.0),
    "g/dl": ("mass", 10.0, 0.0), "mg/dl": ("mass", 1e-2, 0.0), "ug/dl": ("mass", 1e-5, 0.0),
    "ng/dl": ("mass", 1e-8, 0.0), "mg/ml": ("mass", 1.0, 0.0), "ug/ml": ("mass", 1e-3, 0.0),
    "ng/ml": ("mass", 1e-6, 0.0), "pg/ml": ("mass", 1e-9, 0.0), "mg%": ("mass", 1e-2, 0.0),
    "mol/l": ("amount", 1e3, 0.0), "mmol/l": ("amount", 1.0, 0.0), "umol/l": ("amount", 1e-3, 0.0),
    "nmol/l": ("amount", 1e-6, 0.0), "pmol/l": ("amount", 1e-9, 0.0),
    "meq/l": ("charge", 1.0, 0.0), "mval/l": ("charge", 1.0, 0.0),
    "kg": ("weight", 1.0, 0.0), "g": ("weight", 1e-3, 0.0), "lb": ("weight", 0.45359237, 0.0),
    "lbs": ("weight", 0.45359237, 0.0),
    "m": ("length", 1.0, 0.0), "cm": ("length", 1e-2, 0.0), "in": ("length", 0.0254, 0.0),
    "inch": ("length", 0.0254, 0.0),
    "ml": ("volume", 1.0, 0.0), "cc": ("volume", 1.0, 0.0), "dl": ("volume", 100.0, 0.0), "l": ("volume", 1e3, 0.0),
    "u/l": ("activity", 1.0, 0.0), "iu/l": ("activity", 1.0, 0.0),
    "1/nl": ("cells", 1.0, 0.0), "10^9/l": ("cells", 1.0, 0.0), "10*9/l": ("cells", 1.0, 0.0),
    "k/ul": ("cells", 1.0, 0.0), "10^3/ul": ("cells", 1.0, 0.0), "10*3/ul": ("cells", 1.0, 0.0),
}  # fmt: skip
"""Pressures: ISO 80000-4, where 1 mmHg is 133.322 Pa and 1 cmH2O 98.0665 Pa."""
_WEIGHTS: Mapping[str, float] = {
    # what the laboratory weighs, g/mol: of urea nitrogen the two nitrogens, of phosphate the phosphorus
    "glucose": 180.156, "glu": 180.156, "creatinine": 113.12, "crea": 113.12, "bun": 28.014,
    "urea": 60.056, "bilirubin": 584.66, "cholesterol": 386.65, "lactate": 90.08, "lactic": 90.08, "calcium": 40.078,
    "magnesium": 24.305, "phosphate": 30.974, "phosphorus": 30.974,
}  # fmt: skip
_SINGLE_CHARGE = frozenset({"na", "sodium", "k", "potassium", "cl", "chloride", "hco3", "bicarbonate"})


@dataclass(frozen=True)
class Change:
    """How values get from one unit to another: ``value * times + plus``.

    Parameters
    ----------
    times, plus : float
    """

    times: float = 1.0
    plus: float = 0.0


def spelled(unit: str) -> str:
    """Return a unit as it is spelt everywhere here.

    Parameters
    ----------
    unit : str
        As a file has it: ``"microvolt"``, ``"mv"``, ``"mm[Hg]"``, or with a micro sign; ``""`` where not known.

    Returns
    -------
    str
        ``"uV"``, ``"mV"``, ``"mmHg"``, ``"umol/L"``; one that is not known here as it was.
    """
    plain = unit.strip()
    for sign in MICRO:
        plain = plain.replace(sign, "u")
    return _SPELT.get(plain.casefold(), plain)


def plain_unit(unit: str) -> str:
    """Return a unit so that case, spaces, its kind of micro and degree sign and other ways to write it do not matter.

    Parameters
    ----------
    unit : str
    """
    text = spelled(unit).casefold().replace("mcg", "ug").replace("\u00ba", "\u00b0").replace("\u00b0 ", "\u00b0")
    return text.replace(" / ", "/")


def is_voltage(unit: str) -> bool:
    """Tell whether a unit is one of voltage, in any spelling."""
    return _UNITS.get(plain_unit(unit), ("", 0.0, 0.0))[0] == "voltage"


def conversion(have: str, want: str) -> float | None:
    """Return by what values in one unit are multiplied to be in another, whatever was measured.

    Parameters
    ----------
    have, want : str
        In any spelling; ``""`` where not known.

    Returns
    -------
    float or None
        1 where either is not known or both are the same; None where one is no multiple of the other.
    """
    found = change("", have, want)
    return None if found is None or found.plus else found.times


@lru_cache(maxsize=4096)
def change(variable: str, have: str, want: str) -> Change | None:
    """Return how values of a variable get from one unit to another.

    Parameters
    ----------
    variable : str
        Its name says the substance where a mass has to become an amount (``Glucose``: mg/dL to mmol/L).
    have, want : str
        In any spelling; ``""`` where not known.

    Returns
    -------
    Change or None
        None where none is known; values stay as they are where either unit is not told or both are the same.

    Notes
    -----
    Molar masses are those of the substances as laboratories report them: urea nitrogen (BUN) counts its nitrogen
    alone, urea the whole molecule. A milliequivalent is a millimole where the ion has one charge.
    """
    a, b = plain_unit(have), plain_unit(want)
    if not a or not b or a == b:
        return Change()
    if a not in _UNITS or b not in _UNITS:
        return None
    if _UNITS[a] == _UNITS[b]:
        return Change()
    (kind, scale, before), (other, unit, after) = _UNITS[a], _UNITS[b]
    if kind != other:
        between = _between(variable, kind, other)
        if between is None:
            return None
        scale *= between
    return Change(scale / unit, scale * before / unit - after)


def _between(variable: str, kind: str, other: str) -> float | None:
    """Return how many of one quantity's own unit are one of another's, for the substance that a variable names."""
    words = {w.casefold() for w in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", variable)}
    weights = {_WEIGHTS[w] for w in words if w in _WEIGHTS}
    if {kind, other} == {"mass", "amount"} and len(weights) == 1:
        grams = next(iter(weights))
        return 1e3 / grams if kind == "mass" else grams / 1e3
    joined = variable.strip().casefold()
    if {kind, other} == {"charge", "amount"} and (joined in _SINGLE_CHARGE or _SINGLE_CHARGE & words):
        return 1.0
    return None
