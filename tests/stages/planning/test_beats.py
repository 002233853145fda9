"""Beats of few hearts lead to a recipe of their own, with the reason; other signals do not."""

from dataclasses import replace

import numpy as np
import pytest

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import PlanError
from hounsfield.core.fingerprint import ColumnFacts, RowFacts, SignalFacts, TargetFacts
from hounsfield.core.plan import Facts
from hounsfield.core.row import Row, RowColumn
from hounsfield.data.row.form import FORM
from hounsfield.data.row.rhythm import RHYTHM
from hounsfield.learn.nn.spec import InputShape, NetworkSpec
from hounsfield.learn.nn.table import check
from hounsfield.learn.prepare.row import CLIP, RowPreparation
from hounsfield.stages.planning.draft import Sections, draft
from hounsfield.stages.planning.rules import beats, rows
from tests.stages.planning.facts import facts, values

COUNTS = {"N": 40_000, "S": 800, "V": 3300, "F": 400}
TARGET = TargetSpec(name="beats", kind="categorical", classes=tuple(COUNTS))
SIGNAL = SignalFacts(
    leads=("MLII",),
    units=("mV",),
    rate_hz=360.0,
    rate_low=360.0,
    rate_high=360.0,
    steps_median=650_000,
    steps_low=650_000,
    steps_high=650_000,
    anchored=True,
    anchor_gap_s=0.8,
    empty_share=(0.0,),
    mean=(-0.3,),
    std=(0.5,),
    low=(-2.0,),
    high=(2.0,),
)
NUMBER = ColumnFacts(distinct=1000, mean=0.0, std=1.0, median=0.0, spread=1.3, low=-2.6, high=2.6)


def of_beats(columns: tuple[RowColumn, ...]) -> RowFacts:
    return RowFacts(columns={c.name: NUMBER for c in columns}, anchored=True)


def hearts(
    *, signal: SignalFacts = SIGNAL, beside: bool = True, patients: int = 19, samples: int = 44_500, minutes: float = 15
) -> Facts:
    """Facts of MIT-BIH's training part, or of something like it."""
    given = facts(samples, seen=signal, targets=(TARGET,), counts=COUNTS, val=7000, minutes=minutes)
    row = {n: of_beats(cs) for n, cs in (("rhythm", RHYTHM), ("form", FORM))}
    inputs = {"signal": signal, **(row if beside else {})}
    seen = given.fingerprint.model_copy(update={"inputs": inputs, "patients": patients})
    return replace(given, fingerprint=seen)


def told(given: Facts) -> Sections:
    return draft(given)


def test_the_rows_of_a_beat_have_the_variables_that_rules_look_for() -> None:
    assert set(beats.INTERVALS) <= {c.name for c in RHYTHM}
    assert set(beats.FORMS) <= {c.name for c in FORM}


