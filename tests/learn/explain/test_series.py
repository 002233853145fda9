"""Maps along time: they lie on the event that decides, keep missing values missing, and leave filling out."""

import numpy as np
import pytest
import torch

from hounsfield.bundle.sealed import Member
from hounsfield.core.cohort import TargetSpec
from hounsfield.core.errors import BundleError, InputError
from hounsfield.core.signal import Signal
from hounsfield.core.streams import stream
from hounsfield.core.types import AnyArray, Float64Array, IntArray
from hounsfield.learn.augment.spec import AugmentSpec
from hounsfield.learn.explain.curves import curves, ends_of
from hounsfield.learn.explain.gradients import attributions, baselines_of
from hounsfield.learn.explain.hiding import SeriesHiding, faded, hiding_of
from hounsfield.learn.explain.maps import map_of, methods_for
from hounsfield.learn.explain.question import Question
from hounsfield.learn.explain.view import View, Voice, view_of, voices_of
from hounsfield.learn.explain.weights import SHARES, randomised
from hounsfield.learn.feed import Feed
from hounsfield.learn.learners.kernels import KERNELS
from hounsfield.learn.learners.protocol import HeadSpec, Job
from hounsfield.learn.learners.supervised import SUPERVISED
from hounsfield.learn.loop import Optimisation, Watch
from hounsfield.learn.model import member_json
from hounsfield.learn.nn.spec import InputShape, NetworkSpec, OptionValue
from hounsfield.learn.prepare.protocol import Preparation
from hounsfield.learn.prepare.row import RowPreparation
from hounsfield.learn.prepare.signal import SignalPreparation
from hounsfield.stages.explaining.controls import alike, coarseness, random_field
from hounsfield.stages.explaining.faithfulness import LEVEL, RANDOM, Curves, compare

STEPS, WIDE = 128, 16
TARGET = TargetSpec(name="wave", kind="categorical", classes=("slow", "fast"))
PREPARED = SignalPreparation(leads=("I", "II"), units=("mV", "mV"), steps=STEPS, mean=(0.0, 0.0), std=(1.0, 1.0))


def series(count: int, *, seed: int) -> tuple[AnyArray, IntArray]:
    """Two leads of faint noise ``n 2 t`` with a burst in the first, fast where the answer is 1, and where it begins."""
    rng = stream(seed, "series")
    made, places = [], []
    for number in range(count):
        leads = 0.05 * rng.standard_normal((2, STEPS))
        first = int(rng.integers(8, STEPS - WIDE - 24))
        t = np.arange(WIDE) / WIDE
        leads[0, first : first + WIDE] += 2.0 * np.sin(2 * np.pi * (4 if number % 2 else 1) * t) * np.sin(np.pi * t)
        made.append(leads)
        places.append(first)
    return np.array(made, dtype=np.float32), np.array(places, dtype=np.int64)


def job(family: str, options: dict[str, OptionValue], *, steps: int, spec: SignalPreparation = PREPARED) -> Job:
    shape = InputShape(channels=spec.shape.channels, ndim=1, size=(STEPS,))
    return Job(
        seed=0,
        network=NetworkSpec(family=family, inputs={"ecg": shape}, heads={"wave": 2}, options=options),
        preparation={"ecg": spec},
        augmentation=AugmentSpec(),
        optimisation=Optimisation(steps=steps, batch=16),
        heads=(HeadSpec(target=TARGET, loss="categorical", width=2),),
    )


CONVOLUTIONAL = job("convolutional", {"width": 8, "depths": [1, 1], "kernels": [5, 9]}, steps=80)


def feed() -> Feed:
    x, _ = series(96, seed=1)
    rows = np.arange(96, dtype=np.int64)
    return Feed({"ecg": x}, {"wave": rows % 2}, rows[:80], rows[80:], rows)


def voices(*members: Member) -> tuple[Voice, ...]:
    return voices_of(members, [1 / len(members)] * len(members))


