"""Augmentation of signals: each operation against its formula, addressed by sample, NaN kept."""

from functools import partial

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from hounsfield.core.streams import uniforms
from hounsfield.learn.augment.signal.apply import apply_signal_
from hounsfield.learn.augment.signal.draw import draw_signal
from hounsfield.learn.augment.signal.params import SignalParams
from hounsfield.learn.augment.signal.spec import SignalAugmentSpec
from hounsfield.learn.augment.signal.time import moved_

NAN = float("nan")
ALL = SignalAugmentSpec(
    rate_hz=200.0,
    scale=(0.8, 1.25),
    noise=0.1,
    wander=0.5,
    hum=0.2,
    shift=0.1,
    crop=0.8,
    warp=0.1,
    lead_drop=0.3,
    chance=0.7,
)


def given(batch: int = 6, *, leads: int = 3, steps: int = 120) -> Tensor:
    signals = torch.randn(batch, leads, steps, generator=torch.Generator().manual_seed(0))
    signals[1, :, 70:] = NAN  # a shorter series
    signals[2, 0, 10:13] = NAN  # a gap
    return signals


def drawn(spec: SignalAugmentSpec, rows: list[int], *, channels: int = 3, epoch: int = 0) -> SignalParams:
    return draw_signal(spec, partial(uniforms, 5, "augment ecg", epoch, rows), channels=channels)


def as64(tensor: Tensor) -> npt.NDArray[np.float64]:
    return tensor.numpy().astype(np.float64)


def test_with_all_off_a_batch_passes_untouched() -> None:
    signals = given()
    params = drawn(SignalAugmentSpec(), list(range(6)))
    assert params.off
    assert apply_signal_(signals.clone(), params).numpy().tobytes() == signals.numpy().tobytes()


def test_a_sample_is_augmented_by_its_address_alone() -> None:
    signals, rows = given(), [4, 9, 2, 7, 11, 3]
    whole = apply_signal_(signals.clone(), drawn(ALL, rows))
    for place in (5, 0, 2):
        alone = apply_signal_(signals[place : place + 1].clone(), drawn(ALL, rows[place : place + 1]))
        torch.testing.assert_close(alone[0], whole[place], equal_nan=True)
    again = apply_signal_(signals.clone(), drawn(ALL, rows))
    assert whole.numpy().tobytes() == again.numpy().tobytes()
    other = apply_signal_(signals.clone(), drawn(ALL, rows, epoch=1))
    assert not torch.equal(whole.nan_to_num(), other.nan_to_num())


def test_what_one_operation_draws_does_not_depend_on_another() -> None:
    alone, rows = SignalAugmentSpec(scale=(0.8, 1.25), chance=0.7), list(range(50))
    one, many = drawn(alone, rows).scale, drawn(ALL, rows).scale
    assert one is not None
    assert many is not None
    assert torch.equal(one, many)
    assert 0.5 < float((one != 1.0).float().mean()) < 0.9
    assert 0.8 <= float(one.min()) < 0.95
    assert 1.05 < float(one.max()) <= 1.25


def test_scale_multiplies_all_leads_alike_and_keeps_nan() -> None:
    signals = given()
    params = drawn(SignalAugmentSpec(scale=(0.5, 2.0)), list(range(6)))
    assert params.scale is not None
    found = apply_signal_(signals.clone(), params)
    torch.testing.assert_close(found, signals * params.scale[:, None, None], equal_nan=True)


def test_noise_has_its_deviation_and_keeps_nan() -> None:
    signals = given(steps=4000)
    params = drawn(SignalAugmentSpec(noise=0.5), list(range(6)))
    assert params.noise is not None
    change = apply_signal_(signals.clone(), params) - signals
    assert torch.equal(change.isnan(), signals.isnan())
    deviation = change[[0, 3, 4, 5]].std((1, 2))
    torch.testing.assert_close(deviation, params.noise[[0, 3, 4, 5]], rtol=0.05, atol=1e-3)


def test_wander_is_slow_swings_of_each_lead() -> None:
    signals = torch.zeros(4, 2, 400)
    params = drawn(SignalAugmentSpec(wander=0.6, rate_hz=100.0), list(range(4)), channels=2)
    found = as64(apply_signal_(signals, params))
    parts = (params.wander, params.wander_hz, params.wander_phase)
    height, hz, phase = (as64(part) for part in parts if part is not None)
    seconds = np.arange(400) / 100.0
    for b in range(4):
        for lead in range(2):
            expected = sum(
                height[b, lead, w] * np.sin(2 * np.pi * (hz[b, w] * seconds + phase[b, lead, w])) for w in range(3)
            )
            np.testing.assert_allclose(found[b, lead], expected, atol=1e-4)
    assert np.abs(found).max() <= 0.6
    assert hz.min() >= 0.05 - 1e-6
    assert hz.max() <= 0.5 + 1e-6


