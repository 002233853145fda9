"""Units of signals: one spelling for each, and factors from one to another."""

from collections.abc import Mapping

MICRO = ("\u00b5", "\u03bc")
"""The micro sign and the Greek letter, which look alike: written ``u``."""
_SPELT: Mapping[str, str] = {
    "nv": "nV", "uv": "uV", "mv": "mV", "v": "V",
    "nanovolt": "nV", "microvolt": "uV", "millivolt": "mV", "volt": "V",
    "nanovolts": "nV", "microvolts": "uV", "millivolts": "mV", "volts": "V",
    "mmhg": "mmHg", "mm hg": "mmHg", "mm[hg]": "mmHg", "cmh2o": "cmH2O", "cm[h2o]": "cmH2O",
    "pa": "Pa", "hpa": "hPa", "kpa": "kPa",
}  # fmt: skip
_SCALES: Mapping[str, tuple[str, float]] = {
    "nV": ("voltage", 1e-6), "uV": ("voltage", 1e-3), "mV": ("voltage", 1.0), "V": ("voltage", 1e3),
    "mmHg": ("pressure", 1.0), "cmH2O": ("pressure", 0.7355592), "mbar": ("pressure", 0.7500617),
    "Pa": ("pressure", 7.500617e-3), "hPa": ("pressure", 0.7500617), "kPa": ("pressure", 7.500617),
    "bpm": ("rate", 1.0), "/min": ("rate", 1.0), "1/min": ("rate", 1.0), "min-1": ("rate", 1.0),
    "beats/min": ("rate", 1.0), "breaths/min": ("rate", 1.0), "Hz": ("rate", 60.0),
}  # fmt: skip
"""Spelling to quantity, and to how many mV, mmHg or times a minute one of it is. Pressures: ISO 80000-4, where
1 mmHg is 133.322 Pa and 1 cmH2O 98.0665 Pa."""


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


def is_voltage(unit: str) -> bool:
    """Tell whether a unit is one of voltage, in any spelling."""
    return _SCALES.get(spelled(unit), ("", 0.0))[0] == "voltage"


def conversion(have: str, want: str) -> float | None:
    """Return by what values in one unit are multiplied to be in another.

    Parameters
    ----------
    have, want : str
        In any spelling; ``""`` where not known.

    Returns
    -------
    float or None
        1 where either is not known or both are the same; None where one is no multiple of the other.
    """
    have, want = spelled(have), spelled(want)
    if not have or not want or have.casefold() == want.casefold():
        return 1.0
    own, wanted = _SCALES.get(have), _SCALES.get(want)
    if own is None or wanted is None or own[0] != wanted[0]:
        return None
    return own[1] / wanted[1]