@pytest.fixture(scope="module")
def network() -> tuple[Voice, ...]:
    state = SUPERVISED.fit(feed(), CONVOLUTIONAL, watch=Watch())
    return voices(Member("supervised", state.arrays, member_json(CONVOLUTIONAL, state.json)))


@pytest.fixture(scope="module")
def kernels() -> tuple[Voice, ...]:
    state = KERNELS.fit(feed(), CONVOLUTIONAL, watch=Watch())
    return voices(Member("kernels", state.arrays, member_json(CONVOLUTIONAL, state.json)))


def seen(heard: tuple[Voice, ...], values: AnyArray, *, place: int = 1) -> View:
    return view_of(heard, {"ecg": values}, Question(TARGET, place))


def on_event(values: Float64Array, first: int) -> float:
    """Share of what speaks for the answer that lies on the burst or a stretch of occlusion beside it."""
    positive = np.clip(values, 0, None)
    return float(positive[max(0, first - 4) : first + WIDE + 4].sum() / positive.sum())


@pytest.mark.parametrize("method", ["gradients", "occlusion"])
def test_the_mass_of_a_map_lies_on_the_event(method: str, network: tuple[Voice, ...]) -> None:
    x, places = series(12, seed=7)
    shares = [on_event(map_of(method, seen(network, x[i])), int(places[i])) for i in range(1, 12, 2)]
    assert np.median(shares) > 0.7  # by chance 24 of 128 steps: .19


def test_occlusion_hears_a_learner_that_is_no_network(kernels: tuple[Voice, ...]) -> None:
    x, places = series(8, seed=7)
    shares = [on_event(map_of("occlusion", seen(kernels, x[i])), int(places[i])) for i in range(1, 8, 2)]
    assert np.median(shares) > 0.5
    assert not map_of("gradients", seen(kernels, x[1])).any()
    assert methods_for("signal", networks=0) == ("occlusion",)


def test_a_map_of_a_trained_network_beats_random_ones_and_follows_the_weights(network: tuple[Voice, ...]) -> None:
    x, _ = series(4, seed=7)
    view = seen(network, x[1])
    values, ends = map_of("occlusion", view), ends_of(view)
    fields = stream(0, "fields")
    random = [Curves(*curves(view, ends, random_field(view.size, coarseness(values), fields))) for _ in range(RANDOM)]
    assert compare(Curves(*curves(view, ends, values)), random, centre=random[0]).p < LEVEL
    other = map_of("occlusion", view.heard(randomised(network, share=SHARES[-1], seed=0)))
    assert alike(values, other) < 0.7


def test_gradients_add_up_and_what_is_missing_has_no_share(network: tuple[Voice, ...]) -> None:
    x, _ = series(2, seed=9)
    x[1, 1, 30:50] = np.nan
    view = seen(network, x[1])
    baselines = baselines_of(view)
    shares = attributions(view, baselines)
    assert not shares[1, 30:50].any()
    whole, *rest = view.scores([view.image, *baselines])
    assert shares.sum() == pytest.approx(whole - np.mean(rest), rel=0.1, abs=0.05)


def test_filling_behind_a_short_series_is_no_place(network: tuple[Voice, ...]) -> None:
    x, _ = series(2, seed=3)
    x[1, :, 90:] = np.nan
    view = seen(network, x[1])
    assert view.size == (90,)
    for method in methods_for("signal", networks=1):
        assert map_of(method, view).shape == (90,)
    deletion, insertion = curves(view, ends_of(view), map_of("occlusion", view))
    assert deletion[0] == pytest.approx(insertion[-1])
    assert np.isfinite([*deletion, *insertion]).all()


