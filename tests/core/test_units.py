"""Units are spelt in one way and converted by their definitions."""

import pytest

from hounsfield.core.units import conversion, spelled


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
