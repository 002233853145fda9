"""Losses and decoders against NumPy."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from hounsfield.learn.losses import categorical, multilabel, number, ordinal
from hounsfield.learn.losses.base import combine, labelled_mass, weighted_mean

F64 = npt.NDArray[np.float64]


def logistic(x: F64) -> F64:
    return np.asarray(1 / (1 + np.exp(-x)))


def softmax(x: F64) -> F64:
    exponential = np.exp(x - x.max(1, keepdims=True))
    return np.asarray(exponential / exponential.sum(1, keepdims=True))


def levels(raw: F64) -> F64:
    """Ordinal decode: cumulative logits fall by softplus gaps; class probabilities are their differences."""
    above = np.concatenate([raw[:, :1], raw[:, :1] - np.cumsum(np.log1p(np.exp(raw[:, 1:])), 1)], 1)
    padded = np.concatenate([np.ones((len(raw), 1)), logistic(above), np.zeros((len(raw), 1))], 1)
    return np.asarray(padded[:, :-1] - padded[:, 1:])


@pytest.fixture
def scores() -> F64:
    return np.random.Generator(np.random.Philox(key=3)).normal(size=(6, 4)) * 2


WEIGHT = np.array([1.0, 2.0, 0.5, 1.0, 0.0, 3.0])
TARGET = np.array([0, 3, -1, 2, 1, 1])


def tensors(*arrays: npt.NDArray[np.generic]) -> list[Tensor]:
    return [torch.from_numpy(a.astype(np.float32) if a.dtype == np.float64 else a) for a in arrays]


def test_categorical_is_its_formula(scores: F64) -> None:
    class_weight = np.array([0.5, 1.5, 1.0, 1.0])
    q = 0.9 * np.eye(4)[TARGET] + 0.1 / 4
    per_sample = -(class_weight * q * np.log(softmax(scores))).sum(1)
    factor = WEIGHT * (TARGET >= 0)
    logits, target, weight, classes = tensors(scores, TARGET, WEIGHT, class_weight)
    value = categorical.loss(logits, target, weight, class_weight=classes, smoothing=0.1)
    assert float(value) == pytest.approx((factor * per_sample).sum() / factor.sum(), rel=1e-5)
    np.testing.assert_allclose(categorical.decode(logits).numpy(), softmax(scores), atol=1e-6)


def test_categorical_equals_torch_where_nothing_is_special(scores: F64) -> None:
    (logits,) = tensors(scores)
    target = torch.tensor([0, 1, 2, 3, 0, 1])
    plain = torch.nn.functional.cross_entropy(logits, target)
    torch.testing.assert_close(categorical.loss(logits, target, torch.ones(6)), plain)
    hot = categorical.soft_target(target, 4)
    torch.testing.assert_close(categorical.loss(logits, hot, torch.ones(6)), plain)


def test_mixed_targets_are_the_mixture_of_losses(scores: F64) -> None:
    (logits,) = tensors(scores)
    one, two, ones = torch.tensor([0, 1, 2, 3, 0, 1]), torch.tensor([3, 1, 0, 0, 2, 2]), torch.ones(6)
    mixed = 0.3 * categorical.soft_target(one, 4) + 0.7 * categorical.soft_target(two, 4)
    for kind, raw in ((categorical, logits), (ordinal, logits[:, :3])):
        loss: Callable[[Tensor, Tensor, Tensor], Tensor] = kind.loss
        expected = 0.3 * loss(raw, one, ones) + 0.7 * loss(raw, two, ones)
        torch.testing.assert_close(loss(raw, mixed, ones), expected)


def test_multilabel_is_its_formula(scores: F64) -> None:
    target = np.array([[1, 0, 1, -1], [0, 0, 1, 1], [np.nan, 1, 1, 0], [1, 1, -1, 0], [0, 1, 0, 1], [0.3, 0, 1, 1]])
    known = target >= 0
    positive = np.array([1.0, 4.0, 0.5, 2.0])
    q = np.where(known, target, 0)
    q = 0.8 * q + 0.1
    per_answer = -(positive * q * np.log(logistic(scores)) + (1 - q) * np.log(1 - logistic(scores)))
    factor = WEIGHT[:, None] * known
    logits, wanted, weight, positives = tensors(scores, target, WEIGHT, positive)
    value = multilabel.loss(logits, wanted, weight, positive_weight=positives, smoothing=0.2)
    assert float(value) == pytest.approx((factor * per_answer).sum() / factor.sum(), rel=1e-5)
    np.testing.assert_allclose(multilabel.decode(logits).numpy(), logistic(scores), atol=1e-6)


def test_ordinal_is_its_formula(scores: F64) -> None:
    raw, target, weight = tensors(scores[:, :3], TARGET, WEIGHT)
    probabilities = levels(scores[:, :3])
    np.testing.assert_allclose(ordinal.decode(raw).numpy(), probabilities, atol=1e-6)
    above = 1 - np.cumsum(probabilities, 1)[:, :3]
    wanted = TARGET[:, None] > np.arange(3)
    per_sample = -np.where(wanted, np.log(above), np.log(1 - above)).mean(1)
    factor = WEIGHT * (TARGET >= 0)
    expected = (factor * per_sample).sum() / factor.sum()
    assert float(ordinal.loss(raw, target, weight)) == pytest.approx(expected, rel=1e-4)
    class_weight = np.array([0.5, 1.5, 2.0, 1.0])
    expected = (factor * class_weight[TARGET] * per_sample).sum() / factor.sum()
    weighted = ordinal.loss(raw, target, weight, class_weight=tensors(class_weight)[0])
    assert float(weighted) == pytest.approx(expected, rel=1e-4)


def test_ordinal_probabilities_are_never_negative() -> None:
    raw = torch.randn(200, 5, generator=torch.Generator().manual_seed(0)) * 10
    probabilities = ordinal.decode(raw)
    assert probabilities.shape == (200, 6)
    assert float(probabilities.min()) >= 0.0
    torch.testing.assert_close(probabilities.sum(1), torch.ones(200))
    assert bool((ordinal.cumulative_logits(raw).diff(dim=1) <= 0).all())


def test_ordinal_of_two_levels_is_logistic(scores: F64) -> None:
    (raw,) = tensors(scores[:, :1])
    target = torch.tensor([0, 1, 1, 0, 1, 0])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(raw[:, 0], target.float())
    torch.testing.assert_close(ordinal.loss(raw, target, torch.ones(6)), expected)


def test_number_is_its_formula(scores: F64) -> None:
    target = np.array([0.0, 5.0, np.nan, 1.0, 2.0, -3.0])
    error = np.abs(scores[:, 0] - np.nan_to_num(target))
    huber = np.where(error <= 0.7, error**2 / 2, 0.7 * (error - 0.35))
    factor = WEIGHT * ~np.isnan(target)
    raw, wanted, weight = tensors(scores[:, :1], target, WEIGHT)
    expected = pytest.approx((factor * huber).sum() / factor.sum(), rel=1e-5)
    assert float(number.loss(raw, wanted, weight, delta=0.7)) == expected
    assert float(number.loss(raw, wanted[:, None], weight, delta=0.7)) == expected
    torch.testing.assert_close(number.decode(raw, mean=3.0, deviation=2.0), 3.0 + 2.0 * raw)


MISSING: list[tuple[Callable[..., Tensor], Tensor, int]] = [
    (categorical.loss, torch.full((3,), -1), 4),
    (categorical.loss, torch.full((3, 4), torch.nan), 4),
    (multilabel.loss, torch.full((3, 4), -1.0), 4),
    (multilabel.loss, torch.full((3, 4), torch.nan), 4),
    (ordinal.loss, torch.full((3,), -1), 3),
    (number.loss, torch.full((3, 1), torch.nan), 1),
]


@pytest.mark.parametrize(("loss", "target", "width"), MISSING)
def test_nothing_labelled_is_zero_with_zero_gradient(loss: Callable[..., Tensor], target: Tensor, width: int) -> None:
    raw = torch.randn(3, width, generator=torch.Generator().manual_seed(1)).requires_grad_()
    value = loss(raw, target, torch.ones(3))
    torch.autograd.backward(value)
    assert float(value.detach()) == 0.0
    assert raw.grad is not None
    assert not bool(raw.grad.any())


@pytest.mark.parametrize(("loss", "target", "width"), MISSING)
def test_extreme_scores_stay_finite(loss: Callable[..., Tensor], target: Tensor, width: int) -> None:
    raw = torch.full((3, width), 1e4).requires_grad_()
    known = torch.zeros_like(target)
    value = loss(raw, known, torch.ones(3))
    torch.autograd.backward(value)
    assert bool(value.isfinite())
    assert raw.grad is not None
    assert bool(raw.grad.isfinite().all())


def test_halves_with_the_whole_mass_sum_to_the_whole(scores: F64) -> None:
    logits, target, weight = tensors(scores, TARGET, WEIGHT)
    mass = labelled_mass(categorical.labelled(target), weight)
    halves = [categorical.loss(logits[s], target[s], weight[s], mass=mass) for s in (slice(0, 2), slice(2, 6))]
    torch.testing.assert_close(halves[0] + halves[1], categorical.loss(logits, target, weight))


def test_weighted_mean_ignores_what_is_not_labelled() -> None:
    values, labelled = torch.tensor([1.0, 2.0, 100.0]), torch.tensor([True, True, False])
    assert float(weighted_mean(values, torch.tensor([1.0, 3.0, 5.0]), labelled)) == pytest.approx(7 / 4)


def test_combined_loss_keeps_its_terms() -> None:
    term = torch.tensor(2.0, requires_grad=True)
    loss = combine({"a": term, "b": torch.tensor(3.0)}, weights={"b": 0.5})
    assert float(loss.total.detach()) == 3.5
    assert float(loss.terms["b"]) == 3.0
    assert not loss.terms["a"].requires_grad
    torch.autograd.backward(loss.total)
    assert term.grad is not None


def test_widths() -> None:
    assert (categorical.width(3), multilabel.width(3), ordinal.width(3), number.width()) == (3, 3, 2, 1)