def test_irregular_series_are_hidden_as_not_measured_and_keep_their_times() -> None:
    spec = PREPARED.model_copy(update={"times": True})
    options: dict[str, OptionValue] = {"width": 8, "times": True, "missing": "decay"}
    own = job("recurrent", options, steps=2, spec=spec)
    x, _ = series(2, seed=5)
    timed = np.concatenate([np.arange(STEPS, dtype=np.float32)[None], x[1]])
    timed[1:, 10] = np.nan
    hiding = hiding_of(spec)
    hidden = hiding.hidden(timed)
    np.testing.assert_array_equal(hidden[0], timed[0])
    assert np.isnan(hidden[1:]).all()
    (mean,) = hiding.contentless(timed)
    assert not mean[1:, :10].any()
    assert np.isnan(mean[1:, 10]).all()
    from hounsfield.learn.nn.table import build

    arrays = {k: v.contiguous().numpy() for k, v in build(own.network, seed=0).state_dict().items()}
    view = seen(voices(Member("supervised", arrays, member_json(own, None))), timed)
    for method in methods_for("signal", networks=1):
        values = map_of(method, view)
        assert values.shape == (STEPS,)
        assert np.isfinite(values).all()
        assert values.any()


def test_a_stretch_fades_to_the_mean() -> None:
    spec = SeriesHiding(times=False)
    values = np.ones((1, 40), dtype=np.float32)
    copy = spec.covered(values, spec.hidden(values), (slice(10, 22),))
    assert copy[0, 16] == 0.0
    assert 0 < copy[0, 10] < 1
    np.testing.assert_array_equal(copy[0, :10], 1.0)
    np.testing.assert_array_equal(copy[0, 22:], 1.0)
    np.testing.assert_allclose(faded(8), faded(8)[::-1])


def test_maps_that_do_not_exist_say_why() -> None:
    assert methods_for("image", networks=0) == ("gradcam", "gradients", "occlusion")
    assert methods_for("signal", networks=2) == ("gradients", "occlusion")
    with pytest.raises(InputError, match="feature maps of images"):
        methods_for("signal", ("gradcam",), networks=1)
    with pytest.raises(InputError, match="none of the model's members is a network"):
        methods_for("signal", ("gradients",), networks=0)
    row: Preparation = RowPreparation(columns=("age",), middle={"age": 50.0}, spread={"age": 10.0})
    with pytest.raises(BundleError, match="no place that a map could mark"):
        hiding_of(row)


@pytest.mark.parametrize(("rate", "steps"), [(250.0, 1000), (100.0, 400), (360.0, 1440)])
def test_steps_lie_where_resampling_put_them(rate: float, steps: int) -> None:
    spec = SignalPreparation(
        leads=("I",), units=("mV",), steps=400, rate_hz=100.0, mean=(0.0,), std=(1.0,), scale="none"
    )
    t = np.arange(steps) / rate
    beat = np.exp(-(((t - 1.37) / 0.03) ** 2)).astype(np.float32)
    signal = Signal(beat[None], ("I",), ("mV",), rate_hz=rate)
    at = spec.moments(signal)
    prepared = spec.prepared(signal)[0]
    assert len(at) == 400
    assert at[int(np.nanargmax(prepared))] == pytest.approx(1.37, abs=0.5 / 100.0)
    assert torch.from_numpy(prepared).isfinite().all()


def test_moments_of_longer_shorter_and_irregular_signals() -> None:
    spec = SignalPreparation(leads=("x",), units=("",), steps=50, mean=(0.0,), std=(1.0,))
    short, long = (Signal(np.ones((1, n), np.float32), ("x",), ("",)) for n in (30, 80))
    np.testing.assert_array_equal(spec.moments(short), np.arange(30))
    np.testing.assert_array_equal(spec.moments(long), np.arange(50))
    told = Signal(np.ones((1, 80), np.float32), ("x",), ("",), rate_hz=100.0)
    np.testing.assert_allclose(spec.moments(told), np.arange(50) / 100)  # the signal knows its rate, the plan none
    timed = SignalPreparation(leads=("x",), units=("",), steps=3, mean=(0.0,), std=(1.0,), times=True)
    times = np.array([100.0, 160.0, 400.0, 1000.0])
    signal = Signal(np.ones((1, 4), np.float32), ("x",), ("",), times_s=times)
    np.testing.assert_array_equal(timed.moments(signal), [60.0, 300.0, 900.0])  # the beginning is cut off
