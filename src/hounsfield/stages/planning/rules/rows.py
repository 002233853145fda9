"""Rules for rows of clinical variables: how they are prepared, and how large their encoder is."""

from collections.abc import Callable
from typing import cast

from hounsfield.core.errors import PlanError
from hounsfield.core.fingerprint import ColumnFacts, RowFacts
from hounsfield.core.plan import Decision, Facts, PlanValue
from hounsfield.stages.planning.rules import Rule, beats

SKEWED = 2.0
"""Skewness from which a number that is never negative is looked at through its logarithm."""
MOST_MISSING = 0.95
EDGE = 6.0
"""Spreads from the middle beyond which the preparation cuts numbers off (`hounsfield.learn.prepare.row.CLIP`)."""


def preparation(name: str, facts: Facts) -> dict[str, Rule]:
    """Return the rules of section ``preparation.<name>`` for a row input."""

    def about(rule: Callable[[RowFacts, Facts], Decision]) -> Rule:
        return lambda now: rule(seen_of(now, name), now)

    placed = {
        "site": about(_site),
        "sites": about(_sites),
        "harmonise": about(_harmonise),
        "covariates": about(_covariates),
    }
    return {
        "columns": about(_columns),
        "levels": about(_levels),
        "logarithm": about(_logarithm),
        "complete": about(_complete),
        "middle": about(_middle),
        "spread": about(_spread),
        **({"around": about(_around)} if _of_beats(seen_of(facts, name)) else {}),
        **(placed if _place(seen_of(facts, name)) else {}),
    }


def network(names: tuple[str, ...], facts: Facts) -> dict[str, Rule]:
    """Return the rules of section ``network``, or of the encoder, of row inputs.

    Raises
    ------
    PlanError
        If a network over sequences of beats was asked for, and no row tells the form of beats.
    """
    if any(facts.decided.get((f"preparation.{name}", "around")) for name in names):
        return {"family": _series, "width": _state, "inner": _inner_of_beats, "dropout": _dropout}
    rows = [seen for seen in facts.fingerprint.inputs.values() if isinstance(seen, RowFacts)]
    if facts.network == "beat-sequence" and not any(_of_beats(seen) for seen in rows):
        raise PlanError(
            "A network over sequences of beats was asked for, and no row tells the form of a beat.",
            expected="beats of electrocardiograms with their forms: records and --target beats",
            next_step="leave --network out, or write --network row",
        )
    return {
        "family": _family,
        "spread": lambda now: _numbers(names, now),
        "width": _width,
        "layers": _layers,
        "inner": _inner,
        "dropout": _dropout,
    }


def seen_of(facts: Facts, name: str) -> RowFacts:
    """Return what is known of a row input."""
    return cast(RowFacts, facts.fingerprint.inputs[name])


def kept(seen: RowFacts) -> dict[str, ColumnFacts]:
    """Return the variables that tell something: known often enough, and not the same throughout."""
    return {
        name: column
        for name, column in _variables(seen).items()
        if column.missing_share <= MOST_MISSING and (column.distinct > 1 or column.missing_share > 0.05)
    } or _variables(seen)


def looked_at(seen: RowFacts, facts: Facts) -> dict[str, ColumnFacts]:
    """Return the variables that a network looks at: those that are kept, of few hearts without absolute intervals."""
    chosen = kept(seen)
    if not (beats.few(facts) and any(n.startswith(f"{beats.INTERVALS[0]}_") for n in chosen)):
        return chosen
    return {name: column for name, column in chosen.items() if name not in beats.INTERVALS}


def _variables(seen: RowFacts) -> dict[str, ColumnFacts]:
    return {name: column for name, column in seen.columns.items() if column.kind != "place"}


def _place(seen: RowFacts) -> str:
    """Return the column that says where rows were recorded; ``""`` where there is none, or one place only."""
    able = (n for n, c in seen.columns.items() if c.kind == "place" and len(c.levels) > 1)
    return next(able, "")


def _site(seen: RowFacts, facts: Facts) -> Decision:
    return Decision(
        value=_place(seen),
        rule="where measured features were recorded; no learner looks at it, only the harmonisation of features does",
        evidence=f"{len(seen.columns[_place(seen)].levels)} places, {facts.fingerprint.samples} training rows",
    )


