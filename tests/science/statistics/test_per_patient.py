import numpy as np
import pytest

from hounsfield.core.streams import stream
from hounsfield.science.statistics.intervals import bootstrap, resampled
from hounsfield.science.statistics.per_patient import by_patient


def test_sums_give_the_interval_of_repeated_rows() -> None:
    rng = stream(0, "per patient")
    patients = rng.integers(0, 12, 90)
    errors = np.abs(rng.normal(0, 1, 90)) * (1 + patients / 6)
    errors[::9] = np.nan
    sums = by_patient(errors, patients)
    assert sums.count.sum() == 80
    known = np.isfinite(errors)
    slow = bootstrap(resampled(lambda e: float(e.mean()), errors[known]), patients[known], rng=stream(1, "b"))
    quick = sums.interval(stream(1, "b"))
    assert (quick.value, quick.low, quick.high) == pytest.approx((slow.value, slow.low, slow.high))


def test_shares_saved_are_of_the_same_patients() -> None:
    rng = stream(2, "per patient")
    patients = np.repeat(np.arange(20), 5)
    worse = np.abs(rng.normal(0, 1, 100)) * np.repeat(rng.uniform(1, 5, 20), 5)
    ours, theirs = by_patient(0.8 * worse, patients), by_patient(worse, patients)
    saved = ours.share_saved(theirs, stream(0, "b"))
    assert (saved.value, saved.low, saved.high) == pytest.approx((0.2, 0.2, 0.2))
    less = ours.less(theirs, stream(0, "b"))
    assert less.high < 0
    nothing = by_patient(np.full(3, np.nan), np.arange(3)).interval(stream(0, "b"))
    assert np.isnan(nothing.value)


def test_of_no_error_nothing_is_saved() -> None:
    """A series that does not move is forecast without an error by everybody; one over 0 is no figure."""
    patients = np.repeat(np.arange(4), 3)
    none = by_patient(np.zeros(12), patients)
    for ours in (none, by_patient(np.full(12, 1e-9), patients)):
        saved = ours.share_saved(none, stream(0, "b"))
        assert np.isnan([saved.value, saved.low, saved.high]).all()
        assert "nothing to save" in str(saved.reason)
    unknown = by_patient(np.full(12, np.nan), patients)
    assert "no sample" in str(unknown.share_saved(unknown, stream(0, "b")).reason)
