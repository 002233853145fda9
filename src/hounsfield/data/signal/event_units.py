"""Units of measured values brought into one: which are of one kind, and what a substance weighs."""

from hounsfield.data.words import tokens

_UNITS = {
    # name: kind, how many of the kind's own unit it is, what is added before that
    "g/l": ("mass", 1.0, 0.0), "mg/l": ("mass", 1e-3, 0.0), "ug/l": ("mass", 1e-6, 0.0), "ng/l": ("mass", 1e-9, 0.0),
    "g/dl": ("mass", 10.0, 0.0), "mg/dl": ("mass", 1e-2, 0.0), "ug/dl": ("mass", 1e-5, 0.0),
    "ng/dl": ("mass", 1e-8, 0.0), "mg/ml": ("mass", 1.0, 0.0), "ug/ml": ("mass", 1e-3, 0.0),
    "ng/ml": ("mass", 1e-6, 0.0), "pg/ml": ("mass", 1e-9, 0.0), "mg%": ("mass", 1e-2, 0.0),
    "mol/l": ("amount", 1e3, 0.0), "mmol/l": ("amount", 1.0, 0.0), "umol/l": ("amount", 1e-3, 0.0),
    "nmol/l": ("amount", 1e-6, 0.0), "pmol/l": ("amount", 1e-9, 0.0),
    "meq/l": ("charge", 1.0, 0.0), "mval/l": ("charge", 1.0, 0.0),
    "mmhg": ("pressure", 1.0, 0.0), "torr": ("pressure", 1.0, 0.0), "kpa": ("pressure", 7.50062, 0.0),
    "cmh2o": ("pressure", 0.735559, 0.0), "mbar": ("pressure", 0.750062, 0.0), "hpa": ("pressure", 0.750062, 0.0),
    "cel": ("temperature", 1.0, 0.0), "c": ("temperature", 1.0, 0.0), "°c": ("temperature", 1.0, 0.0),
    "deg c": ("temperature", 1.0, 0.0), "degc": ("temperature", 1.0, 0.0), "celsius": ("temperature", 1.0, 0.0),
    "f": ("temperature", 5 / 9, -32.0), "°f": ("temperature", 5 / 9, -32.0), "deg f": ("temperature", 5 / 9, -32.0),
    "degf": ("temperature", 5 / 9, -32.0), "fahrenheit": ("temperature", 5 / 9, -32.0),
    "bpm": ("rate", 1.0, 0.0), "1/min": ("rate", 1.0, 0.0), "/min": ("rate", 1.0, 0.0), "min-1": ("rate", 1.0, 0.0),
    "beats/min": ("rate", 1.0, 0.0), "breaths/min": ("rate", 1.0, 0.0), "insp/min": ("rate", 1.0, 0.0),
    "hz": ("rate", 60.0, 0.0),
    "kg": ("weight", 1.0, 0.0), "g": ("weight", 1e-3, 0.0), "lb": ("weight", 0.45359237, 0.0),
    "lbs": ("weight", 0.45359237, 0.0),
    "m": ("length", 1.0, 0.0), "cm": ("length", 1e-2, 0.0), "in": ("length", 0.0254, 0.0),
    "inch": ("length", 0.0254, 0.0),
    "ml": ("volume", 1.0, 0.0), "cc": ("volume", 1.0, 0.0), "dl": ("volume", 100.0, 0.0), "l": ("volume", 1e3, 0.0),
    "mv": ("voltage", 1.0, 0.0), "uv": ("voltage", 1e-3, 0.0),
    "u/l": ("activity", 1.0, 0.0), "iu/l": ("activity", 1.0, 0.0),
    "1/nl": ("cells", 1.0, 0.0), "10^9/l": ("cells", 1.0, 0.0), "10*9/l": ("cells", 1.0, 0.0),
    "k/ul": ("cells", 1.0, 0.0), "10^3/ul": ("cells", 1.0, 0.0), "10*3/ul": ("cells", 1.0, 0.0),
}  # fmt: skip
_WEIGHTS = {
    # what the laboratory weighs, g/mol: of urea nitrogen the two nitrogens, of phosphate the phosphorus
    "glucose": 180.156, "glu": 180.156, "creatinine": 113.12, "crea": 113.12, "bun": 28.014,
    "urea": 60.056, "bilirubin": 584.66, "cholesterol": 386.65, "lactate": 90.08, "lactic": 90.08, "calcium": 40.078,
    "magnesium": 24.305, "phosphate": 30.974, "phosphorus": 30.974,
}  # fmt: skip
_SINGLE_CHARGE = frozenset({"na", "sodium", "k", "potassium", "cl", "chloride", "hco3", "bicarbonate"})


def plain_unit(unit: str) -> str:
    """Return a unit so that case, spaces and the kind of its micro sign do not matter."""
    text = unit.strip().casefold().replace("\u00b5", "u").replace("\u03bc", "u").replace("mcg", "ug")
    return text.replace(" / ", "/")


def conversion(variable: str, have: str, want: str) -> tuple[float, float] | None:
    """Return factor and summand that bring values of a variable from one unit to another; None where none is known.

    Parameters
    ----------
    variable : str
        Its name says the substance where a mass has to become an amount (``Glucose``: mg/dL to mmol/L).
    have, want : str

    Notes
    -----
    Molar masses are those of the substances as laboratories report them: urea nitrogen (BUN) counts its nitrogen
    alone, urea the whole molecule. A milliequivalent is a millimole where the ion has one charge.
    """
    a, b = plain_unit(have), plain_unit(want)
    if a == b:
        return 1.0, 0.0
    if a not in _UNITS or b not in _UNITS:
        return None
    (kind, scale, before), (other, unit, after) = _UNITS[a], _UNITS[b]
    if kind != other:
        between = _between(variable, kind, other)
        if between is None:
            return None
        scale *= between
    return scale / unit, scale * before / unit - after


def _between(variable: str, kind: str, other: str) -> float | None:
    """Return how many of one kind's own unit are one of another's, for the substance that a variable names."""
    words = tokens(variable)
    weights = {_WEIGHTS[w] for w in words if w in _WEIGHTS}
    if {kind, other} == {"mass", "amount"} and len(weights) == 1:
        grams = next(iter(weights))
        return 1e3 / grams if kind == "mass" else grams / 1e3
    joined = variable.strip().casefold()
    if {kind, other} == {"charge", "amount"} and (joined in _SINGLE_CHARGE or _SINGLE_CHARGE & set(words)):
        return 1.0
    return None
