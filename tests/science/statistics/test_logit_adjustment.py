"""Which class is called where some are rare, against exact posteriors and a search over all factors."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from hounsfield.core.errors import InputError
from hounsfield.core.streams import stream
from hounsfield.science.statistics.logit_adjustment import called, class_factors

COUNTS = {"N": 9000, "S": 600, "V": 300, "F": 100}
PRIOR = np.array(list(COUNTS.values())) / sum(COUNTS.values())
NAMES = list(COUNTS)
RNG = stream(0, "logit adjustment")
DENSITY = RNG.dirichlet(np.ones(40), 4)
"""``4 40``: how often a sample of each class shows each of 40 signs."""


def posterior(weights: np.ndarray) -> np.ndarray:
    """Return the probability of each class for each sign, as learned from a loss with class weights, ``40 4``."""
    joint = (DENSITY * (PRIOR * weights)[:, None]).T
    return np.asarray(joint / joint.sum(axis=1, keepdims=True))


def mean_sensitivity(said: np.ndarray) -> float:
    return float(np.mean([DENSITY[k, said == k].sum() for k in range(4)]))


def factors(tau: float, weights: np.ndarray | None = None) -> np.ndarray:
    found = class_factors(COUNTS, tau=tau, weights=[] if weights is None else weights.tolist())
    return np.array([found[name] for name in NAMES])


def test_one_gives_the_highest_mean_sensitivity_of_all_factors() -> None:
    shares = posterior(np.ones(4))
    best = mean_sensitivity(called(shares, factors(1.0)))
    others = [mean_sensitivity(called(shares, np.exp(RNG.normal(scale=3.0, size=4)))) for _ in range(2000)]
    assert best >= max(others) - 1e-12
    assert best > mean_sensitivity(called(shares, factors(0.5))) > mean_sensitivity(called(shares, factors(0.0)))


def test_zero_calls_the_most_probable_class_and_is_right_most_often() -> None:
    shares = posterior(np.ones(4))
    np.testing.assert_array_equal(called(shares, factors(0.0)), shares.argmax(axis=1))
    np.testing.assert_array_equal(called(shares), shares.argmax(axis=1))
    right = [
        sum(PRIOR[k] * DENSITY[k, called(shares, factors(tau)) == k].sum() for k in range(4)) for tau in (0.0, 0.5, 1)
    ]
    assert right == sorted(right, reverse=True)


def test_weights_of_the_loss_are_taken_out_again() -> None:
    weights = 1 / np.sqrt(PRIOR)
    said = called(posterior(weights), factors(1.0, weights))
    np.testing.assert_array_equal(said, called(posterior(np.ones(4)), factors(1.0)))
    balanced = 1 / PRIOR
    assert factors(0.5, balanced) == pytest.approx(1.0)
    np.testing.assert_array_equal(called(posterior(balanced)), said)


def test_mean_sensitivity_is_that_of_scikit_learn() -> None:
    truth = RNG.choice(4, 4000, p=PRIOR)
    signs = np.array([RNG.choice(40, p=DENSITY[k]) for k in truth])
    shares = posterior(np.ones(4))[signs]
    likely, adjusted = (balanced_accuracy_score(truth, called(shares, factors(tau))) for tau in (0.0, 1.0))
    assert adjusted > likely


def test_a_class_that_was_never_heard_is_not_favoured() -> None:
    assert class_factors({"a": 90, "b": 0, "c": 10}, tau=0.5) == {"a": 1.0, "b": 1.0, "c": 3.0}
    assert class_factors({"a": 90, "b": 10}, tau=1.0, weights=[1.0, 0.0]) == {"a": 1.0, "b": 1.0}
    assert class_factors({}, tau=1.0) == {}


def test_a_handful_of_samples_does_not_say_how_rare_a_class_is() -> None:
    assert class_factors({"a": 1000, "b": 1}, tau=1.0) == class_factors({"a": 1000, "b": 10}, tau=1.0)
    assert class_factors({"a": 1000, "b": 11}, tau=1.0)["b"] < class_factors({"a": 1000, "b": 10}, tau=1.0)["b"]


@pytest.mark.parametrize(("tau", "weights"), [(-0.1, []), (1.1, []), (0.5, [1.0]), (0.5, [1.0, -1.0])])
def test_what_makes_no_sense_is_refused(tau: float, weights: list[float]) -> None:
    with pytest.raises(InputError):
        class_factors({"a": 2, "b": 1}, tau=tau, weights=weights)