def test_hum_is_one_line_in_the_spectrum() -> None:
    params = drawn(SignalAugmentSpec(hum=0.3, rate_hz=400.0), list(range(8)))
    found = as64(apply_signal_(torch.zeros(8, 3, 400), params))
    assert params.hum is not None
    assert params.hum_hz is not None
    assert set(params.hum_hz.tolist()) == {50.0, 60.0}
    for own, height, hz in zip(found, params.hum.tolist(), params.hum_hz.tolist(), strict=True):
        spectrum = np.abs(np.fft.rfft(own[0])) / 200.0  # bins of 1 Hz
        assert int(spectrum.argmax()) == round(hz)
        assert spectrum.max() == pytest.approx(height, rel=1e-3)
        np.testing.assert_array_equal(own[0], own[1])


def test_shift_moves_whole_samples_and_continues_the_ends() -> None:
    signals = given()
    found = moved_(signals.clone(), shift=torch.tensor([0.1, 0.1, 0.0, -0.1, 0.0, 0.0]))
    assert torch.equal(found[0, :, :108], signals[0, :, 12:])
    assert torch.equal(found[0, :, 108:], signals[0, :, 119:].expand(3, 12))
    assert torch.equal(found[1, :, :63], signals[1, :, 7:70])
    assert bool(found[1, :, 70:].isnan().all())
    assert torch.equal(found[3, :, 12:], signals[3, :, :108])
    torch.testing.assert_close(found[2], signals[2], equal_nan=True, atol=0, rtol=0)


def test_crop_keeps_a_stretch_and_pads_the_end() -> None:
    signals = given()
    keep, start = torch.tensor([0.5, 0.5, 1.0, 0.9, 1.0, 1.0]), torch.tensor([1.0, 0.0, 0.3, 0.5, 0.0, 0.0])
    found = moved_(signals.clone(), crop=(keep, start))
    assert torch.equal(found[0, :, :60], signals[0, :, 60:])
    assert bool(found[0, :, 60:].isnan().all())
    assert torch.equal(found[1, :, :35], signals[1, :, :35])
    assert bool(found[1, :, 35:].isnan().all())
    assert torch.equal(found[3, :, :108], signals[3, :, 6:114])
    torch.testing.assert_close(found[2], signals[2], equal_nan=True, atol=0, rtol=0)


def test_warp_reads_at_its_formula_and_never_backwards() -> None:
    ramp = torch.arange(200.0).expand(1, 1, 200).contiguous()
    bend = torch.tensor([[0.1, -0.08, 0.1]])
    found = as64(moved_(ramp.clone(), bend=bend))[0, 0]
    place = np.arange(200.0)
    swings = sum(r * np.sin(np.pi * j * place / 199) / (np.pi * j) for j, r in enumerate([0.1, -0.08, 0.1], start=1))
    np.testing.assert_allclose(found, place + 200 * swings, atol=1e-3)
    assert found[0] == 0.0
    assert found[-1] == pytest.approx(199.0, abs=1e-3)
    speed = np.diff(found)
    assert 0.71 < speed.min() < 1.0 < speed.max() < 1.29
    params = drawn(SignalAugmentSpec(warp=0.2), list(range(30)))
    assert params.bend is not None
    assert float(params.bend.abs().sum(1).max()) <= 0.2


def test_dropped_leads_are_missing_and_one_always_stays() -> None:
    spec = SignalAugmentSpec(lead_drop=0.9)
    found = apply_signal_(torch.zeros(200, 3, 5), drawn(spec, list(range(200))))
    gone = found.isnan().all(2).sum(1)
    assert int(gone.max()) == 2
    assert 1.5 < float(gone.float().mean()) < 2.0
    assert drawn(spec, [0], channels=1).dropped is None


def test_times_are_never_changed() -> None:
    spec = SignalAugmentSpec(times=True, scale=(0.5, 0.6), noise=0.3, lead_drop=0.8)
    signals = given()
    found = apply_signal_(signals.clone(), drawn(spec, list(range(6))))
    torch.testing.assert_close(found[:, 0], signals[:, 0], equal_nan=True, atol=0, rtol=0)
    assert not torch.equal(found[:, 1:].nan_to_num(), signals[:, 1:].nan_to_num())


def test_a_series_of_nothing_stays_nothing() -> None:
    found = apply_signal_(torch.full((2, 3, 50), NAN), drawn(ALL, [0, 1]))
    assert bool(found.isnan().all())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"wander": 0.1}, "rate_hz"),
        ({"hum": 0.1, "rate_hz": 100.0}, "cannot be seen"),
        ({"times": True, "warp": 0.1}, "even steps"),
        ({"scale": (2.0, 1.0)}, "lower first"),
        ({"noises": 1.0}, "noises"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SignalAugmentSpec.model_validate(wrong)