def _sites(seen: RowFacts, facts: Facts) -> Decision:
    return Decision(
        value=list(seen.columns[_place(seen)].levels),
        rule="places that two training rows have at least; a row of another one is taken for one of the average place: "
        "the pooled mean and spread, no shift",
        evidence=f"{facts.fingerprint.samples} training rows",
    )


def _harmonise(seen: RowFacts, facts: Facts) -> Decision:
    return Decision(
        value="empirical-bayes",
        rule="what each place adds to the numbers is estimated in the training part of each fold, answers unseen, and "
        "taken away before variables are selected (ComBat, Johnson et al. 2007); none and each-feature are the others",
        evidence=f"{len(_variables(seen))} variables, {facts.fingerprint.samples} training rows",
    )


def _covariates(seen: RowFacts, facts: Facts) -> Decision:
    rows = [own for own in facts.fingerprint.inputs.values() if isinstance(own, RowFacts)]
    said = dict.fromkeys(n for own in rows for n, column in kept(own).items() if column.covariate)
    return Decision(
        value=list(said),
        rule="variables of this row or of another one whose share in the numbers is kept when places are harmonised: "
        "those with the role covariate (columns: {NAME: covariate} in cohort.yaml), else none, since a covariate of "
        "few rows that the places share unevenly brings back what was to be taken away; never the answer, which is not "
        "known of a new patient, and which features that were harmonised with it in view would carry with them",
        evidence=f"{len(said)} with that role, {len(seen.columns[_place(seen)].levels)} places, "
        f"{facts.fingerprint.samples} training rows",
    )


def _logged(column: ColumnFacts) -> bool:
    return column.kind == "numeric" and column.low >= 0.0 and column.skewness > SKEWED


def _columns(seen: RowFacts, facts: Facts) -> Decision:
    chosen = looked_at(seen, facts)
    without = (
        "; of few patients no interval in seconds where its ratios are there: it tells which heart, not which beat "
        "(MIT-BIH DS1 in four parts by record, rows alone, two seeds: mean sensitivity .671 without, .653 with, jk "
        ".721 and .715)"
    )
    return Decision(
        value=list(chosen),
        rule=f"all variables but those that are the same throughout, or missing in more than {MOST_MISSING:.0%}"
        + (without if len(chosen) < len(kept(seen)) else ""),
        evidence=f"{len(chosen)} of {len(_variables(seen))}, {facts.fingerprint.samples} training rows",
    )


def _levels(seen: RowFacts, facts: Facts) -> Decision:
    coded: dict[str, PlanValue] = {n: list(c.levels) for n, c in looked_at(seen, facts).items() if c.kind != "numeric"}
    return Decision(
        value=coded,
        rule="levels that two training rows have at least; another one counts as none of them",
        evidence=f"{len(coded)} categories, {facts.fingerprint.samples} training rows",
    )


def _logarithm(seen: RowFacts, facts: Facts) -> Decision:
    chosen = [name for name, column in looked_at(seen, facts).items() if _logged(column)]
    return Decision(
        value=list(chosen),
        rule=f"numbers that are never negative and of skewness above {SKEWED:g}, as concentrations are, enter as "
        "log(1 + x / median)",
        evidence=f"{len(chosen)} such numbers",
    )


def _complete(seen: RowFacts, facts: Facts) -> Decision:
    never = [name for name, column in looked_at(seen, facts).items() if column.missing_share == 0.0]
    return Decision(
        value=list(never),
        rule="variables that no training row lacks: a row that lacks one is answered, with a flag",
        evidence=f"{len(never)} of {len(looked_at(seen, facts))}, {facts.fingerprint.samples} training rows",
    )


def _middle(seen: RowFacts, facts: Facts) -> Decision:
    numbers: dict[str, PlanValue] = {n: c.median for n, c in looked_at(seen, facts).items() if c.kind == "numeric"}
    return Decision(
        value=numbers,
        rule="the training rows' median",
        evidence=f"{facts.fingerprint.samples} training rows",
    )