def test_many_beats_of_few_patients_with_rows_beside() -> None:
    sections = told(hearts())
    prepared, encoder = values(sections["preparation.signal"]), values(sections["encoder.signal"])
    assert {k: prepared[k] for k in ("before_s", "after_s", "rate_hz", "steps", "scale")} == {
        "before_s": 0.3,
        "after_s": 0.5,
        "rate_hz": 120.0,
        "steps": 96,
        "scale": "own",
    }
    assert {k: encoder[k] for k in ("family", "width", "bidirectional", "frame", "pooling")} == {
        "family": "recurrent",
        "width": 32,
        "bidirectional": True,
        "frame": 4,
        "pooling": "attention",
    }
    assert values(sections["network"])["family"] == "joint"
    assert [values(sections[f"encoder.{n}"])["width"] for n in ("rhythm", "form")] == [32, 32]
    made = values(sections["optimisation"])
    assert (made["batch"], made["learning_rate"], made["selection"], made["smoothing"]) == (128, 3e-3, "last", 0.0)
    assert made["steps"] == round(beats.EPOCHS_AROUND * (44_500 // 128))
    weights = made["class_weights"]
    assert isinstance(weights, list)
    rare, frequent = (float(str(weights[i])) for i in (3, 0))
    assert rare / frequent == pytest.approx((40_000 / 400) ** 0.5, rel=1e-3)
    assert all(
        d.rule and d.evidence for name in ("preparation.signal", "encoder.signal") for d in sections[name].values()
    )
    reasons = [sections["optimisation"][k] for k in ("batch", "steps", "selection", "learning_rate")]
    assert all("19 patients" in d.evidence for d in reasons)


def test_intervals_in_seconds_are_left_out_of_few_hearts_only() -> None:
    names = [c.name for c in RHYTHM]
    for given, left_out in ((hearts(), set(beats.INTERVALS)), (hearts(patients=5000), set())):
        prepared = values(told(given)["preparation.rhythm"])
        assert prepared["columns"] == [n for n in names if n not in left_out]
        made = RowPreparation.model_validate(prepared)
        assert made.width == len(names) - len(left_out)
    reason = told(hearts())["preparation.rhythm"]["columns"].rule
    assert "which heart" in reason
    assert "which heart" not in told(hearts(patients=5000))["preparation.rhythm"]["columns"].rule


def test_intervals_without_ratios_beside_them_are_kept() -> None:
    given = hearts()
    alone = RowFacts(columns=dict.fromkeys(beats.INTERVALS, NUMBER))
    inputs = {**given.fingerprint.inputs, "rhythm": alone}
    given = replace(given, fingerprint=given.fingerprint.model_copy(update={"inputs": inputs}))
    assert values(told(given)["preparation.rhythm"])["columns"] == list(beats.INTERVALS)


def test_the_plan_is_one_that_a_network_can_be_built_from() -> None:
    sections = told(hearts())
    encoders = {n: values(sections[f"encoder.{n}"]) for n in ("signal", "rhythm", "form")}
    inputs = {
        "signal": InputShape(channels=1, ndim=1, size=(96,)),
        "rhythm": InputShape(channels=len(RHYTHM), ndim=0, size=()),
        "form": InputShape(channels=len(FORM), ndim=1, size=(21,)),
    }
    options = {"encoders": encoders, "dropout": 0.2}
    check(NetworkSpec.model_validate({"family": "joint", "inputs": inputs, "heads": {"beats": 4}, "options": options}))


def rows_alone(samples: int = 44_500) -> Facts:
    given = hearts(samples=samples)
    inputs = {n: seen for n, seen in given.fingerprint.inputs.items() if n != "signal"}
    return replace(given, fingerprint=given.fingerprint.model_copy(update={"inputs": inputs}))


def test_the_rows_of_neighbouring_beats_are_read_one_after_the_other() -> None:
    for given, width in ((hearts(), "encoder.form"), (rows_alone(), "network")):
        sections = told(given)
        prepared = RowPreparation.model_validate(values(sections["preparation.form"]))
        assert prepared.shape == InputShape(channels=len(FORM), ndim=1, size=(21,))
        assert "around" not in values(sections["preparation.rhythm"])
        assert values(sections[width])["family"] == "beat-sequence"
        assert "DS1" in sections["preparation.form"]["around"].rule
    sections = told(rows_alone())
    options = values(sections["network"])
    inputs = {
        "form": InputShape(channels=len(FORM), ndim=1, size=(21,)),
        "rhythm": InputShape(channels=6, ndim=0, size=()),
    }
    family = str(options.pop("family"))
    check(NetworkSpec.model_validate({"family": family, "inputs": inputs, "heads": {"beats": 4}, "options": options}))
    assert values(sections["optimisation"])["batch"] == 128  # few hearts, also without their signal


def test_single_rows_are_read_where_they_were_asked_for() -> None:
    given = replace(rows_alone(), network="row")
    sections = told(given)
    assert values(sections["preparation.form"])["around"] == 0
    assert values(sections["network"])["family"] == "row"
    assert values(sections["optimisation"])["steps"] == round(beats.EPOCHS * (44_500 // 128))


def test_a_sequence_of_beats_needs_beats() -> None:
    given = rows_alone()
    other = replace(given, network="beat-sequence")
    for inputs in (
        {"row": RowFacts(columns={"age": NUMBER})},
        {"signal": SIGNAL, "rhythm": of_beats(RHYTHM)},
        {"form": RowFacts(columns={c.name: NUMBER for c in FORM})},
    ):
        with pytest.raises(PlanError, match="no row tells the form of a beat") as error:
            told(replace(other, fingerprint=given.fingerprint.model_copy(update={"inputs": inputs})))
        assert "--target beats" in error.value.expected
    assert values(told(other)["network"])["family"] == "beat-sequence"


def test_a_table_whose_columns_have_the_names_is_no_sequence_of_beats() -> None:
    given = rows_alone()
    inputs = {"table": RowFacts(columns={c.name: NUMBER for c in FORM})}
    sections = told(replace(given, fingerprint=given.fingerprint.model_copy(update={"inputs": inputs})))
    assert "around" not in sections["preparation.table"]
    assert values(sections["network"])["family"] == "row"
    assert values(sections["optimisation"])["batch"] == 64


def test_of_tens_of_thousands_of_rows_no_variables_are_chosen() -> None:
    assert values(told(rows_alone())["baselines"])["names"] == ["prevalence", "logistic", "trees"]
    few = values(told(rows_alone(samples=400))["baselines"])["names"]
    assert few == ["prevalence", "logistic", "trees", "selected", "chosen"]


def test_without_rows_the_neighbours_are_in_sight_and_amplitudes_kept() -> None:
    sections = told(hearts(beside=False))
    prepared = values(sections["preparation.signal"])
    assert (prepared["before_s"], prepared["after_s"], prepared["scale"]) == (0.8, 0.8, "level")
    assert (prepared["rate_hz"], prepared["steps"]) == (120.0, 192)
    assert values(sections["network"])["family"] == "recurrent"
    assert values(sections["network"])["frame"] == 4


@pytest.mark.parametrize(
    ("own", "wanted"), [(250.0, 125.0), (500.0, 125.0), (257.0, 128.5), (128.0, 128.0), (100.0, 100.0)]
)
def test_rates_become_whole_fractions_of_their_own(own: float, wanted: float) -> None:
    signal = SIGNAL.model_copy(update={"rate_hz": own, "rate_low": own, "rate_high": own})
    assert values(told(hearts(signal=signal))["preparation.signal"])["rate_hz"] == wanted


def test_a_small_budget_still_holds_the_beat() -> None:
    prepared = values(told(hearts(minutes=0.5, samples=200_000))["preparation.signal"])
    assert prepared["rate_hz"] == 100.0
    assert prepared["steps"] == 80


def test_pressure_whole_records_and_many_patients_are_planned_as_before() -> None:
    pressure = SIGNAL.model_copy(update={"units": ("mmHg",)})
    prepared = values(told(hearts(signal=pressure))["preparation.signal"])
    assert (prepared["before_s"], prepared["rate_hz"], prepared["scale"]) == (0.8, 360.0, "training")
    many = told(hearts(patients=5000))
    assert values(many["encoder.signal"])["width"] == 64
    assert values(many["optimisation"])["batch"] == 64
    assert values(many["optimisation"])["selection"] == "best"
    whole = SIGNAL.model_copy(update={"anchored": False, "steps_high": 1000, "duration_high_s": 2.8})
    assert values(told(hearts(signal=whole))["encoder.signal"])["family"] == "convolutional"


def test_labels_are_smoothed_where_no_class_is_rare() -> None:
    given = hearts()
    even = TargetFacts(kind="categorical", counts=dict.fromkeys(COUNTS, 100))
    seen = given.fingerprint.model_copy(update={"targets": {"beats": even}})
    made = values(told(replace(given, fingerprint=seen))["optimisation"])
    assert (made["smoothing"], made["class_weights"]) == (0.05, [])


def test_heavy_tails_widen_the_spread_so_that_little_is_cut_off() -> None:
    heavy = ColumnFacts(distinct=1000, median=1.0, spread=0.1, low=-2.0, high=13.0, std=1.5)
    given = hearts()
    inputs = {**given.fingerprint.inputs, "form": RowFacts(columns={"usual": NUMBER, "heavy": heavy})}
    seen = given.fingerprint.model_copy(update={"inputs": inputs})
    section = values(told(replace(given, fingerprint=seen))["preparation.form"])
    assert section["spread"] == {"usual": pytest.approx(1.3 / 1.349, rel=1e-5), "heavy": 2.0}
    spec = RowPreparation.model_validate(section)
    beyond, far = (spec.prepared(Row(("heavy",), np.array([x])))[spec.columns.index("heavy")] for x in (13.0, 50.0))
    assert beyond == pytest.approx(6.0)
    assert far == CLIP == rows.EDGE
