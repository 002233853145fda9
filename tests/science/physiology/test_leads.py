import numpy as np
import pytest

from hounsfield.core.signal import Signal
from hounsfield.core.types import Float64Array
from hounsfield.science.physiology.leads import STANDARD, in_standard_order, lead_faults, ordered_names, standard_lead
from tests.science.physiology.hearts import beat_times, heart


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("II", "II"), ("MLII", "II"), ("ECG II", "II"), ("Lead II", "II"), ("ecg_lead_ii", "II"), ("EKG-V1", "V1"),
        ("AVR", "aVR"), ("avl", "aVL"), ("aV F", "aVF"), ("C3", None), ("ECGII", "II"), ("v6", "V6"), ("Lead 2", "II"),
        ("ML1", "I"), ("ABP", None), ("RESP", None), ("V", None), ("V7", None), ("MCL1", None), ("", None),
        ("ECG", None),
    ],
)  # fmt: skip
def test_names_of_leads(name: str, standard: str | None) -> None:
    assert standard_lead(name) == standard


def _twelve(tilt: float = 0.6) -> dict[str, Float64Array]:
    times = beat_times(20)
    a, b = heart(times, 250, 20, noise=0.01), heart(times + 0.015, 250, 20, t_height=-0.2, noise=0.01, seed=1)
    i, ii = 0.6 * a + 0.2 * b, a + tilt * 0.3 * b
    leads = {"I": i, "II": ii, "III": ii - i, "aVR": -(i + ii) / 2, "aVL": i - ii / 2, "aVF": ii - i / 2}
    return leads | {f"V{n}": (n - 2) / 4 * a + 0.2 * b for n in range(1, 7)}


def _signal(leads: dict[str, Float64Array]) -> Signal:
    array = np.stack(list(leads.values())).astype(np.float32)
    return Signal(array, tuple(leads), ("mV",) * len(leads), rate_hz=250.0)


def test_the_standard_order_is_made_sure() -> None:
    leads = _twelve()
    mixed = {n: leads[n] for n in ("V1", "aVL", "II", "I", "aVR", "III")} | {"RESP": leads["V2"], "MLII": leads["V3"]}
    found = in_standard_order(_signal(mixed))
    assert found.leads == ("I", "II", "III", "aVR", "aVL", "V1", "RESP", "MLII")
    np.testing.assert_array_equal(found.lead("aVR"), leads["aVR"].astype(np.float32))
    assert ordered_names(["V2", "ecg I", "RESP"]) == ("I", "V2")
    assert in_standard_order(_signal({"MLII": leads["II"]})).leads == ("II",)


def test_a_right_electrocardiogram_has_no_faults() -> None:
    assert lead_faults(_signal(_twelve())) == ()
    assert tuple(_twelve()) == STANDARD


@pytest.mark.parametrize(("a", "b"), [("aVR", "aVL"), ("aVR", "aVF"), ("aVL", "aVF")])
def test_swapped_augmented_leads_are_told(a: str, b: str) -> None:
    leads = _twelve()
    leads[a], leads[b] = leads[b], leads[a]
    assert [(f.kind, set(f.leads)) for f in lead_faults(_signal(leads))] == [("swapped", {a, b})]


def test_a_reversed_lead_is_told() -> None:
    for name in ("III", "aVF"):
        leads = _twelve()
        leads[name] = -leads[name]
        assert [(f.kind, f.leads) for f in lead_faults(_signal(leads))] == [("reversed", (name,))]


def test_a_foreign_lead_is_inconsistent() -> None:
    leads = _twelve()
    leads["II"] = heart(beat_times(20, seed=5), 250, 20)
    assert [f.kind for f in lead_faults(_signal(leads))] == ["inconsistent"]


def test_leads_in_several_units_of_voltage_are_compared_in_one() -> None:
    leads = _twelve()
    right = _signal(leads)
    for unit, times in (("uV", 1e3), ("V", 1e-3)):
        array = right.array.copy()
        array[0] *= np.float32(times)
        mixed = Signal(array, right.leads, (unit, *right.units[1:]), rate_hz=250.0)
        assert lead_faults(mixed) == ()


def test_a_fault_has_a_name() -> None:
    leads = _twelve()
    leads["aVR"], leads["aVL"] = leads["aVL"], leads["aVR"]
    assert [f.name for f in lead_faults(_signal(leads))] == ["aVR and aVL swapped"]


def test_exchanged_arm_electrodes_are_told() -> None:
    leads = _twelve()
    i, ii, iii = -leads["I"], leads["III"], leads["II"]
    arms = {"I": i, "II": ii, "III": iii, "V6": leads["V6"]}
    assert [(f.kind, f.name) for f in lead_faults(_signal(arms))] == [("arms", "arm electrodes exchanged")]
