"""The pressure sets: nobody in two parts, no look ahead in beats and waves."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.accuracy.signals.forecast import CASES, Case, divided, measured
from benchmarks.accuracy.signals.pressure_sets import (
    PIG_HZ,
    WAVE_HZ,
    Pressures,
    beat_course,
    generated,
    pig_series,
    some_of,
    thinned,
)
from benchmarks.record import data_root

from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array
from hounsfield.learn.forecast.spec import TreeOptions
from hounsfield.science.forecasting.generated import pressure_course

there = pytest.mark.skipif(
    "HOUNSFIELD_DATA" not in os.environ or not Path(data_root() / "ucr_medical" / "PigArtPressure.npz").exists(),
    reason="HOUNSFIELD_DATA names no folder with PigArtPressure",
)


def wave(seconds: float, seed: int = 0) -> Float64Array:
    """Return a pressure with 90 pulses a minute that breathes."""
    t = np.arange(0, seconds, 1 / PIG_HZ)
    phase = (t * 1.5) % 1
    pulse = np.where(phase < 0.2, np.sin(phase / 0.2 * np.pi / 2), np.exp(-(phase - 0.2) * 2.5))
    rng = stream(seed, "wave")
    return np.asarray(70 + 25 * pulse + 4 * np.sin(2 * np.pi * t / 4) + rng.normal(0, 0.3, len(t)), np.float64)


def test_beats_and_waves_know_nothing_of_what_comes() -> None:
    whole = wave(16.0)
    beats = beat_course(whole)
    assert 15 < len(beats.times_h) < 24
    np.testing.assert_allclose(np.nanmedian(beats.values[3]), 1 / 1.5, atol=0.02)
    half = round(8.0 * PIG_HZ)
    other = np.r_[whole[:half], 200 - whole[half:]]
    early = beat_course(other)
    upto = int((beats.times_h * 3600 <= 8.0).sum())
    assert upto > 7
    np.testing.assert_array_equal(early.times_h[:upto], beats.times_h[:upto])
    np.testing.assert_array_equal(early.values[:, :upto], beats.values[:, :upto])
    steps = round(8.0 * WAVE_HZ)
    np.testing.assert_array_equal(thinned(other)[:steps], thinned(whole)[:steps])
    assert len(thinned(whole)) == round(16 * WAVE_HZ)


def test_nobody_is_in_two_parts() -> None:
    data = replace(some_of(generated(), 23), test=(False,) * 46)
    data = some_of(data, 23)
    for inside in (False, True):
        seen: list[int] = []
        for parts in divided(data, 0, inside=inside):
            assert len(np.unique(np.concatenate(parts))) == sum(len(p) for p in parts) == 23
            seen += parts[2].tolist()
        assert sorted(seen) == list(range(23))
    twice = Pressures(data.name, data.courses, tuple(str(i // 2) for i in range(23)), data.test, data.request)
    for parts in divided(twice, 0):
        people = [{twice.patients[i] for i in part} for part in parts]
        assert sum(len(one) for one in people) == len(set().union(*people))
    official = Pressures(data.name, data.courses, data.patients, (*[False] * 12, *[True] * 11), data.request)
    ((train, calibrate, test),) = divided(official, 0)
    assert test.tolist() == list(range(12, 23))
    assert len(train) + len(calibrate) == 12


def test_a_set_is_measured_from_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.accuracy.signals.forecast.FOLDS", 2)
    source = generated()
    courses = tuple(pressure_course(4.0, stream(1, "short", 0, n)) for n in range(12))
    request = replace(source.request, trees=TreeOptions(rounds=8))
    small = Pressures(source.name, courses, source.patients[:12], (False,) * 12, request, below=65.0)
    found = measured(Case(lambda: small, steps=20, batch=4, told="twelve patients"), seed=0)
    assert set(found) == {"figures", "met", "minutes"}
    figures = found["figures"]
    assert isinstance(figures, dict)
    assert len(figures["outcomes"]) == 6
    assert set(CASES) == {"icu", "beats", "beats_ended", "waves", "generated"}


@there
def test_segments_of_an_animal_follow_one_another() -> None:
    series, pigs = pig_series()
    assert len(series) == 104
    assert len(set(pigs)) == 52
    jumps = [abs(one[cut] - one[cut - 1]) for one in series for cut in (2000, 4000)]
    steps = np.concatenate([np.abs(np.diff(one)) for one in series])
    assert np.median(jumps) < 1.0
    assert np.quantile(jumps, 0.9) < np.quantile(steps, 0.99)
