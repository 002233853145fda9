"""Form and unrest of beats: against a plain computation, in other units, at edges, read by the minute."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from benchmarks.signals.to_wfdb import write_record

from hounsfield.core.cohort import Cohort, Ref, Schema
from hounsfield.core.errors import ReadError
from hounsfield.core.streams import stream
from hounsfield.core.types import Float64Array, IntArray
from hounsfield.data.row import form
from hounsfield.data.row.beat_windows import AFTER_S, BEFORE_S, steadied
from hounsfield.data.row.form import FORM
from hounsfield.data.row.readers import read_row
from hounsfield.data.row.unlikeness import STRETCH_NAMES, STRETCHES_S, form_rows
from hounsfield.data.row.unrest import unrest_rows
from tests.data_room.layouts.ward import RATE, beats, record


def _unrest(beats: IntArray, rate: float) -> Float64Array:
    """Return the unrest beat by beat, as its docstring says."""
    x = [float(np.log(min(max((b - a) / rate, 0.2), 3.0))) for a, b in itertools.pairwise(beats)]
    x = [float(np.median(x)), *x]

    def at(i: int) -> float:
        return x[min(max(i, 0), len(x) - 1)]

    def step(i: int) -> float:
        i = min(max(i, 0), len(x) - 1)
        return abs(at(i + 1) - at(i))

    rows = []
    for i in range(len(x)):
        usual = np.median([at(j) for j in range(i - 8, i + 9)])
        spread = np.std([at(j) for j in range(i - 20, i + 1)])
        jitter = np.median([step(j) for j in range(i - 20, i + 1)])
        near = [at(i + k) - usual for k in (-1, 0, 1, 2)]
        middle = np.median(x)
        varied = 0.05 + 1.4826 * np.median([abs(v - middle) for v in x])
        by_record = [(at(i + k) - middle) / varied for k in (0, 1)]
        rows.append([np.log(spread + 0.01), np.log(jitter + 0.01), *near, *by_record])
    return np.array(rows)


def test_unrest_is_that_of_a_plain_computation() -> None:
    marks = np.cumsum(stream(0, "unrest").integers(40, 900, 120)).astype(np.int64)
    np.testing.assert_allclose(unrest_rows(marks, 250.0), _unrest(marks, 250.0), atol=1e-12)


def test_a_steady_rhythm_is_at_rest_and_an_early_beat_stands_out() -> None:
    marks = np.arange(0, 360 * 60, 360, dtype=np.int64)
    rest = unrest_rows(marks, 360.0)
    np.testing.assert_allclose(rest, np.tile([np.log(0.01)] * 2 + [0.0] * 6, (60, 1)), atol=1e-12)
    marks[30] -= 120
    early = unrest_rows(marks, 360.0)[30]
    away = np.array([0.0, np.log(2 / 3), np.log(4 / 3), 0.0])
    np.testing.assert_allclose(early[2:], [*away, *away[1:3] / 0.05], atol=1e-12)


def test_the_same_early_beat_is_odd_in_a_steady_rhythm_and_not_in_a_restless_one() -> None:
    draws = stream(0, "restless")
    found = []
    for restless in (0.01, 0.25):
        intervals = 360.0 * np.exp(restless * draws.normal(size=400))
        intervals[200:202] = 240.0, 480.0
        marks = np.cumsum(np.round(intervals)).astype(np.int64)
        found.append(dict(zip((c.name for c in FORM), unrest_rows(marks, 360.0)[200], strict=False)))
    steady, restless_one = found
    assert abs(steady["pre_rr_to_around"] - restless_one["pre_rr_to_around"]) < 0.2
    assert steady["pre_rr_by_record"] < -5
    assert -2.5 < restless_one["pre_rr_by_record"] < 0


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_beats_have_an_unrest_without_numbers_that_are_none(count: int) -> None:
    found = unrest_rows(np.arange(count, dtype=np.int64) * 300, 250.0)
    assert found.shape == (count, 8)
    assert np.isfinite(found).all()


def _beat(rate: float, *, width_s: float = 0.02, size: float = 1.0) -> Float64Array:
    at = np.arange(-round(BEFORE_S * rate), round(AFTER_S * rate)) / rate
    return size * np.exp(-0.5 * (at / width_s) ** 2) + 0.2 * size * np.exp(-0.5 * ((at - 0.3) / 0.05) ** 2)


def _wave(at: Float64Array) -> Float64Array:
    """Return a beat every second, in mV."""
    phase = (at + 0.5) % 1.0 - 0.5
    return np.exp(-0.5 * (phase / 0.02) ** 2) + 0.15 * np.exp(-0.5 * ((phase + 0.16) / 0.03) ** 2)


def test_form_is_that_of_a_plain_computation() -> None:
    rate, usual = 360.0, _beat(360.0)
    window = _beat(360.0, width_s=0.05) + 0.1 * stream(0, "form").normal(size=len(usual))
    (found,) = form_rows(window[None], usual, rate)
    at = (np.arange(len(usual)) - round(BEFORE_S * rate)) / rate
    inner = (at >= -0.1) & (at < 0.15)
    assert found[0] == pytest.approx(np.log(1.02 - np.corrcoef(window[inner], usual[inner])[0, 1]), abs=2e-3)
    assert found[1] == pytest.approx(np.log(window[inner].std() / usual[inner].std()), abs=1e-2)
    unit = np.sqrt(np.mean(usual**2))
    for place, (first, last) in enumerate(STRETCHES_S):
        part = (at >= first) & (at < last)
        apart = (window - usual)[part] / unit
        assert found[2 + place] == pytest.approx(np.log(0.05 + np.sqrt(np.mean(apart**2))))
        assert found[7 + place] == pytest.approx(np.mean(apart))


def test_form_does_not_depend_on_the_unit_or_on_which_way_up_and_hardly_on_the_rate() -> None:
    usual, window = _beat(360.0), _beat(360.0, width_s=0.04)
    (found,) = form_rows(window[None], usual, 360.0)
    (in_uv,) = form_rows(1000 * window[None], 1000 * usual, 360.0)
    np.testing.assert_allclose(in_uv, found, atol=1e-9)
    (turned,) = form_rows(-window[None], -usual, 360.0)
    np.testing.assert_allclose(turned[:7], found[:7], atol=1e-9)
    np.testing.assert_allclose(turned[7:], -found[7:], atol=1e-9)
    (slower,) = form_rows(_beat(180.0, width_s=0.04)[None], _beat(180.0), 180.0)
    np.testing.assert_allclose(slower, found, atol=0.1)


def test_the_usual_beat_itself_is_like_itself_and_a_flat_one_is_no_error() -> None:
    usual = _beat(250.0)
    (same,) = form_rows(usual[None], usual, 250.0)
    np.testing.assert_allclose(same, [np.log(0.02), 0.0, *[np.log(0.05)] * 5, *[0.0] * 5], atol=1e-2)
    assert np.isfinite(form_rows(np.zeros((2, len(usual))), usual, 250.0)).all()
    assert np.isfinite(form_rows(usual[None], np.zeros(len(usual)), 250.0)).all()
    assert np.isnan(form_rows(np.ones((1, 8)), np.ones(8), 10.0)).any()


def test_forms_are_read_by_the_minute_as_from_the_whole_record(tmp_path: Path) -> None:
    marks = [(5 + RATE * i // 2, "N", "") for i in range(300)]  # two and a half minutes; the first at the very edge
    record(tmp_path, "a", marks, seconds=150)
    cohort = Cohort("", str(tmp_path), (), Schema())
    places = np.array([m[0] for m in marks], np.int64)
    found = np.array(
        [
            read_row(cohort, Ref("wfdb-form", "a.hea", (("anchor", int(m)), ("annotations", "atr")))).values
            for m in places
        ]
    )
    samples = (stream(0, "ward a").integers(-200, 200, RATE * 150) / 200.0).astype(np.float32).astype(np.float64)
    samples = steadied(samples, float(RATE))
    before, after = round(BEFORE_S * RATE), round(AFTER_S * RATE)
    padded = np.pad(samples, (RATE, RATE), mode="edge")
    around = padded[places[:, None] + np.arange(2 * RATE)]
    windows = around[:, RATE - before : RATE + after] - np.median(around, axis=1, keepdims=True)
    expected = form_rows(windows, np.median(windows, axis=0), float(RATE))
    for column, floor in enumerate([0.3, 0.1] + [0.3] * 5 + [0.1] * 5):
        low, middle, high = np.percentile(expected[:, column], (16, 50, 84))
        wanted = (expected[:, column] - middle) / (floor + min(middle - low, high - middle))
        np.testing.assert_allclose(found[:, 8 + column], wanted, atol=5e-3)
    np.testing.assert_allclose(found[:, :8], unrest_rows(places, float(RATE)))


def test_a_filter_takes_wander_and_muscle_and_leaves_the_waves_where_they_are() -> None:
    rate, gone = 360.0, slice(2000, 2010)
    at = np.arange(round(60 * rate)) / rate
    wave = _wave(at)
    wander = 0.8 * np.sin(2 * np.pi * 0.15 * at)
    dirty = wave + wander + 0.2 * np.sin(2 * np.pi * 90.0 * at)
    dirty[gone] = np.nan
    cleaned, clean = steadied(dirty, rate), steadied(wave, rate)
    assert np.isnan(cleaned[gone]).all()
    inner = np.r_[round(4 * rate) : 1900, 2100 : round(56 * rate)]
    assert np.isfinite(cleaned[inner]).all()
    assert np.abs(cleaned - clean)[inner].max() < 0.03
    for hertz, left in ((0.5, 0.5), (10.0, 1.0), (40.0, 0.5)):
        passed = steadied(np.sin(2 * np.pi * hertz * at), rate)
        assert np.dot(passed, np.sin(2 * np.pi * hertz * at)) * 2 / len(at) == pytest.approx(left, abs=0.02)
    for short in (np.zeros(0), np.ones(1), np.full(9, np.nan)):
        assert len(steadied(short, rate)) == len(short)
    assert np.isfinite(steadied(wave[::8], rate / 8)).all()
    np.testing.assert_array_equal(steadied(wave[::360], 1.0), wave[::360])


def test_a_wandering_and_noisy_lead_makes_no_beat_odd(tmp_path: Path) -> None:
    at = np.arange(RATE * 120) / RATE
    beats_at = np.arange(RATE, RATE * 119, RATE)
    wide = beats_at[60]
    wave = _wave(at) * (np.abs(at - wide / RATE) > 0.4) + 1.5 * np.exp(-0.5 * ((at - wide / RATE) / 0.05) ** 2)
    noise = 0.15 * stream(0, "muscle").normal(size=len(at)) + 1.2 * np.sin(2 * np.pi * 0.2 * at)
    found = {}
    for name, lead in (("calm", wave), ("noisy", wave + noise)):
        write_record(tmp_path, name, np.round(lead * 200 + 1024).astype(np.int64), [])
        cohort = Cohort("", str(tmp_path), (), Schema(), arrays={f"beats:{name}.hea": beats_at})
        rows = [read_row(cohort, Ref("wfdb-form", f"{name}.hea", (("anchor", int(b)),))).values for b in beats_at]
        found[name] = np.array(rows)
    names = [c.name for c in FORM]
    usual = np.arange(len(beats_at)) != 60
    for column in ("form_unlikeness", *(f"form_odd_{n}" for n in STRETCH_NAMES)):
        calm, noisy = (found[n][:, names.index(column)] for n in ("calm", "noisy"))
        for lead in (calm, noisy):
            assert abs(np.median(lead[usual])) < 0.1
            assert np.mean(np.abs(lead[usual]) > 3.0) < 0.05
    for column in ("form_unlikeness", "form_odd_q", "form_odd_s"):
        noisy = found["noisy"][:, names.index(column)]
        assert noisy[60] > noisy[usual].max()


def test_beats_of_a_record_nobody_annotated_and_beats_that_are_none(tmp_path: Path) -> None:
    record(tmp_path, "a", beats())
    cohort = Cohort("", str(tmp_path), (), Schema(), arrays={"beats:a.hea": np.array([180, 540, 900], np.int64)})
    row = read_row(cohort, Ref("wfdb-form", "a.hea", (("anchor", 540), ("lead", "MLII"))))
    assert row.names == tuple(c.name for c in FORM)
    assert np.isfinite(row.values).all()
    for wrong in ((("anchor", 541),), (("anchor", "x"),), (), (("anchor", 180), ("annotations", "qrs"))):
        with pytest.raises(ReadError):
            read_row(cohort, Ref("wfdb-form", "a.hea", wrong))
    with pytest.raises(ReadError):
        read_row(Cohort("", str(tmp_path), (), Schema()), Ref("wfdb-form", "a.hea", (("anchor", 180),)))


def test_what_all_beats_of_a_record_share_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(tmp_path, "a", [])
    found = np.arange(180, RATE * 19, RATE, dtype=np.int64)
    cohort = Cohort("", str(tmp_path), (), Schema(), arrays={"beats:a.hea": found, "rate:a.hea": np.array([360.0])})
    made: list[int] = []
    plain = unrest_rows

    def counting(marks: IntArray, rate_hz: float) -> Float64Array:
        made.append(len(marks))
        return plain(marks, rate_hz)

    monkeypatch.setattr(form, "unrest_rows", counting)
    rows = [read_row(cohort, Ref("wfdb-form", "a.hea", (("anchor", int(at)),))).values for at in found]
    assert made == [len(found)]
    other = Cohort("", str(tmp_path), (), Schema(), arrays={"beats:a.hea": found[1:], "rate:a.hea": np.array([360.0])})
    again = read_row(other, Ref("wfdb-form", "a.hea", (("anchor", int(found[1])),))).values
    assert made == [len(found), len(found) - 1]
    assert not np.array_equal(again, rows[1])  # another first beat, another usual one
    with pytest.raises(ReadError):
        read_row(other, Ref("wfdb-form", "a.hea", (("anchor", int(found[0])),)))
