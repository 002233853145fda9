import numpy as np
import pytest

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.statistics.queueing import expected_dice, queue


def clusters() -> tuple[np.ndarray, np.ndarray]:
    """Return ten cases about each of four places, and uncertainties."""
    rng = stream(1, "clusters")
    middle = np.repeat(np.array([[0.0, 0], [10, 0], [0, 10], [10, 10]]), 10, axis=0)
    return middle + 0.1 * rng.normal(size=(40, 2)), 0.5 + 0.1 * rng.random(40)


def test_equal_uncertainty_covers_every_cluster() -> None:
    places, unsure = clusters()
    assert sorted(q.index // 10 for q in queue(places, unsure, 4)) == [0, 1, 2, 3]


def test_what_is_labelled_is_not_asked_again() -> None:
    places, unsure = clusters()
    found = queue(places, unsure, 3, labelled=places[:10] + 0.01)
    assert sorted(q.index // 10 for q in found) == [1, 2, 3]


def test_without_labels_the_least_sure_comes_first() -> None:
    places, unsure = clusters()
    unsure[17] = 5.0
    first = queue(places, unsure, 2)[0]
    assert (first.index, first.uncertainty, first.distance) == (17, 5.0, np.inf)


def test_the_sure_wait() -> None:
    places, unsure = clusters()
    unsure[30:] = 1e-6
    assert all(q.index < 30 for q in queue(places, unsure, 10))
    assert any(q.index >= 30 for q in queue(places, unsure, 10, weight=0.0))


def test_a_far_choice_is_the_classical_one() -> None:
    rng = stream(2, "points")
    points = rng.normal(size=(60, 3))
    points /= points.std(axis=0)
    unsure = np.ones(60)
    unsure[7] = 1.0 + 1e-12
    found = [q.index for q in queue(points, unsure, 12)]
    chosen = [7]
    while len(chosen) < 12:
        distance = np.linalg.norm(points[:, None] - points[chosen], axis=2).min(axis=1)
        chosen.append(int(distance.argmax()))
    assert found == chosen


def test_copies_come_last_and_constant_columns_do_no_harm() -> None:
    points = np.array([[0.0, 1], [0, 1], [1, 1], [2, 1]])
    found = [q.index for q in queue(points, np.array([0.5, 0.6, 0.5, 0.5]), 9)]
    assert found[0] == 1
    assert found[-1] == 0
    assert sorted(found) == [0, 1, 2, 3]
    assert queue(np.zeros((0, 3)), np.zeros(0), 4) == ()


@pytest.mark.parametrize(
    ("places", "unsure"),
    [
        (np.zeros(3), np.zeros(3)),
        (np.zeros((3, 2)), np.zeros(2)),
        (np.full((3, 2), np.nan), np.zeros(3)),
        (np.zeros((3, 2)), np.array([0.1, -0.1, 0.2])),
    ],
)
def test_what_does_not_fit_is_refused(places: np.ndarray, unsure: np.ndarray) -> None:
    with pytest.raises(InputError):
        queue(places, unsure, 2)


def test_the_expected_dice_is_about_the_mean_of_many_draws() -> None:
    rng = stream(3, "draws")
    probability = np.clip(rng.normal(0.4, 0.3, size=(40, 40)), 0, 1)
    mask = probability >= 0.5
    drawn = rng.random((400, 40, 40)) < probability
    dice = 2 * (drawn & mask).sum(axis=(1, 2)) / (drawn.sum(axis=(1, 2)) + mask.sum())
    assert expected_dice(probability) == pytest.approx(dice.mean(), abs=0.003)
    assert expected_dice(np.zeros((3, 3))) == 1.0
    assert expected_dice(np.full((3, 3), 0.2)) == pytest.approx(0.8)
    assert expected_dice(np.ones((3, 3))) == 1.0


def test_an_image_that_surely_holds_nothing_is_not_queued_before_a_doubtful_one() -> None:
    empty = np.full((30, 30), 1e-4)
    missed = empty.copy()
    missed[5:9, 5:9] = 0.45
    found = [1.0 - expected_dice(p) for p in (empty, missed)]
    assert found[0] < 0.01  # it was 1: an empty mask had an expected Dice of 0
    assert found[1] == pytest.approx(0.45)
    # the share of draws in which a structure that comes as a whole is absent
    rng = stream(4, "whole structures")
    assert 1.0 - found[1] == pytest.approx((rng.random(20000) >= 0.45).mean(), abs=0.01)
