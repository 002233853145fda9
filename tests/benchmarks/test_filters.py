"""The arithmetic of the filters' conformity, and a plain convolution timed once at the smallest size."""

import numpy as np
import pytest
from benchmarks.accuracy.filters import Reference, statistics
from benchmarks.speed.filters import plain
from scipy import stats

from hounsfield.core.streams import stream
from hounsfield.science.radiomics.filters.gabor import Gabor
from hounsfield.science.radiomics.filters.laws import Laws
from hounsfield.science.radiomics.filters.protocol import ImageFilter
from hounsfield.science.radiomics.filters.rotations import Pooling
from hounsfield.science.radiomics.filters.simoncelli import Simoncelli


def test_values_are_rounded_before_they_are_compared() -> None:
    assert Reference(53300, 2000).deviation(53349.0) == 0
    assert Reference(53300, 2000).deviation(55310.0) == 1
    assert Reference(-2.17, 0.07).deviation(-2.31) == pytest.approx(2)
    assert Reference(1.0, 0.0).deviation(1.1) == np.inf


def test_statistics_are_those_of_scipy() -> None:
    values = stream(0, "test statistics").gamma(2.0, 3.0, 1000)
    found = statistics(values)
    assert len(found) == 18
    assert found["stat_skew"] == pytest.approx(stats.skew(values))
    assert found["stat_kurt"] == pytest.approx(stats.kurtosis(values))
    assert found["stat_iqr"] == pytest.approx(stats.iqr(values))
    assert found["stat_cov"] == pytest.approx(stats.variation(values))
    assert found["stat_energy"] == pytest.approx(found["stat_rms"] ** 2 * 1000)


@pytest.mark.parametrize(
    "of",
    [Laws("L5E5", Pooling.MAX, energy_radius=1), Gabor(2.0, 4.0, theta_step=np.pi), Simoncelli()],
    ids=lambda of: type(of).__name__,
)
def test_plain_means_take_time(of: ImageFilter) -> None:
    assert plain(of, np.ones((4, 12, 12))) >= 0
