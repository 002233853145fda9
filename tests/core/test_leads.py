"""C1 to C6 are chest leads in an electrocardiogram and electrodes on the head in an electroencephalogram."""

from collections.abc import Sequence

import pytest

from hounsfield.core.leads import common_name, ordered_names, place_of, standard_lead

SIX = ("C1", "C2", "C3", "C4", "C5", "C6")


@pytest.mark.parametrize(
    "leads",
    [("I", "II", "III", *SIX), SIX, ("C3", "ECG II"), ("c4", "aVF", "C3"), ("EKG-C3", "ABP", "Lead 1"), ("C3", "MLII")],
)
def test_german_chest_leads_are_known_by_what_lies_beside_them(leads: Sequence[str]) -> None:
    name = next(n for n in leads if n.casefold().endswith("c3"))
    assert standard_lead(name, beside=leads) == common_name(name, beside=leads) == "V3"
    assert place_of("V3", leads) == list(leads).index(name)
    assert "V3" in ordered_names(leads)


@pytest.mark.parametrize(
    "leads",
    [
        ("C3", "C4", "O1", "O2"),
        ("C3", "C4"),
        ("C3", "C4", "ECG1", "ECG2", "EOG left"),
        ("C3", "C4", "F3-M2", "ECG II"),
        ("C3", "C4", "EMG chin", "II"),
        ("EEG Fpz-Cz", "C3", "I"),
        (*SIX, "Fp1", "O2"),
        ("C3",),
    ],
)
def test_electrodes_on_the_head_are_no_chest_leads(leads: Sequence[str]) -> None:
    assert standard_lead("C3", beside=leads) is None
    assert common_name("C3", beside=leads) == "c3"
    assert place_of("V3", leads) is None
    assert place_of("C3", leads) == list(leads).index("C3")
    assert not {"V3", "V4"}.intersection(ordered_names(leads))


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("DII", "II"), ("diii", "III"), ("MDC_ECG_LEAD_aVL", "aVL"), ("AVR,", "aVR"), ("Lead I (Einthoven)", "I"),
        ("ECG (V2)", "V2"), ("ECG1", "I"), ("EKG-aVR", "aVR"), ("ECG - aVF", "aVF"),
    ],
)  # fmt: skip
def test_spellings_of_leads_in_public_data(name: str, standard: str) -> None:
    assert standard_lead(name) == standard


@pytest.mark.parametrize(
    "name", ["-aVR", "\u2212aVR", "ECG -aVR", "-II", "I-II", "ECG I-II", "II - I", "I-I", "1", "Channel 2", "ch_3"]
)
def test_leads_upside_down_differences_and_bare_numbers_are_none_of_the_twelve(name: str) -> None:
    assert standard_lead(name) is None
    assert place_of("aVR", (name, "aVR")) == 1
    assert place_of("III", (name,)) is None
