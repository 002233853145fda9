"""What ComBat keeps is in the plan: nothing, or what a person said."""

from dataclasses import replace

from hounsfield.core.fingerprint import ColumnFacts, RowFacts
from hounsfield.core.plan import Decision, Facts, checked
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.stages.planning.draft import draft
from tests.stages.planning.facts import facts, values

NUMBER = ColumnFacts(distinct=40, std=10.0, spread=13.0, median=60.0, low=30.0, high=90.0)
PLACE = ColumnFacts(kind="place", levels=("A", "B"), distinct=2)
SEX = ColumnFacts(kind="categorical", levels=("f", "m"), distinct=2)


def drafted(*, age: bool, sex: bool, constant: bool = False) -> dict[str, dict[str, Decision]]:
    told = {"age": NUMBER.model_copy(update={"covariate": age}), "sex": SEX.model_copy(update={"covariate": sex})}
    told["arm"] = SEX.model_copy(update={"covariate": constant, "levels": ("x",), "distinct": 1})
    inputs = {
        "features": RowFacts(columns={**{f"f{k}": NUMBER for k in range(10)}, "hospital": PLACE}),
        "variables": RowFacts(columns=told),
    }
    given: Facts = facts(60, seen=inputs["features"])
    return draft(replace(given, fingerprint=given.fingerprint.model_copy(update={"inputs": inputs})))


def test_none_by_default_and_of_another_row_where_a_person_said_so() -> None:
    plain = drafted(age=False, sex=False)["preparation.features"]["covariates"]
    assert plain.value == []
    assert "never the answer" in plain.rule
    assert "none" in plain.rule
    said = drafted(age=True, sex=True, constant=True)
    assert said["preparation.features"]["covariates"].value == ["age", "sex"]
    assert "2 with that role" in said["preparation.features"]["covariates"].evidence
    read = checked("preparation.features", values(said["preparation.features"]), RowPreparation)
    assert read.covariates == ("age", "sex")
    # a row without a place has nothing to be harmonised
    assert "covariates" not in said["preparation.variables"]
