"""Controls, curves and the pointing game, against what can be worked out by hand."""

import numpy as np
import pytest
from scipy.stats import binomtest, spearmanr

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.stages.explaining.controls import alike, centre_blob, coarseness, random_field
from hounsfield.stages.explaining.faithfulness import Curves, area, chance, compare
from hounsfield.stages.explaining.pointing import peak_of, point, share_with_interval
from hounsfield.stages.explaining.result import map_scores, pointing_of


@pytest.mark.parametrize(("size", "width"), [((64, 64), 2.0), ((96, 96), 8.0), ((24, 24, 24), 2.0)])
def test_a_random_field_is_as_coarse_as_the_map(size: tuple[int, ...], width: float) -> None:
    field = random_field(size, width, stream(0, "field"))
    assert coarseness(field) == width
    assert coarseness(np.exp(3 * field)) == width  # only the order counts


def test_coarseness_of_what_has_none() -> None:
    assert coarseness(np.zeros((16, 16))) <= 4.0
    assert coarseness(stream(0, "white").standard_normal((64, 64))) == 0.5
    assert coarseness(stream(0, "flat").standard_normal((1, 64, 64))) == 0.5


def test_rank_correlation_is_scipys() -> None:
    rng = stream(0, "alike")
    a = rng.integers(0, 5, (8, 8)).astype(np.float64)
    b = a + rng.standard_normal((8, 8))
    assert alike(a, b) == pytest.approx(spearmanr(a.ravel(), b.ravel()).statistic)
    assert alike(a, np.zeros((8, 8))) == 0.0


def test_the_middle_blob_is_highest_in_the_middle() -> None:
    assert peak_of(centre_blob((9, 11))) == (4, 5)
    assert centre_blob((9, 11)).min() == pytest.approx(-2.0)


def curve(*values: float) -> Float64Array:
    return np.array(values)


def test_area_is_numpys() -> None:
    values = stream(0, "curve").random(21)
    assert area(values) == pytest.approx(np.trapezoid(values, dx=1 / 20))


def test_a_map_beside_random_ones() -> None:
    flat = [Curves(curve(1, 0.5 + 0.01 * k, 0), curve(0, 0.5, 1)) for k in range(24)]
    good = compare(Curves(curve(1, 0.1, 0), curve(0, 0.9, 1)), flat, centre=flat[0])
    assert good.faithfulness == pytest.approx(0.7 - 0.3)
    assert good.p == pytest.approx(1 / 25)
    assert good.better_than_random
    assert good.z is not None
    assert good.z > 5
    middling = compare(flat[12], flat, centre=flat[0])
    assert middling.p > 0.4
    assert not middling.better_than_random
    assert compare(flat[0], [flat[1]] * 24, centre=flat[0]).z is None
    assert chance(1.0, np.array([0.0, 1.0, 2.0])) == 0.75


def test_a_map_is_shown_only_if_it_passes_both_checks() -> None:
    flat = [Curves(curve(1, 0.5 + 0.01 * k, 0), curve(0, 0.5, 1)) for k in range(24)]
    good = compare(Curves(curve(1, 0.1, 0), curve(0, 0.9, 1)), flat, centre=flat[0])
    bad = compare(flat[12], flat, centre=flat[0])

    def reason(verdict: object, *, depends: bool) -> tuple[bool, str]:
        scores = map_scores(
            "m",
            verdict,  # type: ignore[arg-type]  # a verdict
            randomised=(0.9, 0.7),
            depends=depends,
            peak=(1, 2),
            in_mask=None,
        )
        assert scores.stays_the_same
        return scores.shown, scores.reason

    assert reason(good, depends=True) == (True, "")
    assert reason(bad, depends=True) == (False, "no better than random")
    assert reason(good, depends=False) == (False, "answer hardly depends on the image")


def test_pointing_game() -> None:
    mask = np.zeros((30, 30), dtype=bool)
    mask[10:16, 10:16] = True
    values = np.zeros((30, 30))
    values[12, 12] = 1
    inside = point(values, mask)
    assert (inside.hit, inside.near) == (True, True)
    assert inside.share == pytest.approx(36 / 900)
    assert inside.middle
    values[12, 17] = 2  # two pixels beside it; the tolerance is 15 / 224 of 30
    beside = point(values, mask)
    assert (beside.hit, beside.near) == (False, True)
    values[25, 25] = 3
    assert not point(values, mask).near
    rates = pointing_of("m", [inside, beside])
    assert (rates.images, rates.rate, rates.rate_near, rates.centre) == (2, 0.5, 1.0, 1.0)


def test_interval_of_a_share_is_wilsons() -> None:
    share, low, high = share_with_interval([True] * 7 + [False] * 5)
    wanted = binomtest(7, 12).proportion_ci(method="wilson")
    assert share == pytest.approx(7 / 12)
    assert (low, high) == pytest.approx((wanted.low, wanted.high))
