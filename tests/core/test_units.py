"""Units are spelt in one way, and values converted by definition, or by what a substance weighs."""

import pytest

from hounsfield.core.units import Change, change, conversion, spelled


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("\u00b5V", "uV"), ("\u03bcV", "uV"), ("uV", "uV"), (" UV ", "uV"), ("microvolts", "uV"), ("mv", "mV"),
        ("Millivolt", "mV"), ("mm[Hg]", "mmHg"), ("MMHG", "mmHg"), ("\u03bcmol/L", "umol/L"), ("NU", "NU"), ("", ""),
    ],
)  # fmt: skip
def test_a_unit_has_one_spelling(written: str, unit: str) -> None:
    assert spelled(written) == unit


@pytest.mark.parametrize(
    ("have", "want", "factor"),
    [
        ("uV", "mV", 1e-3), ("mV", "\u00b5V", 1e3), ("\u03bcV", "mV", 1e-3), ("V", "mV", 1e3), ("uV", "V", 1e-6),
        ("mmHg", "kPa", 0.133322), ("kPa", "mmHg", 1 / 0.133322), ("cmH2O", "Pa", 98.0665), ("bpm", "1/min", 1.0),
        ("Hz", "bpm", 60.0), ("mv", "mV", 1.0), ("", "mV", 1.0), ("mmHg", "", 1.0), ("NU", "nu", 1.0),
    ],
)  # fmt: skip
def test_values_are_converted_by_definition(have: str, want: str, factor: float) -> None:
    assert conversion(have, want) == pytest.approx(factor, rel=1e-5)


@pytest.mark.parametrize(("have", "want"), [("mmHg", "mV"), ("NU", "mV"), ("mg/dL", "mmol/L"), ("pm", "Ohm")])
def test_what_is_no_multiple_is_not_converted(have: str, want: str) -> None:
    assert conversion(have, want) is None


def test_only_what_is_told_is_converted() -> None:
    assert change("Temp", "", "degC") == change("Temp", "degF", "") == change("X", "NU", "nu") == Change()
    assert conversion("degF", "degC") is None  # no multiple
    assert conversion("Cel", "\u00b0C") == 1.0
    assert change("Temp", "degF", "\u00b0F") == Change()


@pytest.mark.parametrize(
    ("variable", "have", "want", "value", "expected"),
    [
        ("Glucose", "mg/dL", "mmol/L", 100, 5.551),
        ("Creatinine", "mg/dL", "µmol/L", 1, 88.4),
        ("Creatinine", "\u03bcmol/L", "mg/dL", 88.4, 1),
        ("BUN", "mg/dL", "mmol/L", 10, 3.57),
        ("Bilirubin", "mg/dL", "umol/L", 1, 17.1),
        ("Cholesterol", "mmol/L", "mg/dL", 1, 38.67),
        ("Lactate", "mg/dL", "mmol/L", 9, 1.0),
        ("Temp", "°F", "Cel", 98.6, 37.0),
        ("Temp", "C", "F", 37.0, 98.6),
        ("Temp", "degF", "\u2103", 98.6, 37.0),
        ("Temp", "kelvin", "\u00b0F", 310.15, 98.6),
        ("Temp", "\u00baC", "K", 37.0, 310.15),
        ("MAP", "kPa", "mm Hg", 13.3322, 100.0),
        ("PaO2", "kPa", "mmHg", 1, 7.501),
        ("K", "mEq/L", "mmol/L", 4, 4),
        ("Weight", "lb", "kg", 10, 4.536),
        ("Height", "in", "cm", 10, 25.4),
        ("Albumin", "g/dL", "g/L", 4, 40),
        ("HR", "bpm", "1/min", 60, 60),
    ],
)
def test_known_conversions(variable: str, have: str, want: str, value: float, expected: float) -> None:
    """Against the factors that laboratories print: 0.0555, 88.4, 0.357, 17.1, 38.67, 0.111."""
    found = change(variable, have, want)
    assert found is not None
    assert value * found.times + found.plus == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize(
    ("variable", "have", "want"),
    [("Insulin", "mg/dL", "mmol/L"), ("Ca", "mEq/L", "mmol/L"), ("HR", "bpm", "mmHg"), ("HR", "bpm", "blinks")],
)
def test_unknown_conversions(variable: str, have: str, want: str) -> None:
    assert change(variable, have, want) is None
