"""A draft is complete, gives reasons, and fits what reads it."""

from dataclasses import replace

import pytest
from pydantic import BaseModel

from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import PlanError
from hounsfield.core.fingerprint import ImageFacts
from hounsfield.core.plan import Facts, checked
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.learners.supervised import Batches
from hounsfield.learn.loop import Optimisation
from hounsfield.learn.nn.residual import ResidualOptions
from hounsfield.learn.nn.slices import SlicesOptions
from hounsfield.learn.nn.table import NETWORKS
from hounsfield.learn.prepare.image import ImagePreparation
from hounsfield.learn.ranks import ALONE
from hounsfield.science.statistics.operating_point import Rule
from hounsfield.stages.planning.draft import Sections, draft, redecide
from hounsfield.stages.planning.recipes import RECIPES, recipe
from hounsfield.workflow.jobs import Ensemble
from tests.learn.toys import make_feed, make_job
from tests.stages.planning.facts import SLICE, facts, values

SECTIONS = {
    "preparation.image",
    "network",
    "augmentation",
    "optimisation",
    "warmup",
    "ensemble",
    "operating_point",
    "baselines",
}
VOLUME = SLICE.model_copy(
    update={"ndim": 3, "size_median": (40, 90, 90), "size_low": (30, 90, 90), "size_high": (50, 90, 90)}
)
TINY = SLICE.model_copy(update={"size_median": (28, 28), "size_low": (28, 28), "size_high": (28, 28)})


def read(sections: Sections, name: str, model: type[BaseModel]) -> BaseModel:
    found = {k: v for k, v in values(sections[name]).items() if k != "family"}
    return checked(name, found, model)


@pytest.mark.parametrize("seen", [SLICE, VOLUME, TINY], ids=["slice", "volume", "tiny"])
@pytest.mark.parametrize("samples", [12, 425, 4708, 50_000])
@pytest.mark.parametrize("minutes", [None, 5.0])
def test_every_section_fits_what_reads_it(seen: ImageFacts, samples: int, minutes: float | None) -> None:
    sections = draft(facts(samples, seen=seen, minutes=minutes))
    assert set(sections) == SECTIONS
    for name, model in (
        ("preparation.image", ImagePreparation),
        ("augmentation", AugmentSpec),
        ("optimisation", Optimisation),
        ("network", ResidualOptions),
    ):
        read(sections, name, model)
    assert str(sections["network"]["family"].value) in NETWORKS
    assert Rule(str(sections["operating_point"]["rule"].value))
    assert all(decision.rule for section in sections.values() for decision in section.values())


def test_every_key_of_the_optimisation_is_decided() -> None:
    assert set(draft(facts())["optimisation"]) == set(Optimisation.model_fields)


@pytest.mark.parametrize(
    ("section", "key", "near", "model"),
    [
        ("optimisation", "learning_rat", "learning_rate", Optimisation),
        ("preparation.image", "sise", "size", ImagePreparation),
        ("augmentation", "flip", "flips", AugmentSpec),
    ],
)
def test_unknown_key_names_the_nearest(section: str, key: str, near: str, model: type[BaseModel]) -> None:
    with pytest.raises(PlanError, match=key) as caught:
        checked(section, {key: 1}, model)
    assert near in caught.value.next_step


def textbook(samples: int = 425, *, seen: ImageFacts = SLICE) -> Sections:
    return draft(replace(facts(samples, seen=seen), network="textbook"))


def test_textbook_is_trained_as_its_article_says() -> None:
    sections = textbook()
    shown = ImagePreparation.model_validate(values(sections["preparation.image"]))
    assert (shown.size, shown.channels, shown.fit) == ((128, 128), 3, "stretch")
    assert (shown.scale, shown.low, shown.high, shown.mean, shown.std) == ("window", 0.0, 255.0, 0.0, 1.0)
    steps = Optimisation.model_validate(values(sections["optimisation"]))
    assert (steps.optimiser, steps.learning_rate, steps.schedule) == ("adam", 1e-3, "constant")
    assert steps.batch == 32
    assert steps.steps == 5 * (425 // 32)
    assert (steps.weight_decay, steps.clip, steps.averaging, steps.smoothing) == (0.0, 0.0, 0.0, 0.0)
    assert (steps.class_weights, steps.selection, steps.precision) == ([], "last", "float32")
    assert AugmentSpec.model_validate(values(sections["augmentation"])) == AugmentSpec()
    assert values(sections["network"]) == {"family": "textbook"}
    assert set(sections) == SECTIONS


def test_five_epochs_are_five_whole_epochs_of_batches() -> None:
    feed = make_feed(count=100)
    sections = textbook(len(feed.train))
    settings = Optimisation.model_validate(values(sections["optimisation"]))
    drawn = Batches(feed, make_job(optimisation=settings), ranks=ALONE)
    epochs = settings.steps // (len(feed.train) // 32)
    assert epochs * (len(feed.train) // 32) == settings.steps
    assert epochs == 5
    assert len(set(drawn(0).index.tolist()) & set(drawn(1).index.tolist())) == 0


def test_fewer_samples_than_a_batch() -> None:
    assert textbook(20)["optimisation"]["steps"].value == 5


def test_recipes_name_sections_and_keys_that_exist() -> None:
    models: dict[str, type[BaseModel]] = {
        "preparation.*": ImagePreparation,
        "augmentation": AugmentSpec,
        "optimisation": Optimisation,
        "ensemble": Ensemble,
    }
    for name, sections in RECIPES.items():
        assert name in NETWORKS
        for section, made in sections.items():
            assert set(made) - {"epochs"} <= set(models[section].model_fields), section
    assert recipe(None) == {}
    assert recipe("residual") == {}


def _allowing(given: Facts, sections: Sections, allowed: int) -> Facts:
    decided = {(section, key): d.value for section, made in sections.items() for key, d in made.items()}
    return replace(given, decided={**decided, ("cost", "allowed_steps"): allowed})


def test_measured_speed_changes_the_optimisation_alone() -> None:
    given = facts(minutes=5.0)
    first = draft(given)
    fresh = redecide(first, _allowing(given, first, 120))
    assert fresh["optimisation"]["steps"].value == 120
    timed = ("optimisation", "warmup")  # a warm-up counts its steps in those of the fit
    assert {k: v for k, v in fresh.items() if k not in timed} == {k: v for k, v in first.items() if k not in timed}
    assert values(fresh["warmup"]) == values(first["warmup"])
    assert fresh["optimisation"]["validate_every"].value == 10
    assert first["optimisation"]["steps"].value != 120


def test_same_facts_same_draft() -> None:
    assert draft(facts(minutes=3.0)) == draft(facts(minutes=3.0))


def test_targets_of_all_kinds() -> None:
    targets = (
        TargetSpec(name="grade", kind="ordinal", classes=("0", "1", "2")),
        TargetSpec(name="labels", kind="multilabel", classes=("x", "y")),
        TargetSpec(name="size", kind="number"),
    )
    assert set(draft(facts(targets=targets))) == SECTIONS


def test_the_network_for_slabs_is_planned_as_a_planar_one() -> None:
    sections = draft(replace(facts(500, seen=VOLUME), network="slices"))
    read(sections, "network", SlicesOptions)
    assert sections["network"]["family"].value == "slices"
    assert sections["network"]["stem"].value == "small"
    many = draft(replace(facts(5000, seen=VOLUME), network="slices"))
    assert many["network"]["stem"].value == "wavelet"
    assert draft(facts(5000, seen=VOLUME))["network"]["stem"].value in ("medium", "large")