def _spread(seen: RowFacts, facts: Facts) -> Decision:
    numbers: dict[str, PlanValue] = {
        n: float(f"{_of_number(c) or 1.0:.6g}") for n, c in looked_at(seen, facts).items() if c.kind == "numeric"
    }
    return Decision(
        value=numbers,
        rule="the training rows' interquartile range over 1.349, the deviation where that is 0: no outlier moves it; "
        f"wider where tails are heavy, so that 99% of the training values lie within {EDGE:g} of it and only what is "
        "beyond is cut off: a number far out would outweigh all others in a network",
        evidence=f"{facts.fingerprint.samples} training rows",
    )


def _of_number(column: ColumnFacts) -> float:
    usual = column.spread / 1.349 if column.spread != column.std else column.std
    if _logged(column):
        return usual
    return max(usual, (column.high - column.median) / EDGE, (column.median - column.low) / EDGE)


def _of_beats(seen: RowFacts) -> bool:
    return seen.anchored and all(name in seen.columns for name in beats.FORMS) and not _place(seen)


def _around(seen: RowFacts, facts: Facts) -> Decision:
    del seen
    wanted = facts.network != "row"
    return Decision(
        value=beats.AROUND if wanted else 0,
        rule=f"the rows of {beats.AROUND} beats on either side, a step for each beat: whether an early or a wide beat "
        "stands alone, comes every second time or in a run is seen from its neighbours (MIT-BIH DS1 in four parts by "
        "record, two networks of one seed, signal and rhythm beside: accuracy .939, mean sensitivity .628, jk .688 of "
        "the row alone, .948, .644 and .720 with its neighbours; in a trial outside the plan 20 were no better than 10)"
        if wanted
        else "none: a network over single rows was asked for",
        evidence=f"{facts.fingerprint.samples} training beats"
        + (f", --network {facts.network}" if facts.network else ""),
    )


def _series(facts: Facts) -> Decision:
    asked = facts.network == "beat-sequence"
    return Decision(
        value="beat-sequence",
        rule="asked for by name" if asked else "a recurrence from either side, a beat a step, meets at the beat",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _state(facts: Facts) -> Decision:
    return Decision(
        value=beats.WIDTH,
        rule=f"a state of {beats.WIDTH} numbers in each direction; twice that brought nothing (MIT-BIH DS1 in four "
        "parts by record, a trial: jk .736 and .735)",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _inner_of_beats(facts: Facts) -> Decision:
    return Decision(
        value=0.2, rule="0.2 of what is told of each beat", evidence=f"{facts.fingerprint.samples} training samples"
    )


def _family(facts: Facts) -> Decision:
    asked = facts.network == "row"
    return Decision(
        value="row",
        rule="asked for by name"
        if asked
        else "numbers spread out, a place of its own for a missing one, then a perceptron (Gorishniy et al. 2022)",
        evidence=f"{facts.fingerprint.samples} training samples",
    )


def _numbers(names: tuple[str, ...], facts: Facts) -> Decision:
    count = max(len(looked_at(seen_of(facts, name), facts)) for name in names)
    return Decision(
        value=8 if count <= 64 else 4,
        rule="each variable is spread over 8 numbers, over 4 where there are more than 64 variables",
        evidence=f"{count} variables",
    )


def _width(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    if beats.few(facts):
        return Decision(value=32, rule="32 units beside beats of few patients", evidence=beats.counted(facts))
    return Decision(
        value=32 if n < 1000 else 64, rule="32 units below 1,000 rows, else 64", evidence=f"{n} training rows"
    )


def _layers(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    return Decision(value=1 if n < 300 else 2, rule="one hidden layer below 300 rows, else two", evidence=f"{n} rows")


def _inner(facts: Facts) -> Decision:
    n = facts.fingerprint.samples
    return Decision(
        value=0.3 if n < 1000 else 0.1, rule="0.3 below 1,000 rows, else 0.1", evidence=f"{n} training rows"
    )


def _dropout(facts: Facts) -> Decision:
    number = next((t.name for t in facts.targets if t.kind == "number"), None)
    return Decision(
        value=0.0 if number is not None else 0.2,
        rule="0.2; none beside a number",
        evidence=f"target {number!r}" if number is not None else "classes",
    )
