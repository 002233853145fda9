"""Which variable is forecast, and which targets the task takes."""

import pytest

from hounsfield.core.cohort import Schema, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.tasks.prognose.task import Prognose
from hounsfield.tasks.prognose.variable import around, variable


def test_a_mean_pressure_is_found_by_its_name_and_unit() -> None:
    found = variable(("HR", "NIMAP", "SysABP", "MAP"), ("1/min", "mmHg", "mmHg", "mmHg"))
    assert (found.name, found.unit, found.below, found.low, found.high) == ("MAP", "mmHg", 65.0, 20.0, 200.0)
    assert variable(("HR", "ABP Mean"), ("", "")).name == "ABP Mean"
    assert variable(("HR", "ABPm", "ABP"), ("", "mmHg", "mmHg")).mean_pressure
    assert variable(("MAP", "ART"), ("V", "mmHg")).name == "ART"  # an ionic MAP in volts is another thing
    wave = variable(("II", "ABP"), ("mV", "mmHg"))
    assert (wave.name, wave.mean_pressure, wave.below) == ("ABP", False, None)


def test_a_named_or_only_variable_is_taken_as_it_is() -> None:
    assert variable(("HR", "MAP"), ("1/min", "mmHg"), wanted=("hr",)).name == "HR"
    assert variable(("HR", "MAP"), ("1/min", "mmHg"), wanted=("hr",)).below is None
    assert variable(("glucose",), ("mmol/L",)).name == "glucose"


def test_a_mean_pressure_lies_between_those_of_its_own_line() -> None:
    leads = ("HR", "NIDiasABP", "NISysABP", "NIMAP", "SysABP", "MAP", "DiasABP")
    units = ("1/min", *["mmHg"] * 6)
    assert around(leads, variable(leads, units)) == ("DiasABP", "SysABP")
    assert around(leads, variable(leads, units, wanted=("NIMAP",))) == ("NIDiasABP", "NISysABP")
    assert around(leads, variable(leads, units, wanted=("HR",))) is None
    assert around(("MAP", "SBP"), variable(("MAP", "SBP"), ("mmHg", "mmHg"))) is None
    assert around(("ABP", "SBP", "DBP"), variable(("ABP", "SBP", "DBP"), ("mmHg",) * 3)) is None
    assert around(("ABP Mean", "ABP Sys", "ABP Dias"), variable(("ABP Mean",), ("mmHg",))) == ("ABP Dias", "ABP Sys")


def test_what_is_not_clear_is_asked_back() -> None:
    with pytest.raises(CohortError, match="none was named"):
        variable(("HR", "Temp"), ("1/min", "Cel"))
    with pytest.raises(CohortError, match="no variable 'MPA'") as caught:
        variable(("HR", "MAP"), ("1/min", "mmHg"), wanted=("MPA",))
    assert "--target MAP" in caught.value.next_step
    with pytest.raises(CohortError, match="2 variables"):
        variable(("HR", "MAP"), ("1/min", "mmHg"), wanted=("HR", "MAP"))


def test_the_task_takes_forecasts_alone() -> None:
    asked, other = TargetSpec(name="MAP", kind="forecast"), TargetSpec(name="age", kind="number")
    task = Prognose()
    assert task.claim(Schema(targets=(asked,))) == 1.0
    assert task.claim(Schema(targets=(other, asked))) == 0.5
    assert task.claim(Schema(targets=(other,))) == 0.0
    assert task.accepts(Schema(targets=(other, asked))) == (asked,)
    with pytest.raises(CohortError, match="nothing to forecast"):
        task.accepts(Schema(targets=(other,)))


def test_names_in_any_script_are_told_apart() -> None:
    leads, units = ["心率", "平均动脉压", "Pression artérielle"], ["", "", ""]
    assert variable(leads, units, wanted=["平均动脉压"]).name == "平均动脉压"
    assert variable(leads, units, wanted=["pression artérielle"]).name == "Pression artérielle"
    with pytest.raises(CohortError, match="no variable"):
        variable(leads, units, wanted=["???"])
    with pytest.raises(CohortError, match="no variable"):
        variable(["A B", "AB"], ["", ""], wanted=["a-b"])  # either could be meant
    assert variable(["A B", "AB"], ["", ""], wanted=["AB"]).name == "AB"
