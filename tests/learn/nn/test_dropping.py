"""Dropping is addressed by sample."""

import pytest
import torch

from hounsfield.core.errors import PlanError
from hounsfield.learn.nn.dropping import AddressedDropout, StochasticDepth, addressed_uniform


def splitmix(state: int) -> int:
    mask = (1 << 64) - 1
    state &= mask
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
    return state ^ (state >> 31)


def test_uniform_numbers_equal_unbounded_integers() -> None:
    keys = [0, 1, -5, 2**62 + 12345]
    drawn = addressed_uniform(torch.tensor(keys), 3, salt=7)
    for row, key in zip(drawn.tolist(), keys, strict=True):
        state = splitmix(key + 8 * 0x9E3779B1)
        expected = [(splitmix(state + place * 0x9E3779B97F4A7C15) >> 40) * 2.0**-24 for place in (1, 2, 3)]
        assert row == expected


def test_uniform_numbers_are_uniform_and_differ_by_salt() -> None:
    keys = torch.arange(500)
    drawn = addressed_uniform(keys, 100, salt=0)
    assert float(drawn.min()) >= 0.0
    assert float(drawn.max()) < 1.0
    counts = torch.histc(drawn, 10, 0.0, 1.0)
    assert float(((counts - 5000) ** 2 / 5000).sum()) < 30  # chi squared, 9 degrees of freedom
    other = addressed_uniform(keys, 100, salt=1)
    assert abs(float(torch.corrcoef(torch.stack([drawn.flatten(), other.flatten()]))[0, 1])) < 0.02


def test_dropout_depends_on_the_sample_not_on_the_batch() -> None:
    layer = AddressedDropout(0.5, salt=3)
    features, keys = torch.ones(4, 1000), torch.tensor([5, 6, 7, 8])
    whole = layer(features, {"keys": keys})
    torch.testing.assert_close(layer(features[2:], {"keys": keys[2:]}), whole[2:])
    assert set(whole.unique().tolist()) == {0.0, 2.0}
    assert float(whole.mean()) == pytest.approx(1.0, abs=0.1)
    assert layer.eval()(features, {}) is features


def test_stochastic_depth_drops_whole_samples() -> None:
    layer = StochasticDepth(0.25)
    out = layer(torch.ones(400, 2, 3, 3), {"keys": torch.arange(400)})
    per_sample = out.flatten(1)
    assert bool((per_sample == per_sample[:, :1]).all())
    assert float((per_sample[:, 0] > 0).float().mean()) == pytest.approx(0.75, abs=0.06)


def test_training_without_keys_is_refused() -> None:
    with pytest.raises(PlanError, match="keys"):
        AddressedDropout(0.5)(torch.ones(2, 2), {})
    with pytest.raises(PlanError, match="rate"):
        AddressedDropout(1.0)
