"""The fingerprint is what the training part says as a whole, and nothing of anyone in it."""

import numpy as np
import numpy.typing as npt
import pytest

from hounsfield.core.cohort import Reading, Ref, Sample, TargetSpec
from hounsfield.core.errors import CohortError
from hounsfield.core.image import Header, Image
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, TargetValue
from hounsfield.stages.fingerprinting.fingerprint import fingerprint, target_facts
from hounsfield.stages.fingerprinting.images import image_facts
from hounsfield.stages.fingerprinting.looks import QUANTILES, Look, look

LEVELS = (np.arange(QUANTILES) + 0.5) / QUANTILES
TARGET = TargetSpec(name="ill", kind="categorical", classes=("no", "yes"), positive="yes")


def looked(array: AnyArray, *, bits: int = 8, modality: str = "") -> Look:
    header = Header(tuple(array.shape[1:]), array.shape[0], bits, "PNG", array.nbytes)
    return look(Image(array, modality=modality), header)


def pictures(count: int, *, size: tuple[int, ...] = (24, 30), channels: int = 1) -> list[npt.NDArray[np.uint8]]:
    rng = stream(0, "pictures")
    return [np.clip(rng.normal(100, 30, (channels, *size)), 0, 255).astype(np.uint8) for _ in range(count)]


def samples(answers: list[TargetValue], *, name: str = "ill") -> list[Sample]:
    return [
        Sample(
            id=f"secret-case-{i}",
            patient=f"Miller-{i // 2}",
            inputs={"image": (Reading(Ref("raster", f"ward-7/scan{i}.png")),)},
            targets={name: a},
            attributes={"site": "hospital-x"},
        )
        for i, a in enumerate(answers)
    ]


def test_a_look_keeps_quantiles_of_the_stored_values() -> None:
    (array,) = pictures(1)
    seen = looked(array)
    np.testing.assert_allclose(seen.quantiles, np.quantile(array, LEVELS), rtol=1e-6)
    assert seen.quantiles.dtype == np.float32
    assert (seen.size, seen.channels, seen.bits, seen.colour) == ((24, 30), 1, 8, False)


def test_a_look_at_a_large_image_is_near_its_quantiles() -> None:
    (array,) = pictures(1, size=(400, 500))
    wanted = np.quantile(array, np.linspace(0.05, 0.95, 19))
    found = np.interp(np.linspace(0.05, 0.95, 19), LEVELS, looked(array).quantiles)
    np.testing.assert_allclose(found, wanted, atol=2.0)


def test_colour_is_channels_that_differ() -> None:
    (grey,) = pictures(1)
    (colour,) = pictures(1, channels=3)
    assert not looked(np.repeat(grey, 3, axis=0)).colour
    assert looked(colour).colour


def test_input_facts_are_aggregates() -> None:
    arrays = pictures(40)
    seen = image_facts("image", [looked(a) for a in arrays])
    values = np.stack(arrays).astype(np.float64)
    assert seen.mean == pytest.approx(values.mean(), abs=0.2)
    assert seen.std == pytest.approx(values.std(), rel=0.02)
    low, high = np.percentile(values, (0.5, 99.5))
    assert seen.value_low == pytest.approx(low, abs=4)
    assert seen.value_high == pytest.approx(high, abs=4)
    assert (seen.ndim, seen.channels, seen.bits, seen.colour_share) == (2, 1, 8, 0.0)


def test_a_hot_pixel_in_each_image_moves_no_window() -> None:
    arrays = [a.astype(np.uint16) for a in pictures(40)]
    plain = image_facts("image", [looked(a) for a in arrays])
    for array in arrays:
        array[0, 0, 0] = 65_000
    hot = image_facts("image", [looked(a) for a in arrays])
    assert hot.value_high == pytest.approx(plain.value_high, abs=3)
    assert hot.std == pytest.approx(plain.std, rel=0.02)


def test_sizes_are_percentiles_along_each_axis() -> None:
    looks = [looked(np.zeros((1, 10 + i, 50 - i), np.uint8)) for i in range(21)]
    seen = image_facts("image", looks)
    assert (seen.size_median, seen.size_low, seen.size_high) == ((20, 40), (11, 31), (29, 49))


def test_most_decide_on_colour_bits_and_modality() -> None:
    grey, colour = pictures(1)[0], pictures(1, channels=3)[0]
    mixed = [looked(grey, bits=8, modality="CT")] * 2 + [looked(colour, bits=16)]
    seen = image_facts("image", mixed)
    assert (seen.channels, seen.bits, seen.modality) == (1, 8, "CT")
    assert seen.colour_share == pytest.approx(1 / 3)
    assert image_facts("image", [looked(colour)] * 2 + [looked(grey)]).channels == 3


def test_mixed_axes_are_refused() -> None:
    looks = [looked(np.zeros((1, 8, 8), np.uint8)), looked(np.zeros((1, 4, 8, 8), np.uint8))]
    with pytest.raises(CohortError, match="mixes 2D images and 3D volumes"):
        image_facts("image", looks)


def test_answers_are_counted() -> None:
    facts = target_facts(TARGET, samples(["yes", "no", "yes", None]))
    assert (facts.counts, facts.missing) == ({"no": 1, "yes": 2}, 1)
    labels = TargetSpec(name="ill", kind="multilabel", classes=("x", "y", "z"))
    facts = target_facts(labels, samples([("x", "y"), ("x",), (), None]))
    assert (facts.counts, facts.missing) == ({"x": 2, "y": 1, "z": 0}, 1)


def test_numbers_are_summed_up() -> None:
    number = TargetSpec(name="ill", kind="number")
    facts = target_facts(number, samples([1.0, 2.0, 6.0, None]))
    assert facts.mean == pytest.approx(3.0)
    assert facts.std == pytest.approx(np.std([1, 2, 6]))
    assert (facts.median, facts.missing) == (2.0, 1)
    assert target_facts(number, samples([4.0, 4.0])).std == 1.0  # something to divide by
    with pytest.raises(CohortError, match="No training sample has a number"):
        target_facts(number, samples([None, None]))


def test_nothing_in_it_identifies_anyone() -> None:
    members = samples(["yes", "no"] * 5)
    found = fingerprint(members, {"image": [looked(a) for a in pictures(10)]}, targets=[TARGET], val_samples=3)
    assert (found.samples, found.patients, found.val_samples) == (10, 5, 3)
    text = found.model_dump_json()
    for word in ("secret", "Miller", "ward", "scan", "hospital", "site"):
        assert word not in text
    assert len(text) < 1500  # it does not grow with the cohort
    twice = fingerprint(
        samples(["yes", "no"] * 50), {"image": [looked(a) for a in pictures(100)]}, targets=[TARGET], val_samples=3
    )
    assert len(twice.model_dump_json()) < 1500


def test_order_of_samples_plays_no_part() -> None:
    members, looks = samples(["yes", "no", "no", "yes"]), [looked(a) for a in pictures(4)]
    one = fingerprint(members, {"image": looks}, targets=[TARGET], val_samples=0)
    other = fingerprint(members[::-1], {"image": looks[::-1]}, targets=[TARGET], val_samples=0)
    assert one.images["image"].mean == pytest.approx(other.images["image"].mean)
    assert one.model_copy(update={"inputs": {}}) == other.model_copy(update={"inputs": {}})


def test_empty_training_part_is_refused() -> None:
    with pytest.raises(CohortError, match="training part is empty"):
        fingerprint([], {"image": []}, targets=[TARGET], val_samples=0)
