"""Volumes that say how they lie are turned and resampled; others are planned as before."""

import pytest

from hounsfield.core.fingerprint import ImageFacts
from hounsfield.core.plan import PlanValue
from hounsfield.stages.planning.draft import draft
from hounsfield.stages.planning.rules.spacing import native
from tests.stages.planning.facts import facts, values


def volumes(
    spacing: tuple[float, ...],
    size: tuple[int, ...],
    *,
    spread: float = 1.0,
    low: float = 0.0,
    high: float = 255.0,
    bits: int = 16,
    modality: str = "",
    ratio: float = 1.0,
) -> ImageFacts:
    extent = tuple(s * n for s, n in zip(spacing, size, strict=True))
    return ImageFacts(
        ndim=3,
        size_median=size,
        size_low=size,
        size_high=size,
        bits=bits,
        modality=modality,
        value_low=low,
        value_high=high,
        mean=0.0,
        std=1.0,
        spacing_median=spacing,
        spacing_low=tuple(0.8 * s for s in spacing),
        extent_low=tuple(e / spread for e in extent),
        extent_median=extent,
        extent_high=tuple(e * spread for e in extent),
        brightness_ratio=ratio,
    )


def planned(seen: ImageFacts, minutes: float | None = 600.0) -> dict[str, PlanValue]:
    return values(draft(facts(200, seen=seen, minutes=minutes))["preparation.image"])


def numbers(value: PlanValue) -> list[float]:
    assert isinstance(value, list)
    return [float(str(v)) for v in value]


def test_small_volumes_keep_their_spacing_and_the_largest_fits() -> None:
    found = planned(volumes((1.0, 1.0, 1.0), (35, 50, 35), spread=1.1))
    assert found["orientation"] == "RAS"
    assert found["fit"] == "centre"
    assert found["spacing_mm"] == [1.0, 1.0, 1.0]
    assert found["size"] == [39, 55, 39]


def test_large_volumes_are_made_coarser_until_they_fit() -> None:
    found = planned(volumes((2.0, 0.8, 0.8), (150, 512, 512)))
    edge = max(numbers(found["size"]))
    assert edge <= 96
    wanted = 512 * 0.8 / edge
    assert numbers(found["spacing_mm"]) == pytest.approx([max(2.0, wanted), wanted, wanted], rel=1e-3)
    assert found["size"] == [80 if edge == 96 else found["size"][0], edge, edge]  # type: ignore[index]  # it is a list
    few = planned(volumes((2.0, 0.8, 0.8), (150, 512, 512)), minutes=1.0)
    assert max(numbers(few["size"])) < edge
    assert numbers(few["spacing_mm"])[1] > numbers(found["spacing_mm"])[1]


def test_thick_slices_are_not_invented_finer() -> None:
    seen = volumes((6.0, 0.5, 0.5), (24, 320, 320))
    assert native(seen) == pytest.approx((4.8, 0.5, 0.5))
    found = planned(seen)
    assert numbers(found["spacing_mm"])[0] == pytest.approx(4.8)
    assert numbers(found["size"])[0] == 32


def test_an_isotropic_median_is_taken_as_it_is() -> None:
    assert native(volumes((1.0, 0.9, 1.1), (30, 30, 30))) == (1.0, 0.9, 1.1)


def test_volumes_without_a_place_are_planned_as_before() -> None:
    seen = volumes((1.0, 1.0, 1.0), (28, 28, 28)).model_copy(update={"spacing_median": None})
    found = planned(seen)
    assert "spacing_mm" not in found
    assert "orientation" not in found
    assert found["fit"] == "pad"
    assert found["size"] == [28, 28, 28]


def test_hounsfield_units_are_known_by_their_values() -> None:
    found = planned(volumes((1.0, 1.0, 1.0), (40, 40, 40), low=-1000.0, high=1500.0))
    assert (found["scale"], found["low"], found["high"]) == ("window", -1000.0, 400.0)
    other = planned(volumes((1.0, 1.0, 1.0), (40, 40, 40), low=0.0, high=1500.0))
    assert (other["low"], other["high"]) == (0.0, 1500.0)


@pytest.mark.parametrize(
    ("modality", "ratio", "bits", "scale"),
    [("MR", 1.0, 16, "percentile"), ("", 9.0, 16, "percentile"), ("", 1.5, 16, "window"), ("", 9.0, 8, "window"),
     ("CT", 9.0, 16, "window")],
)  # fmt: skip
def test_values_without_a_unit_are_scaled_volume_by_volume(modality: str, ratio: float, bits: int, scale: str) -> None:
    found = planned(volumes((1.0, 1.0, 1.0), (40, 40, 40), modality=modality, ratio=ratio, bits=bits))
    assert found["scale"] == scale


def test_every_decision_has_a_rule_and_evidence() -> None:
    made = draft(facts(200, seen=volumes((5.0, 1.0, 1.0), (30, 200, 200)), minutes=10.0))["preparation.image"]
    for key in ("orientation", "spacing_mm", "size", "fit"):
        assert made[key].rule
        assert made[key].evidence
    assert "10th percentile" in made["spacing_mm"].rule
    assert "made coarser" in made["spacing_mm"].rule
